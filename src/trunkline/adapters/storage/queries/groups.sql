-- Who works for campaign groups, their buffers, and the figures of statistics.

-- name: desk_users
-- Agents with records of a campaign on their desks, and how many.
SELECT json_group_array(json_array(user_id, entries))
FROM (
  SELECT user_id, count(*) AS entries FROM desk
  WHERE contact_centre_id = :contact_centre_id AND campaign_id = :campaign_id
  GROUP BY user_id
)

-- name: preview_users
-- Agents in a preview session of a campaign.
SELECT json_group_array(user_id) FROM preview_session
WHERE contact_centre_id = :contact_centre_id AND campaign_id = :campaign_id

-- name: buffer_levels
-- Chains in the buffer of a group by list.
SELECT json_group_array(json_array(list_id, chains))
FROM (
  SELECT list_id, count(*) AS chains FROM buffer
  WHERE contact_centre_id = :contact_centre_id AND campaign_group_id = :campaign_group_id
  GROUP BY list_id
)

-- name: logged_in
-- Users with a contact-centre session.
SELECT json_group_array(user_id) FROM agent_session WHERE contact_centre_id = :contact_centre_id

-- name: records_by_status
-- Records of a list by status.
SELECT json_group_array(json_array(status, records))
FROM (
  SELECT status, count(*) AS records FROM record
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id
  GROUP BY status
)

-- name: chain_counts
-- Callbacks that wait (types 5 and 6), chains, and chains with a record that may still be called. Open statuses are
-- READY 1, RETRIEVED 2, MISSED_CALL_BACK 8 and CHAIN_READY 9; written out, because a list of parameters doubles the time.
SELECT json_array(coalesce(sum(callbacks), 0), count(*), coalesce(sum(is_open), 0))
FROM (
  SELECT
    sum(record_type IN (5, 6) AND status IN (1, 2, 8, 9)) AS callbacks,
    max(attempts < :max_attempts AND status IN (1, 2, 8, 9)) AS is_open
  FROM record
  WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id
  GROUP BY chain_id
)

-- name: attempt_counts
-- What came to the attempt log of a group, counted by list, step, result and whether a callback was called; chains that
-- were finished with it.
SELECT json_group_array(json_object(
  'list_id', list_id, 'step', step, 'call_result', call_result,
  'is_callback', json(iif(is_callback, 'true', 'false')), 'rows', row_count, 'leads', leads,
  'newest_seq', newest_seq, 'newest_at_ms', newest_at_ms
))
FROM (
  SELECT list_id, step, call_result, record_type IN (5, 6) AS is_callback, count(*) AS row_count,
    sum(is_lead) AS leads, max(seq) AS newest_seq, max(at_ms) AS newest_at_ms
  FROM attempt_log INDEXED BY attempt_by_group
  WHERE contact_centre_id = :contact_centre_id AND campaign_group_id = :campaign_group_id
    AND at_ms >= :since_ms AND at_ms < :until_ms AND seq > :after_seq
  GROUP BY list_id, step, call_result, is_callback
  ORDER BY list_id, step, call_result, is_callback
)

-- name: schedule_runs
-- Items of schedules that had their turn.
SELECT json_group_array(json_object(
  'contact_centre_id', contact_centre_id, 'schedule_id', schedule_id, 'item_n', item_n, 'due_at_s', due_at_s,
  'done_at_ms', done_at_ms, 'outcome', outcome
))
FROM schedule_run WHERE contact_centre_id = :contact_centre_id AND due_at_s >= :since_s

-- name: note_schedule_runs
-- Items that had their turn; the first outcome stays.
INSERT INTO schedule_run (contact_centre_id, schedule_id, item_n, due_at_s, done_at_ms, outcome) VALUES $rows
ON CONFLICT DO NOTHING

-- name: forget_schedule_runs
-- Forget turns of long ago.
DELETE FROM schedule_run WHERE contact_centre_id = :contact_centre_id AND due_at_s < :before_s
