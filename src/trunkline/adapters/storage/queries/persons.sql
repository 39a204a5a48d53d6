-- What is kept about single persons.

-- name: attempts_about
-- The first rows of some numbers or persons behind a number.
SELECT json_group_array($attempt)
FROM (
  SELECT seq FROM (
    SELECT seq FROM attempt_log INDEXED BY attempt_by_number
    WHERE contact_centre_id = :contact_centre_id AND number_key IN (SELECT value FROM json_each(:number_keys))
    UNION
    SELECT seq FROM attempt_log INDEXED BY attempt_by_person
    WHERE contact_centre_id = :contact_centre_id AND person_key IN (SELECT value FROM json_each(:person_keys))
  )
  WHERE seq > :after_seq
  ORDER BY seq
  LIMIT :limit
) found
CROSS JOIN attempt_log a ON a.seq = found.seq

-- name: rename_attempt
-- Replace the keys of a row.
UPDATE attempt_log SET number_key = :number_key, person_key = :person_key, detail = :detail WHERE seq = :seq

-- name: journal_about
-- Rows between two numbers whose events hold one of some texts.
SELECT json_group_array($stored_row)
FROM journal j NOT INDEXED
WHERE j.contact_centre_id = :contact_centre_id AND j.seq > :after_seq AND j.seq <= :until_seq AND j.events IS NOT NULL
  AND EXISTS (SELECT 1 FROM json_each(:texts) t WHERE instr(CAST(j.events AS TEXT), t.value) > 0)

-- name: rewrite_events
-- Replace the events of a row; what the caller gave to recognise the request goes too.
UPDATE journal SET events = :events, reference = NULL, request_key = NULL WHERE seq = :seq

-- name: forget_undo
-- Delete what recyclings kept of a chain.
DELETE FROM recycle_undo
WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND chain_id = :chain_id
