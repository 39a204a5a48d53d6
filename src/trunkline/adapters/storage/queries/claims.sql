-- The hand-out: chains claimed for a campaign group, and the buffer in which they wait.
-- The priorities 2 to 8 are those of records for anyone (domain.campaigns.TYPE_PRIORITY: below are personal ones, above
-- is "no call"); the contact types 10 and 11 are e-mail and messaging, which are never dialed. "/* condition */ 1",
-- "/* order */" and "/* window */" stand where a filter's condition and order are put in, and the calling window of which
-- they may speak.

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

-- fragment: claimable
r.status = 1 AND r.phone_type NOT IN (10, 11) AND r.attempts < :max_attempts
AND r.chain_id NOT IN (SELECT value FROM json_each(:passed_over))
AND NOT EXISTS (
  SELECT 1 FROM record s
  WHERE s.contact_centre_id = r.contact_centre_id AND s.list_id = r.list_id AND s.chain_id = r.chain_id
    AND s.status = 2
)
AND /* condition */ 1

-- name: fresh_heads
-- The first READY record without a time of each slot, of every window and priority, whether it may be taken or not.
SELECT json_group_array(json((
  SELECT json_array(o.value, p.value, 0, r.chain_id, r.chain_n) FROM record r INDEXED BY record_claim_fresh
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND r.window_id = o.value
    AND r.priority = p.value AND r.due_at_s IS NULL AND r.status = 1 AND r.phone_type NOT IN (10, 11)
  ORDER BY r.chain_id, r.chain_n
  LIMIT 1
)))
FROM json_each(:windows) o CROSS JOIN json_each(:priorities) p

-- name: due_heads
-- The same for records whose time has come.
SELECT json_group_array(json((
  SELECT json_array(o.value, p.value, r.due_at_s, r.chain_id, r.chain_n) FROM record r INDEXED BY record_claim_due
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND r.window_id = o.value
    AND r.priority = p.value AND r.due_at_s IS NOT NULL AND r.due_at_s <= :now_s AND r.status = 1 AND r.phone_type NOT IN (10, 11)
  ORDER BY r.due_at_s, r.chain_id, r.chain_n
  LIMIT 1
)))
FROM json_each(:windows) o CROSS JOIN json_each(:priorities) p

-- name: pick_fresh
-- The chains of a slot in order; a chain as often as it has records in it.
SELECT json_group_array(chain_id) FROM (
  SELECT r.chain_id FROM record r INDEXED BY record_claim_fresh /* window */
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND r.window_id = :window_id
    AND r.priority = :priority AND r.due_at_s IS NULL AND $claimable
  ORDER BY r.chain_id, r.chain_n
  LIMIT :limit
)

-- name: pick_due
-- The same for records whose time has come.
SELECT json_group_array(chain_id) FROM (
  SELECT r.chain_id FROM record r INDEXED BY record_claim_due /* window */
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND r.window_id = :window_id
    AND r.priority = :priority AND r.due_at_s IS NOT NULL AND r.due_at_s <= :now_s AND $claimable
  ORDER BY r.due_at_s, r.chain_id, r.chain_n
  LIMIT :limit
)

-- name: pick_fresh_in_order
-- The chains of a priority in a filter's own order, through all open windows.
SELECT json_group_array(chain_id) FROM (
  SELECT r.chain_id FROM record r INDEXED BY record_claim_fresh /* window */
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
    AND r.window_id IN (SELECT value FROM json_each(:windows))
    AND r.priority = :priority AND r.due_at_s IS NULL AND $claimable
  ORDER BY /* order */ r.chain_id, r.chain_n
  LIMIT :limit
)

-- name: pick_due_in_order
-- The same for records whose time has come.
SELECT json_group_array(chain_id) FROM (
  SELECT r.chain_id FROM record r INDEXED BY record_claim_due /* window */
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
    AND r.window_id IN (SELECT value FROM json_each(:windows))
    AND r.priority = :priority AND r.due_at_s IS NOT NULL AND r.due_at_s <= :now_s AND $claimable
  ORDER BY /* order */ r.due_at_s, r.chain_id, r.chain_n
  LIMIT :limit
)

-- name: take_chains
-- Make the open records of some chains RETRIEVED.
UPDATE record SET status = 2, campaign_id = :campaign_id, version = version + 1
WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id
  AND chain_id IN (SELECT value FROM json_each(:chains)) AND status IN (1, 8, 9)

