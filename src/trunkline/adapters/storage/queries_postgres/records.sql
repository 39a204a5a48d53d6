-- Records of calling lists, their windows, imports.

-- fragment: record_columns
r.contact_centre_id, r.list_id, r.chain_id, r.chain_n, r.record_id, r.phone_number, r.phone_type, r.record_type,
r.status, r.call_result, r.attempts, r.due_at_s, r.called_at_s, r.window_id, r.campaign_id, r.agent_id,
r.customer_id, r.treatments, r.hold, r.other_fields, r.version

-- name: chain
-- All records of one chain by place.
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND r.chain_id = $3
ORDER BY r.chain_n

-- name: records_of_number
-- Records of some lists ($2) with one number in canonical form ($3).
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.list_id = ANY ($2::integer[]) AND r.number_key = $3
ORDER BY r.list_id, r.chain_id, r.chain_n
LIMIT $4

-- name: records_of_customer
-- Records of some lists ($2) with one customer id ($3).
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.list_id = ANY ($2::integer[]) AND r.customer_id = $3
ORDER BY r.list_id, r.chain_id, r.chain_n
LIMIT $4

-- name: due_callbacks
-- READY records of personal types (4, 5) that an agent owns and that are due by $3, oldest first.
SELECT $record_columns
FROM record AS r
WHERE r.contact_centre_id = $1 AND r.agent_id = $2 AND r.callback_status = 1 AND r.record_type IN (4, 5)
    AND r.due_at_s <= $3
ORDER BY r.due_at_s, r.list_id, r.chain_id, r.chain_n
LIMIT $4

-- fragment: change_results
UPDATE record AS r SET
    phone_type = n.phone_type, call_result = n.call_result, attempts = n.attempts, called_at_s = n.called_at_s,
    campaign_id = n.campaign_id, treatments = n.treatments, other_fields = n.other_fields, version = n.version
FROM unnest(
    $1::integer[], $2::integer[], $3::bigint[], $4::integer[], $5::smallint[], $6::smallint[], $7::integer[],
    $8::bigint[], $9::integer[], $10::text[], $11::text[], $12::integer[]
) AS n (
    contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts,
    called_at_s, campaign_id, treatments, other_fields, version
)
WHERE r.contact_centre_id = n.contact_centre_id AND r.list_id = n.list_id AND r.chain_id = n.chain_id
    AND r.chain_n = n.chain_n AND r.version = n.version - 1

-- name: change_results
-- Write the columns that no index has into records whose version is the one before; the tag tells how many were.
$change_results

-- name: change_records
-- Write all columns into records whose version is the one before; the tag tells how many were.
UPDATE record AS r SET
    phone_type = n.phone_type, call_result = n.call_result, attempts = n.attempts, called_at_s = n.called_at_s,
    campaign_id = n.campaign_id, treatments = n.treatments, other_fields = n.other_fields, version = n.version,
    record_id = n.record_id, phone_number = n.phone_number, number_key = n.number_key,
    record_type = n.record_type, priority = n.priority, status = n.status, due_at_s = n.due_at_s,
    window_id = n.window_id, agent_id = n.agent_id, customer_id = n.customer_id, hold = n.hold
FROM $record_rows
WHERE r.contact_centre_id = n.contact_centre_id AND r.list_id = n.list_id AND r.chain_id = n.chain_id
    AND r.chain_n = n.chain_n AND r.version = n.version - 1

-- name: add_records
-- Insert records.
INSERT INTO record (
    contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s, campaign_id,
    treatments, other_fields, version, record_id, phone_number, number_key, record_type, priority, status,
    due_at_s, window_id, agent_id, customer_id, hold
)
SELECT * FROM $record_rows

-- name: join_chains
-- Records of chains $3 of lists $2 of contact centres $1 are not alone any more.
UPDATE record AS r SET is_alone = false
FROM unnest($1::integer[], $2::integer[], $3::bigint[]) AS n (contact_centre_id, list_id, chain_id)
CROSS JOIN LATERAL (
    SELECT s.ctid AS row_at FROM record AS s
    WHERE s.contact_centre_id = n.contact_centre_id AND s.list_id = n.list_id AND s.chain_id = n.chain_id
        AND s.is_alone
    FOR UPDATE
) AS k
WHERE r.ctid = k.row_at

-- fragment: record_rows
unnest(
    $1::integer[], $2::integer[], $3::bigint[], $4::integer[], $5::smallint[], $6::smallint[], $7::integer[],
    $8::bigint[], $9::integer[], $10::text[], $11::text[], $12::integer[], $13::bigint[], $14::text[], $15::text[],
    $16::smallint[], $17::smallint[], $18::smallint[], $19::bigint[], $20::integer[], $21::integer[], $22::text[],
    $23::smallint[]
) AS n (
    contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s, campaign_id,
    treatments, other_fields, version, record_id, phone_number, number_key, record_type, priority, status,
    due_at_s, window_id, agent_id, customer_id, hold
)

-- name: windows
-- All windows of some lists: contact centre ($1) and list ($2), pairwise.
SELECT w.contact_centre_id, w.list_id, w.window_id, w.time_zone, w.from_s, w.until_s, w.region, w.other_zones
FROM unnest($1::integer[], $2::integer[]) AS k (contact_centre_id, list_id)
JOIN calling_window AS w ON w.contact_centre_id = k.contact_centre_id AND w.list_id = k.list_id

-- name: add_windows
-- Insert windows under the numbers given.
INSERT INTO calling_window (
    contact_centre_id, list_id, window_id, time_zone, from_s, until_s, region, other_zones
)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::integer[], $4::text[], $5::integer[], $6::integer[], $7::text[], $8::text[]
)

-- name: import_progress
-- How far an import is.
SELECT contact_centre_id, list_id, import_id, state, source_rows_done, records_added, rows_refused, file_digest,
    started_at_ms, source_rows
FROM import_run
WHERE contact_centre_id = $1 AND list_id = $2 AND import_id = $3

-- name: note_imports
-- Write how far an import is. It only ever moves forward: of two processes that run the same one, the second finds
-- nothing to change, and its whole transaction is rolled back.
INSERT INTO import_run (
    contact_centre_id, list_id, import_id, state, source_rows_done, records_added, rows_refused, file_digest,
    started_at_ms, source_rows
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (contact_centre_id, list_id, import_id) DO UPDATE SET
    state = EXCLUDED.state, source_rows_done = EXCLUDED.source_rows_done, records_added = EXCLUDED.records_added,
    rows_refused = EXCLUDED.rows_refused, file_digest = EXCLUDED.file_digest, started_at_ms = EXCLUDED.started_at_ms,
    source_rows = EXCLUDED.source_rows
WHERE import_run.state = 'running'
AND (import_run.source_rows_done < EXCLUDED.source_rows_done OR EXCLUDED.state = 'done')

-- name: take_numbers
-- Draw runs of handles ($1), record ids ($2) and chain ids ($3): the first of each, NULL for none wanted.
-- The lock makes "draw one, then move on by the rest" one step for all processes.
WITH locked AS MATERIALIZED (SELECT pg_advisory_xact_lock($4)),
first AS MATERIALIZED (
    SELECT
        CASE WHEN $1::bigint > 0 THEN nextval('handle_seq') END AS handle,
        CASE WHEN $2::bigint > 0 THEN nextval('record_seq') END AS record,
        CASE WHEN $3::bigint > 0 THEN nextval('chain_seq') END AS chain
    FROM locked
)
SELECT handle, record, chain,
    setval('handle_seq', handle + $1 - 1), setval('record_seq', record + $2 - 1), setval('chain_seq', chain + $3 - 1)
FROM first
