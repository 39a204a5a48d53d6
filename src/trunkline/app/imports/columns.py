"""From a block of cells to columns of records: the fast way for what is usual, the exact way for everything else.

Columns are read whole (``texts``, ``numbers``). A row in which a cell was not read, is wrong, too long or
empty where something must be, goes through ``domain.rows.read_row`` by itself, which gives its values or says what is
wrong with it. Both ways read a cell with the same functions, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any

import msgspec

from trunkline.app.imports.numbers import NumberReader
from trunkline.app.imports.places import regions_of, short_keys, zones_of
from trunkline.app.imports.reading import CellBlock, RefusedRow
from trunkline.app.imports.texts import UNREAD, CellValues, FieldColumns, as_json, read_dialed, read_names, stripped
from trunkline.app.imports.windows import FULL, MAX_WINDOWS, WindowBook, WindowsByPlace, key_of
from trunkline.app.record_columns import NAMES, RecordColumns, joined
from trunkline.domain import row_cells as cells_of
from trunkline.domain.columns import Column, Meaning, RowPlan
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.numbers import canonical_number
from trunkline.domain.row_cells import NO_REGION, RowRules, unstorable
from trunkline.domain.rows import Fault, RowValues, is_blank, read_row
from trunkline.errors import OutOfRange

_key = itemgetter(slice(1, None))
_NAMED = {
    Column.CHAIN: cells_of.MAX_CHAIN_KEY,
    Column.CUSTOMER_ID: cells_of.MAX_CUSTOMER_ID,
    Column.TREATMENTS: cells_of.MAX_TREATMENTS,
}


_Entry = tuple[int, int, str, str, str, Any]
"""A number of a row with several: place of the row, order in it, number, canonical form, key of its place, type."""


class ReadBlock(msgspec.Struct, kw_only=True):
    """A block that was read: records of good rows, rows that are refused, in the file's order.

    The records have ``chain_key`` (None for all without a column) and ``chain_n`` (None where the row leaves it open)
    as the row gave them instead of ``chain``.
    """

    records: RecordColumns
    refused: list[RefusedRow]
    rows_read: int
    end_row: int


class _Found(msgspec.Struct):
    """What the columns of a block came to: values of rows, and of their numbers, before they become records."""

    values: dict[str, Any]
    zones: list[tuple[str, ...]] | None
    span: tuple[Any, Any]
    regions: list[str] | None


class ColumnReader:
    """Reads blocks of one file. ``numbers`` None leaves numbers as they are given."""

    def __init__(self, rules: RowRules, numbers: NumberReader | None, windows: WindowBook) -> None:
        self._rules = rules
        self._numbers = numbers
        self.windows = windows
        self._default_zones = (rules.calling_list.default_time_zone,)
        self._declared = {field.name: field for field in rules.calling_list.fields}
        self._caches = self._make_caches(rules)
        self._by_place: WindowsByPlace | None = None
        if rules.zones_of is not None and rules.region_of is not None:
            self._by_place = WindowsByPlace(windows, rules)
        self._plan: RowPlan | None = None
        self._fields = FieldColumns((), {})

    @staticmethod
    def _make_caches(rules: RowRules) -> dict[Column, CellValues]:
        calling_list = rules.calling_list
        parsers: dict[Column, tuple[Callable[[str], Any], Any]] = {
            Column.PHONE_TYPE: (_dialable_type, int(PhoneType.HOME_PHONE)),
            Column.RECORD_TYPE: (_shared_type, int(RecordType.GENERAL)),
            Column.RECORD_STATUS: (lambda text: int(cells_of.read_status(text)), int(RecordStatus.READY)),
            Column.CALL_RESULT: (lambda text: int(cells_of.read_call_result(text)), int(CallResult.UNKNOWN)),
            Column.ATTEMPTS: (cells_of.read_attempts, 0),
            Column.CALLED_AT: (_unix_s, None),
            Column.DUE_AT: (_unix_s, None),
            Column.FROM: (cells_of.read_from, calling_list.from_s),
            Column.UNTIL: (cells_of.read_until, calling_list.until_s),
            Column.TIME_ZONE: (lambda text: (cells_of.read_zone(text, rules),), ()),
            Column.OTHER_ZONES: (partial(cells_of.read_zones, rules=rules), ()),
            Column.REGION: (partial(cells_of.read_region, rules=rules), ""),
            Column.AGENT: (partial(cells_of.read_agent, rules=rules), None),
            Column.CAMPAIGN: (partial(cells_of.read_campaign, rules=rules), None),
            Column.CHAIN_N: (cells_of.read_chain_n, None),
        }
        return {column: CellValues(stripped(*parser)) for column, parser in parsers.items()}

    def read(self, block: CellBlock) -> ReadBlock:
        """The records of a block, and its refused rows."""
        if block.plan is not self._plan:
            self._plan = block.plan
            self._fields = FieldColumns(block.plan.custom, self._declared, self._rules.left_open(block.plan))
        if not len(block.rows):
            empty = RecordColumns([], dict.fromkeys((*NAMES, "chain_key")))
            return ReadBlock(records=empty, refused=block.refused, rows_read=len(block.refused), end_row=block.end_row)
        odd: set[int] = set()
        clean = block
        if not block.is_clean:
            odd.update(_unstorable_rows(block.columns))
            clean = msgspec.structs.replace(block, columns=[_without(column, odd) for column in block.columns])
        found = self._rows_values(clean, odd)
        fast, refused = self._fast_records(clean, found, odd)
        blank = 0
        if odd:
            slow, faulty, blank = self._slow_records(block, sorted(odd))
            refused += faulty
            if len(slow):
                both = joined((fast, slow))
                fast = both.taken(sorted(range(len(both)), key=both.rows.__getitem__))
        if block.refused:
            refused += block.refused
        refused.sort(key=_row_of)
        return ReadBlock(
            records=fast,
            refused=refused,
            rows_read=len(block.rows) - blank + len(block.refused),
            end_row=block.end_row,
        )

    # The fast way

    def _rows_values(self, block: CellBlock, odd: set[int]) -> _Found:
        """What the columns say that are the same for all numbers of a row."""
        read = partial(self._column, block, odd)
        values: dict[str, Any] = {
            "record_type": read(Column.RECORD_TYPE, int(RecordType.GENERAL)),
            "status": read(Column.RECORD_STATUS, int(RecordStatus.READY)),
            "call_result": read(Column.CALL_RESULT, int(CallResult.UNKNOWN)),
            "attempts": read(Column.ATTEMPTS, 0),
            "due_at_s": read(Column.DUE_AT, None),
            "called_at_s": read(Column.CALLED_AT, None),
            "campaign_id": read(Column.CAMPAIGN, None),
            "agent_id": read(Column.AGENT, None),
            "customer_id": self._names(block, odd, Column.CUSTOMER_ID),
            "treatments": self._names(block, odd, Column.TREATMENTS) or "",
            "other_fields": self._fields.read(block.columns, odd, is_text=block.is_text),
            "chain_key": self._names(block, odd, Column.CHAIN),
            "chain_n": read(Column.CHAIN_N, None),
        }
        if isinstance(values["customer_id"], list):
            values["customer_id"] = [text or None for text in values["customer_id"]]
        zones = read(Column.TIME_ZONE, None)
        others = read(Column.OTHER_ZONES, None)
        if others is not None:
            zones = [() if UNREAD in pair else pair[0] + pair[1] for pair in zip(zones or repeat(()), others)]  # noqa: B905 - repeat has no end
            odd.update(at for at, more in enumerate(others) if more and (zones[at] == more or more is UNREAD))
        calling_list = self._rules.calling_list
        span = (read(Column.FROM, calling_list.from_s), read(Column.UNTIL, calling_list.until_s))
        return _Found(values, zones, span, read(Column.REGION, None))

    def _column(self, block: CellBlock, odd: set[int], column: Column, default: Any) -> Any:
        place = block.plan.known.get(column)
        if place is None:
            return default
        texts: Sequence[str] = block.columns[place]  # type: ignore[assignment]  # known columns are texts
        return self._caches[column].read(texts, odd)

    @staticmethod
    def _names(block: CellBlock, odd: set[int], column: Column) -> list[str] | None:
        place = block.plan.known.get(column)
        if place is None:
            return None
        texts: Sequence[str] = block.columns[place]  # type: ignore[assignment]  # known columns are texts
        return read_names(texts, _NAMED[column], odd)

    def _fast_records(self, block: CellBlock, found: _Found, odd: set[int]) -> tuple[RecordColumns, list[RefusedRow]]:
        """Records of the rows that are not odd."""
        found.values["zones"], found.values["regions"] = found.zones, found.regions
        found.values["from_s"], found.values["until_s"] = found.span
        if block.plan.further:
            records = self._several_numbers(block, found.values, odd)
        else:
            numbers, keys, places = self._read_numbers(block, Column.PHONE, odd)
            types = self._column(block, odd, Column.PHONE_TYPE, int(PhoneType.HOME_PHONE))
            records = RecordColumns(
                block.rows,
                {"phone_number": numbers, "number_key": keys, "place": places, "phone_type": types, **found.values},
            )
            if odd:
                records = records.kept([at not in odd for at in range(len(block.rows))])
        return self._with_windows(records, block.plan)

    def _read_numbers(
        self, block: CellBlock, meaning: Meaning, odd: set[int], at: Sequence[int] | None = None
    ) -> tuple[list[str], list[str], list[str]]:
        """Numbers, their canonical forms, and keys of their places; of some rows only when ``at`` is given."""
        texts: Sequence[str] = block.columns[block.plan.known[meaning]]  # type: ignore[assignment]  # texts
        if at is not None:
            texts = [texts[place] for place in at]
        unread: set[int] = set()
        if self._numbers is None:
            numbers, keys = read_dialed(texts, unread)
            places = numbers
        else:
            numbers, places, missed = self._numbers.read_column(texts)
            unread.update(missed)
            keys = list(map(_key, numbers))
        odd.update(unread if at is None else (at[place] for place in unread))
        return numbers, keys, places

    def _several_numbers(self, block: CellBlock, values: dict[str, Any], odd: set[int]) -> RecordColumns:
        """Records of rows with several columns of numbers: one for each that is filled."""
        meanings: list[tuple[Meaning, Meaning]] = [(Column.PHONE, Column.PHONE_TYPE)]
        meanings += [((Column.PHONE, n), (Column.PHONE_TYPE, n)) for n in block.plan.further]
        entries: list[_Entry] = []
        filled: set[int] = set()
        for order, (phone, kind) in enumerate(meanings):
            texts: Sequence[str] = block.columns[block.plan.known[phone]]  # type: ignore[assignment]  # texts
            at = [place for place, text in enumerate(texts) if text and not text.isspace()]
            filled.update(at)
            numbers, keys, places = self._read_numbers(block, phone, odd, at)
            types = repeat(int(PhoneType.HOME_PHONE))
            if kind in block.plan.known:
                kinds: Sequence[str] = block.columns[block.plan.known[kind]]  # type: ignore[assignment]  # texts
                read = self._caches[Column.PHONE_TYPE].read(kinds, odd)
                types = map(read.__getitem__, at)  # type: ignore[assignment]
            entries += zip(at, repeat(order), numbers, keys, places, types)
        odd.update(set(range(len(block.rows))) - filled)
        entries = _without_repeats(sorted(entry for entry in entries if entry[0] not in odd))
        source = [entry[0] for entry in entries]
        records = RecordColumns(block.rows, values).taken(source)
        for name, place in (("phone_number", 2), ("number_key", 3), ("place", 4), ("phone_type", 5)):
            records.values[name] = [entry[place] for entry in entries]
        return records

    def _with_windows(self, records: RecordColumns, plan: RowPlan) -> tuple[RecordColumns, list[RefusedRow]]:
        """The records with the numbers of their windows, without those whose window cannot be."""
        values = records.values
        zones, regions, places = values.pop("zones"), values.pop("regions"), values.pop("place")
        from_s, until_s = values.pop("from_s"), values.pop("until_s")
        if zones is None and regions is None and not isinstance(from_s, list) and not isinstance(until_s, list):
            by_place = self._by_place
            if by_place is not None and by_place.span == (from_s, until_s):
                found = list(map(by_place.__getitem__, short_keys(places)))
                if None not in found:
                    values["window"] = found
                    return self._without_closed(records, plan)
        if zones is None or not all(zones):
            of_places = None if self._rules.zones_of is None else zones_of(places)
            default = self._default_zones
            if of_places is None:
                zones = default if zones is None else [given or default for given in zones]
            elif zones is None:
                zones = of_places if all(of_places) else [found or default for found in of_places]
            else:
                zones = [given or found or default for given, found in zip(zones, of_places, strict=True)]
        if self._rules.region_of is not None and (regions is None or not all(regions)):
            states = regions_of(places)
            regions = states if regions is None else [given or s for given, s in zip(regions, states, strict=True)]
        if isinstance(regions, list):
            regions = ["" if region == NO_REGION else region for region in regions] if NO_REGION in regions else regions
        parts = (zones, from_s, until_s, "" if regions is None else regions)
        if not any(isinstance(part, list) for part in parts):
            values["window"] = self.windows[parts]
            return self._without_closed(records, plan)
        columns = [part if isinstance(part, list) else repeat(part, len(records)) for part in parts]
        values["window"] = list(map(self.windows.__getitem__, zip(*columns, strict=True)))
        return self._without_closed(records, plan)

    def _without_closed(self, records: RecordColumns, plan: RowPlan) -> tuple[RecordColumns, list[RefusedRow]]:
        windows = records.column("window")
        if min(windows, default=0) >= 0:
            return records, []
        faults: dict[int, Fault] = {}
        for row, window in zip(records.rows, windows, strict=True):
            if window < 0 and row not in faults:
                faults[row] = self._fault(window, plan)
        records.values["window"] = windows
        kept = records.without(set(faults))
        return kept, [RefusedRow(row, (fault,)) for row, fault in faults.items()]

    @staticmethod
    def _fault(window: int, plan: RowPlan) -> Fault:
        if window == FULL:
            reason = f"begins a calling window after {MAX_WINDOWS} different ones in this file"
        else:
            reason = "never opens: there is no time at which all zones and the hours of the list permit a call"
        meaning = next((c for c in (Column.FROM, Column.UNTIL, Column.TIME_ZONE) if c in plan.known), Column.PHONE)
        return Fault(plan.name_of(meaning), reason)

    # The exact way

    def _slow_records(self, block: CellBlock, odd: Sequence[int]) -> tuple[RecordColumns, list[RefusedRow], int]:
        """Records of the odd rows that are good, refused rows, and how many were blank."""
        refused: list[RefusedRow] = []
        good: list[tuple[int, RowValues]] = []
        blank = 0
        for at in odd:
            cells = [column[at] for column in block.columns]
            if is_blank(cells):
                blank += 1
                continue
            read = read_row(block.plan, cells, self._rules)
            if isinstance(read, RowValues):
                good.append((block.rows[at], read))
            else:
                refused.append(RefusedRow(block.rows[at], read))
        records, closed = self._without_closed(self._columns_of(good), block.plan)
        return records, refused + closed, blank

    def _columns_of(self, good: Sequence[tuple[int, RowValues]]) -> RecordColumns:
        pairs = [(row, values, number) for row, values in good for number in values.numbers]
        columns: dict[str, Any] = {
            "phone_number": [number.phone_number for _, _, number in pairs],
            "number_key": [canonical_number(number.phone_number) for _, _, number in pairs],
            "phone_type": [int(number.phone_type) for _, _, number in pairs],
            "window": [self.windows[key_of(number.window)] for _, _, number in pairs],
            "other_fields": [as_json(values.other_fields) for _, values, _ in pairs],
        }
        for name in ("record_type", "status", "call_result", "attempts", "due_at_s", "called_at_s", "campaign_id",
                     "agent_id", "customer_id", "treatments", "chain_n"):  # fmt: skip
            columns[name] = [getattr(values, name) for _, values, _ in pairs]
        columns["chain_key"] = [values.chain_key for _, values, _ in pairs]
        for name in ("record_type", "status", "call_result"):
            columns[name] = list(map(int, columns[name]))
        return RecordColumns([row for row, _, _ in pairs], columns)


def _without_repeats(entries: list[_Entry]) -> list[_Entry]:
    """The entries without numbers that their row had already: home and mobile are often one number."""
    seen: set[tuple[int, str]] = set()
    kept: list[_Entry] = []
    for entry in entries:
        pair = (entry[0], entry[2])
        if pair not in seen:
            seen.add(pair)
            kept.append(entry)
    return kept


def _without(column: Sequence[Any], odd: set[int]) -> Sequence[Any]:
    """The column with empty cells in place of those of odd rows."""
    return ["" if at in odd else cell for at, cell in enumerate(column)] if odd else column


def _unstorable_rows(columns: Sequence[Sequence[Any]]) -> set[int]:
    return {
        at
        for column in columns
        for at, cell in enumerate(column)
        if isinstance(cell, str) and unstorable(cell) is not None
    }


def _dialable_type(text: str) -> int:
    found = cells_of.read_phone_type(text)
    if not found.is_dialable:
        raise OutOfRange("an address is no number")
    return int(found)


def _shared_type(text: str) -> int:
    found = cells_of.read_record_type(text)
    if found.is_personal:
        raise OutOfRange("whether there is an agent is known of the whole row")
    return int(found)


def _unix_s(text: str) -> int | None:
    if not text.isdigit():
        raise OutOfRange("a time of the calendar needs the row's zone")
    return cells_of.read_moment(text, "UTC")


def _row_of(refused: RefusedRow) -> int:
    return refused.row
