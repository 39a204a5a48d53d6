-- name: chain
-- All records of a chain.
SELECT json_group_array($record) FROM record r $with_window
WHERE r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id AND r.chain_id = :chain_id

-- name: records_by_number
-- Records of a list with a number.
SELECT json_group_array($record)
FROM (
  SELECT chain_id, chain_n FROM record INDEXED BY record_by_number
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND number_key = :value
  ORDER BY chain_id, chain_n
  LIMIT :limit
) found
CROSS JOIN record r ON r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
  AND r.chain_id = found.chain_id AND r.chain_n = found.chain_n
$with_window

-- name: records_by_customer
-- Records of a list with a customer id.
SELECT json_group_array($record)
FROM (
  SELECT chain_id, chain_n FROM record INDEXED BY record_by_customer
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND customer_id = :value
  ORDER BY chain_id, chain_n
  LIMIT :limit
) found
CROSS JOIN record r ON r.contact_centre_id = :contact_centre_id AND r.list_id = :list_id
  AND r.chain_id = found.chain_id AND r.chain_n = found.chain_n
$with_window

-- name: due_callbacks
-- The agent's own callbacks that are due, oldest first.
SELECT json_group_array($record)
FROM (
  SELECT contact_centre_id, list_id, chain_id, chain_n FROM record INDEXED BY record_personal
  WHERE contact_centre_id = :contact_centre_id AND agent_id = :user_id AND due_at_s <= :now_s
    AND status = 1 AND record_type IN (4, 5)
  ORDER BY due_at_s, list_id, chain_id, chain_n
  LIMIT :limit
) found
CROSS JOIN record r ON r.contact_centre_id = found.contact_centre_id AND r.list_id = found.list_id
  AND r.chain_id = found.chain_id AND r.chain_n = found.chain_n
$with_window

-- name: add_records
-- New records; one that exists is an error.
INSERT OR FAIL INTO record (
  contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s, campaign_id,
  treatments, other_fields, version, record_id, phone_number, number_key, record_type, priority, status, due_at_s,
  window_id, agent_id, customer_id, hold
) VALUES $rows

-- name: change_records
-- New values for all columns of records that nobody changed meanwhile.
WITH new (
  contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s, campaign_id,
  treatments, other_fields, version, record_id, phone_number, number_key, record_type, priority, status, due_at_s,
  window_id, agent_id, customer_id, hold
) AS (VALUES $rows)
UPDATE OR FAIL record SET
  phone_type = new.phone_type, call_result = new.call_result, attempts = new.attempts,
  called_at_s = new.called_at_s, campaign_id = new.campaign_id, treatments = new.treatments,
  other_fields = new.other_fields, version = new.version, record_id = new.record_id,
  phone_number = new.phone_number, number_key = new.number_key, record_type = new.record_type,
  priority = new.priority, status = new.status, due_at_s = new.due_at_s, window_id = new.window_id,
  agent_id = new.agent_id, customer_id = new.customer_id, hold = new.hold
FROM new
WHERE record.contact_centre_id = new.contact_centre_id AND record.list_id = new.list_id
  AND record.chain_id = new.chain_id AND record.chain_n = new.chain_n AND record.version = new.version - 1

-- name: change_results
-- The same for records of which only columns changed that no index has: what agents write all day.
WITH new (
  contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s, campaign_id,
  treatments, other_fields, version
) AS (VALUES $rows)
UPDATE OR FAIL record SET
  phone_type = new.phone_type, call_result = new.call_result, attempts = new.attempts,
  called_at_s = new.called_at_s, campaign_id = new.campaign_id, treatments = new.treatments,
  other_fields = new.other_fields, version = new.version
FROM new
WHERE record.contact_centre_id = new.contact_centre_id AND record.list_id = new.list_id
  AND record.chain_id = new.chain_id AND record.chain_n = new.chain_n AND record.version = new.version - 1
