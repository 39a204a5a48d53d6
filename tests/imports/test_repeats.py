"""Imports done again, interrupted, or begun twice: every record is there once."""

from __future__ import annotations

import io
import json

import msgspec
import pytest

from tests.imports.harness import LIST, ORDER, SUPERVISOR, Bench, StandingClock, many
from trunkline.adapters.storage.memory_bulk import MemoryBulk
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import Importer, ImportOrder
from trunkline.app.imports.run import Site
from trunkline.app.ports import Conflict, ImportState, Provision
from trunkline.domain.import_specifications import ImportMode
from trunkline.errors import (
    AlreadyExists,
    AlreadyInUse,
    InvalidState,
    NotFound,
    Refused,
    Unavailable,
)

CHUNK_RECORDS = MemoryBulk.rows_at_once
GOOD = msgspec.structs.replace(ORDER, mode=ImportMode.GOOD)
DRY = msgspec.structs.replace(ORDER, is_dry_run=True)
NAMED = msgspec.structs.replace(ORDER, import_id="x")
MIXED = "phone,chain,name\n+15550100,a,Ann\nbad,a,Bob\n+15550102,b,Cy\n+15550103,a,Di\n"


def test_the_same_import_twice_adds_nothing() -> None:
    """Doing it again with the same import id, or with none at all, answers that it was done."""
    for order in (msgspec.structs.replace(ORDER, import_id="spring-1"), ORDER):
        bench = Bench()
        first, again = bench.load_twice(many(5), order)
        assert (first.is_repeat, first.records_added) == (False, 5)
        assert (again.is_repeat, again.finished, again.records_added, again.records_added_before) == (True, True, 0, 5)
        assert again.import_id == first.import_id
        assert len(bench.records) == 5


def test_a_repeat_in_mode_all_is_no_refusal() -> None:
    """What was added with refused rows in mode good stays added when it is asked for in mode all."""
    bench = Bench()
    bench.run(lambda b: b.load(MIXED, GOOD))
    again = bench.run(lambda b: b.load(MIXED))
    assert again.is_repeat
    assert not again.is_refused
    assert again.rows_refused == 2


def test_a_dry_run_of_a_finished_import_checks_the_file() -> None:
    """It says that the import is done, and what the file holds."""
    bench = Bench()
    bench.run(lambda b: b.load(many(5)))
    report = bench.run(lambda b: b.load(many(5), DRY))
    assert (report.is_repeat, report.rows_good, report.records_added_before) == (True, 5, 5)


@pytest.mark.parametrize(
    "order",
    [
        NAMED,
        msgspec.structs.replace(NAMED, is_dry_run=True),
        msgspec.structs.replace(NAMED, mapping={"customer_id": "note"}),
    ],
)
def test_another_file_under_the_same_import_id_is_refused(order: ImportOrder) -> None:
    """An import id belongs to one file read in one way."""
    bench = Bench()
    bench.run(lambda b: b.load(many(5), NAMED))
    text = many(5) if order.mapping else many(6)
    with pytest.raises(AlreadyExists):
        bench.run(lambda b: b.load(text, order))
    assert len(bench.records) == 5


def test_import_ids_are_the_lists_own() -> None:
    """Another list takes the same file under the same import id."""
    bench = Bench()
    bench.run(lambda b: b.load(many(2), NAMED))

    async def other(b: Bench) -> None:
        b.calling_list = msgspec.structs.replace(LIST, list_id=8, name="Autumn")
        await b.store.provision(Provision(lists=[b.calling_list]))
        b.writer.book = ReferenceBook(await b.store.directory())
        await b.load(many(2), NAMED)

    bench.run(other)
    assert [record.list_id for record in bench.records] == [7, 7, 8, 8]


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4])
def test_an_import_that_was_interrupted_goes_on(fail_at: int) -> None:
    """Wherever the process ended, the same import adds exactly what is missing, refused rows included once."""
    lines = many(CHUNK_RECORDS * 2 + 500, chain_of=3).splitlines(keepends=True)
    for at in (5, 1200, 2400):
        lines[at] = "bad,,\n"
    text = "".join(lines)
    bench = Bench()
    bench.fail_at = fail_at
    with pytest.raises(ConnectionResetError):
        bench.run(lambda b: b.load(text, GOOD))
    before = len(bench.records)
    bench.fail_at = None
    report = bench.run(lambda b: b.load(text, GOOD))
    assert (report.is_repeat, report.finished) == (False, True)
    assert report.records_added_before == before
    assert report.records_added + before == len(bench.records) == report.rows_good
    assert report.rows_refused == 3
    assert len({record.phone_number for record in bench.records}) == len(bench.records)
    (progress,) = bench.store._tables.imports.values()
    assert (progress.state, progress.records_added, progress.rows_refused) == (ImportState.DONE, len(bench.records), 3)


