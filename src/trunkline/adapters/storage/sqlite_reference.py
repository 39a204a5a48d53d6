"""Reference data and the reads outside units on SQLite, as their threads see them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from trunkline.adapters.storage import (
    sqlite_accounts,
    sqlite_callbacks,
    sqlite_census,
    sqlite_desks,
    sqlite_objects,
    sqlite_selecting,
)
from trunkline.adapters.storage.objects import PROVISIONED
from trunkline.adapters.storage.rows import as_json
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.administration.provisioning import accounts_of, provisioned
from trunkline.app.callbacks.reads import CallbackQuery, Presence
from trunkline.app.explain.census import CensusGroup, CensusQuery
from trunkline.app.ports import (
    AgentSession,
    AuditQuery,
    DeskKey,
    Directory,
    Held,
    JournalSpan,
    ObjectVersion,
    Provision,
    RecordQuery,
    StoredRow,
    User,
)
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.records import Record
from trunkline.errors import AlreadyExists

_users = msgspec.json.Decoder(list[User]).decode
_stored = msgspec.json.Decoder(list[StoredRow]).decode
_names = msgspec.json.Decoder(dict[int, str]).decode
_marks = msgspec.json.Decoder(dict[str, int]).decode
_numbers = msgspec.json.Decoder(list[int]).decode

_span = msgspec.json.Decoder(tuple[int, int]).decode

_FOREVER = 2**63 - 1

T = TypeVar("T")


class Reader:
    """The read connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._statements = Statements(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def interrupt(self) -> None:
        """Break off what is being read, from whatever thread: a count of a long list must not hold up the end."""
        self._connection.interrupt()

    def look(self, function: Callable[[Statements], T]) -> T:
        """Run a read that is a function of its own."""
        return function(self._statements)

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

    def census(self, query: CensusQuery) -> list[CensusGroup]:
        """See ``Store.census``."""
        return sqlite_census.census(self._statements, query)

    def records_by_id(self, contact_centre_id: int, list_ids: Sequence[int], record_id: int) -> list[Record]:
        """See ``Store.records_by_id``."""
        return sqlite_census.records_by_id(self._statements, contact_centre_id, list_ids, record_id)

    def sample(self, contact_centre_id: int, list_id: int, size: int) -> list[Record]:
        """See ``Store.sample``."""
        return sqlite_census.sample(self._statements, contact_centre_id, list_id, size)

    def count(self, name: str, query: RecordQuery) -> int:
        """See ``Store.count_records`` and ``Store.count_chains``."""
        return sqlite_selecting.count(self._statements, name, query)

    def object_history(self, key: tuple[int, str, int], before_version: int | None, limit: int) -> list[ObjectVersion]:
        """See ``Store.object_history``."""
        before = _FOREVER if before_version is None else before_version
        return sqlite_objects.history(self._statements, key, before, limit)

    def users(self, contact_centre_id: int, user_ids: Sequence[int] | None) -> list[User]:
        """See ``Store.users``."""
        names: dict[str, int | str] = {"contact_centre_id": contact_centre_id}
        if user_ids is None:
            found = self._statements.read("users", _users, names)
        else:
            found = self._statements.read("users_by_id", _users, {**names, "user_ids": as_json(user_ids)})
        return sorted(found, key=lambda user: user.caller.user_id)

    def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``DeskReads.held``."""
        return sqlite_desks.held(self._statements, keys)

    def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``DeskReads.desk_of``."""
        return sqlite_desks.desk_of(self._statements, contact_centre_id, user_id)

    def desk_page(self, after: DeskKey, limit: int) -> list[Held]:
        """See ``DeskPages.desk_page``."""
        return sqlite_desks.desk_page(self._statements, after, limit)

    def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``DeskReads.agent_session``."""
        return sqlite_desks.agent_session(self._statements, contact_centre_id, user_id)

    def callbacks(self, query: CallbackQuery) -> list[Record]:
        """See ``CallbackReads.callbacks``."""
        return sqlite_callbacks.callbacks(self._statements, query)

    def presences(self, contact_centre_id: int) -> list[Presence]:
        """See ``CallbackReads.presences``."""
        return sqlite_callbacks.presences(self._statements, contact_centre_id)

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
        sqlite_accounts.put_all(statements, accounts_of(new), PROVISIONED)
        objects, states = provisioned(new)
        sqlite_objects.put_all(statements, objects)
        sqlite_objects.put_states(statements, states)
        statements.run("bump_directory", {})
    except sqlite3.IntegrityError as error:
        raise AlreadyExists("a name or public id belongs to something else already") from error
