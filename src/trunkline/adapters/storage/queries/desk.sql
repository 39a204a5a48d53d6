-- name: held
-- Desk entries of one contact centre by handle, with their records.
SELECT json_group_array(json_object('entry', $entry, 'record', $record))
FROM desk d $with_record $with_window
WHERE d.contact_centre_id = :contact_centre_id AND d.handle IN (SELECT value FROM json_each(:handles))

-- name: desk_of
-- What lies on an agent's desk.
SELECT json_group_array(json_object('entry', $entry, 'record', $record))
FROM desk d INDEXED BY desk_by_user $with_record $with_window
WHERE d.contact_centre_id = :contact_centre_id AND d.user_id = :user_id

-- name: expired
-- The entries whose lease ended first.
SELECT json_group_array(json_object('entry', $entry, 'record', $record))
FROM (
  SELECT contact_centre_id, handle FROM desk INDEXED BY desk_by_lease
  WHERE lease_until_ms <= :now_ms
  ORDER BY lease_until_ms, contact_centre_id, handle
  LIMIT :limit
) ended
CROSS JOIN desk d ON d.contact_centre_id = ended.contact_centre_id AND d.handle = ended.handle
$with_record $with_window

-- name: desk_page
-- Entries behind a key whose fate is open.
SELECT json_group_array(json_object('entry', $entry, 'record', $record))
FROM (
  SELECT contact_centre_id, handle FROM desk k
  WHERE (contact_centre_id, handle) > (:contact_centre_id, :handle) AND NOT is_settled
    AND EXISTS (
      SELECT 1 FROM record r WHERE r.contact_centre_id = k.contact_centre_id AND r.list_id = k.list_id
        AND r.chain_id = k.chain_id AND r.chain_n = k.chain_n
    )
  ORDER BY contact_centre_id, handle
  LIMIT :limit
) page
CROSS JOIN desk d ON d.contact_centre_id = page.contact_centre_id AND d.handle = page.handle
$with_record $with_window

-- name: entries_of_chain
-- The desk entries of a chain's records.
SELECT json_group_array($entry) FROM desk d INDEXED BY desk_by_chain
WHERE d.contact_centre_id = :contact_centre_id AND d.list_id = :list_id AND d.chain_id = :chain_id

-- name: put_on_desk
-- Write desk entries, new or changed.
INSERT OR FAIL INTO desk (
  contact_centre_id, handle, list_id, chain_id, chain_n, user_id, device_id, campaign_id, attempt_guid,
  lease_until_ms, is_settled, shares, permitted_at_ms
) VALUES $rows
ON CONFLICT (contact_centre_id, handle) DO UPDATE SET
  list_id = excluded.list_id, chain_id = excluded.chain_id, chain_n = excluded.chain_n,
  user_id = excluded.user_id, device_id = excluded.device_id, campaign_id = excluded.campaign_id,
  attempt_guid = excluded.attempt_guid, lease_until_ms = excluded.lease_until_ms,
  is_settled = excluded.is_settled, shares = excluded.shares, permitted_at_ms = excluded.permitted_at_ms

-- name: take_off_desk
-- Remove desk entries.
WITH gone (contact_centre_id, handle) AS (VALUES $rows)
DELETE FROM desk WHERE (contact_centre_id, handle) IN (SELECT contact_centre_id, handle FROM gone)
