"""Reference data as PostgreSQL takes it: contact centres, people with their devices, lists, campaigns."""

from __future__ import annotations

from collections.abc import Sequence

from trunkline.adapters.storage import postgres_objects
from trunkline.adapters.storage.postgres_rows import columns
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.rows import Row, as_json
from trunkline.app.ports import Provision, User
from trunkline.app.provisioning import provisioned


async def write_provision(connection: Connection, provision: Provision) -> None:
    """Write all of it and bump the version, inside the caller's transaction. Of two with one key the last counts."""
    # First, because its lock makes two processes that provision take turns.
    await connection.execute(QUERIES["bump_version"])
    await _execute(connection, "put_contact_centres", sorted(provision.contact_centres.items()))
    users = {(user.caller.contact_centre_id, user.caller.user_id): user for user in provision.users}
    await _execute(connection, "put_users", [_user_row(users[key]) for key in sorted(users)])
    await _execute(connection, "remove_devices", sorted(users))
    named = {
        (user.caller.contact_centre_id, device.device_id) for user in provision.users for device in user.caller.devices
    }
    await _execute(connection, "take_devices", sorted(named))
    await _execute(connection, "add_devices", _device_rows(provision.users))
    objects, states = provisioned(provision)
    await postgres_objects.put_all(connection, objects)
    await postgres_objects.put_states(connection, states)


async def _execute(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    if rows:
        await connection.execute(QUERIES[name], *columns(rows))


def _user_row(user: User) -> Row:
    caller = user.caller
    return (
        caller.contact_centre_id,
        caller.user_id,
        caller.public_id,
        caller.user_name,
        caller.first_name,
        caller.last_name,
        caller.email_address,
        as_json(caller.roles),
        as_json(sorted(caller.features)),
        user.password_hash,
        user.is_enabled,
    )


def _device_rows(users: Sequence[User]) -> list[Row]:
    """Rows of all devices as they stand after the users got theirs one after the other: the last one keeps a device."""
    rows: dict[tuple[int, str], Row] = {}
    given: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for caller in (user.caller for user in users):
        owner = (caller.contact_centre_id, caller.user_id)
        for key in given.get(owner, ()):
            if key in rows and rows[key][2] == caller.user_id:
                del rows[key]
        given[owner] = [(caller.contact_centre_id, device.device_id) for device in caller.devices]
        for place, device in enumerate(caller.devices):
            key = (caller.contact_centre_id, device.device_id)
            rows[key] = (*key, caller.user_id, device.phone_number, place)
    return [rows[key] for key in sorted(rows)]
