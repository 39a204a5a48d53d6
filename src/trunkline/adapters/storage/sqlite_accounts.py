"""Accounts on SQLite."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from trunkline.adapters.storage import accounts
from trunkline.adapters.storage.objects import TAKEN
from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import Namesake, ObjectChanges, User
from trunkline.errors import AlreadyExists

_users = msgspec.json.Decoder(list[User]).decode
_number = msgspec.json.Decoder(tuple[int]).decode
_namesakes = msgspec.json.Decoder(list[tuple[str, int, int, str]]).decode

P = ParamSpec("P")
T = TypeVar("T")


class StoreAccounts(ABC):
    """The part of a store that is about the names of accounts."""

    @abstractmethod
    async def _ask(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with the statements, in their thread; of the class with this part."""

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """See ``Store.user``."""
        named = await self.user_by_name(user_name)
        return next((user for user in named if user.caller.contact_centre_id == contact_centre_id), None)

    async def user_by_name(self, user_name: str) -> list[User]:
        """See ``Store.user_by_name``; by contact centre."""
        return await self._ask(_named, user_name)

    async def namesakes(self) -> list[Namesake]:
        """See ``Store.namesakes``."""
        return await self._ask(_sharing)


def _named(statements: Statements, user_name: str) -> list[User]:
    found = statements.read("users_by_name", _users, {"user_name": user_name})
    return sorted(found, key=lambda user: user.caller.contact_centre_id)


def _sharing(statements: Statements) -> list[Namesake]:
    found = [Namesake(*row) for row in statements.read("namesakes", _namesakes, {})]
    return sorted(found, key=lambda one: (one.user_name, one.contact_centre_id))


def put_all(statements: Statements, new: Iterable[User], changes: ObjectChanges) -> None:
    """Write accounts whatever is there; each becomes the next version of its number."""
    for user in new:
        _write(statements, user)
        kept = _user(statements, user.caller.contact_centre_id, user.caller.user_id)
        assert kept is not None
        statements.write("note_object", [accounts.history_row(kept, changes)])


def change(statements: Statements, changes: ObjectChanges) -> None:
    """The accounts of ``Store.change_objects``; to be run inside a transaction."""
    for write in changes.users:
        key = {"contact_centre_id": write.contact_centre_id, "user_id": write.user_id}
        (last_number,) = statements.read("newest_user", _number, key)
        before = _user(statements, write.contact_centre_id, write.user_id)
        step = accounts.step_of(write, before, last_number)
        if step.user is None:
            statements.run("drop_devices", key)
            statements.run("drop_user", key)
            statements.write("note_object", [accounts.deletion_row(write, step.version, changes)])
            continue
        try:
            put_all(statements, [step.user], changes)
        except sqlite3.IntegrityError as error:
            raise AlreadyExists(TAKEN) from error


def _user(statements: Statements, contact_centre_id: int, user_id: int) -> User | None:
    names = {"contact_centre_id": contact_centre_id, "user_ids": as_json([user_id])}
    found = statements.read("users_by_id", _users, names)
    return found[0] if found else None


def _write(statements: Statements, user: User) -> None:
    caller = user.caller
    key = {"contact_centre_id": caller.contact_centre_id, "user_id": caller.user_id}
    values = {
        "public_id": caller.public_id,
        "user_name": caller.user_name,
        "first_name": caller.first_name,
        "last_name": caller.last_name,
        "email_address": caller.email_address,
        "roles": as_json(caller.roles),
        "features": as_json(sorted(caller.features)),
        "password_hash": user.password_hash,
        "is_enabled": int(user.is_enabled),
        "reference": user.reference,
        "skills": accounts.skills_text(user),
    }
    statements.run("write_user", {**key, **values})
    statements.run("drop_devices", key)
    for place, device in enumerate(caller.devices):
        values = {"device_id": device.device_id, "phone_number": device.phone_number, "place_n": place}
        statements.run("write_device", {**key, **values})
