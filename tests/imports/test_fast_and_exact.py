"""The fast way and the exact way read the same: columns at once, and each row by itself."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.harness import LIST
from trunkline.app.imports.columns import ColumnReader
from trunkline.app.imports.numbers import NumberReader
from trunkline.app.imports.reading import CellBlock
from trunkline.app.imports.run import _region_of, _zones_of
from trunkline.app.imports.windows import WindowBook
from trunkline.domain.campaigns import ListField
from trunkline.domain.columns import plan_columns
from trunkline.domain.enums import FieldType
from trunkline.domain.numbers import canonical_number
from trunkline.domain.row_cells import RowRules, unstorable
from trunkline.domain.rows import RowValues, is_blank, read_row

FIELDS = (
    ListField(name="count", field_type=FieldType.INT),
    ListField(name="rate", field_type=FieldType.FLOAT, is_nullable=False, default=1.5),
    ListField(name="code", field_type=FieldType.VARCHAR, max_length=3),
    ListField(name="when", field_type=FieldType.DATE_TIME),
    ListField(name="unseen", is_nullable=False, default="x"),
)
COLUMNS: dict[str, list[str]] = {
    "phone": [
        *("(212) 555-0100", "+44 20 7946 0958", "646 555 0101", "", "12", " 2125550102 ", "٣", "001"),
        *("00442079460958", "+1 800 555 0199"),
    ],
    "phone_type": ["", "Mobile", "4", "EmailAddress", "x"],
    "phone2": ["", "(212) 555-0100", "+1 800 555 0199", "bad", "907 212 0100"],
    "phone2_type": ["", "Mobile", "y"],
    "record_type": ["", "General", "PersonalCallBack", "9"],
    "record_status": ["", "Ready", "Updated", "Retrieved"],
    "call_result": ["", "Busy", "7", "nothing"],
    "attempt": ["", "3", "-1", " 4"],
    "call_time": ["", "1700000000", "2025-07-01T12:00", "0", "1"],
    "dial_sched_time": ["", "1900000000", "2031-05-01", "never"],
    "daily_from": ["", "09:30", "86400", "0"],
    "daily_till": ["", "20:00", "00:00", "x"],
    "tz_name": ["", "Europe/Paris", "122", "Middle/Earth"],
    "other_time_zones": ["", "Asia/Tokyo PST", "nowhere"],
    "calling_region": ["", "TX", "-", "Texas"],
    "customer_id": ["", "C1", " C2 ", "c" * 65, "a\tb"],
    "chain": ["", "k", "k" * 129],
    "chain_n": ["", "0", "7", "x"],
    "agent_user_name": ["", "ann", "bob"],
    "campaign_name": ["", "C", "D"],
    "treatments": ["", "6|1|", "x" * 256],
    "note": ["", "plain", 'quo"ted', "back\\slash", "two\nlines", "Zoë", "nul\0", "half \ud800", "x" * 5000, "50 %s"],
    "count": ["", "5", "5.5", " 7 "],
    "rate": ["", "2", "2.5e3", "x"],
    "code": ["", "abc", "abcd", " a "],
    "when": ["", "2031-05-01", "soon"],
}
BOOK: dict[str, Any] = {"agents": {"ann": 4}, "campaigns": {"C": 9}, "zone_aliases": {"122": "America/Los_Angeles"}}


def exact(cells: list[str], plan: Any, rules: RowRules, windows: WindowBook) -> list[tuple[object, ...]] | str | None:
    """What the exact way says of a row: its records, None for a blank one, its faults as text."""
    if is_blank(cells):
        return None
    read = read_row(plan, cells, rules)
    if not isinstance(read, RowValues):
        return str(read)
    rows: list[tuple[object, ...]] = [
        (
            *(number.phone_number, canonical_number(number.phone_number), int(number.phone_type), number.window),
            *(int(read.record_type), int(read.status), int(read.call_result), read.attempts, read.due_at_s),
            *(read.called_at_s, read.campaign_id, read.agent_id, read.customer_id, read.treatments),
            *(read.chain_key, read.chain_n, read.other_fields),
        )
        for number in read.numbers
    ]
    return "never opens" if any(not windows._opens(number.window) for number in read.numbers) else rows


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header and rows with good and bad cells of each kind."""
    names = draw(st.permutations(sorted(COLUMNS)).map(lambda all_names: all_names[:9]))
    header = ["phone", *(name for name in names if name not in ("phone", "phone2_type"))]
    if "phone2" in header and draw(st.booleans()):
        header.append("phone2_type")
    row = st.tuples(*(st.sampled_from([COLUMNS[name][0], *COLUMNS[name][:2], *COLUMNS[name]]) for name in header))
    return header, [list(cells) for cells in draw(st.lists(row, max_size=6))]


@settings(max_examples=200)
@given(blocks(), st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_both_ways_read_the_same(block: tuple[list[str], list[list[str]]], switches: tuple[bool, bool, bool]) -> None:
    """Whatever is in the cells: the same records in the same order, the same faults, the same rows left out."""
    header, rows = block
    in_e164, with_zones, with_fields = switches
    calling_list = msgspec.structs.replace(LIST, fields=FIELDS if with_fields else ())
    numbers = NumberReader("US") if in_e164 else None
    rules = RowRules(
        calling_list=calling_list,
        numbers=numbers,
        zones_of=_zones_of if in_e164 and with_zones else None,
        region_of=_region_of if in_e164 else None,
        **BOOK,
    )
    windows = WindowBook(lambda window: window.from_s != 34_200)
    plan = plan_columns(header, {})
    columns = [[row[place] for row in rows] for place in range(len(header))]
    cells = CellBlock(
        plan=plan,
        rows=range(2, 2 + len(rows)),
        columns=columns,
        end_row=1 + len(rows),
        is_clean=all(unstorable(cell) is None for row in rows for cell in row),
    )
    found = ColumnReader(rules, numbers, windows).read(cells)
    by_row: dict[int, list[tuple[object, ...]]] = {}
    names = (
        *("phone_number", "number_key", "phone_type", "window", "record_type", "status", "call_result", "attempts"),
        *("due_at_s", "called_at_s", "campaign_id", "agent_id", "customer_id", "treatments", "chain_key", "chain_n"),
        "other_fields",
    )
    for row, *values in zip(found.records.rows, *(found.records.column(name) for name in names), strict=True):
        values[3] = windows.windows[values[3]]
        values[-3] = values[-3] or ""
        values[-1] = {} if values[-1] is None else msgspec.json.decode(values[-1])
        by_row.setdefault(row, []).append(tuple(values))
    refused = {one.row: one.faults for one in found.refused}
    blank = 0
    for row, given_cells in enumerate(rows, start=2):
        said = exact(given_cells, plan, rules, windows)
        if said is None:
            blank += 1
            assert row not in by_row
            assert row not in refused
        elif said == "never opens":
            assert row not in by_row
            assert "never opens" in refused[row][0].reason
        elif isinstance(said, str):
            assert row not in by_row
            assert str(refused[row]) == said
        else:
            assert by_row[row] == said
            assert row not in refused
    assert found.rows_read == len(rows) - blank
    assert list(found.records.rows) == sorted(found.records.rows)
