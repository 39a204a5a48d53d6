"""Reference data and the reads outside units on SQLite, as their threads see them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from trunkline.adapters.storage import sqlite_desks, sqlite_objects
from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import (
    AgentSession,
    AuditQuery,
    DeskKey,
    Directory,
    Held,
    JournalSpan,
    Provision,
    StoredRow,
    User,
)
from trunkline.app.provisioning import provisioned
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.errors import AlreadyExists

P = ParamSpec("P")
T = TypeVar("T")

_users = msgspec.json.Decoder(list[User]).decode
_stored = msgspec.json.Decoder(list[StoredRow]).decode
_names = msgspec.json.Decoder(dict[int, str]).decode
_marks = msgspec.json.Decoder(dict[str, int]).decode
_numbers = msgspec.json.Decoder(list[int]).decode

_span = msgspec.json.Decoder(tuple[int, int]).decode

_FOREVER = 2**63 - 1


class Reader:
    """The read connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._statements = Statements(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def ask(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that only reads."""
        return function(self._statements, *args, **kwargs)

    def directory(self) -> Directory:
        """See ``Store.directory``."""
        # One transaction, so that the parts belong to one version.
        self._connection.execute("BEGIN")
        try:
            return Directory(
                version=self.directory_version(),
                contact_centres=self._statements.read("contact_centres", _names, {}),
                objects=sqlite_objects.objects(self._statements),
                group_states=sqlite_objects.group_states(self._statements),
                skills=sqlite_objects.skills(self._statements),
            )
        finally:
            self._connection.execute("ROLLBACK")

    def directory_version(self) -> int:
        """See ``Store.directory_version``."""
        return self._statements.value("directory_version", {}) or 0

    def object_versions(self, key: ObjectKey, limit: int) -> list[StoredObject]:
        """See ``Store.object_versions``."""
        return sqlite_objects.versions(self._statements, key, limit)

    def users(self, contact_centre_id: int, user_ids: Sequence[int] | None) -> list[User]:
        """See ``Store.users``."""
        names: dict[str, int | str] = {"contact_centre_id": contact_centre_id}
        if user_ids is None:
            found = self._statements.read("users", _users, names)
        else:
            found = self._statements.read("users_by_id", _users, {**names, "user_ids": as_json(user_ids)})
        return sorted(found, key=lambda user: user.caller.user_id)

    def users_by_name(self, user_name: str) -> list[User]:
        """See ``Store.user_by_name``."""
        found = self._statements.read("users_by_name", _users, {"user_name": user_name})
        return sorted(found, key=lambda user: user.caller.contact_centre_id)

    def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``DeskReads.held``."""
        return sqlite_desks.held(self._statements, keys)

    def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``DeskReads.desk_of``."""
        return sqlite_desks.desk_of(self._statements, contact_centre_id, user_id)

    def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``DeskReads.agent_session``."""
        return sqlite_desks.agent_session(self._statements, contact_centre_id, user_id)

    def newest(self, contact_centre_id: int, user_id: int, before_seq: int | None, limit: int) -> list[StoredRow]:
        """See ``Store.newest``."""
        names = {
            "contact_centre_id": contact_centre_id,
            "user_id": user_id,
            "before_seq": before_seq if before_seq is not None else 2**63 - 1,
            "limit": limit,
        }
        return sorted(self._statements.read("newest", _stored, names), key=lambda stored: -stored.seq)

    def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """See ``Store.rows_after``."""
        names = {
            "contact_centre_id": contact_centre_id,
            "user_id": user_id,
            "after_seq": after_seq,
            "limit": limit,
        }
        return sorted(self._statements.read("rows_after", _stored, names), key=lambda stored: stored.seq)

    def epoch(self) -> str:
        """See ``Store.epoch``."""
        epoch: str = self._statements.value("epoch", {})
        return epoch

    def journal_span(self) -> JournalSpan:
        """See ``Store.journal_span``."""
        return JournalSpan(*self._statements.read("journal_span", _span, {}))

    def recent_request_keys(self, since_ms: int, limit: int) -> list[int]:
        """See ``Store.recent_request_keys``."""
        return self._statements.read("recent_request_keys", _numbers, {"since_ms": since_ms, "limit": limit})

    def cursors(self, contact_centre_id: int, user_id: int) -> dict[str, int]:
        """See ``Store.cursors``."""
        return self._statements.read("cursors", _marks, {"contact_centre_id": contact_centre_id, "user_id": user_id})

    def audit(self, query: AuditQuery) -> list[StoredRow]:
        """See ``Store.audit``."""
        names = {
            "contact_centre_id": query.contact_centre_id,
            "user_id": query.user_id,
            "request_type": query.request_type,
            "handle": query.handle,
            "since_ms": -_FOREVER if query.since_ms is None else query.since_ms,
            "until_ms": _FOREVER if query.until_ms is None else query.until_ms,
            "before_seq": _FOREVER if query.before_seq is None else query.before_seq,
            "limit": query.limit,
        }
        name = "audit" if query.user_id is None else "audit_of_user"
        return sorted(self._statements.read(name, _stored, names), key=lambda stored: -stored.seq)


def prune(statements: Statements, before_ms: int, limit: int) -> int:
    """See ``Store.prune``; to be run inside a transaction."""
    next_seq: int = statements.value("first_seq", {})
    names = {"before_ms": before_ms, "limit": limit}
    statements.run("note_pruned", names)
    gone = statements.run("prune", names)
    if gone:
        # The newest row may be among them, and its number must not come again.
        statements.run("move_pool", {"name": "journal", "next_value": next_seq})
    return gone


def write_provision(statements: Statements, new: Provision) -> None:
    """Write reference data inside a transaction. Raises ``AlreadyExists`` when a name belongs to something else."""
    try:
        for centre, name in new.contact_centres.items():
            statements.run("write_contact_centre", {"id": centre, "name": name})
        for user in new.users:
            _write_user(statements, user)
        objects, states = provisioned(new)
        sqlite_objects.put_all(statements, objects)
        sqlite_objects.put_states(statements, states)
        statements.run("bump_directory", {})
    except sqlite3.IntegrityError as error:
        raise AlreadyExists("a name or public id belongs to something else already") from error


def _write_user(statements: Statements, user: User) -> None:
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
    }
    statements.run("write_user", {**key, **values})
    statements.run("drop_devices", key)
    for place, device in enumerate(caller.devices):
        values = {"device_id": device.device_id, "phone_number": device.phone_number, "place_n": place}
        statements.run("write_device", {**key, **values})
