-- The hand-out: the next record that may be called. The priorities 2 to 8 are those of records for anyone
-- (domain.campaigns.TYPE_PRIORITY: below are personal ones, above is "no call"); the contact types 10 and 11 are
-- e-mail and messaging, which are never dialed.

-- name: windows_of_list
-- The calling windows that a list's records share.
SELECT json_group_array(json_array(window_id, time_zone, from_s, until_s, region, json(other_zones)))
FROM calling_window
WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id

-- name: add_window
-- A calling window under its number.
INSERT INTO calling_window (
  contact_centre_id, list_id, window_id, time_zone, from_s, until_s, region, other_zones
)
VALUES (:contact_centre_id, :list_id, :window_id, :time_zone, :from_s, :until_s, :region, :other_zones)

-- name: own_candidates
-- The agent's own callbacks that wait for nothing but their window.
SELECT json_group_array(json_array(priority, list_id, chain_id, chain_n, window_id, attempts))
FROM record INDEXED BY record_personal
WHERE contact_centre_id = :contact_centre_id AND agent_id = :user_id AND status = 1 AND record_type IN (4, 5)
  AND (due_at_s IS NULL OR due_at_s <= :now_s) AND phone_type NOT IN (10, 11)

-- name: due_candidate
-- The first of a list's records whose time has come.
SELECT json_array(priority, chain_id, chain_n) FROM record INDEXED BY record_due
WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND status = 1 AND due_at_s IS NOT NULL
  AND due_at_s <= :now_s AND priority BETWEEN 2 AND 8 AND phone_type NOT IN (10, 11)
  AND attempts < :max_attempts AND window_id IN (SELECT value FROM json_each(:windows))
  AND chain_id NOT IN (SELECT value FROM json_each(:passed_over))
ORDER BY priority, chain_id, chain_n
LIMIT 1

-- name: fresh_candidates
-- The first of a list's records without a time, for each of the windows.
SELECT json_group_array(json((
  SELECT json_array(priority, chain_id, chain_n) FROM record INDEXED BY record_fresh
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND window_id = opened.value
    AND status = 1 AND due_at_s IS NULL AND priority BETWEEN 2 AND 8 AND phone_type NOT IN (10, 11)
    AND attempts < :max_attempts AND chain_id NOT IN (SELECT value FROM json_each(:passed_over))
  ORDER BY priority, chain_id, chain_n
  LIMIT 1
)))
FROM json_each(:windows) opened

-- name: record
-- One record.
SELECT json_group_array($record) FROM record r $with_window
WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
  AND r.chain_id = :chain_id AND r.chain_n = :chain_n
