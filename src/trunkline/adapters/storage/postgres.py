"""The store on PostgreSQL: one connection that writes, a few that read.

Units take turns on the writing connection: requests come in batches, so one connection keeps the server busy, and
the next batch gathers while this one commits. Reads outside units have connections of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg

from trunkline.adapters.storage import (
    postgres_callbacks,
    postgres_census,
    postgres_desks,
    postgres_objects,
    postgres_selecting,
)
from trunkline.adapters.storage.postgres_bulk import StoreBulk
from trunkline.adapters.storage.postgres_contact_store import ContactStore
from trunkline.adapters.storage.postgres_groups import StoreGroups
from trunkline.adapters.storage.postgres_reference import write_provision
from trunkline.adapters.storage.postgres_rows import stored_of, user_of
from trunkline.adapters.storage.postgres_server import (
    CONNECT_S,
    QUERIES,
    Connection,
    check_server,
    connect,
    end,
    make_pool,
    prepare_writer,
    translated,
)
from trunkline.adapters.storage.postgres_unit import PostgresUnit
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.app.callbacks.reads import CallbackQuery, Presence
from trunkline.app.explain.census import CensusGroup, CensusQuery
from trunkline.app.ports import (
    AgentSession,
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
    Unit,
    User,
)
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.records import Record
from trunkline.errors import Defect, Refused, Unavailable

T = TypeVar("T")

READERS = 4
"""Connections for reads: log-ins, subscriptions and desks, which are short; more would only queue in the server."""

CLOSE_S = 10
"""Seconds that running reads get when the store closes."""

REPLAN_S = 10
"""Seconds that the writer's plans are kept. Plans are made for tables as they are, and a table that is empty or small
is best read whole: such a plan must not outlive the import of a million records by another program. Making all anew
costs a few milliseconds."""


class PostgresStore(ContactStore, StoreGroups, StoreBulk):
    """See ``app.ports.Store``. ``database_url`` is ``postgresql://...`` as libpq takes it.

    An ``exclusive`` store (a server) keeps other exclusive ones away from the database; tools work beside it.
    ``warnings`` are sentences for the operator, known after ``open``.
    """

    def __init__(self, database_url: str, *, exclusive: bool = False) -> None:
        self.warnings: list[str] = []
        self._url = database_url
        self._exclusive = exclusive
        self._turn = asyncio.Lock()
        self._windows = Windows()
        self._writer: asyncpg.Connection[asyncpg.Record] | None = None
        self._readers: asyncpg.Pool[asyncpg.Record] | None = None
        self._replan_at_s = 0.0

    async def open(self) -> None:
        """See ``Store.open``. Raises ``Unavailable`` for a server that does not answer."""
        if self._readers is not None:
            raise Defect("the store is open already")
        self._writer = await self._connect_writer()
        try:
            self._readers = await make_pool(self._url, READERS)
        except BaseException as error:
            await self.close()
            raise translated(error) from error

    async def close(self) -> None:
        """See ``Store.close``. A unit that runs is rolled back and ends with ``Unavailable``; reads may finish."""
        writer, readers = self._writer, self._readers
        self._writer = self._readers = None
        if writer is not None:
            await end(writer)
        if readers is not None:
            try:
                await asyncio.wait_for(readers.close(), CLOSE_S)
            except TimeoutError:
                readers.terminate()

    async def _connect_writer(self) -> asyncpg.Connection[asyncpg.Record]:
        connection = await connect(self._url)
        try:
            self.warnings = await check_server(connection)
            await prepare_writer(connection, exclusive=self._exclusive)
        except BaseException as error:
            await end(connection)
            raise translated(error) from error
        return connection

    async def _usable_writer(self) -> asyncpg.Connection[asyncpg.Record]:
        """The writing connection, made anew when the server went away. The caller has the turn."""
        if self._writer is None:
            raise Unavailable("the store is closed")
        if self._writer.is_closed():
            try:
                self._writer = await self._connect_writer()
            except Refused as error:
                # Nothing the caller of a request did wrong: the database came back as one that must not be used.
                raise Unavailable(str(error)) from error
        return self._writer

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """See ``Store.begin``. Units take turns in the order in which they began."""
        async with self._turn:
            connection = await self._usable_writer()
            unit = PostgresUnit(connection, self._windows)
            try:
                await self._renew_plans(connection)
                yield unit
            except BaseException as error:
                # Whatever the roll-back meets, the first error is the one to tell; the connection is closed then.
                with suppress(Exception):
                    await unit.roll_back()
                meaning = translated(error)
                if meaning is error:
                    raise
                raise meaning from error
            await unit.commit()

    async def _renew_plans(self, connection: Connection) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._replan_at_s:
            self._replan_at_s = now_s + REPLAN_S
            await connection.execute(QUERIES["forget_plans"])

    async def _write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._turn:
            connection = await self._usable_writer()
            try:
                async with connection.transaction():
                    return await work(connection)
            except Exception as error:
                meaning = translated(error)
                if meaning is error:
                    raise
                raise meaning from error

    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        if self._readers is None:
            raise Unavailable("the store is closed")
        try:
            async with self._readers.acquire(timeout=CONNECT_S) as connection:
                return await work(connection)
        except Exception as error:
            meaning = translated(error)
            if meaning is error:
                raise
            raise meaning from error

    async def _rows(self, name: str, *values: object) -> list[asyncpg.Record]:
        return await self._read(lambda connection: connection.fetch(QUERIES[name], *values))

    # Reference data

    async def directory(self) -> Directory:
        """See ``Store.directory``."""
        return await self._read(_directory)

    async def directory_version(self) -> int:
        """See ``Store.directory_version``."""
        return await self._read(_version)

    async def provision(self, provision: Provision) -> None:
        """See ``Store.provision``. Raises ``AlreadyExists`` when a name belongs to something else."""
        await self._write(lambda connection: write_provision(connection, provision))

    async def change_objects(self, changes: ObjectChanges) -> list[StoredObject]:
        """See ``Store.change_objects``."""
        return await self._write(lambda connection: postgres_objects.change(connection, changes))

    async def census(self, query: CensusQuery) -> list[CensusGroup]:
        """See ``Store.census``."""
        return await self._read(lambda connection: postgres_census.census(connection, query))

    async def records_by_id(self, contact_centre_id: int, list_ids: Sequence[int], record_id: int) -> list[Record]:
        """See ``Store.records_by_id``."""
        return await self._read(
            lambda c: postgres_census.records_by_id(c, self._windows, contact_centre_id, list_ids, record_id)
        )

    async def sample(self, contact_centre_id: int, list_id: int, size: int) -> list[Record]:
        """See ``Store.sample``."""
        return await self._read(
            lambda connection: postgres_census.sample(connection, self._windows, contact_centre_id, list_id, size)
        )

    async def count_records(self, query: RecordQuery) -> int:
        """See ``Store.count_records``."""
        return await self._read(lambda connection: postgres_selecting.count(connection, "count_records", query))

    async def count_chains(self, query: RecordQuery) -> int:
        """See ``Store.count_chains``."""
        return await self._read(lambda connection: postgres_selecting.count(connection, "count_chains", query))

    async def object_versions(self, key: ObjectKey, limit: int) -> list[StoredObject]:
        """See ``Store.object_versions``."""
        return await self._read(lambda connection: postgres_objects.versions(connection, key, limit))

    async def object_history(
        self, contact_centre_id: int, kind: str, object_id: int, before_version: int | None, limit: int
    ) -> list[ObjectVersion]:
        """See ``Store.object_history``."""
        key = (contact_centre_id, kind, object_id)
        return await self._read(lambda connection: postgres_objects.history(connection, key, before_version, limit))

    async def user(self, contact_centre_id: int, user_name: str) -> User | None:
        """See ``Store.user``."""
        if not _is_storable(user_name):
            return None
        found = await self._rows("user", contact_centre_id, user_name)
        return user_of(found[0]) if found else None

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """See ``Store.users``; by id."""
        if user_ids is None:
            found = await self._rows("users", contact_centre_id)
        else:
            found = await self._rows("users_by_id", contact_centre_id, sorted(set(user_ids)))
        return [user_of(row) for row in found]

    async def user_by_name(self, user_name: str) -> list[User]:
        """See ``Store.user_by_name``; by contact centre."""
        if not _is_storable(user_name):
            return []
        return [user_of(row) for row in await self._rows("users_by_name", user_name)]

    async def namesakes(self) -> list[Namesake]:
        """See ``Store.namesakes``."""
        found = [Namesake(*row) for row in await self._rows("namesakes")]
        return sorted(found, key=lambda one: (one.user_name, one.contact_centre_id))

    # Desks

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``DeskReads.held``."""
        return await self._read(lambda connection: postgres_desks.held(connection, self._windows, keys))

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``DeskReads.desk_of``."""
        whose = (contact_centre_id, user_id)
        return await self._read(lambda connection: postgres_desks.desk_of(connection, self._windows, *whose))

    async def desk_page(self, after: DeskKey, limit: int) -> list[Held]:
        """See ``DeskPages.desk_page``."""
        return await self._read(lambda connection: postgres_desks.desk_page(connection, self._windows, after, limit))

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``DeskReads.agent_session``."""
        return await self._read(lambda connection: postgres_desks.agent_session(connection, contact_centre_id, user_id))

    async def callbacks(self, query: CallbackQuery) -> list[Record]:
        """See ``CallbackReads.callbacks``."""
        return await self._read(lambda connection: postgres_callbacks.callbacks(connection, self._windows, query))

    async def presences(self, contact_centre_id: int) -> list[Presence]:
        """See ``CallbackReads.presences``."""
        return await self._read(lambda connection: postgres_callbacks.presences(connection, contact_centre_id))

    # Journal

    async def newest(self, contact_centre_id: int, user_id: int, before_seq: int | None, limit: int) -> list[StoredRow]:
        """See ``Store.newest``."""
        found = await self._rows("newest", contact_centre_id, user_id, before_seq, limit)
        return [stored_of(row) for row in found]

    async def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """See ``Store.rows_after``."""
        found = await self._rows("rows_after", contact_centre_id, user_id, after_seq, limit)
        return [stored_of(row) for row in found]

    async def epoch(self) -> str:
        """See ``Store.epoch``."""
        epoch: str = await self._read(lambda connection: connection.fetchval(QUERIES["epoch"]))
        return epoch

    async def journal_span(self) -> JournalSpan:
        """See ``Store.journal_span``."""
        (found,) = await self._rows("journal_span")
        return JournalSpan(found["pruned_to"], found["newest"])

    async def cursors(self, contact_centre_id: int, user_id: int) -> dict[str, int]:
        """See ``Store.cursors``."""
        return {row["channel"]: row["mark"] for row in await self._rows("cursors", contact_centre_id, user_id)}

    async def recent_request_keys(self, since_ms: int, limit: int) -> list[int]:
        """See ``Store.recent_request_keys``."""
        return [row["request_key"] for row in await self._rows("recent_request_keys", since_ms, limit)]

    async def audit(self, query: AuditQuery) -> list[StoredRow]:
        """See ``Store.audit``."""
        values: list[Any] = [
            query.contact_centre_id,
            query.request_type,
            query.handle,
            query.since_ms,
            query.until_ms,
            query.before_seq,
            query.limit,
        ]
        if query.user_id is None:
            found = await self._rows("audit", *values)
        else:
            found = await self._rows("audit_of_user", *values, query.user_id)
        return [stored_of(row) for row in found]

    async def prune(self, before_ms: int, limit: int) -> int:
        """See ``Store.prune``; looks at the oldest rows only, because numbers grow with time."""
        gone: int = await self._write(lambda connection: connection.fetchval(QUERIES["prune"], before_ms, limit))
        return gone


async def _version(connection: Connection) -> int:
    version: int = await connection.fetchval(QUERIES["directory_version"])
    return version


async def _directory(connection: Connection) -> Directory:
    # One snapshot, so that the parts belong to one version.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        centres: Mapping[int, str] = dict(await connection.fetch(QUERIES["contact_centres"]))  # type: ignore[arg-type]
        return Directory(
            version=await _version(connection),
            contact_centres=dict(centres),
            objects=await postgres_objects.objects(connection),
            group_states=await postgres_objects.group_states(connection),
            skills=await postgres_objects.skills(connection),
        )


def _is_storable(text: str) -> bool:
    """False for text that no row can hold, such as a log-in name with a NUL."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
