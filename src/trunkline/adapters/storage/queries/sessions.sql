-- name: preview_sessions
-- The campaigns of which an agent takes preview records.
SELECT json_group_array(campaign_id) FROM preview_session
WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id

-- name: start_preview
-- Begin preview sessions; one that has begun stays.
INSERT INTO preview_session (contact_centre_id, user_id, campaign_id) VALUES $rows ON CONFLICT DO NOTHING

-- name: end_preview
-- End a preview session.
DELETE FROM preview_session
WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id AND campaign_id = :campaign_id

-- name: agent_session
-- An agent's log-in.
SELECT json_group_array(json_object(
  'contact_centre_id', contact_centre_id, 'user_id', user_id, 'device_id', device_id, 'state_name', state_name,
  'started_at_ms', started_at_ms, 'place', place
))
FROM agent_session WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id

-- name: log_in
-- Write log-ins, new or changed.
INSERT OR FAIL INTO agent_session (
  contact_centre_id, user_id, device_id, state_name, started_at_ms, place
) VALUES $rows
ON CONFLICT (contact_centre_id, user_id) DO UPDATE SET
  device_id = excluded.device_id, state_name = excluded.state_name, started_at_ms = excluded.started_at_ms,
  place = excluded.place

-- name: log_out
-- Forget a log-in.
DELETE FROM agent_session WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id

-- name: import_progress
-- How far an import is.
SELECT json_group_array(json_object(
  'contact_centre_id', contact_centre_id, 'list_id', list_id, 'import_id', import_id, 'state', state,
  'source_rows_done', source_rows_done, 'records_added', records_added, 'rows_refused', rows_refused,
  'file_digest', file_digest, 'started_at_ms', started_at_ms, 'source_rows', source_rows
))
FROM import_run
WHERE contact_centre_id = :contact_centre_id AND list_id = :list_id AND import_id = :import_id

-- name: note_imports
-- Write how far imports are; they only ever move forward.
INSERT OR FAIL INTO import_run (
  contact_centre_id, list_id, import_id, state, source_rows_done, records_added, rows_refused, file_digest,
  started_at_ms, source_rows
) VALUES $rows
ON CONFLICT (contact_centre_id, list_id, import_id) DO UPDATE SET
  state = excluded.state, source_rows_done = excluded.source_rows_done, records_added = excluded.records_added,
  rows_refused = excluded.rows_refused, file_digest = excluded.file_digest, started_at_ms = excluded.started_at_ms,
  source_rows = excluded.source_rows
WHERE import_run.state = 'running'
  AND (import_run.source_rows_done < excluded.source_rows_done OR excluded.state = 'done')
