-- name: first_seq
-- The number of the next journal row; pruning leaves a mark where it has removed the newest one.
SELECT max(
  coalesce((SELECT max(seq) FROM journal), 0) + 1,
  coalesce((SELECT next_value FROM number_pool WHERE name = 'journal'), 1)
)

-- name: write_journal
-- Append.
INSERT OR FAIL INTO journal (
  seq, contact_centre_id, user_id, at_ms, request_type, door, campaign_id, list_id, handle, outcome, reference,
  request_key, elapsed_ns, events
) VALUES $rows

-- name: repeats
-- Rows of requests that were carried out before.
SELECT json_group_array($stored_row) FROM journal j INDEXED BY journal_by_request_key
WHERE j.request_key IN (SELECT value FROM json_each(:request_keys)) AND j.at_ms >= :since_ms

-- name: newest
-- A user's last rows before a place.
SELECT json_group_array($stored_row)
FROM (
  SELECT seq FROM journal INDEXED BY journal_by_user
  WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id AND seq < :before_seq
  ORDER BY seq DESC
  LIMIT :limit
) found
CROSS JOIN journal j ON j.seq = found.seq

-- name: rows_after
-- A user's first rows behind a place.
SELECT json_group_array($stored_row)
FROM (
  SELECT seq FROM journal INDEXED BY journal_by_user
  WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id AND seq > :after_seq
  ORDER BY seq
  LIMIT :limit
) found
CROSS JOIN journal j ON j.seq = found.seq

-- name: epoch
-- The name of this journal.
SELECT epoch FROM journal_state WHERE id = 1

-- name: journal_span
-- How far the journal was pruned, and the last number that is known; where all rows are gone both are the same.
SELECT json_array(pruned_to, max(pruned_to, coalesce((SELECT max(seq) FROM journal), 0)))
FROM journal_state WHERE id = 1

-- name: recent_request_keys
-- Request keys among the last rows that have one.
SELECT json_group_array(newest.request_key)
FROM (
  SELECT request_key, at_ms FROM journal WHERE request_key IS NOT NULL ORDER BY seq DESC LIMIT :limit
) newest
WHERE newest.at_ms >= :since_ms

-- name: audit
-- A page of a contact centre's requests, newest first.
SELECT json_group_array($stored_row)
FROM (
  SELECT seq FROM journal NOT INDEXED
  WHERE contact_centre_id = :contact_centre_id AND seq < :before_seq
    AND at_ms >= :since_ms AND at_ms < :until_ms
    AND (:request_type IS NULL OR request_type = :request_type) AND (:handle IS NULL OR handle = :handle)
  ORDER BY seq DESC
  LIMIT :limit
) found
CROSS JOIN journal j ON j.seq = found.seq

-- name: audit_of_user
-- A page of one user's requests, newest first.
SELECT json_group_array($stored_row)
FROM (
  SELECT seq FROM journal INDEXED BY journal_by_user
  WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id AND seq < :before_seq
    AND at_ms >= :since_ms AND at_ms < :until_ms
    AND (:request_type IS NULL OR request_type = :request_type) AND (:handle IS NULL OR handle = :handle)
  ORDER BY seq DESC
  LIMIT :limit
) found
CROSS JOIN journal j ON j.seq = found.seq

-- name: note_pruned
-- Note the highest number that the next statement removes; nothing is written when it removes none.
UPDATE journal_state SET pruned_to = gone.seq
FROM (
  SELECT max(seq) AS seq FROM (SELECT seq, at_ms FROM journal ORDER BY seq LIMIT :limit) WHERE at_ms < :before_ms
) gone
WHERE id = 1 AND pruned_to < gone.seq

-- name: prune
-- Remove the old ones among the first rows. Numbers grow with time, so the old ones are at the front.
DELETE FROM journal WHERE seq IN (
  SELECT seq FROM (SELECT seq, at_ms FROM journal ORDER BY seq LIMIT :limit) WHERE at_ms < :before_ms
)

-- name: cursors
-- A user's highest delivered mark on each channel.
SELECT json_group_object(channel, mark) FROM delivery_cursor
WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id

-- name: move_cursors
-- Move marks, forward only.
INSERT OR FAIL INTO delivery_cursor (contact_centre_id, user_id, channel, mark) VALUES $rows
ON CONFLICT (contact_centre_id, user_id, channel) DO UPDATE SET mark = max(mark, excluded.mark)
