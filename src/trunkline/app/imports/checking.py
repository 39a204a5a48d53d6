"""The first pass of an import: every row is checked and nothing is written, apart from temporary files.

The work is done in steps of one block, which run in a thread of their own, so that whoever shares the event loop is
served; what has to be asked of the store is asked between the steps, while the next block is read. Good records go into
a spool, from which the second pass writes them, and the keys that may come twice into key files. When the file is at
its end the key files tell which keys came more than once, and the spool which rows these are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import compress
from typing import Any

import msgspec

from trunkline.app.imports.chains import ChainPlacer
from trunkline.app.imports.columns import ColumnReader, ReadBlock
from trunkline.app.imports.keys import KeyFile
from trunkline.app.imports.reading import BlockReader, RefusedRow
from trunkline.app.imports.spool import DroppedRows, Spool, SpooledBlock
from trunkline.app.record_columns import RecordColumns, joined
from trunkline.domain.columns import Column, RowPlan
from trunkline.domain.rows import Fault

MAX_BATCH = 100_000
"""Repeated keys that are looked for in one reading of the spool, some 10 MB: most files have far fewer."""


class Hits(msgspec.Struct, frozen=True):
    """Keys of a block that may not come in, for rows behind ``after_row``.

    ``values`` has one for each record of the block; they are of the column ``meaning``, or of a ``custom_field``.
    """

    values: Sequence[Any]
    meaning: Column | None
    keys: set[str]
    reason: str
    after_row: int = 0
    custom_field: str = ""

    def name_in(self, plan: RowPlan) -> str:
        """What the file calls the column."""
        return plan.name_of_field(self.custom_field) if self.meaning is None else plan.name_of(self.meaning)


class Checking:
    """The first pass over one file. ``close`` lets go of its temporary files, whatever happened.

    ``folder`` is where they are made (None: the system's place). ``wants_numbers`` and ``wants_customers``: whether
    these may come once only.
    """

    def __init__(
        self,
        reader: BlockReader,
        columns: ColumnReader,
        *,
        folder: str | None,
        wants_numbers: bool,
        wants_customers: bool,
    ) -> None:
        self._stack = ExitStack()
        self._folder = folder
        self._reader = reader
        self._blocks: Iterator[ReadBlock] = map(columns.read, iter(reader))
        self._placer = ChainPlacer()
        self._numbers = KeyFile(self._temporary()) if wants_numbers else None
        self._customers = KeyFile(self._temporary()) if wants_customers else None
        self._chain_keys = KeyFile(self._temporary())
        self._carried: RecordColumns | None = None
        self._refused_after: list[int] = []
        self.spool = Spool(self._temporary())
        self.dropped = DroppedRows()
        self._records = 0
        self._has_long_chains = False
        self.rows_read = 0
        self.end_row = 0

    def _temporary(self) -> Any:
        return self._stack.enter_context(tempfile.TemporaryFile(dir=self._folder, prefix="trunkline-import-"))

    def close(self) -> None:
        """Remove the temporary files."""
        self._stack.close()

    @property
    def plan(self) -> RowPlan:
        """What the columns are for."""
        return self._reader.plan

    @property
    def chains(self) -> int:
        """Chains begun so far."""
        return self._placer.chains

    def read(self) -> ReadBlock | None:
        """Read the next block; None at the end of the file."""
        return next(self._blocks, None)

    def settle(self, read: ReadBlock, hits: list[Hits]) -> list[RefusedRow]:
        """Take a block, the blocks in the order in which they were read; the rows of it that are refused."""
        refused = self._settle(read, hits)
        self.rows_read += read.rows_read
        self.end_row = read.end_row
        return refused

    def end(self) -> None:
        """Take what is left when the last block is settled."""
        self._put(None, self.end_row)

    def _settle(self, read: ReadBlock, hits: list[Hits]) -> list[RefusedRow]:
        records, hit = self._without_hits(read.records, hits)
        placed = self._placer.place(records, self._reader.plan)
        refused = read.refused
        if hit or placed.refused:
            refused = sorted([*refused, *hit, *placed.refused], key=lambda one: one.row)
        self._refused_after += (one.row for one in refused)
        records = placed.records
        self._records += len(records)
        self._has_long_chains |= len(placed.begins) < len(records)
        keys = records.values["chain_key"]
        if isinstance(keys, list):
            self._chain_keys.add([keys[at] for at in placed.begins if keys[at]])
        if self._numbers is not None:
            self._numbers.add(records.column("number_key"))
        customers = records.values["customer_id"]
        if self._customers is not None and isinstance(customers, list):
            if len(placed.begins) < len(customers):
                customers = [customers[at] for at in placed.begins]
            self._customers.add(list(filter(None, customers)))
        if not isinstance(keys, list) and self._carried is None:
            self._put(records, read.end_row)
            return refused
        # The last chain may go on in the next block, and is never cut.
        cut = placed.begins[-1] if placed.begins else 0
        before, after = records.part(0, cut), records.part(cut, len(records))
        if placed.begins:
            self._put(before, after.rows[0] - 1)
            self._carried = after
        else:
            self._carried = after if self._carried is None else joined((self._carried, after))
        return refused

    def _without_hits(self, records: RecordColumns, hits: list[Hits]) -> tuple[RecordColumns, list[RefusedRow]]:
        faults: dict[int, list[Fault]] = {}
        for hit in hits:
            fault = Fault(hit.name_in(self._reader.plan), hit.reason)
            keys, rows = hit.keys, records.rows
            for at in _places_of(keys, hit.values):
                if rows[at] > hit.after_row and fault not in faults.setdefault(rows[at], []):
                    faults[rows[at]].append(fault)
        faults = {row: found for row, found in faults.items() if found}
        if not faults:
            return records, []
        return records.without(set(faults)), [RefusedRow(row, tuple(found)) for row, found in faults.items()]

    def _put(self, records: RecordColumns | None, end_row: int) -> None:
        """Spool the records before this row's end, with how many rows were refused among these."""
        parts = [part for part in (self._carried, records) if part is not None and len(part)]
        self._carried = None
        later = [row for row in self._refused_after if row > end_row]
        count = len(self._refused_after) - len(later)
        self._refused_after = later
        whole = joined(parts) if parts else RecordColumns([], dict.fromkeys(("number_key", "customer_id", "chain_key")))
        if parts or count:
            self.spool.add(SpooledBlock(records=whole, end_row=end_row, rows_refused=count))

    # What comes more than once in the file

    def repeats(self) -> Iterator[list[RefusedRow]]:
        """Refuse rows whose chain, number or customer was in the file before; afterwards they are ``dropped``."""
        name_of = self._reader.plan.name_of
        checks: list[tuple[KeyFile | None, str, bool, Fault]] = [
            (
                *(self._chain_keys, "chain_key", True),
                Fault(name_of(Column.CHAIN), "ended in an earlier row: the rows of a chain must stand together"),
            ),
            (self._numbers, "number_key", False, Fault(name_of(Column.PHONE), "is in the file already")),
            (self._customers, "customer_id", True, Fault(name_of(Column.CUSTOMER_ID), "is in the file already")),
        ]
        for keys, column, is_of_chain, fault in checks:
            for batch in _batches(keys):
                rows = self._rows_of(column, batch, is_of_chain=is_of_chain)
                self.dropped.add(rows)
                yield [RefusedRow(row, (fault,)) for row in rows]

    def _rows_of(self, column: str, keys: set[str], *, is_of_chain: bool) -> list[int]:
        """Rows that have one of the keys after another row had it (``is_of_chain``: after another chain)."""
        first: dict[str, int] = {}
        found: list[int] = []
        before = 0
        for block in self.spool.columns(column, *(["chain"] if is_of_chain else [])):
            records = block.records
            values = records.column(column)
            places = _places_of(keys, values)
            if not places:
                before = block.end_row
                continue
            dropped = self.dropped.between(before, block.end_row)
            before = block.end_row
            rows = records.rows
            owners = records.column("chain") if is_of_chain else rows
            for at in places:
                row = rows[at]
                if row not in dropped and first.setdefault(values[at], owners[at]) != owners[at]:
                    dropped.add(row)
                    found.append(row)
        return found

    def chains_kept(self) -> int:
        """Chains of which a record is left."""
        if not self._has_long_chains:
            return self._records - len(self.dropped)
        if not self.dropped:
            blocks = self.spool.columns("chain")
            return sum(len(set(block.records.column("chain"))) for block in blocks if len(block.records))
        count = before = 0
        for block in self.spool.columns("chain"):
            dropped = self.dropped.between(before, block.end_row)
            before = block.end_row
            rows = block.records.rows
            if len(rows):
                chains = block.records.column("chain")
                count += len({chain for row, chain in zip(rows, chains, strict=True) if row not in dropped})
        return count


def _places_of(keys: set[str], values: Sequence[Any]) -> list[int]:
    """Where one of the keys is."""
    return list(compress(range(len(values)), map(keys.__contains__, values)))


def _batches(keys: KeyFile | None) -> Iterator[set[str]]:
    batch: set[str] = set()
    for repeated in keys.repeated() if keys is not None else ():
        batch |= repeated
        if len(batch) >= MAX_BATCH:
            yield batch
            batch = set()
    if batch:
        yield batch
