-- The journal of requests: audit, outbox and repeat check; and how far deliveries are.

-- fragment: journal_columns
seq, contact_centre_id, user_id, at_ms, request_type, door, campaign_id, list_id, handle, outcome, reference,
request_key, elapsed_ns, events

-- name: repeats
-- The newest row of each request key ($1) not older than $2. Not a join: its plan for an empty journal reads all keys.
SELECT DISTINCT ON (request_key) $journal_columns
FROM journal
WHERE request_key = ANY ($1::bigint[]) AND at_ms >= $2
ORDER BY request_key, seq DESC

-- fragment: journal_target
INSERT INTO journal (
    contact_centre_id, user_id, at_ms, request_type, door, campaign_id, list_id, handle, outcome, reference,
    request_key, elapsed_ns, events
)

-- name: write_journal
-- Append rows in order; their sequence numbers in the same order.
WITH written AS (
    $journal_target
    SELECT * FROM unnest(
        $1::integer[], $2::integer[], $3::bigint[], $4::smallint[], $5::smallint[], $6::integer[], $7::integer[],
        $8::integer[], $9::integer[], $10::text[], $11::bigint[], $12::bigint[], $13::bytea[]
    )
    RETURNING seq
)
SELECT array_agg(seq ORDER BY seq) FROM written

-- name: change_results_and_write_journal
-- The hot path, all in one statement, which is a transaction of its own for the common batch: take the lock ($26),
-- change the records, write the journal; the journal's numbers in order. Divides by zero, and so leaves nothing
-- behind, when not as many records were changed as there are versions. The lock is held before the first row is
-- touched and the first number drawn, because both ask for it.
WITH locked AS MATERIALIZED (
    SELECT true AS is_mine FROM pg_advisory_xact_lock($26)
),
changed AS (
    $change_results AND (SELECT is_mine FROM locked)
    RETURNING 1
),
written AS (
    $journal_target
    SELECT * FROM unnest(
        $13::integer[], $14::integer[], $15::bigint[], $16::smallint[], $17::smallint[], $18::integer[],
        $19::integer[], $20::integer[], $21::integer[], $22::text[], $23::bigint[], $24::bigint[], $25::bytea[]
    )
    WHERE (SELECT is_mine FROM locked)
    RETURNING seq
)
SELECT array_agg(seq ORDER BY seq),
    1 / ((SELECT count(*) FROM changed) = cardinality($12::integer[]))::integer AS is_whole
FROM written

-- name: move_cursors
-- Note how far deliveries are; a cursor never goes back.
INSERT INTO delivery_cursor AS c (contact_centre_id, user_id, channel, mark)
SELECT * FROM unnest($1::integer[], $2::integer[], $3::text[], $4::bigint[])
ON CONFLICT (contact_centre_id, user_id, channel) DO UPDATE SET mark = EXCLUDED.mark
WHERE c.mark < EXCLUDED.mark

-- name: cursors
-- How far deliveries to one user are, by channel.
SELECT channel, mark FROM delivery_cursor WHERE contact_centre_id = $1 AND user_id = $2

-- name: newest
-- A user's last rows, those before sequence number $3 when it is given; newest first.
SELECT $journal_columns
FROM journal
WHERE contact_centre_id = $1 AND user_id = $2 AND seq < coalesce($3::bigint, 9223372036854775807)
ORDER BY seq DESC
LIMIT $4

-- name: rows_after
-- A user's first rows behind sequence number $3, oldest first.
SELECT $journal_columns
FROM journal
WHERE contact_centre_id = $1 AND user_id = $2 AND seq > $3
ORDER BY seq
LIMIT $4

-- name: epoch
-- The name of this journal.
SELECT epoch FROM journal_state WHERE id = 1

-- name: journal_span
-- How far the journal was pruned, and the last number that is known; where all rows are gone both are the same.
SELECT pruned_to, greatest(pruned_to, (SELECT max(seq) FROM journal)) AS newest
FROM journal_state WHERE id = 1

-- name: recent_request_keys
-- Request keys among the last $2 rows that have one, not older than $1.
SELECT request_key
FROM (
    SELECT request_key, at_ms FROM journal WHERE request_key IS NOT NULL ORDER BY seq DESC LIMIT $2
) AS newest
WHERE at_ms >= $1

-- fragment: audit_filter
AND ($2::bigint IS NULL OR request_type = $2) AND ($3::bigint IS NULL OR handle = $3)
AND ($4::bigint IS NULL OR at_ms >= $4) AND ($5::bigint IS NULL OR at_ms < $5)
AND seq < coalesce($6::bigint, 9223372036854775807)
ORDER BY seq DESC
LIMIT $7

-- name: audit
-- A page of a contact centre's request audit, newest first.
SELECT $journal_columns
FROM journal
WHERE contact_centre_id = $1
$audit_filter

-- name: audit_of_user
-- A page of one user's ($8) request audit, newest first.
SELECT $journal_columns
FROM journal
WHERE contact_centre_id = $1 AND user_id = $8::bigint
$audit_filter

-- name: prune
-- Delete rows older than $1, at most $2, and note the highest number that went; how many went. Looks at the oldest
-- ones only (and a thousand more, because two clocks may differ): rows are in the order of time, and a search for old
-- ones would read the whole table to find none.
WITH gone AS (
    DELETE FROM journal
    WHERE seq = ANY (ARRAY (
        SELECT seq
        FROM (SELECT seq, at_ms FROM journal ORDER BY seq LIMIT $2 + 1000) AS oldest
        WHERE at_ms < $1
        ORDER BY seq
        LIMIT $2
    ))
    RETURNING seq
),
noted AS (
    UPDATE journal_state SET pruned_to = greatest(pruned_to, (SELECT max(seq) FROM gone))
    WHERE id = 1 AND EXISTS (SELECT FROM gone)
)
SELECT count(*) FROM gone
