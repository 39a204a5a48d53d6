"""Import of a calling list from CSV: check everything, then write it in chunks.

The file is read twice. The first pass checks every row and writes nothing; a dry run ends there, and so does an
import that wants all rows and cannot have them. The second pass writes chunks of about ``CHUNK_RECORDS`` records,
each in one commit with the note of how far it is. So an import that was interrupted goes on where it stopped when it
is started again with the same import id, and one that is finished adds nothing. Do-not-call is not looked at: the
hand-out does that, because entries come and go after an import.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import phonenumbers

from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.import_chunks import ImportChunk, check_may_import, check_same_file, import_chunk
from trunkline.app.import_reading import Chain, Found, NumberedRow, Pass, Reader, RefusedRow, Source, check_delimiter
from trunkline.app.import_report import ImportMode, ImportReport, Refusal
from trunkline.app.ports import Clock, ImportProgress, ImportState, Store, StoredRow
from trunkline.app.writer import Writer
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import MAX_COLUMNS, Column
from trunkline.domain.enums import DoNotCallKind, Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.rows import Fault, RowValues
from trunkline.errors import AlreadyInUse, Defect, NotFound, OutOfRange, TooLarge

CHUNK_RECORDS = 1000
"""Records in one commit (a chain is never split, so up to 499 more): some 20 ms of database work, which is how long
an agent's request may wait behind it."""
PAUSE_ROWS = 100
"""Rows read before others get the processor: about 2 ms."""
_IMPORT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")

Submit = Callable[[Asked], Awaitable[StoredRow | None]]
"""``Writer.submit``."""


class Step(msgspec.Struct, frozen=True):
    """How far a run is: rows passed, and how many there are in all when that is known."""

    is_writing: bool
    rows: int
    of_rows: int | None


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    ``import_id`` empty: the file's own digest, so that the same file is never added twice by accident. ``mapping`` is
    meaning -> column of the file (see ``domain.columns``). ``region`` (two letters) makes numbers be checked against
    that country's numbering plan; empty: their spelling alone.
    """

    import_id: str = ""
    mode: ImportMode = ImportMode.ALL
    is_dry_run: bool = False
    mapping: dict[str, str] = {}
    delimiter: str = ","
    region: str = ""
    door: Door = Door.INSIDE


class Watcher:
    """Who wants to hear of an import while it runs. Refusals arrive in the file's order, each once."""

    def on_refusal(self, refusal: Refusal) -> None:
        """Take one reason why a row is refused."""

    def on_step(self, step: Step) -> None:
        """Take how far the run is; called every ``PAUSE_ROWS`` rows and at the end of a pass."""


class Importer:
    """Runs imports; one per process. ``submit`` is the writer's."""

    def __init__(self, store: Store, submit: Submit) -> None:
        self._store = store
        self._submit = submit
        self._running: set[tuple[int, int, str]] = set()

    async def run(
        self,
        caller: Caller,
        calling_list: CallingList,
        order: ImportOrder,
        source: Source,
        watcher: Watcher | None = None,
    ) -> ImportReport:
        """Carry out an import and report.

        Raises ``Forbidden``, ``OutOfRange`` or ``TooLarge`` for a file that cannot be read as a list at all (then
        nothing was written), ``AlreadyExists`` when the import id belongs to another file, ``AlreadyInUse`` while
        the same import runs. Cost: two passes over the file; memory does not grow with it, apart from 16 bytes
        for each chain key.
        """
        check_may_import(caller)
        check_order(order)
        content = await asyncio.to_thread(source.digest)
        import_id = order.import_id or content[:32]
        key = (calling_list.contact_centre_id, calling_list.list_id, import_id)
        if key in self._running:
            raise AlreadyInUse("this import is running; ask for its progress")
        self._running.add(key)
        try:
            run = _Run(self._store, self._submit, caller, calling_list, order, source, watcher or Watcher())
            return await run.carry_out(import_id, _digest(content, order))
        finally:
            self._running.discard(key)

    async def progress(self, caller: Caller, calling_list: CallingList, import_id: str) -> ImportProgress:
        """How far an import is; ``NotFound`` when it wrote nothing yet."""
        check_may_import(caller)
        found = None
        if _IMPORT_ID.fullmatch(import_id):
            found = await read_progress(self._store, calling_list, import_id)
        if found is None:
            raise NotFound("there is no import with this importId in the list")
        return found


async def read_progress(store: Store, calling_list: CallingList, import_id: str) -> ImportProgress | None:
    """The stored progress of an import, or None."""
    async with store.begin() as unit:
        return await unit.import_progress(calling_list.contact_centre_id, calling_list.list_id, import_id)


