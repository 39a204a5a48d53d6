"""Exports: what goes out comes in again, spreadsheets are safe, and memory is that of a page."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.harness import AGENT, LIST, SUPERVISOR, Bench
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.imports.exports import COLUMNS, FORMULA, Export
from trunkline.app.imports.orders import order_of
from trunkline.app.ports import Changes, Provision, User
from trunkline.domain.campaigns import CallingList, CampaignDefinition
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.import_specifications import EXPORTED, FileFormat
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.people import Caller
from trunkline.domain.records import Record
from trunkline.errors import Forbidden, TooLarge

SUMMER = CampaignDefinition(contact_centre_id=1, campaign_id=9, name="Summer")
WHOLE = msgspec.structs.replace(LIST, from_s=0, until_s=86_400)
ANN = Caller(1, "demo", 4, "a" * 32, "ann")
moments = st.none() | st.integers(1_000_000_000, 4_102_444_799)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
names = st.sampled_from(["note", "from", "phone2", "field:x", "Größe", "record_id"])
spans = st.sampled_from([(0, 86_400), (28_800, 72_000), (72_000, 36_000), (5, 43_207)])
zones = st.sampled_from([("Europe/Paris", ()), ("PST", ("MST", "EST")), ("Asia/Kathmandu", ("Asia/Kolkata",))])
statuses = [status for status in RecordStatus if status is not RecordStatus.RETRIEVED]


@st.composite
def a_record(draw: st.DrawFn, values: st.SearchStrategy[Any], wanted: list[str]) -> dict[str, Any]:
    """What a record holds apart from its numbers."""
    span, (zone, others) = draw(spans), draw(zones)
    kind = draw(st.sampled_from(RecordType))
    return {
        "phone_number": draw(st.sampled_from(["+16465550100", "(646) 555-0101", "555 0102 x7", "*70,5550103"])),
        "phone_type": draw(st.sampled_from([kind for kind in PhoneType if kind.is_dialable])),
        "record_type": kind,
        "status": draw(st.sampled_from(statuses)),
        "call_result": draw(st.sampled_from(CallResult)),
        "attempts": draw(st.integers(0, 10_000)),
        "due_at_s": draw(moments),
        "called_at_s": draw(moments),
        "time_zone": zone,
        "other_zones": others,
        "region": draw(st.sampled_from(["", "US-TX", "FR", "CA"])),
        "from_s": span[0],
        "until_s": span[1],
        "campaign_id": draw(st.sampled_from([None, 9])),
        "agent_id": 4 if kind.is_personal else draw(st.sampled_from([None, 4])),
        "customer_id": draw(st.sampled_from([None, "C1", "=cmd()"])),
        "treatments": draw(st.sampled_from(["", "6|1|"])),
        "other_fields": {name: draw(values) for name in wanted},
    }


def lists(values: st.SearchStrategy[Any], *, is_ragged: bool) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Records of a list, with the chain of each; ``is_ragged`` ones have different fields."""

    def with_names(wanted: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
        some = st.lists(st.sampled_from(wanted), unique=True) if is_ragged and wanted else st.just(wanted)
        one = some.flatmap(lambda chosen: a_record(values, chosen))
        return st.lists(one, max_size=6)

    return st.lists(names, unique=True, max_size=4).flatmap(with_names)


def stored(rows: list[dict[str, Any]]) -> list[Record]:
    """Records in chains of one to three."""
    return [
        Record(contact_centre_id=1, list_id=7, chain_id=10 + n // 3, chain_n=n % 3 * 2, record_id=100 + n, **row)
        for n, row in enumerate(rows)
    ]


def shape(records: list[Record]) -> list[Any]:
    """Records without the numbers that an import gives anew; chains as counts."""
    chains: dict[int, int] = {}
    return [
        msgspec.structs.replace(
            record, chain_id=chains.setdefault(record.chain_id, len(chains)), record_id=0, list_id=0, version=0
        )
        for record in sorted(records, key=lambda record: record.key)
    ]


async def exported(
    store: MemoryStore, file_format: FileFormat, calling_list: CallingList = WHOLE, **more: Any
) -> bytes:
    """The whole file."""
    export = Export(store, calling_list, file_format, **more)
    return b"".join([part async for part in export.parts(SUPERVISOR)])


async def round_trip(records: list[Record], file_format: FileFormat) -> tuple[list[Record], list[Record]]:
    """Records before, and after an export and an import into an empty store."""
    source = Bench(WHOLE)
    target = Bench(WHOLE)
    people = Provision(
        contact_centres={1: "demo"},
        users=[User(caller=ANN, password_hash="x")],
        lists=[WHOLE],
        objects=[StoredObject(kind=ObjectKind.CAMPAIGN, value=SUMMER)],
    )
    for bench in (source, target):
        await bench.store.open()
        await bench.store.provision(people)
    async with source.store.begin() as unit:
        await unit.save(Changes(new_records=records))
    text = await exported(source.store, file_format, page=2)
    await source.store.close()
    await target.store.close()

    order = msgspec.structs.replace(order_of(EXPORTED), file_format=file_format)
    if records or file_format is FileFormat.CSV:
        report = await target._run(lambda bench: bench.load(text, order))
        assert report.refusals == []
    return records, target.records


@settings(max_examples=60)
@given(lists(texts, is_ragged=False))
def test_csv_comes_in_as_it_went_out(rows: list[dict[str, Any]]) -> None:
    """Numbers, statuses, results, attempts, times, windows, chains and texts: the round trip is the identity."""
    before, after = asyncio.run(round_trip(stored(rows), FileFormat.CSV))
    assert shape(after) == shape(before)


VALUES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
)


@settings(max_examples=60)
@given(lists(VALUES, is_ragged=True))
def test_json_lines_come_in_as_they_went_out(rows: list[dict[str, Any]]) -> None:
    """The same with values of every type, and with fields that not every record has."""
    before, after = asyncio.run(round_trip(stored(rows), FileFormat.JSON_LINES))
    assert shape(after) == shape(before)


def load(records: list[Record]) -> MemoryStore:
    """A store with these records."""
    bench = Bench(WHOLE)

    async def steps(b: Bench) -> None:
        async with b.store.begin() as unit:
            await unit.save(Changes(new_records=records))

    bench.run(steps)
    return bench.store


def export(store: MemoryStore, *, caller: Caller = SUPERVISOR, **more: Any) -> str:
    """An export as text."""

    async def run() -> bytes:
        await store.open()
        try:
            return b"".join([part async for part in Export(store, WHOLE, **more).parts(caller)])
        finally:
            await store.close()

    return asyncio.run(run()).decode()


ROW = {"phone_number": "+16465550100", "other_fields": {"a": "=1+1", "b": "@x", "c": "\tx", "d": "-1", "e": "fine"}}


def test_spreadsheets_are_safe() -> None:
    """Every cell that could be taken for a formula gets an apostrophe; without the switch none does."""
    store = load(stored([ROW]))
    (row,) = csv.reader(io.StringIO(export(store, is_for_spreadsheets=True).split("\n", 1)[1]))
    assert not [cell for cell in row if cell.startswith(FORMULA)]
    assert row[0] == "'+16465550100"
    assert row[-5:] == ["'=1+1", "'@x", "'\tx", "'-1", "fine"]
    assert "=1+1" in export(store).split("\r\n")[1].split(",")


def test_a_record_on_a_desk_goes_out_as_ready() -> None:
    """Nobody works it where it comes in."""
    store = load(stored([{**ROW, "status": RecordStatus.RETRIEVED}]))
    (row,) = csv.DictReader(io.StringIO(export(store)))
    assert (row["record_status"], row["phone"], row["phone_type"]) == ("Ready", "+16465550100", "HomePhone")


def test_an_empty_list_is_a_header() -> None:
    """The columns are there without a record; JSON lines are none."""
    store = load([])
    assert export(store) == ",".join(column.value for column in COLUMNS) + "\r\n"
    assert export(store, file_format=FileFormat.JSON_LINES) == ""


def test_agents_do_not_export() -> None:
    """A list is for supervisors and administrators."""
    with pytest.raises(Forbidden):
        export(load([]), caller=AGENT)


def test_fields_have_a_limit_in_csv() -> None:
    """More different fields than columns are possible ends before the first row; JSON lines go on."""
    rows = [{**ROW, "other_fields": {f"f{n}-{m}": "x" for m in range(90)}} for n in range(3)]
    store = load(stored(rows))
    with pytest.raises(TooLarge):
        export(store)
    assert export(store, file_format=FileFormat.JSON_LINES).count("\n") == 3
