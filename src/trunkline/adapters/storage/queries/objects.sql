-- Everything that a supervisor configures, and where campaign groups stand.

-- name: objects
-- All objects.
SELECT json_group_array(json_array(kind, reference, version, definition, changed_at_ms, changed_by))
FROM (SELECT * FROM object ORDER BY contact_centre_id, kind, object_id)

-- name: object
-- One object.
SELECT json_group_array(json_array(kind, reference, version, definition, changed_at_ms, changed_by))
FROM object WHERE contact_centre_id = :contact_centre_id AND kind = :kind AND object_id = :object_id

-- name: object_versions
-- The newest versions of an object, newest first.
SELECT json_group_array(json_array(kind, NULL, version, definition, changed_at_ms, changed_by))
FROM (
  SELECT * FROM object_history
  WHERE contact_centre_id = :contact_centre_id AND kind = :kind AND object_id = :object_id AND definition IS NOT NULL
  ORDER BY version DESC LIMIT :limit
)

-- name: object_history
-- Who changed an object, newest first.
SELECT json_group_array(json_array(version, definition, changed_at_ms, changed_by, reason))
FROM (
  SELECT * FROM object_history
  WHERE contact_centre_id = :contact_centre_id AND kind = :kind AND object_id = :object_id AND version < :before_version
  ORDER BY version DESC LIMIT :limit
)

-- name: group_states
-- Where all campaign groups stand.
SELECT json_group_array(json_object(
  'contact_centre_id', contact_centre_id, 'campaign_group_id', campaign_group_id, 'status', status,
  'dial_mode', dial_mode, 'optimize_by', optimize_by, 'optimize_goal', optimize_goal,
  'changed_at_ms', changed_at_ms, 'schedule_id', schedule_id,
  'is_completing', json(iif(is_completing, 'true', 'false')), 'loaded_at_ms', loaded_at_ms
))
FROM (SELECT * FROM group_state ORDER BY contact_centre_id, campaign_group_id)

-- name: skills
-- The skills of users who have any.
SELECT json_group_array(json_array(contact_centre_id, user_id, json(skills)))
FROM user_account INDEXED BY user_account_with_skills WHERE skills <> '{}'

-- name: newest_object
-- The greatest number that an object of a kind ever had, and the greatest version of one number.
SELECT json_array(
  (SELECT coalesce(max(object_id), 0) FROM object_history WHERE contact_centre_id = :contact_centre_id AND kind = :kind),
  (SELECT coalesce(max(version), 0) FROM object_history
   WHERE contact_centre_id = :contact_centre_id AND kind = :kind AND object_id = :object_id)
)

-- name: put_object
-- An object, new or changed.
INSERT INTO object (
  contact_centre_id, kind, object_id, name, reference, version, definition, changed_at_ms, changed_by
) VALUES $rows
ON CONFLICT (contact_centre_id, kind, object_id) DO UPDATE SET
  name = excluded.name, reference = excluded.reference, version = excluded.version, definition = excluded.definition,
  changed_at_ms = excluded.changed_at_ms, changed_by = excluded.changed_by

-- name: drop_object
-- Forget an object; its history stays.
DELETE FROM object WHERE contact_centre_id = :contact_centre_id AND kind = :kind AND object_id = :object_id

-- name: note_object
-- A version of an object for the history.
INSERT INTO object_history (
  contact_centre_id, kind, object_id, version, definition, changed_at_ms, changed_by, reason
) VALUES $rows

-- name: put_group_states
-- Where campaign groups stand now.
INSERT INTO group_state (
  contact_centre_id, campaign_group_id, status, dial_mode, optimize_by, optimize_goal, changed_at_ms, schedule_id,
  is_completing, loaded_at_ms
) VALUES $rows
ON CONFLICT (contact_centre_id, campaign_group_id) DO UPDATE SET
  status = excluded.status, dial_mode = excluded.dial_mode, optimize_by = excluded.optimize_by,
  optimize_goal = excluded.optimize_goal, changed_at_ms = excluded.changed_at_ms, schedule_id = excluded.schedule_id,
  is_completing = excluded.is_completing, loaded_at_ms = excluded.loaded_at_ms
