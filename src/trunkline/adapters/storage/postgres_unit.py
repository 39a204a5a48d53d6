"""A unit on PostgreSQL.

Reads run before the transaction begins: the versions of records guard the writes, so the common batch is one
statement, which is a transaction of its own: its answer comes after the flush. Others begin one to write, and the
hand-out, which locks what it finds, begins it earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import asyncpg

from trunkline.adapters.storage import (
    postgres_attempts,
    postgres_claims,
    postgres_contacts,
    postgres_desks,
    postgres_selecting,
)
from trunkline.adapters.storage.postgres_groups import UnitGroups
from trunkline.adapters.storage.postgres_rows import (
    Fetched,
    entry_of,
    import_of,
    record_of,
    stored_of,
)
from trunkline.adapters.storage.postgres_server import COMMIT_LOCK, NUMBERS_LOCK, QUERIES, translated
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.adapters.storage.postgres_writes import Writes
from trunkline.app.ports import (
    AgentSession,
    Buffered,
    BufferEntry,
    BufferSize,
    CallbackClaim,
    ChainKey,
    Changes,
    Claim,
    Claimed,
    DeskKey,
    Held,
    ImportProgress,
    PreviewSession,
    RecordQuery,
    RecycleRun,
    StoredRow,
    Suppression,
    Undo,
)
from trunkline.domain.attempts import PastAttempt, StoredAttempt
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record, RecordKey
from trunkline.domain.suppression import Contact, contact_key
from trunkline.errors import Defect, Unavailable

T = TypeVar("T")

_BEGIN_TO_WRITE = f"BEGIN; SELECT pg_advisory_xact_lock({COMMIT_LOCK})"


class PostgresUnit(UnitGroups):
    """See ``app.ports.Unit``."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record], windows: Windows) -> None:
        self._connection = connection
        self._windows = windows
        self._seen: dict[RecordKey, Record] = {}
        self._writes: Writes | None = None
        self._has_begun = False
        self._is_over = False

    # The transaction

    async def commit(self) -> None:
        """End the unit; what was saved is durable afterwards.

        Raises ``Unavailable`` when it is not known whether the server has committed; the connection is closed then.
        """
        self._is_over = True
        if not self._has_begun:
            return
        try:
            tag = await self._connection.execute("COMMIT")
        except BaseException as error:
            self._windows.marks.clear()
            self._connection.terminate()
            if isinstance(error, Exception):
                raise Unavailable("the database did not say whether it stored the requests") from error
            raise
        if tag != "COMMIT":
            self._windows.marks.clear()
            raise Unavailable("the database rolled the requests back")
        if self._writes is not None:
            for key, number, value in self._writes.learned:
                self._windows.learn(key, number, value)

    async def roll_back(self) -> None:
        """End the unit without a trace; a connection on which that fails is closed."""
        self._is_over = True
        if self._has_begun:
            self._windows.marks.clear()
        if not self._connection.is_closed() and self._connection.is_in_transaction():
            try:
                await self._connection.execute("ROLLBACK")
            except BaseException:
                self._connection.terminate()
                raise

    async def save(self, changes: Changes) -> list[int]:
        """See ``Unit.save``."""
        if self._writes is not None:
            raise Defect("a unit saves at most once")
        connection = self._usable()
        self._writes = Writes(connection, self._windows, self._seen)
        if not self._has_begun:
            seqs = await self._writes.write_at_once(changes)
            if seqs is not None:
                return seqs
        if self._has_begun:
            await connection.execute(f"SELECT pg_advisory_xact_lock({COMMIT_LOCK})")
        else:
            self._has_begun = True
            await connection.execute(_BEGIN_TO_WRITE)
        try:
            return await self._writes.write(changes)
        except asyncpg.UniqueViolationError as error:
            raise translated(error) from error

    def _usable(self) -> asyncpg.Connection[asyncpg.Record]:
        if self._is_over:
            raise Defect("the transaction is over")
        return self._connection

    # Desks and records

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``Unit.held``."""
        return self._noted(await postgres_desks.held(self._usable(), self._windows, keys))

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``Unit.desk_of``."""
        return self._noted(await postgres_desks.desk_of(self._usable(), self._windows, contact_centre_id, user_id))

    async def expired(self, now_ms: int, limit: int) -> list[Held]:
        """See ``Unit.expired``."""
        found = await self._usable().fetch(QUERIES["expired"], now_ms, limit)
        return self._noted(await postgres_desks.all_held(self._usable(), self._windows, found))

    async def entries_of_chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[DeskEntry]:
        """See ``Unit.entries_of_chain``."""
        found = await self._usable().fetch(QUERIES["entries_of_chain"], contact_centre_id, list_id, chain_id)
        return [entry_of(row) for row in found]

    async def chain(self, contact_centre_id: int, list_id: int, chain_id: int) -> list[Record]:
        """See ``Unit.chain``."""
        return await self._records("chain", contact_centre_id, list_id, chain_id)

    async def records_of_contact(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, value: str, limit: int
    ) -> list[Record]:
        """See ``Unit.records_of_contact``."""
        name = "records_of_number" if kind is DoNotCallKind.NUMBER else "records_of_customer"
        key = contact_key(kind, value)
        return await self._records(name, contact_centre_id, sorted(set(list_ids)), key, limit)

    async def due_callbacks(self, contact_centre_id: int, user_id: int, now_s: int, limit: int) -> list[Record]:
        """See ``Unit.due_callbacks``."""
        return await self._records("due_callbacks", contact_centre_id, user_id, now_s, limit)

    async def _records(self, name: str, *values: object) -> list[Record]:
        found = await self._usable().fetch(QUERIES[name], *values)
        records = await self._built(found, lambda row: record_of(row, self._windows))
        for record in records:
            self._seen[record.key] = record
        return records

    def _noted(self, all_held: list[Held]) -> list[Held]:
        seen = self._seen
        for held in all_held:
            seen[held.record.key] = held.record
        return all_held

    async def _built(self, found: Sequence[asyncpg.Record], build: Callable[[Fetched], T]) -> list[T]:
        return await postgres_desks.built(self._connection, self._windows, found, build)

    # The hand-out

    async def claim(self, claim: Claim) -> Claimed:
        """See ``Unit.claim``. What was picked stays locked until the unit ends."""
        return await postgres_claims.claim(await self._begun(), self._windows, claim)

    async def claim_callback(self, claim: CallbackClaim) -> Claimed:
        """See ``Unit.claim_callback``."""
        if not claim.lists:
            return Claimed()
        return await postgres_claims.claim_callback(await self._begun(), self._windows, claim)

    async def buffered(
        self, contact_centre_id: int, campaign_group_id: int, passed_over: Collection[ChainKey], limit: int
    ) -> list[Buffered]:
        """See ``Unit.buffered``."""
        group = (contact_centre_id, campaign_group_id)
        return self._met(await postgres_claims.buffered(self._usable(), self._windows, group, passed_over, limit))

    async def buffers_ended(self, now_ms: int, limit: int) -> list[Buffered]:
        """See ``Unit.buffers_ended``."""
        return self._met(await postgres_claims.buffers_ended(self._usable(), self._windows, now_ms, limit))

    async def buffer_entry(self, contact_centre_id: int, list_id: int, chain_id: int) -> BufferEntry | None:
        """See ``Unit.buffer_entry``."""
        return await postgres_claims.buffer_entry(self._usable(), (contact_centre_id, list_id, chain_id))

    async def buffer_sizes(self) -> list[BufferSize]:
        """See ``Unit.buffer_sizes``."""
        return await postgres_claims.buffer_sizes(self._usable())

    async def buffer_size(self, contact_centre_id: int, campaign_group_id: int) -> int:
        """See ``Unit.buffer_size``."""
        size: int = await self._usable().fetchval(QUERIES["buffer_size"], contact_centre_id, campaign_group_id)
        return size

    async def _begun(self) -> asyncpg.Connection[asyncpg.Record]:
        """The connection, in the transaction."""
        connection = self._usable()
        if not self._has_begun:
            self._has_begun = True
            await connection.execute("BEGIN")
        return connection

    def _met(self, found: list[Buffered]) -> list[Buffered]:
        for one in found:
            self._seen.update((record.key, record) for record in one.records)
        return found

    async def take_numbers(self, *, handles: int = 0, records: int = 0, chains: int = 0) -> tuple[range, range, range]:
        """See ``Unit.take_numbers``."""
        wanted = (handles, records, chains)
        row = await self._usable().fetchrow(QUERIES["take_numbers"], *wanted, NUMBERS_LOCK)
        assert row is not None
        first, second, third = (
            range(start, start + count) if count else range(0) for start, count in zip(row[:3], wanted, strict=True)
        )
        return first, second, third

    # Everything else

    async def repeats(self, request_keys: Sequence[int], since_ms: int) -> dict[int, StoredRow]:
        """See ``Unit.repeats``."""
        if not request_keys:
            return {}
        found = await self._usable().fetch(QUERIES["repeats"], request_keys, since_ms)
        return {row["request_key"]: stored_of(row) for row in found}

    async def suppressed(
        self,
        contact_centre_id: int,
        campaign_id: int | None,
        suppression_list_ids: Collection[int],
        now_s: int,
        contacts: Collection[Contact],
    ) -> dict[Contact, list[Suppression]]:
        """See ``Unit.suppressed``."""
        asked = (contact_centre_id, campaign_id, suppression_list_ids, now_s, contacts)
        return await postgres_contacts.suppressed(self._usable(), *asked)

    async def attempts_of(
        self, contact_centre_id: int, number_keys: Collection[str], person_keys: Collection[str], since_ms: int
    ) -> list[PastAttempt]:
        """See ``Unit.attempts_of``."""
        asked = (contact_centre_id, number_keys, person_keys, since_ms)
        return await postgres_attempts.attempts_of(self._usable(), *asked)

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Unit.attempts_of_chain``."""
        return await postgres_attempts.of_chain(self._usable(), (contact_centre_id, list_id, chain_id), limit)

    async def records_where(self, query: RecordQuery) -> list[Record]:
        """See ``Unit.records_where``."""
        records = await postgres_selecting.records_where(self._usable(), self._windows, query)
        self._seen.update({record.key: record for record in records})
        return records

    async def recycle_runs(self, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
        """See ``Unit.recycle_runs``."""
        return await postgres_selecting.recycle_runs(self._usable(), contact_centre_id, list_id, limit)

    async def undo_of(self, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
        """See ``Unit.undo_of``."""
        return await postgres_selecting.undo_of(self._usable(), contact_centre_id, list_id, run_id, limit)

    async def has_preview_session(self, session: PreviewSession) -> bool:
        """See ``Unit.has_preview_session``."""
        key = (session.contact_centre_id, session.user_id, session.campaign_id)
        return bool(await self._usable().fetchval(QUERIES["has_preview_session"], *key))

    async def preview_sessions(self, contact_centre_id: int, user_id: int) -> list[int]:
        """See ``Unit.preview_sessions``."""
        found = await self._usable().fetch(QUERIES["preview_sessions"], contact_centre_id, user_id)
        return [row[0] for row in found]

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``Unit.agent_session``."""
        return await postgres_desks.agent_session(self._usable(), contact_centre_id, user_id)

    async def import_progress(self, contact_centre_id: int, list_id: int, import_id: str) -> ImportProgress | None:
        """See ``Unit.import_progress``."""
        row = await self._usable().fetchrow(QUERIES["import_progress"], contact_centre_id, list_id, import_id)
        return None if row is None else import_of(row)
