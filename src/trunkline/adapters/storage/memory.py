"""The reference model of a store: plain dictionaries, searched from one end to the other.

It says what the other stores must answer, and serves tests and simulations. The object is the database: closing it
and opening it again keeps everything, and nothing outlives it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from trunkline.adapters.storage import (
    memory_callbacks,
    memory_census,
    memory_contacts,
    memory_objects,
    memory_selecting,
)
from trunkline.adapters.storage.memory_bulk import MemoryBulk
from trunkline.adapters.storage.memory_groups import StoreGroups
from trunkline.adapters.storage.memory_persons import PersonRows
from trunkline.adapters.storage.memory_unit import MemoryUnit, Tables
from trunkline.adapters.storage.objects import PROVISIONED, check_seen, replacing
from trunkline.app.administration.provisioning import accounts_of, provisioned
from trunkline.app.bulk import Bulk
from trunkline.app.callbacks.reads import CallbackQuery, Presence
from trunkline.app.explain.census import CensusGroup, CensusQuery
from trunkline.app.ports import (
    AgentSession,
    AttemptQuery,
    AuditQuery,
    DeskKey,
    Directory,
    Held,
    JournalSpan,
    Namesake,
    ObjectChanges,
    ObjectVersion,
    Provision,
    RecordQuery,
    StoredRow,
    Suppression,
    SuppressionCount,
    SuppressionQuery,
    Unit,
    User,
)
from trunkline.domain.attempts import StoredAttempt
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.records import Record
from trunkline.errors import AlreadyExists, Defect, Unavailable


class MemoryStore(PersonRows, StoreGroups):
    """See ``app.ports.Store``."""

    def __init__(self) -> None:
        self._tables = Tables()
        self._turn = asyncio.Lock()
        self._opening: object | None = None

    async def open(self) -> None:
        """See ``Store.open``."""
        if self._opening is not None:
            raise Defect("the store is open already")
        self._opening = object()

    async def close(self) -> None:
        """See ``Store.close``. A unit that runs leaves nothing and ends with ``Unavailable``."""
        self._opening = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """See ``Store.begin``. Units take turns."""
        async with self._turn:
            opening = self._open_now()
            unit = MemoryUnit(self._tables, lambda: self._opening is opening)
            try:
                yield unit
                unit.commit()
            finally:
                unit.is_over = True

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[Bulk]:
        """See ``Store.bulk``."""
        self._now()
        yield MemoryBulk(self._now)

    async def directory(self) -> Directory:
        """See ``Store.directory``."""
        tables = self._now()
        return Directory(
            version=tables.directory_version,
            contact_centres=dict(tables.contact_centres),
            objects=tuple(tables.objects[key] for key in sorted(tables.objects)),
            group_states=tuple(tables.group_states[key] for key in sorted(tables.group_states)),
            skills={key: user.skills for key, user in sorted(tables.users.items()) if user.skills},
        )

    async def directory_version(self) -> int:
        """See ``Store.directory_version``."""
        return self._now().directory_version

    async def provision(self, provision: Provision) -> None:
        """See ``Store.provision``. Raises ``AlreadyExists`` when a name belongs to something else."""
        async with self._turn:
            self._now()
            objects, states = provisioned(provision)
            kept, history = dict(self._tables.objects), dict(self._tables.object_history)
            log, users = dict(self._tables.object_log), dict(self._tables.users)
            for stored in objects:
                newer = replacing(stored, len(history.get(stored.key, ())))
                memory_objects.put(kept, history, log, newer, PROVISIONED.reason)
            memory_objects.put_users(users, log, accounts_of(provision), PROVISIONED)
            changed = msgspec.structs.replace(
                self._tables,
                contact_centres={**self._tables.contact_centres, **provision.contact_centres},
                objects=kept,
                object_history=history,
                object_log=log,
                group_states={**self._tables.group_states, **{state.key: state for state in states}},
                users=users,
                directory_version=self._tables.directory_version + 1,
            )
            _check_names(changed)
            self._tables = changed

    async def change_objects(self, changes: ObjectChanges) -> list[StoredObject]:
        """See ``Store.change_objects``."""
        async with self._turn:
            tables = self._now()
            check_seen(changes, tables.directory_version)
            objects, history = dict(tables.objects), dict(tables.object_history)
            log, users = dict(tables.object_log), dict(tables.users)
            kept = memory_objects.change(objects, history, log, changes)
            memory_objects.change_users(users, log, changes)
            changed = msgspec.structs.replace(
                tables,
                objects=objects,
                object_history=history,
                object_log=log,
                users=users,
                directory_version=tables.directory_version + 1,
            )
            _check_names(changed)
            self._tables = changed
            return kept

    async def census(self, query: CensusQuery) -> list[CensusGroup]:
        """See ``Store.census``."""
        return memory_census.census(self._now().records.values(), query)

    async def records_by_id(self, contact_centre_id: int, list_ids: Sequence[int], record_id: int) -> list[Record]:
        """See ``Store.records_by_id``."""
        return memory_census.records_by_id(self._now().records.values(), contact_centre_id, list_ids, record_id)

    async def sample(self, contact_centre_id: int, list_id: int, size: int) -> list[Record]:
        """See ``Store.sample``."""
        return memory_census.sample(self._now().records.values(), contact_centre_id, list_id, size)

    async def count_records(self, query: RecordQuery) -> int:
        """See ``Store.count_records``."""
        return len(memory_selecting.selected(self._now().records.values(), query))

    async def count_chains(self, query: RecordQuery) -> int:
        """See ``Store.count_chains``."""
        return len({record.chain_id for record in memory_selecting.selected(self._now().records.values(), query)})

    async def object_versions(self, key: ObjectKey, limit: int) -> list[StoredObject]:
        """See ``Store.object_versions``."""
        history = self._now().object_history.get(key, [])
        return [msgspec.structs.replace(one, reference=None) for one in reversed(history) if one is not None][:limit]

    async def object_history(
        self, contact_centre_id: int, kind: str, object_id: int, before_version: int | None, limit: int
    ) -> list[ObjectVersion]:
        """See ``Store.object_history``."""
        found = reversed(self._now().object_log.get((contact_centre_id, kind, object_id), []))
        return [one for one in found if before_version is None or one.version < before_version][:limit]

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """See ``Store.user``."""
        named = await self.user_by_name(user_name)
        return next((user for user in named if user.caller.contact_centre_id == contact_centre_id), None)

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """See ``Store.users``; by id."""
        found = [user for user in self._users() if user.caller.contact_centre_id == contact_centre_id]
        return [user for user in found if user_ids is None or user.caller.user_id in user_ids]

    async def user_by_name(self, user_name: str) -> list[User]:
        """See ``Store.user_by_name``; by contact centre."""
        return [user for user in self._users() if user.caller.user_name == user_name]

    async def namesakes(self) -> list[Namesake]:
        """See ``Store.namesakes``."""
        users = [(user.caller, user.password_hash) for user in self._users() if user.is_enabled]
        counts = Counter(caller.user_name for caller, _ in users)
        found = [
            Namesake(caller.user_name, caller.contact_centre_id, caller.user_id, password_hash)
            for caller, password_hash in users
            if counts[caller.user_name] > 1
        ]
        return sorted(found, key=lambda one: (one.user_name, one.contact_centre_id))

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``DeskReads.held``."""
        return await self._reading().held(keys)

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``DeskReads.desk_of``."""
        return await self._reading().desk_of(contact_centre_id, user_id)

    async def desk_page(self, after: DeskKey, limit: int) -> list[Held]:
        """See ``DeskPages.desk_page``."""
        tables = self._now()
        behind = [key for key, entry in tables.desk.items() if key > after and not entry.is_settled]
        held = await self._reading().held(behind)
        return sorted(held, key=lambda one: (one.entry.contact_centre_id, one.entry.handle))[:limit]

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``DeskReads.agent_session``."""
        return await self._reading().agent_session(contact_centre_id, user_id)

    async def callbacks(self, query: CallbackQuery) -> list[Record]:
        """See ``CallbackReads.callbacks``."""
        return memory_callbacks.callbacks(self._now(), query)

    async def presences(self, contact_centre_id: int) -> list[Presence]:
        """See ``CallbackReads.presences``."""
        return memory_callbacks.presences(self._now(), contact_centre_id)

    async def newest(self, contact_centre_id: int, user_id: int, before_seq: int | None, limit: int) -> list[StoredRow]:
        """See ``Store.newest``."""
        found = [
            stored
            for stored in reversed(self._now().journal)
            if (stored.row.contact_centre_id, stored.row.user_id) == (contact_centre_id, user_id)
            and (before_seq is None or stored.seq < before_seq)
        ]
        return found[:limit]

    async def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """See ``Store.rows_after``."""
        whose = (contact_centre_id, user_id)
        behind = [stored for stored in self._now().journal if stored.seq > after_seq]
        return [stored for stored in behind if (stored.row.contact_centre_id, stored.row.user_id) == whose][:limit]

    async def epoch(self) -> str:
        """See ``Store.epoch``."""
        return self._now().epoch

    async def journal_span(self) -> JournalSpan:
        """See ``Store.journal_span``."""
        tables = self._now()
        return JournalSpan(tables.pruned_to, max([tables.pruned_to, *[stored.seq for stored in tables.journal]]))

    async def recent_request_keys(self, since_ms: int, limit: int) -> list[int]:
        """See ``Store.recent_request_keys``."""
        rows = [stored.row for stored in reversed(self._now().journal) if stored.row.request_key is not None]
        return [row.request_key for row in rows[:limit] if row.request_key is not None and row.at_ms >= since_ms]

    async def cursors(self, contact_centre_id: int, user_id: int) -> dict[str, int]:
        """See ``Store.cursors``."""
        marks = self._now().cursors
        whose = (contact_centre_id, user_id)
        return {key.channel: mark for key, mark in marks.items() if (key.contact_centre_id, key.user_id) == whose}

    async def audit(self, query: AuditQuery) -> list[StoredRow]:
        """See ``Store.audit``."""
        return [stored for stored in reversed(self._now().journal) if _is_asked(stored, query)][: query.limit]

    async def prune(self, before_ms: int, limit: int) -> int:
        """See ``Store.prune``; looks at the first ``limit`` rows, because numbers grow with time."""
        async with self._turn:
            journal = self._now().journal
            gone = {stored.seq for stored in journal[:limit] if stored.row.at_ms < before_ms}
            self._tables.journal = [stored for stored in journal if stored.seq not in gone]
            self._tables.pruned_to = max(self._tables.pruned_to, *gone, 0)
            return len(gone)

    async def attempts(self, query: AttemptQuery) -> list[StoredAttempt]:
        """See ``Store.attempts``."""
        return memory_contacts.portion(self._now().attempts, query)

    async def newest_attempt(self) -> int:
        """See ``Store.newest_attempt``."""
        log = self._now().attempts
        return log[-1].seq if log else 0

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Store.attempts_of_chain``."""
        return await self._reading().attempts_of_chain(contact_centre_id, list_id, chain_id, limit)

    async def make_attempt_parts(self, now_ms: int) -> int:
        """See ``Store.make_attempt_parts``: there are none here."""
        return 0

    async def drop_attempts(self, before_ms: int, limit: int) -> int:
        """See ``Store.drop_attempts``; looks at the first ``limit`` rows, because numbers grow with time."""
        async with self._turn:
            log = self._now().attempts
            kept = [stored for place, stored in enumerate(log) if place >= limit or stored.row.at_ms >= before_ms]
            self._tables.attempts = kept
            return len(log) - len(kept)

    async def drop_suppressions(self, before_s: int, limit: int) -> int:
        """See ``Store.drop_suppressions``."""
        async with self._turn:
            entries = self._now().suppressions
            ended = [(e.expires_at_s, key) for key, e in entries.items() if e.expires_at_s is not None]
            gone = sorted(pair for pair in ended if pair[0] < before_s)[:limit]
            for _, key in gone:
                del entries[key]
            return len(gone)

    async def suppression_entries(self, query: SuppressionQuery) -> list[Suppression]:
        """See ``Store.suppression_entries``."""
        return memory_contacts.page(self._now().suppressions, query)

    async def suppression_counts(self, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
        """See ``Store.suppression_counts``."""
        return memory_contacts.counts(self._now().suppressions, contact_centre_id, now_s)

    def _open_now(self) -> object:
        if self._opening is None:
            raise Unavailable("the store is closed")
        return self._opening

    def _now(self) -> Tables:
        self._open_now()
        return self._tables

    def _reading(self) -> MemoryUnit:
        """A unit that is asked at once and never saves, so it needs no turn."""
        return MemoryUnit(self._now(), lambda: True)

    def _users(self) -> list[User]:
        """All accounts by key, with the present names of their contact centres."""
        tables = self._now()
        named = []
        for key in sorted(tables.users):
            user = tables.users[key]
            name = tables.contact_centres.get(user.caller.contact_centre_id, "")
            caller = msgspec.structs.replace(user.caller, contact_centre_name=name)
            named.append(msgspec.structs.replace(user, caller=caller))
        return named


def _is_asked(stored: StoredRow, query: AuditQuery) -> bool:
    row = stored.row
    return (
        row.contact_centre_id == query.contact_centre_id
        and query.user_id in (None, row.user_id)
        and query.request_type in (None, int(row.request_type))
        and query.handle in (None, row.handle)
        and (query.since_ms is None or row.at_ms >= query.since_ms)
        and (query.until_ms is None or row.at_ms < query.until_ms)
        and (query.before_seq is None or stored.seq < query.before_seq)
    )


def _check_names(tables: Tables) -> None:
    callers = [user.caller for user in tables.users.values()]
    names: list[list[object]] = [
        list(tables.contact_centres.values()),
        memory_objects.names(tables.objects),
        memory_objects.references(tables.objects),
        [(u.caller.contact_centre_id, u.reference) for u in tables.users.values() if u.reference is not None],
        [(caller.contact_centre_id, caller.user_name) for caller in callers],
        [caller.public_id for caller in callers],
    ]
    if any(len(set(group)) < len(group) for group in names):
        raise AlreadyExists("a name or public id belongs to something else already")
