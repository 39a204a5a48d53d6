-- Records that a condition selects, and recyclings of lists. $condition is made by filter_sql.

-- fragment: window_of_record
JOIN calling_window AS w ON w.contact_centre_id = r.contact_centre_id AND w.list_id = r.list_id
    AND w.window_id = r.window_id

-- name: records_where
-- A page of a list's selected records behind chain $3 and place $4, at most $5.
SELECT $record_columns
FROM record AS r
$window_of_record
WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND (r.chain_id, r.chain_n) > ($3::bigint, $4::integer)
    AND $condition
ORDER BY r.chain_id, r.chain_n
LIMIT $5

-- name: count_records
-- How many records of a list are selected.
SELECT count(*)
FROM record AS r
$window_of_record
WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND $condition

-- name: count_chains
-- How many chains of a list have a selected record.
SELECT count(DISTINCT r.chain_id)
FROM record AS r
$window_of_record
WHERE r.contact_centre_id = $1 AND r.list_id = $2 AND $condition

-- name: remove_records
-- Take records out that nobody changed meanwhile; the tag tells how many.
DELETE FROM record AS r
USING unnest($1::integer[], $2::integer[], $3::bigint[], $4::integer[], $5::integer[])
    AS k (contact_centre_id, list_id, chain_id, chain_n, version)
WHERE r.contact_centre_id = k.contact_centre_id AND r.list_id = k.list_id AND r.chain_id = k.chain_id
    AND r.chain_n = k.chain_n AND r.version = k.version

-- name: recycle_runs
-- The newest recyclings of a list.
SELECT contact_centre_id, list_id, run_id, made_at_ms, made_by, what, records, state
FROM recycle_run
WHERE contact_centre_id = $1 AND list_id = $2
ORDER BY run_id DESC
LIMIT $3

-- name: put_recycle_runs
-- Recyclings, new or further.
INSERT INTO recycle_run (contact_centre_id, list_id, run_id, made_at_ms, made_by, what, records, state)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::integer[], $4::bigint[], $5::integer[], $6::text[], $7::bigint[], $8::text[]
)
ON CONFLICT (contact_centre_id, list_id, run_id) DO UPDATE SET records = EXCLUDED.records, state = EXCLUDED.state

-- name: undo_of
-- What a recycling can be undone with.
SELECT before FROM recycle_undo
WHERE contact_centre_id = $1 AND list_id = $2 AND run_id = $3
ORDER BY chain_id, chain_n
LIMIT $4

-- name: keep_undo
-- Records as they were.
INSERT INTO recycle_undo (contact_centre_id, list_id, run_id, chain_id, chain_n, version, before)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::integer[], $4::bigint[], $5::integer[], $6::integer[], $7::text[]
)

-- name: drop_undo
-- Forget records as they were.
DELETE FROM recycle_undo AS u
USING unnest($1::integer[], $2::integer[], $3::bigint[], $4::integer[], $5::integer[])
    AS k (contact_centre_id, list_id, chain_id, chain_n, run_id)
WHERE u.contact_centre_id = k.contact_centre_id AND u.list_id = k.list_id AND u.run_id = k.run_id
    AND u.chain_id = k.chain_id AND u.chain_n = k.chain_n