def test_a_commit_that_was_not_answered_is_not_repeated() -> None:
    """The chunk is in, the answer is lost: the next run goes on behind it."""
    bench = Bench()

    async def lose_answer(b: Bench) -> None:
        asked = []
        whole = b.writer.submit

        async def submit(order: object) -> object:
            asked.append(order)
            row = await whole(order)  # type: ignore[arg-type]
            if len(asked) == 2:
                raise Unavailable("gone")
            return row

        b.submit = submit  # type: ignore[method-assign,assignment]
        b.importer = Importer(Site(store=b.store, submit=submit, clock=StandingClock()))  # type: ignore[arg-type]
        with pytest.raises(Unavailable):
            await b.load(many(5))

    bench.run(lose_answer)
    assert len(bench.records) == 5
    del bench.submit
    report = bench.run(lambda b: b.load(many(5)))
    assert (report.is_repeat, report.records_added_before, report.records_added) == (True, 5, 0)


def test_a_block_that_was_not_answered_is_not_repeated() -> None:
    """The block is in, the answer is lost: the next run goes on behind it."""
    bench = Bench()

    async def lose_answer(at: int) -> None:
        if at == 3:
            raise Unavailable("gone")

    bench.before_chunk = lose_answer
    with pytest.raises(Unavailable):
        bench.run(lambda b: b.load(many(CHUNK_RECORDS + 10)))
    assert len(bench.records) == CHUNK_RECORDS
    bench.before_chunk = None
    report = bench.run(lambda b: b.load(many(CHUNK_RECORDS + 10)))
    assert (report.records_added_before, report.records_added) == (CHUNK_RECORDS, 10)
    assert len(bench.records) == CHUNK_RECORDS + 10


def test_one_import_runs_once_at_a_time() -> None:
    """A second run beside the first is refused; afterwards it is a repeat."""
    bench = Bench()

    async def begin_again(_: int) -> None:
        with pytest.raises(AlreadyInUse):
            await bench.load(many(50))

    bench.before_chunk = begin_again
    assert bench.run(lambda b: b.load(many(50))).finished
    assert bench.run(lambda b: b.load(many(50))).is_repeat
    assert len(bench.records) == 50


def test_a_run_of_another_process_is_noticed() -> None:
    """When somebody else's chunk of the same import came first, ours adds nothing and the run ends."""
    bench = Bench()

    async def overtake(at: int) -> None:
        if at == 2:
            bench.before_chunk = None
            other = Importer(Site(store=bench.store, submit=bench.writer.submit, clock=StandingClock()))
            source = TextFile(io.BytesIO(many(5).encode()))
            await other.run(SUPERVISOR, LIST, ORDER, source)

    bench.before_chunk = overtake
    with pytest.raises(AlreadyInUse):
        bench.run(lambda b: b.load(many(5)))
    assert len(bench.records) == 5


def test_a_conflict_is_tried_again() -> None:
    """A chunk whose commit collides is decided anew with fresh numbers, and is in once."""
    bench = Bench()

    async def collide(b: Bench) -> object:
        real = b.store.begin
        left = [2]

        def begin() -> object:
            if left[0] and b.chunks > 1:
                left[0] -= 1
                raise Conflict("collided")
            return real()

        b.store.begin = begin  # type: ignore[method-assign,assignment]
        return await b.load(many(5))

    bench.run(collide)
    assert len(bench.records) == 5


def test_progress_can_be_asked_for() -> None:
    """While it runs and afterwards; an import that wrote nothing is not found."""
    bench = Bench()
    seen = []

    async def look(at: int) -> None:
        if at > 1:
            progress = await bench.importer.progress(SUPERVISOR, LIST, "x")
            seen.append((progress.state, progress.records_added))

    bench.before_chunk = look

    async def steps(b: Bench) -> None:
        with pytest.raises(NotFound):
            await b.importer.progress(SUPERVISOR, LIST, "x")
        with pytest.raises(NotFound):
            await b.importer.progress(SUPERVISOR, LIST, "../x")
        await b.load(many(CHUNK_RECORDS * 2 - 1), NAMED)
        done = await b.importer.progress(SUPERVISOR, LIST, "x")
        shown = json.loads(msgspec.json.encode(done))
        assert shown.pop("report")["recordsAdded"] == CHUNK_RECORDS * 2 - 1
        assert shown.pop("rows") == CHUNK_RECORDS * 2
        assert shown == {
            "importId": "x",
            "listName": "Spring",
            "state": "done",
            "lastRow": CHUNK_RECORDS * 2,
            "recordsAdded": CHUNK_RECORDS * 2 - 1,
            "rowsRefused": 0,
            "startedAtMs": 1_900_000_000_000,
        }

    bench.run(steps)
    assert seen == [("running", 0), ("running", CHUNK_RECORDS), ("running", CHUNK_RECORDS * 2 - 1)]


def test_a_refusal_names_no_other_state() -> None:
    """A file that is refused as a whole is no state of the list: the same id is free afterwards."""
    bench = Bench()
    order = NAMED
    with pytest.raises(Refused) as caught:
        bench.run(lambda b: b.load("name\nAnn\n", order))
    assert not isinstance(caught.value, InvalidState)
    assert bench.run(lambda b: b.load(many(2), order)).records_added == 2
