-- How rows become the structs of the domain: one JSON object each, decoded by their types.
-- Every read is one JSON text, so that the database thread returns to Python once and not for each row.
-- Statements name their index: without statistics SQLite takes a contact centre for ten rows.

-- fragment: record
-- Aliases r (record) and w (calling_window).
json_object(
  'contact_centre_id', r.contact_centre_id, 'list_id', r.list_id, 'chain_id', r.chain_id, 'chain_n', r.chain_n,
  'record_id', r.record_id, 'phone_number', r.phone_number, 'phone_type', r.phone_type,
  'record_type', r.record_type, 'status', r.status, 'call_result', r.call_result, 'attempts', r.attempts,
  'due_at_s', r.due_at_s, 'called_at_s', r.called_at_s,
  'time_zone', w.time_zone, 'from_s', w.from_s, 'until_s', w.until_s,
  'region', w.region, 'other_zones', json(w.other_zones), 'hold', r.hold,
  'campaign_id', r.campaign_id, 'agent_id', r.agent_id, 'customer_id', r.customer_id, 'treatments', r.treatments,
  'other_fields', json(coalesce(r.other_fields, '{}')), 'version', r.version
)

-- fragment: with_window
JOIN calling_window w ON
  w.contact_centre_id = r.contact_centre_id AND w.list_id = r.list_id AND w.window_id = r.window_id

-- fragment: entry
-- Alias d (desk).
json_object(
  'contact_centre_id', d.contact_centre_id, 'handle', d.handle,
  'list_id', d.list_id, 'chain_id', d.chain_id, 'chain_n', d.chain_n,
  'user_id', d.user_id, 'device_id', d.device_id, 'campaign_id', d.campaign_id, 'attempt_guid', d.attempt_guid,
  'lease_until_ms', d.lease_until_ms, 'is_settled', json(iif(d.is_settled, 'true', 'false')),
  'shares', json(coalesce(d.shares, '{}')), 'permitted_at_ms', d.permitted_at_ms
)

-- fragment: with_record
CROSS JOIN record r ON
  r.contact_centre_id = d.contact_centre_id AND r.list_id = d.list_id
  AND r.chain_id = d.chain_id AND r.chain_n = d.chain_n

-- fragment: stored_row
-- Alias j (journal).
json_object('seq', j.seq, 'row', json_object(
  'contact_centre_id', j.contact_centre_id, 'user_id', j.user_id, 'at_ms', j.at_ms,
  'request_type', j.request_type, 'door', j.door, 'campaign_id', j.campaign_id, 'list_id', j.list_id,
  'handle', j.handle, 'outcome', j.outcome, 'reference', j.reference, 'request_key', j.request_key,
  'elapsed_ns', j.elapsed_ns, 'events', json(coalesce(CAST(j.events AS TEXT), '[]'))
))

-- fragment: account
-- Alias u (user_account).
json_object(
  'caller', json_object(
    'contact_centre_id', u.contact_centre_id,
    'contact_centre_name', coalesce((SELECT name FROM contact_centre WHERE id = u.contact_centre_id), ''),
    'user_id', u.user_id, 'public_id', u.public_id, 'user_name', u.user_name,
    'first_name', u.first_name, 'last_name', u.last_name, 'email_address', u.email_address,
    'roles', json(u.roles), 'features', json(u.features),
    'devices', json((
      SELECT json_group_array(json_object('device_id', device_id, 'phone_number', phone_number))
      FROM (
        SELECT device_id, phone_number FROM device
        WHERE contact_centre_id = u.contact_centre_id AND user_id = u.user_id
        ORDER BY place_n
      )
    ))
  ),
  'password_hash', u.password_hash, 'is_enabled', json(iif(u.is_enabled, 'true', 'false')),
  'version', u.version, 'reference', u.reference, 'skills', json(u.skills)
)
