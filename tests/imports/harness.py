"""A store in memory with one list, a clock that stands still, and imports from texts."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.asking import Asked, Rules
from trunkline.app.bulk import Bulk
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import Importer, ImportOrder
from trunkline.app.imports.report import ImportReport, Refusal
from trunkline.app.imports.run import Site, Step, Watcher
from trunkline.app.ports import Provision, StoredRow
from trunkline.app.record_columns import RecordBlock
from trunkline.app.writer import Writer
from trunkline.domain.campaigns import CallingList
from trunkline.domain.import_specifications import NumberCheck
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import Record

T = TypeVar("T")
ORDER = ImportOrder(numbers=NumberCheck.AS_GIVEN)
"""Most tests are not about numbers: short ones are easier to read."""
LIST = CallingList(
    contact_centre_id=1, list_id=7, name="Spring", from_s=3600, until_s=7200, default_time_zone="Europe/Paris"
)
SUPERVISOR = Caller(1, "demo", 9, "f" * 32, "supervisor1", roles=(Role.SUPERVISOR,))
AGENT = Caller(1, "demo", 1, "e" * 32, "agent1")


class StandingClock:
    """A clock that always shows the same time."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return 1_900_000_000_000

    def now_s(self) -> int:
        """Unix seconds."""
        return 1_900_000_000

    def monotonic_ns(self) -> int:
        """Nanoseconds."""
        return 0


class NoChance:
    """Chance that nobody draws."""

    def token(self) -> str:
        """Never called by an import."""
        raise AssertionError

    def uuid(self) -> str:
        """Never called by an import."""
        raise AssertionError


class Notes(Watcher):
    """A watcher that keeps what it hears."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self.steps: list[Step] = []

    def on_refusal(self, refusal: Refusal) -> None:
        """Keep it."""
        self.refusals.append(refusal)

    def on_step(self, step: Step) -> None:
        """Keep it."""
        self.steps.append(step)


class WatchedStore(MemoryStore):
    """A store in memory that tells of each block before it takes it."""

    def __init__(self, before: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.before = before

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[Bulk]:
        """The way for blocks."""
        async with super().bulk() as bulk:
            add = bulk.add

            async def watched(block: RecordBlock) -> None:
                await self.before()
                await add(block)

            bulk.add = watched  # type: ignore[method-assign]
            yield bulk


class Bench:
    """The writer and the importer over a store in memory; ``fail_at`` makes that mark or block (from 1) raise."""

    def __init__(self, calling_list: CallingList = LIST) -> None:
        self.calling_list = calling_list
        self.store: MemoryStore = WatchedStore(self._next)
        self.chunks = 0
        self.fail_at: int | None = None
        self.failure: Exception = ConnectionResetError()
        self.before_chunk: Callable[[int], Awaitable[None]] | None = None
        self.writer: Writer
        self.importer: Importer

    def run(self, steps: Callable[[Bench], Awaitable[T]]) -> T:
        """Run steps on an open store with a running writer."""
        return asyncio.run(self._run(steps))

    async def _run(self, steps: Callable[[Bench], Awaitable[T]]) -> T:
        await self.store.open()
        if not (await self.store.directory()).objects:
            await self.store.provision(Provision(contact_centres={1: "demo"}, lists=[self.calling_list]))
        book = ReferenceBook(await self.store.directory())
        self.writer = Writer(self.store, StandingClock(), book, Rules(chance=NoChance()), HANDLERS, lambda _: None)
        self.importer = Importer(Site(store=self.store, submit=self.submit, clock=StandingClock()))
        self.writer.start()
        try:
            return await steps(self)
        finally:
            await self.writer.stop()
            await self.store.close()

    async def submit(self, asked: Asked) -> StoredRow | None:
        """Hand a mark to the writer, or fail before it."""
        await self._next()
        return await self.writer.submit(asked)

    async def _next(self) -> None:
        self.chunks += 1
        if self.chunks == self.fail_at:
            raise self.failure
        if self.before_chunk is not None:
            await self.before_chunk(self.chunks)

    async def load(
        self,
        text: str | bytes,
        order: ImportOrder | None = None,
        *,
        caller: Caller = SUPERVISOR,
        encoding: str = "utf-8",
        watcher: Watcher | None = None,
    ) -> ImportReport:
        """Import a text."""
        raw = text if isinstance(text, bytes) else text.encode()
        source = TextFile(io.BytesIO(raw), encoding)
        return await self.importer.run(caller, self.calling_list, order or ORDER, source, watcher)

    def load_twice(self, text: str, order: ImportOrder) -> tuple[ImportReport, ImportReport]:
        """Import a text, and again by a program that was started anew."""
        first = self.run(lambda b: b.load(text, order))
        return first, self.run(lambda b: b.load(text, order))

    @property
    def records(self) -> list[Record]:
        """All records of the store by key."""
        tables = self.store._tables.records
        return [tables[key] for key in sorted(tables)]


def load(
    text: str | bytes, order: ImportOrder | None = None, calling_list: CallingList = LIST, encoding: str = "utf-8"
) -> tuple[ImportReport, list[Record]]:
    """Import one text into an empty list; the report and what the list holds then."""
    bench = Bench(calling_list)
    report = bench.run(lambda b: b.load(text, order, encoding=encoding))
    return report, bench.records


def reasons(report: ImportReport) -> list[tuple[int, str, str]]:
    """The refusals as tuples."""
    return [(refusal.row, refusal.field, refusal.reason) for refusal in report.refusals]


def many(rows: int, *, chain_of: int = 1) -> str:
    """A file of good rows in chains of that length."""
    lines = (f"+1555{n:07d},k{n // chain_of},n{n}\n" for n in range(rows))
    return "phone,chain,note\n" + "".join(lines)
