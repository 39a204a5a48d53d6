"""The store on SQLite: one writer, one reader, each a thread with a connection of its own.

The file is in WAL mode, so reads see committed data while a transaction runs, and each commit is flushed
(``synchronous = FULL``). Units take turns: SQLite has one writer at a time anyway, and turns taken here cost no
waiting on locks.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from trunkline.adapters.storage import migrate, sqlite_contacts, sqlite_keeping, sqlite_objects, sqlite_persons
from trunkline.adapters.storage.sqlite_accounts import StoreAccounts
from trunkline.adapters.storage.sqlite_bulk import SqliteBulk
from trunkline.adapters.storage.sqlite_connection import Statements, check, connect
from trunkline.adapters.storage.sqlite_groups import StoreGroups
from trunkline.adapters.storage.sqlite_reference import Reader, prune, write_provision
from trunkline.adapters.storage.sqlite_thread import DatabaseThread
from trunkline.adapters.storage.sqlite_transaction import Transactions
from trunkline.adapters.storage.sqlite_unit import SqliteUnit
from trunkline.app.bulk import Bulk
from trunkline.app.callbacks.reads import CallbackQuery, Presence
from trunkline.app.explain.census import CensusGroup, CensusQuery
from trunkline.app.person_reads import ChainKey
from trunkline.app.ports import (
    AgentSession,
    AttemptQuery,
    AuditQuery,
    DeskKey,
    Directory,
    Held,
    JournalSpan,
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
from trunkline.app.record_columns import RecordBlock
from trunkline.domain.attempts import StoredAttempt
from trunkline.domain.objects import ObjectKey, StoredObject
from trunkline.domain.records import Record
from trunkline.errors import Defect, Refused, Unavailable

P = ParamSpec("P")
T = TypeVar("T")


class SqliteStore(StoreGroups, StoreAccounts):
    """See ``app.ports.Store``. ``database_url`` is ``sqlite:////absolute/path``.

    An ``exclusive`` store keeps other exclusive ones (servers) away from the file; tools work beside it.
    """

    def __init__(self, database_url: str, *, exclusive: bool = False) -> None:
        path = migrate.sqlite_path(database_url)
        if path is None:
            raise Defect("not the address of a SQLite database")
        self._url = database_url
        self._path = path
        self._exclusive = exclusive
        self._lock: int | None = None
        self._turn = asyncio.Lock()
        self._writer: DatabaseThread | None = None
        self._reader: DatabaseThread | None = None
        self._transactions: Transactions | None = None
        self._reads: Reader | None = None
        self._counter: DatabaseThread | None = None
        self._counts: Reader | None = None

    async def open(self) -> None:
        """See ``Store.open``. Raises ``Unavailable`` for a file that is missing, unsafe or of another version."""
        if self._writer is not None:
            raise Defect("the store is open already")
        if self._exclusive:
            self._lock = serving_lock(self._path)
        self._writer = DatabaseThread("sqlite-writer")
        self._reader = DatabaseThread("sqlite-reader")
        try:
            self._transactions = await self._writer.run(self._open_writer)
            self._reads = await self._reader.run(lambda: Reader(connect(self._path)))
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """See ``Store.close``. A unit that runs is rolled back and ends with ``Unavailable``."""
        writer, reader = self._writer, self._reader
        transactions, reads = self._transactions, self._reads
        self._writer = self._reader = self._transactions = self._reads = None
        if writer is not None:
            await writer.end(transactions.close if transactions is not None else _nothing)
        if reader is not None:
            await reader.end(reads.close if reads is not None else _nothing)
        counter, counts = self._counter, self._counts
        self._counter = self._counts = None
        if counts is not None:
            counts.interrupt()
        if counter is not None:
            await counter.end(counts.close if counts is not None else _nothing)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """See ``Store.begin``. Units take turns in the order in which they began."""
        async with self._turn:
            if self._writer is None or self._transactions is None:
                raise Unavailable("the store is closed")
            unit = SqliteUnit(self._writer, self._transactions)
            try:
                yield unit
            except Exception:
                await unit.roll_back()
                raise
            except BaseException:
                unit.abandon()
                raise
            await unit.finish()

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[Bulk]:
        """See ``Store.bulk``."""
        yield SqliteBulk(self._read_bulk, self._write_block)

    async def _read_bulk(self, function: Callable[[Statements], T]) -> T:
        return await self._read(Reader.look, function)

    async def _write_block(self, block: RecordBlock) -> None:
        async with self._turn:
            if self._writer is None or self._transactions is None:
                raise Unavailable("the store is closed")
            await self._writer.run(self._transactions.add_block, block)

    async def directory(self) -> Directory:
        """See ``Store.directory``."""
        return await self._read(Reader.directory)

    async def directory_version(self) -> int:
        """See ``Store.directory_version``."""
        return await self._read(Reader.directory_version)

    async def users(self, contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
        """See ``Store.users``; by id."""
        return await self._read(Reader.users, contact_centre_id, user_ids)

    async def held(self, keys: Sequence[DeskKey]) -> list[Held]:
        """See ``DeskReads.held``."""
        return await self._read(Reader.held, keys)

    async def desk_of(self, contact_centre_id: int, user_id: int) -> list[Held]:
        """See ``DeskReads.desk_of``."""
        return await self._read(Reader.desk_of, contact_centre_id, user_id)

    async def desk_page(self, after: DeskKey, limit: int) -> list[Held]:
        """See ``DeskPages.desk_page``."""
        return await self._read(Reader.desk_page, after, limit)

    async def agent_session(self, contact_centre_id: int, user_id: int) -> AgentSession | None:
        """See ``DeskReads.agent_session``."""
        return await self._read(Reader.agent_session, contact_centre_id, user_id)

    async def callbacks(self, query: CallbackQuery) -> list[Record]:
        """See ``CallbackReads.callbacks``."""
        return await self._read(Reader.callbacks, query)

    async def presences(self, contact_centre_id: int) -> list[Presence]:
        """See ``CallbackReads.presences``."""
        return await self._read(Reader.presences, contact_centre_id)

    async def newest(self, contact_centre_id: int, user_id: int, before_seq: int | None, limit: int) -> list[StoredRow]:
        """See ``Store.newest``."""
        return await self._read(Reader.newest, contact_centre_id, user_id, before_seq, limit)

    async def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """See ``Store.rows_after``."""
        return await self._read(Reader.rows_after, contact_centre_id, user_id, after_seq, limit)

    async def epoch(self) -> str:
        """See ``Store.epoch``."""
        return await self._read(Reader.epoch)

    async def journal_span(self) -> JournalSpan:
        """See ``Store.journal_span``."""
        return await self._read(Reader.journal_span)

    async def cursors(self, contact_centre_id: int, user_id: int) -> dict[str, int]:
        """See ``Store.cursors``."""
        return await self._read(Reader.cursors, contact_centre_id, user_id)

    async def recent_request_keys(self, since_ms: int, limit: int) -> list[int]:
        """See ``Store.recent_request_keys``."""
        return await self._read(Reader.recent_request_keys, since_ms, limit)

    async def audit(self, query: AuditQuery) -> list[StoredRow]:
        """See ``Store.audit``."""
        return await self._read(Reader.audit, query)

    async def attempts(self, query: AttemptQuery) -> list[StoredAttempt]:
        """See ``Store.attempts``."""
        return await self._look(lambda on: sqlite_contacts.portion(on, query))

    async def newest_attempt(self) -> int:
        """See ``Store.newest_attempt``."""
        newest: int = await self._look(lambda on: on.value("newest_attempt", {}))
        return newest

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Store.attempts_of_chain``."""
        chain = (contact_centre_id, list_id, chain_id)
        return await self._look(lambda on: sqlite_contacts.of_chain(on, chain, limit))

    async def make_attempt_parts(self, now_ms: int) -> int:
        """See ``Store.make_attempt_parts``: there are none here."""
        return 0

    async def drop_attempts(self, before_ms: int, limit: int) -> int:
        """See ``Store.drop_attempts``."""
        return await self._write(sqlite_keeping.drop_attempts, before_ms, limit)

    async def drop_suppressions(self, before_s: int, limit: int) -> int:
        """See ``Store.drop_suppressions``."""
        return await self._write(sqlite_keeping.drop_suppressions, before_s, limit)

    async def suppression_entries(self, query: SuppressionQuery) -> list[Suppression]:
        """See ``Store.suppression_entries``."""
        return await self._look(lambda on: sqlite_contacts.page(on, query))

    async def suppression_counts(self, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
        """See ``Store.suppression_counts``."""
        return await self._look(lambda on: sqlite_contacts.counts(on, contact_centre_id, now_s))

    async def attempts_about(
        self,
        contact_centre_id: int,
        number_keys: Collection[str],
        person_keys: Collection[str],
        after_seq: int,
        limit: int,
    ) -> list[StoredAttempt]:
        """See ``PersonStore.attempts_about``."""
        asked = (contact_centre_id, number_keys, person_keys, after_seq, limit)
        return await self._look(lambda on: sqlite_persons.attempts_about(on, *asked))

    async def rename_attempts(
        self,
        contact_centre_id: int,
        about: Collection[str],
        numbers: Mapping[str, str],
        persons: Mapping[str, str],
        texts: Sequence[str],
    ) -> int:
        """See ``PersonStore.rename_attempts``."""
        return await self._write(sqlite_persons.rename_attempts, contact_centre_id, about, numbers, persons, texts)

    async def journal_about(
        self, contact_centre_id: int, texts: Sequence[str], after_seq: int, until_seq: int
    ) -> list[StoredRow]:
        """See ``PersonStore.journal_about``."""
        asked = (contact_centre_id, texts, after_seq, until_seq)
        return await self._look(lambda on: sqlite_persons.journal_about(on, *asked))

    async def rewrite_journal(self, rows: Sequence[StoredRow]) -> None:
        """See ``PersonStore.rewrite_journal``."""
        await self._write(sqlite_persons.rewrite_journal, rows)

    async def forget_undo(self, chains: Collection[ChainKey]) -> int:
        """See ``PersonStore.forget_undo``."""
        return await self._write(sqlite_persons.forget_undo, chains)

    async def provision(self, provision: Provision) -> None:
        """See ``Store.provision``. Raises ``AlreadyExists`` when a name belongs to something else."""
        await self._write(write_provision, provision)

    async def change_objects(self, changes: ObjectChanges) -> list[StoredObject]:
        """See ``Store.change_objects``."""
        return await self._write(sqlite_objects.change, changes)

    async def census(self, query: CensusQuery) -> list[CensusGroup]:
        """See ``Store.census``."""
        return await self._read(Reader.census, query)

    async def records_by_id(self, contact_centre_id: int, list_ids: Sequence[int], record_id: int) -> list[Record]:
        """See ``Store.records_by_id``."""
        return await self._read(Reader.records_by_id, contact_centre_id, list_ids, record_id)

    async def sample(self, contact_centre_id: int, list_id: int, size: int) -> list[Record]:
        """See ``Store.sample``."""
        return await self._read(Reader.sample, contact_centre_id, list_id, size)

    async def count_records(self, query: RecordQuery) -> int:
        """See ``Store.count_records``."""
        return await self._read(Reader.count, "count_records", query)

    async def count_chains(self, query: RecordQuery) -> int:
        """See ``Store.count_chains``."""
        return await self._read(Reader.count, "count_chains", query)

    async def object_versions(self, key: ObjectKey, limit: int) -> list[StoredObject]:
        """See ``Store.object_versions``."""
        return await self._read(Reader.object_versions, key, limit)

    async def object_history(
        self, contact_centre_id: int, kind: str, object_id: int, before_version: int | None, limit: int
    ) -> list[ObjectVersion]:
        """See ``Store.object_history``."""
        return await self._read(Reader.object_history, (contact_centre_id, kind, object_id), before_version, limit)

    async def prune(self, before_ms: int, limit: int) -> int:
        """See ``Store.prune``; looks at the first ``limit`` rows, because numbers grow with time."""
        return await self._write(prune, before_ms, limit)

    def _open_writer(self) -> Transactions:
        connection = connect(self._path)
        try:
            check(connection, self._url)
        except BaseException:
            connection.close()
            raise
        return Transactions(connection)

    async def _read(self, function: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._reader is None or self._reads is None:
            raise Unavailable("the store is closed")
        return await self._reader.run(function, self._reads, *args, **kwargs)

    async def _ask(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._look(lambda statements: function(statements, *args, **kwargs))

    async def _count(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that reads much, on a thread and connection that nobody else waits for."""
        if self._reader is None:
            raise Unavailable("the store is closed")
        if self._counter is None:
            self._counter = DatabaseThread("sqlite-counter")

        def look() -> T:
            return self._counting().look(lambda statements: function(statements, *args, **kwargs))

        return await self._counter.run(look)

    def _counting(self) -> Reader:
        if self._counts is None:
            self._counts = Reader(connect(self._path))
        return self._counts

    async def _look(self, function: Callable[[Statements], T]) -> T:
        """Run a read that is a function of its own on the reader's connection."""
        if self._reader is None or self._reads is None:
            raise Unavailable("the store is closed")
        return await self._reader.run(self._reads.look, function)

    async def _write(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a transaction of its own."""
        async with self._turn:
            if self._writer is None or self._transactions is None:
                raise Unavailable("the store is closed")
            return await self._writer.run(
                self._transactions.alone, lambda statements: function(statements, *args, **kwargs)
            )


def _nothing() -> None:
    return None


def serving_lock(path: Path) -> int:
    """Lock a file beside the database, so that no second server works on it; ``Refused`` when one does.

    The lock is the kernel's and goes with the process, however it ends. The descriptor is to be closed.
    """
    descriptor = os.open(path.with_name(path.name + ".serving"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Refused(f"another server is working on {path}") from None
    return descriptor
