"""One run of one import: check everything, then write it block by block."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.bulk import Bulk
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.checking import Checking
from trunkline.app.imports.chunks import ImportMark, check_same_file
from trunkline.app.imports.columns import ColumnReader
from trunkline.app.imports.files import Source
from trunkline.app.imports.json_lines import JsonReader
from trunkline.app.imports.numbers import NumberReader
from trunkline.app.imports.orders import ImportOrder
from trunkline.app.imports.places import regions_of, zones_of
from trunkline.app.imports.questions import Questions
from trunkline.app.imports.reading import BlockReader, CsvReader, RefusedRow
from trunkline.app.imports.report import ImportReport, Refusal
from trunkline.app.imports.windows import WindowBook
from trunkline.app.ports import Clock, Conflict, ImportState, Store, StoredRow
from trunkline.app.record_columns import RecordBlock, RecordColumns
from trunkline.app.stored import ImportProgress
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import Column
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import RequestType
from trunkline.domain.import_specifications import DuplicateScope, FileFormat, NumberCheck
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller
from trunkline.domain.row_cells import RowRules
from trunkline.domain.time_zones import TimeZoneAlias, zones_by_text
from trunkline.domain.window_hours import ever_opens
from trunkline.errors import AlreadyInUse

Submit = Callable[[Asked], Awaitable[StoredRow | None]]
"""``Writer.submit``."""


class Step(msgspec.Struct, frozen=True):
    """How far a run is: rows passed, and how many there are in all when that is known."""

    is_writing: bool
    rows: int
    of_rows: int | None


class Watcher:
    """Who wants to hear of an import while it runs.

    Refusals arrive in the file's order, each once; those of rows that repeat an earlier one come when the whole file
    was read.
    """

    def on_refusal(self, refusal: Refusal) -> None:
        """Take one reason why a row is refused."""

    def on_step(self, step: Step) -> None:
        """Take how far the run is; called with each block and at the end of a pass."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What runs work with: the store, its writer, the clock, the folder for temporary files (None: the system's).

    ``make_list`` makes the list of a run, when it is not there yet, as soon as there is something to write.
    """

    store: Store
    submit: Submit
    clock: Clock
    folder: str | None = None
    make_list: Callable[[], Awaitable[CallingList]] | None = None


class Run:
    """One run. ``step`` is the newest news of how far it is."""

    def __init__(
        self,
        site: Site,
        caller: Caller,
        calling_list: CallingList,
        order: ImportOrder,
        source: Source,
        watcher: Watcher,
    ) -> None:
        self.site = site
        self.caller = caller
        self.calling_list = calling_list
        self.order = order
        self.source = source
        self.watcher = watcher
        self.step = Step(is_writing=False, rows=0, of_rows=None)
        self.windows = WindowBook(self._opens)
        self.required: tuple[int, ...] = ()
        self.done = 0
        self.has_begun = False
        self.report = ImportReport(
            import_id="", list_name=calling_list.name, mode=order.mode, is_dry_run=order.is_dry_run
        )

    async def carry_out(self, import_id: str, digest: str) -> ImportReport:
        """Check, then write unless that is not wanted; see ``Importer.run``."""
        report = self.report
        report.import_id = import_id
        progress = await read_progress(self.site.store, self.calling_list, import_id)
        if progress is not None:
            check_same_file(progress, digest)
            self.has_begun = True
            self.done = progress.source_rows_done
            report.records_added_before = progress.records_added
            report.is_repeat = report.finished = progress.state is ImportState.DONE
        if report.is_repeat and not self.order.is_dry_run:
            assert progress is not None
            report.rows_refused = progress.rows_refused
            return report
        async with self.site.store.bulk() as bulk:
            checking = await self._begin()
            try:
                await self._check(checking, bulk)
                if not (self.order.is_dry_run or report.is_refused):
                    await self._write(checking, bulk, import_id, digest)
                    report.finished = True
            finally:
                await asyncio.to_thread(checking.close)
        return report

    def _opens(self, window: Window) -> bool:
        calling_list = self.calling_list
        return ever_opens(window, calling_list.from_s, calling_list.until_s, self.site.clock.now_s())

    async def _begin(self) -> Checking:
        reader = await asyncio.to_thread(self._reader)
        rules, numbers = await self._rules(reader)
        return await asyncio.to_thread(
            Checking,
            reader,
            ColumnReader(rules, numbers, self.windows),
            folder=self.site.folder,
            wants_numbers=self.order.numbers_of(self.calling_list) is not DuplicateScope.NONE,
            wants_customers=self.order.duplicate_customers is not DuplicateScope.NONE,
        )

    def _reader(self) -> BlockReader:
        if self.order.file_format is FileFormat.JSON_LINES:
            return JsonReader(self.source, self.order.mapping)
        return CsvReader(self.source, self.order.mapping, self.order.delimiter)

    async def _rules(self, reader: BlockReader) -> tuple[RowRules, NumberReader | None]:
        """How rows are understood; names are read from the store when the file has a column for them."""
        store, centre, order = self.site.store, self.calling_list.contact_centre_id, self.order
        known = reader.plan.known
        book = ReferenceBook(await store.directory())
        self.required = book.suppression_list_ids(centre, None)
        agents: dict[str, int] = {}
        if Column.AGENT in known:
            agents = {user.caller.user_name: user.caller.user_id for user in await store.users(centre)}
        numbers = None
        if order.numbers is not NumberCheck.AS_GIVEN:
            region = order.region or self.calling_list.default_region
            numbers = await asyncio.to_thread(NumberReader, region, order.numbers)
        zones = [stored.value for stored in book.objects_of(centre, ObjectKind.TIME_ZONE)]
        rules = RowRules(
            calling_list=self.calling_list,
            numbers=numbers,
            zones_of=_zones_of if numbers is not None and order.uses_number_zones else None,
            region_of=_region_of if numbers is not None else None,
            agents=agents,
            campaigns={one.value.name: one.object_id for one in book.objects_of(centre, ObjectKind.CAMPAIGN)},
            zone_aliases=zones_by_text(zone for zone in zones if isinstance(zone, TimeZoneAlias)),
        )
        return rules, numbers

    # The first pass

    async def _check(self, checking: Checking, bulk: Bulk) -> None:
        """Count and report, write nothing."""
        report = self.report
        lists = tuple(dict.fromkeys((*self.required, *self.order.suppression_list_ids)))
        order = msgspec.structs.replace(self.order, suppression_list_ids=lists)
        questions = Questions(bulk, self.site.clock, self.calling_list, order, self.done)
        await questions.prepare()
        report.columns = {}
        read = await asyncio.to_thread(checking.read)
        asking = None if read is None else asyncio.create_task(questions.hits(read))
        try:
            while read is not None and asking is not None:
                # While the store is asked about a block, the one before it is settled and the next one is read.
                following = await asyncio.to_thread(checking.read)
                hits = await asking
                asking = None if following is None else asyncio.create_task(questions.hits(following))
                self._note(await asyncio.to_thread(checking.settle, read, hits))
                self._told(Step(is_writing=False, rows=checking.rows_read, of_rows=None))
                read = following
        finally:
            if asking is not None:
                asking.cancel()
        await asyncio.to_thread(checking.end)
        await self._check_repeats(checking)
        report.columns = checking.plan.uses()
        report.rows_read = checking.rows_read
        report.rows_good = report.rows_read - report.rows_refused
        report.chains_good = await asyncio.to_thread(checking.chains_kept)
        self._told(Step(is_writing=False, rows=report.rows_read, of_rows=report.rows_read))

    async def _check_repeats(self, checking: Checking) -> None:
        repeats = checking.repeats()
        while True:
            refused: list[RefusedRow] | None = await asyncio.to_thread(next, repeats, None)
            if refused is None:
                return
            self._note(refused)

    def _note(self, refused: list[RefusedRow]) -> None:
        self.report.rows_refused += len(refused)
        for row in refused:
            for fault in row.faults:
                refusal = Refusal(row.row, fault.field, fault.reason)
                self.report.note(refusal)
                self.watcher.on_refusal(refusal)

    def _told(self, step: Step) -> None:
        self.step = step
        self.watcher.on_step(step)

    # The second pass

    async def _write(self, checking: Checking, bulk: Bulk, import_id: str, digest: str) -> None:
        """Add what is not added yet; the next block is prepared while the store takes one."""
        if self.site.make_list is not None:
            self.calling_list = await self.site.make_list()
        mark = partial(
            ImportMark,
            list_id=self.calling_list.list_id,
            import_id=import_id,
            digest=digest,
            source_rows=checking.end_row,
        )
        if not self.has_begun:
            # The note of the import stands before its first record, so that a second run finds it.
            header = 0 if self.order.file_format is FileFormat.JSON_LINES else 1
            await self._submit(mark(row_before=0, row_after=header, rows_refused=0, is_last=False))
            self.done = header
        self._told(Step(is_writing=True, rows=0, of_rows=self.report.rows_read))
        adding: asyncio.Task[None] | None = None
        refused = 0
        try:
            async for block, refused_behind in self._blocks(checking, bulk.rows_at_once, import_id, digest):
                refused = refused_behind
                if adding is not None:
                    await adding
                adding = None if block is None else asyncio.create_task(self._add(bulk, block))
            if adding is not None:
                await adding
        finally:
            if adding is not None and not adding.done():
                adding.cancel()
        last = max(checking.end_row, self.done)
        await self._submit(mark(row_before=self.done, row_after=last, rows_refused=refused, is_last=True))
        self._told(Step(is_writing=True, rows=self.report.rows_read, of_rows=self.report.rows_read))

    async def _blocks(
        self, checking: Checking, rows_at_once: int, import_id: str, digest: str
    ) -> AsyncIterator[tuple[RecordBlock | None, int]]:
        """Blocks for the store, and how many refused rows are behind the last of them."""
        parts = iter(_Parts(checking, self, rows_at_once, import_id, digest))
        while True:
            found = await asyncio.to_thread(next, parts, None)
            if found is None:
                return
            yield found

    async def _add(self, bulk: Bulk, block: RecordBlock) -> None:
        try:
            await bulk.add(block)
        except Conflict:
            raise AlreadyInUse("another run of this import has gone on; ask for its progress") from None
        self.done = block.row_after
        self.report.records_added += len(block)
        self.report.chains_added += sum(len(set(piece.column("chain"))) for piece in block.pieces)
        rows = min(block.row_after, self.report.rows_read)
        self._told(Step(is_writing=True, rows=rows, of_rows=self.report.rows_read))

    async def _submit(self, mark: ImportMark) -> None:
        await self.site.submit(
            Asked(
                caller=self.caller,
                command=mark,
                request_type=RequestType.LIST_IMPORT,
                door=self.order.door,
                reference=mark.import_id,
            )
        )


class _Parts:
    """The spooled blocks as the store takes them: without dropped rows, in parts that end where a chain ends."""

    def __init__(self, checking: Checking, run: Run, rows_at_once: int, import_id: str, digest: str) -> None:
        self._checking = checking
        self._run = run
        self._rows_at_once = rows_at_once
        self._import_id = import_id
        self._digest = digest
        self._before = run.done
        self._refused: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[tuple[RecordBlock | None, int]]:
        """Parts; at the end None and how many refused rows belong to no part."""
        held: list[RecordColumns] = []
        size = after = 0
        for records, end_row in self._pieces():
            if held and size + len(records) > self._rows_at_once:
                yield self._part(held, after)
                held, size = [], 0
            if len(records):
                held.append(records)
                size += len(records)
            after = end_row
        if held:
            yield self._part(held, after)
        yield None, sum(count for _, count in self._refused)

    def _pieces(self) -> Iterator[tuple[RecordColumns, int]]:
        """The records of each spooled block, and the row with which it ends; long blocks in pieces."""
        done = self._run.done
        end_row = 0
        for spooled in self._checking.spool:
            first, end_row = end_row, spooled.end_row
            if end_row <= done:
                continue
            records = spooled.records
            dropped = self._checking.dropped.between(first, end_row)
            self._refused.append((end_row, spooled.rows_refused + len(dropped)))
            if first < done:
                records = records.kept([row > done for row in records.rows])
            if dropped:
                records = records.without(dropped)
            yield from self._cut(records, end_row)

    def _cut(self, records: RecordColumns, end_row: int) -> Iterator[tuple[RecordColumns, int]]:
        """The records in pieces of whole chains, of the size of a part at most unless one chain is longer."""
        if len(records) > self._rows_at_once:
            chains, at = records.column("chain"), 0
            while len(records) - at > self._rows_at_once:
                end = at + self._rows_at_once
                while end < len(chains) and chains[end] == chains[end - 1]:
                    end += 1
                if end == len(chains):
                    break
                yield records.part(at, end), records.rows[end] - 1
                at = end
            records = records.part(at, len(records))
        yield records, end_row

    def _part(self, pieces: list[RecordColumns], after: int) -> tuple[RecordBlock, int]:
        """A part, with the refused rows of the blocks that it brings to their end."""
        run = self._run
        refused = sum(count for end_row, count in self._refused if end_row <= after)
        self._refused = [pair for pair in self._refused if pair[0] > after]
        before, self._before = self._before, after
        block = RecordBlock(
            contact_centre_id=run.calling_list.contact_centre_id,
            list_id=run.calling_list.list_id,
            import_id=self._import_id,
            file_digest=self._digest,
            row_before=before,
            row_after=after,
            rows_refused=refused,
            windows=run.windows.windows,
            pieces=pieces,
        )
        return block, 0


def _zones_of(place: str) -> tuple[str, ...]:
    return zones_of([place])[0]


def _region_of(place: str) -> str:
    return regions_of([place])[0]


async def read_progress(store: Store, calling_list: CallingList, import_id: str) -> ImportProgress | None:
    """The stored progress of an import, or None."""
    async with store.begin() as unit:
        return await unit.import_progress(calling_list.contact_centre_id, calling_list.list_id, import_id)
