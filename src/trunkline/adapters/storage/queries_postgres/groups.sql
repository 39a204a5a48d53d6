-- Who works for campaign groups, their buffers, and the figures of statistics.

-- name: desk_users
-- Agents with records of a campaign on their desks, and how many.
SELECT user_id, count(*) FROM desk WHERE contact_centre_id = $1 AND campaign_id = $2 GROUP BY user_id

-- name: preview_users
-- Agents in a preview session of a campaign.
SELECT user_id FROM preview_session WHERE contact_centre_id = $1 AND campaign_id = $2 ORDER BY user_id

-- name: buffer_levels
-- Chains in the buffer of a group by list.
SELECT list_id, count(*) FROM buffer WHERE contact_centre_id = $1 AND campaign_group_id = $2 GROUP BY list_id

-- name: logged_in
-- Users with a contact-centre session.
SELECT user_id FROM agent_session WHERE contact_centre_id = $1 ORDER BY user_id

-- name: records_by_status
-- Records of a list by status.
SELECT status, count(*) FROM record WHERE contact_centre_id = $1 AND list_id = $2 GROUP BY status

-- name: chain_counts
-- Callbacks that wait (types 5 and 6), chains, and chains with a record that may still be called: statuses $4, fewer
-- than $3 attempts.
SELECT coalesce(sum(callbacks), 0)::bigint, count(*), count(*) FILTER (WHERE is_open)
FROM (
    SELECT
        count(*) FILTER (WHERE record_type IN (5, 6) AND status = ANY ($4::smallint[])) AS callbacks,
        bool_or(attempts < $3 AND status = ANY ($4::smallint[])) AS is_open
    FROM record
    WHERE contact_centre_id = $1 AND list_id = $2
    GROUP BY chain_id
) AS chain

-- name: attempt_counts
-- What came to the attempt log of a group since $3 and before $4 behind number $5, counted by list, step, result and
-- whether a callback was called; chains that were finished with it.
SELECT list_id, step, call_result, record_type IN (5, 6) AS is_callback, count(*), sum(is_lead), max(seq), max(at_ms)
FROM attempt_log
WHERE contact_centre_id = $1 AND campaign_group_id = $2 AND at_ms >= $3 AND at_ms < $4 AND seq > $5
GROUP BY list_id, step, call_result, is_callback
ORDER BY list_id, step, call_result, is_callback

-- name: schedule_runs
-- Items of schedules that had their turn, due since $2.
SELECT schedule_id, item_n, due_at_s, done_at_ms, outcome
FROM schedule_run
WHERE contact_centre_id = $1 AND due_at_s >= $2
ORDER BY due_at_s, schedule_id, item_n

-- name: note_schedule_runs
-- Items that had their turn; the first outcome stays.
INSERT INTO schedule_run (contact_centre_id, schedule_id, item_n, due_at_s, done_at_ms, outcome)
SELECT * FROM unnest($1::integer[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::text[])
ON CONFLICT DO NOTHING

-- name: forget_schedule_runs
-- Forget turns due before $2.
DELETE FROM schedule_run WHERE contact_centre_id = $1 AND due_at_s < $2
