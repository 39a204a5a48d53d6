"""Imports: all or the good rows, dry runs, chunks, reports, and who may."""

from __future__ import annotations

import asyncio
import io
import itertools
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.imports.harness import AGENT, LIST, ORDER, SUPERVISOR, Bench, Notes, StandingClock, load, many, reasons
from trunkline.adapters.storage.memory_bulk import MemoryBulk
from trunkline.app.alone import NoChance
from trunkline.app.asking import Asked
from trunkline.app.imports import files as import_files
from trunkline.app.imports.chunks import ImportMark
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import ImportOrder, import_alone
from trunkline.app.imports.report import MAX_REFUSALS
from trunkline.app.ports import AuditQuery
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.import_specifications import ImportMode, NumberCheck
from trunkline.errors import (
    Defect,
    Forbidden,
    NotFound,
    OutOfRange,
    Refused,
    TooLarge,
)

CHUNK_RECORDS = MemoryBulk.rows_at_once
GOOD = msgspec.structs.replace(ORDER, mode=ImportMode.GOOD)
DRY = msgspec.structs.replace(ORDER, is_dry_run=True)
MIXED = "phone,chain,name\n+15550100,a,Ann\nbad,a,Bob\n+15550102,b,Cy\n+15550103,a,Di\n"


def test_good_rows_are_added_and_the_others_named() -> None:
    """In mode good the report names row, field and reason of each refused row, and the rest is in the list."""
    report, records = load(MIXED, GOOD)
    assert reasons(report) == [
        (3, "phone", "may hold digits, + ( ) - . / * # , ; x and spaces, and at least one digit"),
        (5, "chain", "ended in an earlier row: the rows of a chain must stand together"),
    ]
    assert (report.rows_read, report.rows_good, report.rows_refused) == (4, 2, 2)
    assert (report.records_added, report.chains_added, report.chains_good) == (2, 2, 2)
    assert report.finished
    assert not report.is_refused
    assert [(r.phone_number, r.other_fields["name"]) for r in records] == [("+15550100", "Ann"), ("+15550102", "Cy")]
    assert report.columns == {"phone": "phone", "chain": "chain", "name": "custom field name"}


def test_all_means_all_or_nothing() -> None:
    """In mode all one refused row keeps every row out, and the report is as complete as in mode good."""
    report, records = load(MIXED)
    assert records == []
    assert report.is_refused
    assert not report.finished
    assert (report.rows_good, report.rows_refused, report.records_added) == (2, 2, 0)
    assert len(report.refusals) == 2


def test_all_good_rows_are_added_in_chains() -> None:
    """Rows of a chain share a chain id, each record has a number of its own and the list's defaults."""
    report, records = load(many(7, chain_of=3))
    assert report.finished
    assert (report.records_added, report.chains_added) == (7, 3)
    chains: dict[int, list[int]] = {}
    for record in records:
        chains.setdefault(record.chain_id, []).append(record.chain_n)
        assert (record.list_id, record.time_zone, record.from_s) == (7, "Europe/Paris", 3600)
    assert sorted(chains.values()) == [[0], [0, 1, 2], [0, 1, 2]]
    assert len({record.record_id for record in records}) == 7


@pytest.mark.parametrize("mode", list(ImportMode))
def test_a_dry_run_writes_nothing(mode: ImportMode) -> None:
    """The report says what would be, and the store holds neither records nor a trace of the import."""
    bench = Bench()
    order = msgspec.structs.replace(DRY, mode=mode)
    report = bench.run(lambda b: b.load(MIXED, order))
    assert (report.is_dry_run, report.finished, report.rows_good, report.rows_refused) == (True, False, 2, 2)
    assert bench.records == []
    assert bench.chunks == 0
    assert not bench.store._tables.imports


@pytest.mark.parametrize("chain_of", [1, 3, 400])
def test_chunks_hold_whole_chains(chain_of: int) -> None:
    """A long file is written in chunks of about a thousand records, none of which splits a chain."""
    bench = Bench()
    sizes: list[int] = []

    async def look(_: int) -> None:
        sizes.append(len(bench.records))
        counts: dict[int, int] = {}
        for record in bench.records:
            counts[record.chain_id] = counts.get(record.chain_id, 0) + 1
        assert set(counts.values()) <= {chain_of}

    bench.before_chunk = look
    rows = CHUNK_RECORDS * 3 // chain_of * chain_of
    report = bench.run(lambda b: b.load(many(rows, chain_of=chain_of)))
    assert report.records_added == len(bench.records) == rows
    assert report.chains_added == rows // chain_of
    *steps, rest = [after - before for before, after in itertools.pairwise(sizes[1:])]
    assert 0 < rest < CHUNK_RECORDS + chain_of
    assert steps
    assert all(CHUNK_RECORDS <= step < CHUNK_RECORDS + chain_of for step in steps)


