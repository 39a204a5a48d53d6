-- What is kept about single persons.

-- name: attempts_about
-- The first $5 rows of the numbers ($2) or persons ($3) behind $4.
SELECT $attempt_columns
FROM attempt_log
WHERE contact_centre_id = $1 AND (number_key = ANY ($2::text[]) OR person_key = ANY ($3::text[])) AND seq > $4
ORDER BY seq
LIMIT $5

-- name: rename_attempts
-- Replace the keys of numbers ($2 by $3) and of persons ($4 by $5) in rows of those persons or of the numbers $7; drop
-- details that hold one of $6.
UPDATE attempt_log AS a SET
    number_key = coalesce((SELECT n.new FROM unnest($2::text[], $3::text[]) AS n (old, new) WHERE n.old = a.number_key),
        a.number_key),
    person_key = coalesce((SELECT p.new FROM unnest($4::text[], $5::text[]) AS p (old, new) WHERE p.old = a.person_key),
        a.person_key),
    detail = CASE
        WHEN NOT EXISTS (SELECT FROM unnest($6::text[]) AS t (text) WHERE position(t.text IN a.detail) > 0) THEN a.detail
    END
WHERE a.contact_centre_id = $1 AND (a.number_key = ANY ($7::text[]) OR a.person_key = ANY ($4::text[]))

-- name: journal_about
-- Rows behind $3 up to $4 whose events hold one of the texts ($2).
SELECT $journal_columns
FROM journal
WHERE contact_centre_id = $1 AND seq > $3 AND seq <= $4 AND events IS NOT NULL
    AND EXISTS (SELECT FROM unnest($2::bytea[]) AS t (text) WHERE position(t.text IN events) > 0)
ORDER BY seq

-- name: rewrite_journal
-- Replace the events ($2) of rows ($1); what the caller gave to recognise the request goes too.
UPDATE journal AS j SET events = n.events, reference = NULL, request_key = NULL
FROM unnest($1::bigint[], $2::bytea[]) AS n (seq, events)
WHERE j.seq = n.seq

-- name: forget_undo
-- Delete what recyclings kept of some chains.
WITH gone AS (
    DELETE FROM recycle_undo AS u
    USING unnest($1::integer[], $2::integer[], $3::bigint[]) AS k (contact_centre_id, list_id, chain_id)
    WHERE u.contact_centre_id = k.contact_centre_id AND u.list_id = k.list_id AND u.chain_id = k.chain_id
    RETURNING 1
)
SELECT count(*) FROM gone
