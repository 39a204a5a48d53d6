"""What stores keep about single persons: found, renamed, rewritten, forgotten."""

from __future__ import annotations

from typing import Any

from tests.stores.storage import CENTRE, LIST, Storage, acknowledged, attempt, record, row, rows_of, save
from trunkline.app.ports import AttemptQuery, RecycleRun, RecycleState, Store, Undo
from trunkline.domain.events import Acknowledgement


async def log(store: Store) -> list[tuple[str, str, bool]]:
    """Keys of all rows, and whether they have details."""
    found = await store.attempts(AttemptQuery(contact_centre_id=CENTRE))
    return [(one.row.number_key, one.row.person_key, bool(one.row.detail)) for one in found]


def test_attempts_about_a_person(storage: Storage) -> None:
    """Rows of any of the numbers or persons, whole, in order, in portions."""

    async def check(store: Store) -> None:
        home, mobile = record(1, 0, customer_id="c1"), record(1, 1, phone_number="+1999", customer_id="c1")
        rows = [attempt(100, home), attempt(110, mobile), attempt(120, record(2)), attempt(130, mobile)]
        await save(store, attempts=[*rows, attempt(90, home, contact_centre_id=2)])
        key = rows[0].number_key
        found = await store.attempts_about(CENTRE, [key], ["cc1"], 0, 10)
        assert [one.row for one in found] == [rows[0], rows[1], rows[3]]
        assert [one.row for one in await store.attempts_about(CENTRE, [], ["cc1"], found[0].seq, 1)] == [rows[1]]
        assert [one.row for one in await store.attempts_about(CENTRE, [key], [], 0, 10)] == [rows[0]]
        assert await store.attempts_about(CENTRE, [], [], 0, 10) == []

    storage.run(check)


def test_attempts_get_other_keys(storage: Storage) -> None:
    """Rows about the person get new keys and lose details that tell of it; those of others stay as they are."""

    async def check(store: Store) -> None:
        home, mobile = record(1, 0, customer_id="c1"), record(1, 1, phone_number="+1999", customer_id="c1")
        shared = record(2, 0, customer_id="c2", phone_number="+1999")
        rows = [
            attempt(100, home, detail={"number": home.phone_number}),
            attempt(110, mobile, detail={"rule": "window"}),
            attempt(120, shared, detail={"number": "+1999"}),
            attempt(130, record(3)),
        ]
        await save(store, attempts=[*rows, attempt(140, home, contact_centre_id=2)])
        key = rows[0].number_key
        numbers, persons = {key: "x1", "1999": "x2"}, {"cc1": "x3", "#1": "x4"}
        assert await store.rename_attempts(CENTRE, [key], numbers, persons, [key, "1999"]) == 2
        assert await log(store) == [
            ("x1", "x3", False),
            ("x2", "x3", True),
            ("1999", "cc2", True),
            (rows[3].number_key, "#3", False),
        ]
        assert await store.rename_attempts(CENTRE, ["1999"], {"1999": "x5"}, {}, ["1999"]) == 1
        assert (await log(store))[2] == ("x5", "cc2", False)
        assert await store.rename_attempts(CENTRE, [key], numbers, persons, []) == 0
        foreign = await store.attempts(AttemptQuery(contact_centre_id=2))
        assert [one.row.person_key for one in foreign] == ["cc1"]

    storage.run(check)


def test_the_journal_about_a_person(storage: Storage) -> None:
    """Rows whose events hold a text, of one contact centre, between two numbers; rewritten ones keep their place."""

    async def check(store: Store) -> None:
        told = acknowledged(what=Acknowledgement.ADDED, record=record(1, other_fields={"name": "Zoë"}))
        rows = [
            row(1, events=(told,), request_key=5, reference='"m"'),
            row(2, events=(acknowledged(handle=3),)),
            row(3),
            row(4, events=(told,), contact_centre_id=2),
            row(5, events=(acknowledged(phone_number="+1999"),)),
        ]
        seqs = await save(store, journal=rows)
        about = [f'"list_id":{LIST},"chain_id":1,', '"phone_number":"+1999"']
        found = await store.journal_about(CENTRE, about, 0, seqs[-1])
        assert rows_of(found) == [rows[0], rows[4]]
        assert rows_of(await store.journal_about(CENTRE, about, seqs[0], seqs[-1])) == [rows[4]]
        assert rows_of(await store.journal_about(CENTRE, about, 0, seqs[-1] - 1)) == [rows[0]]
        assert rows_of(await store.journal_about(CENTRE, ['"name":"Zoë"'], 0, seqs[-1])) == [rows[0]]
        await store.rewrite_journal([])
        await store.rewrite_journal([type(found[0])(found[0].seq, row(9, events=(acknowledged(handle=1),)))])
        (kept,) = await store.journal_about(CENTRE, ['"handle":1'], 0, seqs[-1])
        assert kept.seq == seqs[0]
        assert kept.row == row(1, events=(acknowledged(handle=1),))

    storage.run(check)


def test_what_recyclings_kept_is_forgotten(storage: Storage) -> None:
    """The records of one chain that recyclings could bring back go, in every run; others stay."""

    async def check(store: Store) -> None:
        records = [record(1, 0), record(1, 1), record(2)]
        values: dict[str, Any] = {
            "made_at_ms": 1,
            "made_by": 1,
            "what": "all",
            "records": 3,
            "state": RecycleState.DONE,
        }
        run = RecycleRun(contact_centre_id=CENTRE, list_id=LIST, run_id=1, **values)
        await save(store, new_records=records, recycle_runs=[run], undo=[Undo(1, one) for one in records])
        assert await store.forget_undo([]) == 0
        assert await store.forget_undo([(CENTRE, LIST, 1), (CENTRE, LIST, 9)]) == 2
        async with store.begin() as unit:
            left = await unit.undo_of(CENTRE, LIST, 1, 10)
        assert [undo.record.chain_id for undo in left] == [2]

    storage.run(check)
