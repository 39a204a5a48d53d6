-- Reference data: contact centres, people, lists, campaigns.

-- name: directory_version
-- Grows with every change of reference data.
SELECT version FROM directory_version WHERE id = 1

-- name: bump_version
-- Note a change of reference data.
UPDATE directory_version SET version = version + 1 WHERE id = 1

-- name: contact_centres
-- All contact centres.
SELECT id, name FROM contact_centre

-- name: put_contact_centres
-- Write contact centres; what exists is replaced.
INSERT INTO contact_centre (id, name)
SELECT * FROM unnest($1::integer[], $2::text[])
ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name

-- name: put_users
-- Write user accounts; what exists is replaced.
INSERT INTO user_account (
    contact_centre_id, user_id, public_id, user_name, first_name, last_name, email_address, roles, features,
    password_hash, is_enabled, reference, skills
)
SELECT * FROM unnest(
    $1::integer[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::boolean[], $12::text[], $13::text[]
)
ON CONFLICT (contact_centre_id, user_id) DO UPDATE SET
    public_id = EXCLUDED.public_id, user_name = EXCLUDED.user_name, first_name = EXCLUDED.first_name,
    last_name = EXCLUDED.last_name, email_address = EXCLUDED.email_address, roles = EXCLUDED.roles,
    features = EXCLUDED.features, password_hash = EXCLUDED.password_hash, is_enabled = EXCLUDED.is_enabled,
    version = user_account.version + 1, reference = EXCLUDED.reference, skills = EXCLUDED.skills
RETURNING contact_centre_id, user_id, version

-- name: remove_user
-- Forget an account; its history stays.
DELETE FROM user_account WHERE contact_centre_id = $1 AND user_id = $2

-- name: newest_user
-- The greatest number that a user of a contact centre ever had.
SELECT greatest(
    (SELECT coalesce(max(user_id), 0) FROM user_account WHERE contact_centre_id = $1),
    (SELECT coalesce(max(object_id), 0) FROM object_history WHERE contact_centre_id = $1 AND kind = 'user')
)

-- name: remove_devices
-- Take all devices from users: contact centre ($1) and user ($2), pairwise.
DELETE FROM device AS d
USING unnest($1::integer[], $2::integer[]) AS k (contact_centre_id, user_id)
WHERE d.contact_centre_id = k.contact_centre_id AND d.user_id = k.user_id

-- name: take_devices
-- Take devices from whoever has them: contact centre ($1) and device ($2), pairwise.
DELETE FROM device AS d
USING unnest($1::integer[], $2::text[]) AS k (contact_centre_id, device_id)
WHERE d.contact_centre_id = k.contact_centre_id AND d.device_id = k.device_id

-- name: add_devices
-- Give devices, which nobody has, to users.
INSERT INTO device (contact_centre_id, device_id, user_id, phone_number, place_n)
SELECT * FROM unnest($1::integer[], $2::text[], $3::integer[], $4::text[], $5::integer[])

-- fragment: user_columns
u.contact_centre_id, c.name AS contact_centre_name, u.user_id, u.public_id, u.user_name, u.first_name, u.last_name,
u.email_address, u.roles, u.features, u.password_hash, u.is_enabled, u.version, u.reference, u.skills,
ARRAY (
    SELECT d.device_id FROM device AS d
    WHERE d.contact_centre_id = u.contact_centre_id AND d.user_id = u.user_id ORDER BY d.place_n
) AS device_ids,
ARRAY (
    SELECT d.phone_number FROM device AS d
    WHERE d.contact_centre_id = u.contact_centre_id AND d.user_id = u.user_id ORDER BY d.place_n
) AS phone_numbers

-- fragment: from_users
FROM user_account AS u
JOIN contact_centre AS c ON c.id = u.contact_centre_id

-- name: user
-- An account of a contact centre by its name.
SELECT $user_columns
$from_users
WHERE u.contact_centre_id = $1 AND u.user_name = $2

-- name: users_by_name
-- Accounts of that name in all contact centres.
SELECT $user_columns
$from_users
WHERE u.user_name = $1
ORDER BY u.contact_centre_id

-- name: namesakes
-- Enabled accounts whose name several contact centres have.
SELECT user_name, contact_centre_id, user_id, password_hash FROM user_account
WHERE is_enabled AND user_name IN (
  SELECT user_name FROM user_account WHERE is_enabled GROUP BY user_name HAVING count(*) > 1
)

-- name: users
-- All accounts of a contact centre.
SELECT $user_columns
$from_users
WHERE u.contact_centre_id = $1
ORDER BY u.user_id

-- name: users_by_id
-- Accounts of a contact centre by id ($2).
SELECT $user_columns
$from_users
WHERE u.contact_centre_id = $1 AND u.user_id = ANY ($2::bigint[])
ORDER BY u.user_id