-- name: put_into_buffer
-- Write buffer entries; a chain that left all its records in one comes to its new place.
INSERT OR FAIL INTO buffer (
  contact_centre_id, list_id, chain_id, campaign_group_id, place, taken_at_ms, lease_until_ms
) VALUES $rows
ON CONFLICT (contact_centre_id, list_id, chain_id) DO UPDATE SET
  campaign_group_id = excluded.campaign_group_id, place = excluded.place, taken_at_ms = excluded.taken_at_ms,
  lease_until_ms = excluded.lease_until_ms

-- fragment: in_hand
EXISTS (
  SELECT 1 FROM record s
  WHERE s.contact_centre_id = r.contact_centre_id AND s.list_id = r.list_id AND s.chain_id = r.chain_id
    AND s.status = 2
)

-- name: own_callbacks
-- The agent's own callbacks that wait for nothing but their window.
SELECT json_group_array(json_array(priority, due_at_s, list_id, chain_id, chain_n, window_id, attempts)) FROM (
  SELECT r.priority, coalesce(r.due_at_s, 0) AS due_at_s, r.list_id, r.chain_id, r.chain_n, r.window_id, r.attempts
  FROM record r INDEXED BY record_personal /* window */
  WHERE r.contact_centre_id = :contact_centre_id AND r.agent_id = :user_id AND r.status = 1
    AND r.record_type IN (4, 5) AND (r.due_at_s IS NULL OR r.due_at_s <= :now_s) AND r.phone_type NOT IN (10, 11)
    AND NOT $in_hand AND /* condition */ 1
)

-- name: due_callbacks_of_list
-- The first due callback for anyone (priority 2) of each window of a list.
SELECT json_group_array(json((
  SELECT json_array(o.value, r.priority, r.due_at_s, r.chain_id, r.chain_n) FROM record r INDEXED BY record_claim_due /* window */
  WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND r.window_id = o.value
    AND r.priority = 2 AND r.due_at_s IS NOT NULL AND r.due_at_s <= :now_s AND $claimable
  ORDER BY r.due_at_s, r.chain_id, r.chain_n
  LIMIT 1
)))
FROM json_each(:windows) o

-- fragment: buffer_entry
json_object(
  'contact_centre_id', b.contact_centre_id, 'list_id', b.list_id, 'chain_id', b.chain_id,
  'campaign_group_id', b.campaign_group_id, 'place', b.place, 'taken_at_ms', b.taken_at_ms,
  'lease_until_ms', b.lease_until_ms
)

-- fragment: buffered
json_object('entry', $buffer_entry, 'records', json((
  SELECT json_group_array($record) FROM record r $with_window
  WHERE r.contact_centre_id = b.contact_centre_id AND r.list_id = b.list_id AND r.chain_id = b.chain_id
)))

-- name: buffered
-- The chains that a group's buffer hands out next, with their records.
SELECT json_group_array($buffered) FROM (
  SELECT * FROM buffer INDEXED BY buffer_by_group
  WHERE contact_centre_id = :contact_centre_id AND campaign_group_id = :campaign_group_id
    AND NOT EXISTS (
      SELECT 1 FROM json_each(:passed_over) p
      WHERE p.value ->> 0 = buffer.list_id AND p.value ->> 1 = buffer.chain_id
    )
  ORDER BY place, list_id, chain_id
  LIMIT :limit
) b

-- name: buffers_ended
-- Buffered chains whose lease ended, with their records.
SELECT json_group_array($buffered) FROM (
  SELECT * FROM buffer INDEXED BY buffer_by_lease
  WHERE lease_until_ms <= :now_ms
  ORDER BY lease_until_ms, contact_centre_id, list_id, chain_id
  LIMIT :limit
) b

-- name: buffer_entry
-- The buffer entry of a chain.
SELECT json_group_array($buffer_entry) FROM buffer b
WHERE b.contact_centre_id = :contact_centre_id AND b.list_id = :list_id AND b.chain_id = :chain_id

-- name: buffer_sizes
-- Every group that has a buffer.
SELECT json_group_array(json_array(contact_centre_id, campaign_group_id, chains)) FROM (
  SELECT contact_centre_id, campaign_group_id, count(*) AS chains FROM buffer INDEXED BY buffer_by_group
  GROUP BY contact_centre_id, campaign_group_id
)

-- name: buffer_size
-- Chains in a group's buffer.
SELECT count(*) FROM buffer INDEXED BY buffer_by_group
WHERE contact_centre_id = :contact_centre_id AND campaign_group_id = :campaign_group_id

-- name: take_off_buffer
-- Remove chains from the buffer.
WITH gone (contact_centre_id, list_id, chain_id) AS (VALUES $rows)
DELETE FROM buffer WHERE (contact_centre_id, list_id, chain_id) IN (
  SELECT contact_centre_id, list_id, chain_id FROM gone
)