def test_only_the_last_chunk_is_in_the_audit() -> None:
    """An import is one row of the audit, with who asked, the list and the import id; a dry run is none."""
    bench = Bench()

    async def steps(b: Bench) -> list[tuple[object, ...]]:
        await b.load(many(CHUNK_RECORDS + 5), msgspec.structs.replace(ORDER, import_id="x", door=Door.REST))
        await b.load(many(3), DRY)
        rows = [stored.row for stored in await b.store.audit(AuditQuery(contact_centre_id=1))]
        return [(r.user_id, r.request_type, r.list_id, r.reference, r.door, r.outcome) for r in rows]

    assert bench.run(steps) == [(9, RequestType.LIST_IMPORT, 7, '"x"', Door.REST, 0)]


def test_agents_do_not_import() -> None:
    """Import and progress are for supervisors and administrators; the writer asks again."""
    bench = Bench()

    async def steps(b: Bench) -> None:
        with pytest.raises(Forbidden):
            await b.load(many(1), caller=AGENT)
        with pytest.raises(Forbidden):
            await b.importer.progress(AGENT, LIST, "x")
        chunk = ImportMark(
            list_id=7, import_id="x", digest="", source_rows=1, row_before=0, row_after=1, rows_refused=0, is_last=True
        )
        asked = Asked(caller=AGENT, command=chunk, request_type=RequestType.LIST_IMPORT, door=Door.REST)
        with pytest.raises(Forbidden):
            await b.writer.submit(asked)

    bench.run(steps)
    assert bench.records == []


def test_the_report_keeps_the_first_refusals_and_counts_all() -> None:
    """Beyond the limit the counts stay complete and the watcher hears of every refusal, in order, once."""
    notes = Notes()
    bench = Bench()
    text = "phone\n" + "bad\n" * (MAX_REFUSALS + 300) + "+15550100\n"
    report = bench.run(lambda b: b.load(text, GOOD, watcher=notes))
    assert (len(report.refusals), report.refusals_left_out, report.rows_refused) == (MAX_REFUSALS, 300, 1300)
    assert [refusal.row for refusal in notes.refusals] == list(range(2, MAX_REFUSALS + 302))
    assert len(bench.records) == 1


def test_steps_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both passes tell how far they are, and the second knows how long it is."""
    monkeypatch.setattr(import_files, "PIECE_BYTES", 2000)
    notes = Notes()
    Bench().run(lambda b: b.load(many(300), watcher=notes))
    checking = [step for step in notes.steps if not step.is_writing]
    writing = [step for step in notes.steps if step.is_writing]
    assert [step.rows for step in checking] == sorted(step.rows for step in checking)
    assert len(checking) >= 3
    assert checking[-1].rows == writing[-1].rows == writing[0].of_rows == 300


def test_others_get_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another task runs between portions of a long file, empty rows included."""
    monkeypatch.setattr(import_files, "PIECE_BYTES", 1000)
    bench = Bench()
    turns = 0

    async def steps(b: Bench) -> None:
        nonlocal turns

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        await b.load("phone\n" + "\n" * 20_000 + "+15550100\n", DRY)
        counting.cancel()

    bench.run(steps)
    assert turns >= 20


def test_the_report_is_json() -> None:
    """Keys as the API writes its own."""
    report, _ = load("phone\nbad\n")
    assert json.loads(report.to_json()) == {
        "importId": report.import_id,
        "listName": "Spring",
        "mode": "all",
        "isDryRun": False,
        "isRepeat": False,
        "finished": False,
        "rowsRead": 1,
        "rowsGood": 0,
        "rowsRefused": 1,
        "chainsGood": 0,
        "recordsAdded": 0,
        "chainsAdded": 0,
        "recordsAddedBefore": 0,
        "columns": {"phone": "phone"},
        "refusals": [{"row": 2, "field": "phone", "reason": report.refusals[0].reason}],
        "refusalsLeftOut": 0,
    }


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (ImportOrder(import_id="a b"), OutOfRange),
        (ImportOrder(import_id="x" * 65), OutOfRange),
        (ImportOrder(import_id="-x"), OutOfRange),
        (ImportOrder(region="ZZ"), OutOfRange),
        (ImportOrder(region="us"), OutOfRange),
        (ImportOrder(delimiter="ab"), OutOfRange),
        (ImportOrder(mapping={"phone": "Tel"}), OutOfRange),
        (ImportOrder(mapping={f"f{n}": "phone" for n in range(300)}), TooLarge),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(order: ImportOrder, error: type[Exception]) -> None:
    """Settings are checked before anything is read or written."""
    with pytest.raises(error):
        load(many(1), order)


