"""Accounts with their devices on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.adapters.storage import accounts
from trunkline.adapters.storage.postgres_rows import columns, user_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.rows import Row, as_json
from trunkline.app.ports import ObjectChanges, User


async def put_all(connection: Connection, new: Sequence[User], changes: ObjectChanges) -> None:
    """Write accounts whatever is there; each becomes the next version. Of two with one key the last counts."""
    if not new:
        return
    users = {(user.caller.contact_centre_id, user.caller.user_id): user for user in new}
    written = await connection.fetch(QUERIES["put_users"], *columns([_user_row(users[key]) for key in sorted(users)]))
    await connection.execute(QUERIES["remove_devices"], *columns(sorted(users)))
    named = {(user.caller.contact_centre_id, device.device_id) for user in new for device in user.caller.devices}
    if named:
        await connection.execute(QUERIES["take_devices"], *columns(sorted(named)))
    devices = _device_rows(new)
    if devices:
        await connection.execute(QUERIES["add_devices"], *columns(devices))
    kept = [msgspec.structs.replace(users[centre, user_id], version=version) for centre, user_id, version in written]
    notes = [accounts.history_row(user, changes) for user in kept]
    await connection.execute(QUERIES["note_objects"], *columns(notes))


async def change(connection: Connection, changes: ObjectChanges) -> None:
    """The accounts of ``Store.change_objects``; to be run inside its transaction."""
    for write in changes.users:
        key = (write.contact_centre_id, write.user_id)
        last_number = await connection.fetchval(QUERIES["newest_user"], write.contact_centre_id)
        found = await connection.fetch(QUERIES["users_by_id"], write.contact_centre_id, [write.user_id])
        step = accounts.step_of(write, user_of(found[0]) if found else None, last_number)
        if step.user is not None:
            await put_all(connection, [step.user], changes)
            continue
        await connection.execute(QUERIES["remove_devices"], *columns([key]))
        await connection.execute(QUERIES["remove_user"], *key)
        await connection.execute(QUERIES["note_object"], *accounts.deletion_row(write, step.version, changes))


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
        user.reference,
        accounts.skills_text(user),
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
