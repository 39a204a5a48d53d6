-- The attempt log, append-only.

-- fragment: attempt
-- Alias a (attempt_log).
json_object('seq', a.seq, 'row', json_object(
  'contact_centre_id', a.contact_centre_id, 'at_ms', a.at_ms, 'step', a.step, 'list_id', a.list_id,
  'chain_id', a.chain_id, 'chain_n', a.chain_n, 'record_id', a.record_id, 'campaign_id', a.campaign_id,
  'campaign_group_id', a.campaign_group_id, 'agent_id', a.agent_id, 'attempt_guid', a.attempt_guid,
  'number_key', a.number_key, 'person_key', a.person_key, 'call_result', a.call_result,
  'record_type', a.record_type, 'time_zone', a.time_zone, 'other_zones', json(a.other_zones), 'region', a.region,
  'from_s', a.from_s, 'until_s', a.until_s, 'rule_set_id', a.rule_set_id, 'rule_set_version', a.rule_set_version,
  'is_lead', json(iif(a.is_lead, 'true', 'false')), 'detail', json(coalesce(a.detail, '{}'))
))

-- name: first_attempt_seq
-- The number of the next row; housekeeping leaves a mark where it has removed the newest one.
SELECT max(
  coalesce((SELECT max(seq) FROM attempt_log), 0) + 1,
  coalesce((SELECT next_value FROM number_pool WHERE name = 'attempt'), 1)
)

-- name: write_attempts
-- Append.
INSERT OR FAIL INTO attempt_log (
  seq, at_ms, contact_centre_id, step, list_id, chain_id, chain_n, record_id, campaign_id, campaign_group_id, agent_id,
  attempt_guid, number_key, person_key, time_zone, other_zones, region, call_result, record_type, from_s, until_s,
  rule_set_id, rule_set_version, is_lead, detail
) VALUES $rows

-- name: attempts_of
-- What attempt rules need of some numbers and persons since a moment: of each the newest rows. 0, 1 and 5 are the steps
-- that they are computed from.
SELECT json_group_array(json_object(
  'seq', a.seq, 'at_ms', a.at_ms, 'step', a.step, 'call_result', a.call_result,
  'record_type', a.record_type, 'campaign_id', a.campaign_id, 'number_key', a.number_key, 'person_key', a.person_key, 'attempt_guid', a.attempt_guid
))
FROM (
  SELECT a.seq FROM json_each(:number_keys) asked
  CROSS JOIN attempt_log a ON a.seq IN (
    SELECT seq FROM attempt_log INDEXED BY attempt_by_number
    WHERE contact_centre_id = :contact_centre_id AND number_key = asked.value AND at_ms >= :since_ms
      AND step IN (0, 1, 5)
    ORDER BY at_ms DESC, seq DESC LIMIT :limit
  )
  UNION
  SELECT a.seq FROM json_each(:person_keys) asked
  CROSS JOIN attempt_log a ON a.seq IN (
    SELECT seq FROM attempt_log INDEXED BY attempt_by_person
    WHERE contact_centre_id = :contact_centre_id AND person_key = asked.value AND at_ms >= :since_ms
      AND step IN (0, 1, 5)
    ORDER BY at_ms DESC, seq DESC LIMIT :limit
  )
) found
CROSS JOIN attempt_log a ON a.seq = found.seq

-- name: attempts_of_chain
-- The newest rows about a chain.
SELECT json_group_array($attempt)
FROM (
  SELECT seq FROM attempt_log INDEXED BY attempt_by_chain
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND chain_id = :chain_id
  ORDER BY at_ms DESC, seq DESC
  LIMIT :limit
) found
CROSS JOIN attempt_log a ON a.seq = found.seq

-- name: attempts
-- The first rows of a contact centre (of all: null) behind a number.
SELECT json_group_array($attempt)
FROM (
  SELECT seq FROM attempt_log NOT INDEXED
  WHERE (:contact_centre_id IS NULL OR contact_centre_id = :contact_centre_id) AND seq > :after_seq AND at_ms >= :since_ms AND at_ms < :until_ms
    AND (:steps = '[]' OR step IN (SELECT value FROM json_each(:steps)))
  ORDER BY seq
  LIMIT :limit
) found
CROSS JOIN attempt_log a ON a.seq = found.seq

-- name: newest_attempt
-- The newest row's number.
SELECT coalesce(max(seq), 0) FROM attempt_log
