"""The demo list: it imports without a word, its numbers are fiction, and somebody can always be called."""

from __future__ import annotations

import re
import runpy
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from tests.imports.harness import LIST, Bench
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import RecordStatus
from trunkline.domain.records import Record

TEXT = files("trunkline.demo").joinpath("calling_list_1.csv").read_bytes()
SCRIPT = Path(__file__).parents[2] / "scripts" / "make-demo-list"
FICTION = re.compile(
    r"\+1 [2-9]\d\d-555-01\d\d"
    r"|\+44 (20 7946 0\d{3}|161 496 0\d{3}|131 496 0\d{3}|28 9649 6\d{3})"
    r"|\+61 [2378] 5550 \d{4}"
)
DAYS = [
    *("2025-01-15", "2025-07-15"),
    *("2025-03-09", "2025-11-02"),  # the clocks of North America change
    *("2025-03-30", "2025-10-26"),  # of Europe
    *("2025-04-06", "2025-10-05"),  # of Australia
]


@pytest.fixture(scope="module")
def records() -> list[Record]:
    """The list's records after an import."""
    bench = Bench(msgspec.structs.replace(LIST, from_s=0, until_s=86_400))
    report = bench.run(lambda b: b.load(TEXT))
    assert (report.rows_read, report.rows_refused, report.records_added) == (500, 0, 500)
    assert report.columns["tz_name"] == "time_zone"
    return bench.records


def test_the_list_is_what_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed file and its seeded script belong together."""
    target = tmp_path / "list.csv"
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(target)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert target.read_bytes() == TEXT


def test_all_numbers_are_fiction(records: list[Record]) -> None:
    """Every number lies in a range that is kept for drama, and none comes twice."""
    assert [record.phone_number for record in records if not FICTION.fullmatch(record.phone_number)] == []
    assert len({record.phone_number for record in records}) == 500


def test_the_list_shows_what_a_list_can_hold(records: list[Record]) -> None:
    """Chains of one to three numbers, zones by name and by alias, three ways of windows, fields and customers."""
    sizes: dict[int, int] = {}
    for record in records:
        sizes[record.chain_id] = sizes.get(record.chain_id, 0) + 1
    assert set(sizes.values()) == {1, 2, 3}
    zones = {record.time_zone for record in records}
    assert {"PST", "MST", "CST", "EST", "GMT", "UTC", "Europe/London", "Australia/Perth"} <= zones
    assert len({record.window for record in records if (record.from_s, record.until_s) == (32_400, 72_000)}) > 10
    fields = {"first_name", "last_name", "account", "balance", "city", "internal_score"}
    assert all(set(record.other_fields) == fields and record.customer_id for record in records)
    assert {record.list_id for record in records} == {LIST.list_id}


@pytest.mark.parametrize("day", DAYS)
def test_a_hundred_chains_may_be_called_at_any_time(records: list[Record], day: str) -> None:
    """At every quarter of an hour, in summer, in winter and when clocks change, a hundred chains are open."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    chains: dict[int, set[Window]] = {}
    for record in records:
        assert record.status is RecordStatus.READY
        chains.setdefault(record.chain_id, set()).add(record.window)
    for quarter in range(-24, 24 * 4 + 24):
        now_s = int((midnight + timedelta(minutes=15 * quarter)).timestamp())
        is_open = sum(any(window.is_open(now_s) for window in windows) for windows in chains.values())
        assert is_open >= 100, (day, quarter, is_open)
