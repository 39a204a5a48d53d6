-- Everything that a supervisor configures, and where campaign groups stand.

-- fragment: object_columns
kind, reference, version, definition, changed_at_ms, changed_by

-- name: objects
-- All objects.
SELECT $object_columns FROM object ORDER BY contact_centre_id, kind, object_id

-- name: object
-- One object, locked until the transaction ends.
SELECT $object_columns FROM object
WHERE contact_centre_id = $1 AND kind = $2 AND object_id = $3
FOR UPDATE

-- name: object_versions
-- The newest versions of an object, newest first, at most $4.
SELECT kind, NULL::text, version, definition, changed_at_ms, changed_by
FROM object_history
WHERE contact_centre_id = $1 AND kind = $2 AND object_id = $3 AND definition IS NOT NULL
ORDER BY version DESC
LIMIT $4

-- name: object_history
-- Who changed an object, newest first, before version $4, at most $5.
SELECT version, definition, changed_at_ms, changed_by, reason
FROM object_history
WHERE contact_centre_id = $1 AND kind = $2 AND object_id = $3 AND ($4::integer IS NULL OR version < $4)
ORDER BY version DESC
LIMIT $5

-- name: note_objects
-- Versions of many objects or accounts.
INSERT INTO object_history (
    contact_centre_id, kind, object_id, version, definition, changed_at_ms, changed_by, reason
)
SELECT * FROM unnest(
    $1::integer[], $2::text[], $3::integer[], $4::integer[], $5::text[], $6::bigint[], $7::integer[], $8::text[]
)

-- name: group_states
-- Where all campaign groups stand.
SELECT contact_centre_id, campaign_group_id, status, dial_mode, optimize_by, optimize_goal, changed_at_ms, schedule_id,
    is_completing, loaded_at_ms
FROM group_state
ORDER BY contact_centre_id, campaign_group_id

-- name: skills
-- The skills of users who have any.
SELECT contact_centre_id, user_id, skills FROM user_account WHERE skills <> '{}'

-- name: newest_object
-- The greatest number that an object of a kind ever had, and the greatest version of one number.
SELECT
    (SELECT coalesce(max(object_id), 0) FROM object_history WHERE contact_centre_id = $1 AND kind = $2),
    (SELECT coalesce(max(version), 0) FROM object_history
     WHERE contact_centre_id = $1 AND kind = $2 AND object_id = $3)

-- name: put_object
-- An object, new or changed.
INSERT INTO object (
    contact_centre_id, kind, object_id, name, reference, version, definition, changed_at_ms, changed_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (contact_centre_id, kind, object_id) DO UPDATE SET
    name = EXCLUDED.name, reference = EXCLUDED.reference, version = EXCLUDED.version,
    definition = EXCLUDED.definition, changed_at_ms = EXCLUDED.changed_at_ms, changed_by = EXCLUDED.changed_by

-- name: drop_object
-- Forget an object; its history stays.
DELETE FROM object WHERE contact_centre_id = $1 AND kind = $2 AND object_id = $3

-- name: note_object
-- A version of an object for the history.
INSERT INTO object_history (
    contact_centre_id, kind, object_id, version, definition, changed_at_ms, changed_by, reason
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: put_group_states
-- Where campaign groups stand now.
INSERT INTO group_state (
    contact_centre_id, campaign_group_id, status, dial_mode, optimize_by, optimize_goal, changed_at_ms, schedule_id,
    is_completing, loaded_at_ms
)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::smallint[], $4::smallint[], $5::smallint[], $6::integer[], $7::bigint[],
    $8::integer[], $9::smallint[], $10::bigint[]
)
ON CONFLICT (contact_centre_id, campaign_group_id) DO UPDATE SET
    status = EXCLUDED.status, dial_mode = EXCLUDED.dial_mode, optimize_by = EXCLUDED.optimize_by,
    optimize_goal = EXCLUDED.optimize_goal, changed_at_ms = EXCLUDED.changed_at_ms, schedule_id = EXCLUDED.schedule_id,
    is_completing = EXCLUDED.is_completing, loaded_at_ms = EXCLUDED.loaded_at_ms
