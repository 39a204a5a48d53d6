-- Records that a condition selects, and recyclings of lists. $condition is made by filter_sql.

-- name: records_where
-- A page of a list's selected records.
SELECT json_group_array($record)
FROM (
  SELECT r.chain_id, r.chain_n FROM record r $with_window
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
    AND (r.chain_id, r.chain_n) > (:after_chain, :after_place) AND $condition
  ORDER BY r.chain_id, r.chain_n
  LIMIT :limit
) found
CROSS JOIN record r ON r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
  AND r.chain_id = found.chain_id AND r.chain_n = found.chain_n
$with_window

-- name: count_records
-- How many records of a list are selected.
SELECT count(*) FROM record r $with_window
WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND $condition

-- name: count_chains
-- How many chains of a list have a selected record.
SELECT count(DISTINCT r.chain_id) FROM record r $with_window
WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND $condition

-- name: remove_records
-- Take records out that nobody changed meanwhile.
WITH gone (contact_centre_id, list_id, chain_id, chain_n, version) AS (VALUES $rows)
DELETE FROM record
WHERE (contact_centre_id, list_id, chain_id, chain_n, version) IN (
  SELECT contact_centre_id, list_id, chain_id, chain_n, version FROM gone
)

-- name: recycle_runs
-- The newest recyclings of a list.
SELECT json_group_array(json_object(
  'contact_centre_id', contact_centre_id, 'list_id', list_id, 'run_id', run_id, 'made_at_ms', made_at_ms,
  'made_by', made_by, 'what', what, 'records', records, 'state', state
))
FROM (
  SELECT * FROM recycle_run WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id
  ORDER BY run_id DESC LIMIT :limit
)

-- name: put_recycle_runs
-- Recyclings, new or further.
INSERT INTO recycle_run (contact_centre_id, list_id, run_id, made_at_ms, made_by, what, records, state) VALUES $rows
ON CONFLICT (contact_centre_id, list_id, run_id) DO UPDATE SET records = excluded.records, state = excluded.state

-- name: undo_of
-- What a recycling can be undone with.
SELECT json_group_array(json(before))
FROM (
  SELECT before FROM recycle_undo
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND run_id = :run_id
  ORDER BY chain_id, chain_n LIMIT :limit
)

-- name: keep_undo
-- Records as they were.
INSERT INTO recycle_undo (contact_centre_id, list_id, run_id, chain_id, chain_n, version, before) VALUES $rows

-- name: drop_undo
-- Forget records as they were.
WITH gone (contact_centre_id, list_id, chain_id, chain_n, run_id) AS (VALUES $rows)
DELETE FROM recycle_undo
WHERE (contact_centre_id, list_id, chain_id, chain_n, run_id) IN (
  SELECT contact_centre_id, list_id, chain_id, chain_n, run_id FROM gone
)