def check_order(order: ImportOrder) -> None:
    """Raise ``OutOfRange`` or ``TooLarge`` unless the order can be carried out on some file."""
    if order.import_id and not _IMPORT_ID.fullmatch(order.import_id):
        raise OutOfRange("importId has 1 to 64 letters, digits and . _ : - and begins with a letter or digit")
    if len(order.mapping) > MAX_COLUMNS:
        raise TooLarge(f"the mapping names more than {MAX_COLUMNS} columns")
    check_delimiter(order.delimiter)
    if order.region and order.region not in phonenumbers.SUPPORTED_REGIONS:
        raise OutOfRange("region must be the two capital letters of a country, such as US")


def _digest(content: str, order: ImportOrder) -> str:
    """The file and how its rows are understood: with another mapping it would be another import."""
    settings = [content, order.delimiter, order.region, sorted(order.mapping.items())]
    return hashlib.blake2b(msgspec.json.encode(settings), digest_size=32).hexdigest()


def number_check(region: str) -> Callable[[RowValues], str | None]:
    """A check of numbers against the numbering plans: a number without country code is one of ``region``."""

    def check(values: RowValues) -> str | None:
        if not values.phone_type.is_dialable:
            return None
        try:
            is_possible = phonenumbers.is_possible_number(phonenumbers.parse(values.phone_number, region))
        except phonenumbers.NumberParseException:
            is_possible = False
        return None if is_possible else f"cannot be a number of {region} or an international one"

    return check


