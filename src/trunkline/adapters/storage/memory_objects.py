"""Objects of the reference model."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.adapters.storage import accounts
from trunkline.adapters.storage.objects import deletion_row, step_of
from trunkline.adapters.storage.rows import Row, history_row
from trunkline.app.accounts import USER_KIND
from trunkline.app.ports import ObjectChanges, ObjectVersion, User
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.people import Device

Objects = dict[ObjectKey, StoredObject]
History = dict[ObjectKey, list[StoredObject | None]]
"""Every version by number, None for a deletion."""
Users = dict[tuple[int, int], User]
Log = dict[tuple[int, str, int], list[ObjectVersion]]
"""Who changed what, oldest first, by contact centre, kind and number."""


def put(objects: Objects, history: History, log: Log, stored: StoredObject, reason: str) -> None:
    """Keep an object as the newest version of its number."""
    objects[stored.key] = stored
    history[stored.key] = [*history.get(stored.key, ()), stored]
    note(log, history_row(stored, reason))


def note(log: Log, row: Row) -> None:
    """Add an entry to the history."""
    key = row[:3]
    log[key] = [*log.get(key, ()), ObjectVersion(*row[3:])]


def change(objects: Objects, history: History, log: Log, changes: ObjectChanges) -> list[StoredObject]:
    """See ``Store.change_objects``; names are checked by the caller."""
    kept: list[StoredObject] = []
    for write in changes.writes:
        key = (write.contact_centre_id, write.kind, write.object_id)
        last = max((one[2] for one in history if one[:2] == key[:2]), default=0)
        step = step_of(write, objects.get(key), last, len(history.get(key, ())), changes)
        if step.stored is not None:
            put(objects, history, log, step.stored, changes.reason)
            kept.append(step.stored)
        elif step.before is not None:
            del objects[key]
            history[key] = [*history[key], None]
            note(log, deletion_row(step.before, step.version, changes))
    return kept


def put_users(users: Users, log: Log, new: Iterable[User], changes: ObjectChanges) -> None:
    """Keep accounts, each as the next version of its number; a device belongs to whoever got it last."""
    for user in new:
        caller = user.caller
        key = (caller.contact_centre_id, caller.user_id)
        before = users.get(key)
        taken = {device.device_id for device in caller.devices}
        for whose, other in users.items():
            if whose[0] == key[0] and any(device.device_id in taken for device in other.caller.devices):
                users[whose] = _with_devices(other, [d for d in other.caller.devices if d.device_id not in taken])
        users[key] = msgspec.structs.replace(user, version=1 if before is None else before.version + 1)
        note(log, accounts.history_row(users[key], changes))


def change_users(users: Users, log: Log, changes: ObjectChanges) -> None:
    """The accounts of ``Store.change_objects``; names are checked by the caller."""
    for write in changes.users:
        centre = write.contact_centre_id
        numbers = [key[1] for key in users if key[0] == centre]
        numbers += [key[2] for key in log if key[:2] == (centre, USER_KIND)]
        step = accounts.step_of(write, users.get((centre, write.user_id)), max(numbers, default=0))
        if step.user is not None:
            put_users(users, log, [step.user], changes)
        else:
            del users[centre, write.user_id]
            note(log, accounts.deletion_row(write, step.version, changes))


def _with_devices(user: User, devices: list[Device]) -> User:
    caller = msgspec.structs.replace(user.caller, devices=tuple(devices))
    return msgspec.structs.replace(user, caller=caller)


def names(objects: Objects) -> list[object]:
    """What must be different among all objects: kind and name in a contact centre."""
    return [(stored.contact_centre_id, stored.kind, stored.value.name) for stored in objects.values()]


def references(objects: Objects) -> list[object]:
    """The same for references."""
    return [
        (stored.contact_centre_id, stored.kind, stored.reference)
        for stored in objects.values()
        if stored.reference is not None
    ]
