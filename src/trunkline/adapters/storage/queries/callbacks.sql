-- Callbacks by time, and who is there to take them.

-- name: callbacks
-- A page of callbacks in one status, oldest first.
SELECT json_group_array($record)
FROM (
  SELECT contact_centre_id, list_id, chain_id, chain_n FROM record INDEXED BY record_callback
  WHERE contact_centre_id = :contact_centre_id AND status = :status AND record_type IN (4, 5, 6)
    AND due_at_s <= :until_s AND due_at_s >= :after_due_at_s
    AND (due_at_s, list_id, chain_id, chain_n)
      > (:after_due_at_s, :after_list_id, :after_chain_id, :after_chain_n)
    AND (:list_id IS NULL OR list_id = :list_id) AND (:agent_id IS NULL OR agent_id = :agent_id)
    AND (:campaign_id IS NULL OR campaign_id = :campaign_id)
    AND (:record_type IS NULL OR record_type = :record_type)
  ORDER BY due_at_s, list_id, chain_id, chain_n
  LIMIT :limit
) found
CROSS JOIN record r ON r.contact_centre_id = found.contact_centre_id AND r.list_id = found.list_id
  AND r.chain_id = found.chain_id AND r.chain_n = found.chain_n
$with_window

-- name: presences
-- Everybody of a contact centre who is logged in or takes preview records.
SELECT json_group_array(json_object(
  'user_id', there.user_id,
  'device_id', (
    SELECT device_id FROM agent_session a
    WHERE a.contact_centre_id = :contact_centre_id AND a.user_id = there.user_id
  ),
  'campaign_ids', json((
    SELECT json_group_array(campaign_id) FROM preview_session p
    WHERE p.contact_centre_id = :contact_centre_id AND p.user_id = there.user_id
  ))
))
FROM (
  SELECT user_id FROM agent_session WHERE contact_centre_id = :contact_centre_id
  UNION SELECT user_id FROM preview_session WHERE contact_centre_id = :contact_centre_id
) there