class _Run:
    """One run of one import."""

    def __init__(
        self,
        store: Store,
        submit: Submit,
        caller: Caller,
        calling_list: CallingList,
        order: ImportOrder,
        source: Source,
        watcher: Watcher,
    ) -> None:
        self.store = store
        self.submit = submit
        self.caller = caller
        self.calling_list = calling_list
        self.order = order
        self.source = source
        self.watcher = watcher
        self.last_row = 0
        self.known_rows = array("Q")
        self.report = ImportReport(
            import_id="", list_name=calling_list.name, mode=order.mode, is_dry_run=order.is_dry_run
        )

    async def carry_out(self, import_id: str, digest: str) -> ImportReport:
        report = self.report
        report.import_id = import_id
        progress = await read_progress(self.store, self.calling_list, import_id)
        if progress is not None:
            check_same_file(progress, digest)
            self.last_row = progress.source_rows_done
            report.records_added_before = progress.records_added
            report.is_repeat = report.finished = progress.state is ImportState.DONE
        if report.is_repeat and not self.order.is_dry_run:
            assert progress is not None
            report.rows_refused = progress.rows_refused
            return report
        await self._check()
        if not (self.order.is_dry_run or report.is_refused):
            await self._write(import_id, digest)
            report.finished = True
        return report

    async def _check(self) -> None:
        """The first pass: count and report, write nothing."""
        report = self.report
        reading = self._begin_pass()
        report.columns = reading.plan.uses()
        async for found in self._found(reading):
            if isinstance(found, RefusedRow):
                report.rows_refused += 1
                for fault in found.faults:
                    refusal = Refusal(found.row, fault.field, fault.reason)
                    report.note(refusal)
                    self.watcher.on_refusal(refusal)
            else:
                report.rows_good += len(found.rows)
                report.chains_good += bool(found.rows)
        report.rows_read = reading.rows_read
        self.watcher.on_step(Step(is_writing=False, rows=report.rows_read, of_rows=report.rows_read))

    async def _write(self, import_id: str, digest: str) -> None:
        """The second pass: add what is not added yet, chunk by chunk."""
        if self.last_row == 0:
            # The row of the import stands before its first record, so that a second run finds it whenever it starts.
            await self._send(import_id, digest, [], row_after=1, refused=0, is_last=False)
        done = self.last_row
        chains: list[list[NumberedRow]] = []
        refused = records = 0
        reading = self._begin_pass()
        async for found in self._found(reading, of_rows=self.report.rows_read):
            if isinstance(found, RefusedRow):
                refused += found.row > done
                continue
            rows = [row for row in found.rows if row.row > done]
            if rows:
                chains.append(rows)
                records += len(rows)
            if records >= CHUNK_RECORDS:
                await self._send(import_id, digest, chains, row_after=found.end_row, refused=refused, is_last=False)
                chains, records, refused = [], 0, 0
        await self._send(import_id, digest, chains, row_after=reading.row, refused=refused, is_last=True)
        self.watcher.on_step(Step(is_writing=True, rows=reading.rows_read, of_rows=reading.rows_read))

    async def _send(
        self,
        import_id: str,
        digest: str,
        chains: list[list[NumberedRow]],
        *,
        row_after: int,
        refused: int,
        is_last: bool,
    ) -> None:
        command = ImportChunk(
            list_id=self.calling_list.list_id,
            import_id=import_id,
            digest=digest,
            row_before=self.last_row,
            row_after=row_after,
            rows_refused=refused,
            chains=chains,
            is_last=is_last,
        )
        await self.submit(
            Asked(
                caller=self.caller,
                command=command,
                request_type=RequestType.LIST_IMPORT,
                door=self.order.door,
                reference=import_id,
            )
        )
        self.last_row = row_after
        self.report.records_added += sum(len(chain) for chain in chains)
        self.report.chains_added += len(chains)

    def _begin_pass(self) -> Pass:
        return Pass(
            self.source,
            Reader(
                calling_list=self.calling_list,
                mapping=self.order.mapping,
                delimiter=self.order.delimiter,
                check=number_check(self.order.region) if self.order.region else None,
            ),
        )

    async def _found(self, reading: Pass, of_rows: int | None = None) -> AsyncIterator[Chain | RefusedRow]:
        """What a pass finds, with pauses for others, and without numbers that the list refuses a second time."""
        portion: list[Found] = []
        began = 0
        for found in reading:
            portion.append(found)
            if reading.row - began < PAUSE_ROWS:
                continue
            began = reading.row
            for item in await self._without_duplicates(portion, reading, is_first_pass=of_rows is None):
                yield item
            portion = []
            self.watcher.on_step(Step(is_writing=of_rows is not None, rows=reading.rows_read, of_rows=of_rows))
            await asyncio.sleep(0)
        for item in await self._without_duplicates(portion, reading, is_first_pass=of_rows is None):
            yield item

    async def _without_duplicates(
        self, portion: list[Found], reading: Pass, *, is_first_pass: bool
    ) -> list[Chain | RefusedRow]:
        """Refuse numbers that are in the list already, when the list says so.

        The first pass looks and remembers the rows (8 bytes each), so that the second writes what was reported.
        Rows that an earlier run of this import added are not compared: they would find themselves. A number that an
        agent adds while the import runs is in the list twice.
        """
        found = [item for item in portion if item is not None]
        if not self.calling_list.refuses_duplicates:
            return found
        if is_first_pass:
            await self._look_up([row for item in found if isinstance(item, Chain) for row in item.rows])
        reason = "is in the list already, and the list refuses duplicates"
        fault = Fault(reading.plan.name_of(Column.PHONE), reason)
        result: list[Chain | RefusedRow] = []
        for item in found:
            if isinstance(item, Chain):
                known = [row for row in item.rows if self._is_known(row.row)]
                result += [RefusedRow(row.row, (fault,)) for row in known]
                kept = [row for row in item.rows if row not in known] if known else item.rows
                result.append(Chain(kept, item.end_row))
            else:
                result.append(item)
        return result

    async def _look_up(self, rows: list[NumberedRow]) -> None:
        centre, list_id = self.calling_list.contact_centre_id, self.calling_list.list_id
        async with self.store.begin() as unit:
            for row in rows:
                number = row.values.phone_number
                if row.row > self.last_row and await unit.records_of_contact(
                    centre, [list_id], DoNotCallKind.NUMBER, number, 1
                ):
                    self.known_rows.append(row.row)

    def _is_known(self, row: int) -> bool:
        place = bisect_left(self.known_rows, row)
        return place < len(self.known_rows) and self.known_rows[place] == row


class _NoChance:
    """An import draws no chance."""

    def token(self) -> str:
        raise Defect("an import needs no token")

    def uuid(self) -> str:
        raise Defect("an import needs no uuid")


async def import_alone(
    store: Store,
    clock: Clock,
    caller: Caller,
    calling_list: CallingList,
    order: ImportOrder,
    source: Source,
    watcher: Watcher | None = None,
) -> ImportReport:
    """Carry out an import with a writer of its own, for programs that are not the server (see ``Importer.run``).

    ``store`` is open; a server may work on the same database at the same time.
    """
    book = ReferenceBook(await store.directory())
    writer = Writer(store, clock, book, Rules(chance=_NoChance()), {ImportChunk: import_chunk}, publish=lambda _: None)
    writer.start()
    try:
        return await Importer(store, writer.submit).run(caller, calling_list, order, source, watcher)
    finally:
        await writer.stop()