def test_numbers_are_checked_against_a_numbering_plan() -> None:
    """A number must exist in some plan, or be possible in one, as is asked; addresses are left alone."""
    text = (
        "phone,phone_type\n(646) 555-0100,\n555-0100,\n+44 20 7946 0958,\n12,\n+999999999999999,\n(146) 555-0100,\n"
        "646 555 0100 ext. 7,\na@example.com,EmailAddress\n"
    )
    report, records = load(text, ImportOrder(mode=ImportMode.GOOD, region="US"))
    assert [(refusal.row, refusal.reason) for refusal in report.refusals] == [
        (3, "is no number of any numbering plan"),
        (5, "is no number of any numbering plan"),
        (6, "is no number of US and no international one"),
        (7, "is no number of any numbering plan"),
        (8, "may hold digits, + ( ) - . / * # , ; x and spaces, and at least one digit"),
    ]
    assert [record.phone_number for record in records] == ["+16465550100", "+442079460958", "a@example.com"]
    possible = ImportOrder(mode=ImportMode.GOOD, numbers=NumberCheck.POSSIBLE)
    report, records = load(text.replace(" ext. 7", " x7"), possible)
    assert [(refusal.row, refusal.reason) for refusal in report.refusals] == [
        (3, "cannot be a number of US or an international one"),
        (5, "cannot be a number of US or an international one"),
        (6, "is no number of US and no international one"),
        (8, "has an extension, which is not dialed: put it into a column of its own"),
    ]
    assert [record.phone_number for record in records][2] == "+11465550100"
    assert load(text.replace(" ext. 7", ""), GOOD)[0].rows_refused == 0


def test_a_list_may_refuse_numbers_it_has() -> None:
    """Numbers of the file and of the list count, in any spelling; an interrupted run does not meet itself."""
    strict = msgspec.structs.replace(LIST, refuses_duplicates=True)
    bench = Bench(strict)
    bench.run(lambda b: b.load("phone\n+15550100\n"))
    text = "phone,chain\n1 555 0100,a\n+15550101,a\n+1 555-0101,a\n+15550102,b\n"
    report = bench.run(lambda b: b.load(text, GOOD))
    assert sorted(refusal.row for refusal in report.refusals) == [2, 4]
    assert sorted(record.phone_number for record in bench.records) == ["+15550100", "+15550101", "+15550102"]
    assert bench.run(lambda b: b.load("phone\n+15550102\n+15550103\n")).is_refused
    assert len(bench.records) == 3

    lines = many(CHUNK_RECORDS + 100)
    bench.fail_at = bench.chunks + 3
    with pytest.raises(ConnectionResetError):
        bench.run(lambda b: b.load(lines))
    bench.fail_at = None
    again = bench.run(lambda b: b.load(lines))
    assert (again.rows_refused, again.finished) == (0, True)
    assert again.records_added + again.records_added_before == CHUNK_RECORDS + 100


def test_a_list_that_went_meanwhile_is_not_found() -> None:
    """The list is looked up again with every chunk."""
    bench = Bench()

    async def steps(b: Bench) -> None:
        b.calling_list = msgspec.structs.replace(LIST, list_id=99)
        await b.load(many(1))

    with pytest.raises(NotFound):
        bench.run(steps)


def test_an_import_without_a_server() -> None:
    """A program of its own imports with a writer of its own, and what fails is raised."""
    bench = Bench()

    async def steps(b: Bench) -> tuple[int, bool]:
        source = TextFile(io.BytesIO(many(3).encode()))
        first = await import_alone(b.store, StandingClock(), SUPERVISOR, LIST, ORDER, source)
        again = await import_alone(b.store, StandingClock(), SUPERVISOR, LIST, ORDER, source)
        return first.records_added, again.is_repeat

    assert bench.run(steps) == (3, True)
    assert len(bench.records) == 3


def test_an_import_draws_no_chance() -> None:
    """The writer of an import alone has settings that an import does not use."""
    for draw in (NoChance().token, NoChance().uuid):
        with pytest.raises(Defect):
            draw()


@settings(max_examples=80)
@given(
    st.one_of(st.binary(max_size=200), st.text(alphabet='+150,"\n\r;ab ', max_size=120).map(str.encode)),
    st.sampled_from(list(ImportMode)),
    st.booleans(),
)
def test_any_bytes_give_a_report_or_a_refusal(raw: bytes, mode: ImportMode, with_header: bool) -> None:  # noqa: FBT001
    """Never another error; in mode all nothing is written when a row is refused; what is reported is there."""
    bench = Bench()
    text = b"phone,chain,note\n" + raw if with_header else raw
    try:
        report = bench.run(lambda b: b.load(text, msgspec.structs.replace(ORDER, mode=mode)))
    except Refused:
        assert bench.records == []
        return
    assert report.rows_read == report.rows_good + report.rows_refused
    assert (report.rows_refused == 0) == (report.refusals == [])
    expected = 0 if mode is ImportMode.ALL and report.rows_refused else report.rows_good
    assert report.records_added == len(bench.records) == expected
    assert report.finished != report.is_refused
