-- name: directory_version
-- Grows with every change of reference data.
SELECT version FROM directory_version WHERE id = 1

-- name: bump_directory
-- Make it grow.
INSERT INTO directory_version (id, version) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET version = version + 1

-- name: contact_centres
-- Names by id.
SELECT json_group_object(id, name) FROM contact_centre

-- name: users
-- The accounts of a contact centre.
SELECT json_group_array($account) FROM user_account u WHERE u.contact_centre_id = :contact_centre_id

-- name: users_by_id
-- Accounts of a contact centre by id.
SELECT json_group_array($account) FROM user_account u
WHERE u.contact_centre_id = :contact_centre_id AND u.user_id IN (SELECT value FROM json_each(:user_ids))

-- name: users_by_name
-- Accounts of a name in any contact centre.
SELECT json_group_array($account) FROM user_account u WHERE u.user_name = :user_name

-- name: namesakes
-- Enabled accounts whose name several contact centres have.
SELECT json_group_array(json_array(user_name, contact_centre_id, user_id, password_hash)) FROM user_account
WHERE is_enabled AND user_name IN (
  SELECT user_name FROM user_account WHERE is_enabled GROUP BY user_name HAVING count(*) > 1
)

-- name: write_contact_centre
-- A contact centre, new or renamed.
INSERT INTO contact_centre (id, name) VALUES (:id, :name)
ON CONFLICT (id) DO UPDATE SET name = excluded.name

-- name: write_user
-- An account, new or changed.
INSERT INTO user_account (
  contact_centre_id, user_id, public_id, user_name, first_name, last_name, email_address, roles, features,
  password_hash, is_enabled, version, reference, skills
) VALUES (
  :contact_centre_id, :user_id, :public_id, :user_name, :first_name, :last_name, :email_address, :roles, :features,
  :password_hash, :is_enabled, 1, :reference, :skills
)
ON CONFLICT (contact_centre_id, user_id) DO UPDATE SET
  public_id = excluded.public_id, user_name = excluded.user_name, first_name = excluded.first_name,
  last_name = excluded.last_name, email_address = excluded.email_address, roles = excluded.roles,
  features = excluded.features, password_hash = excluded.password_hash, is_enabled = excluded.is_enabled,
  version = user_account.version + 1, reference = excluded.reference, skills = excluded.skills

-- name: drop_user
-- Forget an account; its history stays.
DELETE FROM user_account WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id

-- name: newest_user
-- The greatest number that a user of a contact centre ever had.
SELECT json_array(max(
  (SELECT coalesce(max(user_id), 0) FROM user_account WHERE contact_centre_id = :contact_centre_id),
  (SELECT coalesce(max(object_id), 0) FROM object_history
   WHERE contact_centre_id = :contact_centre_id AND kind = 'user')
))

-- name: drop_devices
-- Forget a user's devices.
DELETE FROM device WHERE contact_centre_id = :contact_centre_id AND user_id = :user_id

-- name: write_device
-- A device of a user; it may have been another's.
INSERT INTO device (contact_centre_id, device_id, user_id, phone_number, place_n)
VALUES (:contact_centre_id, :device_id, :user_id, :phone_number, :place_n)
ON CONFLICT (contact_centre_id, device_id) DO UPDATE SET
  user_id = excluded.user_id, phone_number = excluded.phone_number, place_n = excluded.place_n
