"""Many records at once: blocks of an import, what is known already, pages of an export."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from tests.stores.storage import CENTRE, LIST, Storage, add, ask, record, save
from trunkline.app.ports import Conflict, ImportProgress, ImportState, Store, Suppression
from trunkline.app.record_columns import RecordBlock, RecordColumns
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, DoNotCallKind, PhoneType, RecordStatus, RecordType
from trunkline.domain.records import Record

WINDOWS = (Window("Europe/Paris", 0, 86_400), Window("PST", 28_800, 72_000, "US-CA", ("MST", "EST")))
BEGUN = ImportProgress(
    contact_centre_id=CENTRE,
    list_id=LIST,
    import_id="x",
    state=ImportState.RUNNING,
    source_rows_done=1,
    file_digest="d",
    source_rows=9,
)


def columns(**values: Any) -> RecordColumns:
    """Three records: a chain of two and one alone."""
    given: dict[str, Any] = {
        "phone_number": ["+1 415 555 0100", "+14155550101", "*70\\,415"],
        "number_key": ["14155550100", "14155550101", "*70415"],
        "phone_type": int(PhoneType.MOBILE),
        "record_type": [2, 5, 6],
        "status": int(RecordStatus.READY),
        "call_result": [28, 7, 6],
        "attempts": [0, 3, 2000],
        "due_at_s": [None, 1_900_000_000, None],
        "called_at_s": None,
        "window": [0, 1, 1],
        "campaign_id": [None, None, 9],
        "agent_id": [None, 4, None],
        "customer_id": ["C1", None, "c\\2"],
        "treatments": "",
        "other_fields": ['{"note":"tab\\t and \\\\ and Zoë"}', None, '{"n":5,"b":true,"x":null}'],
        "chain": [40, 40, 42],
        "chain_n": [0, 2, 0],
    }
    return RecordColumns([2, 3, 5], {**given, **values})


def block(**values: Any) -> RecordBlock:
    """A block of the import that has begun."""
    given: dict[str, Any] = {
        "contact_centre_id": CENTRE,
        "list_id": LIST,
        "import_id": "x",
        "file_digest": "d",
        "row_before": 1,
        "row_after": 5,
        "rows_refused": 1,
        "windows": WINDOWS,
        "pieces": [columns()],
    }
    return RecordBlock(**{**given, **values})


async def put(store: Store, *blocks: RecordBlock) -> None:
    """Write blocks."""
    async with store.bulk() as bulk:
        for one in blocks:
            await bulk.add(one)


async def listed(store: Store, list_id: int = LIST, limit: int = 2) -> list[Record]:
    """All records of a list, page by page."""
    found: list[Record] = []
    async with store.bulk() as bulk:
        while page := await bulk.page(
            CENTRE, list_id, (found[-1].chain_id, found[-1].chain_n) if found else None, limit
        ):
            found += page
    return found


def test_a_block_becomes_records(storage: Storage) -> None:
    """Every column arrives, whatever is in its texts; chains share a number; the note moves in the same commit."""

    async def check(store: Store) -> None:
        await save(store, imports=[BEGUN])
        await put(store, block())
        first, second, third = await listed(store)
        assert (first.chain_id, second.chain_n, third.chain_n) == (second.chain_id, 2, 0)
        assert len({first.record_id, second.record_id, third.record_id}) == 3
        assert third.chain_id not in (first.chain_id, 40, 42) or third.chain_id > first.chain_id
        assert (first.phone_number, third.phone_number) == ("+1 415 555 0100", "*70\\,415")
        assert first.other_fields == {"note": "tab\t and \\ and Zoë"}
        assert (second.other_fields, third.other_fields) == ({}, {"n": 5, "b": True, "x": None})
        assert (first.window, second.window) == WINDOWS
        assert [r.record_type for r in (first, second, third)] == [
            RecordType.GENERAL,
            RecordType.PERSONAL_CALL_BACK,
            RecordType.CAMPAIGN_CALL_BACK,
        ]
        assert second.call_result is CallResult.NO_ANSWER
        assert (second.due_at_s, second.agent_id, second.attempts) == (1_900_000_000, 4, 3)
        assert (third.attempts, third.campaign_id, third.customer_id, first.customer_id) == (2000, 9, "c\\2", "C1")
        assert {r.phone_type for r in (first, second, third)} == {PhoneType.MOBILE}
        assert {(r.status, r.called_at_s, r.version) for r in (first, second, third)} == {(RecordStatus.READY, None, 1)}
        progress = await ask(store, "import_progress", CENTRE, LIST, "x")
        assert progress == msgspec.structs.replace(BEGUN, source_rows_done=5, records_added=3, rows_refused=1)
        found = await ask(store, "records_of_contact", CENTRE, [LIST], DoNotCallKind.NUMBER, "4155550101", 5)
        assert found == []
        found = await ask(store, "records_of_contact", CENTRE, [LIST], DoNotCallKind.NUMBER, "+1 415 555 0101", 5)
        assert found == [second]

    storage.run(check)


def test_blocks_go_on_from_each_other(storage: Storage) -> None:
    """A block adds to what is there, under numbers of its own; windows that are known are not added again."""

    async def check(store: Store) -> None:
        await save(store, imports=[BEGUN])
        await add(store, record(7, record_id=7, time_zone="Europe/Paris"))
        await put(store, block(), block(row_before=5, row_after=9, rows_refused=0, pieces=[columns(window=1)]))
        found = await listed(store)
        assert len({one.record_id for one in found}) == len(found) == 7
        assert len({one.chain_id for one in found}) == 5
        assert [sum(one.window == window for one in found) for window in WINDOWS] == [2, 5]

    storage.run(check)


def test_a_block_in_pieces(storage: Storage) -> None:
    """What one piece has in common and another has not is told apart; chains and records are numbered through."""
    alike = columns(window=1, agent_id=None, customer_id="C7", chain=[43, 44, 45], chain_n=0, attempts=2)
    others = columns(chain=[50, 50, 51], campaign_id=9, attempts=2)

    async def check(store: Store) -> None:
        await save(store, imports=[BEGUN])
        await put(store, block(pieces=[columns(attempts=2), alike, others]))
        found = await listed(store)
        chains = sorted({one.chain_id for one in found})
        assert [chains.index(one.chain_id) for one in found] == [0, 0, 1, 2, 3, 4, 5, 5, 6]
        assert sorted(one.record_id for one in found) == list(range(found[0].record_id, found[0].record_id + 9))
        assert [one.customer_id for one in found] == ["C1", None, "c\\2", "C7", "C7", "C7", "C1", None, "c\\2"]
        assert [one.campaign_id for one in found] == [None, None, 9, None, None, 9, 9, 9, 9]
        assert [one.agent_id for one in found] == [None, 4, None, None, None, None, None, 4, None]
        assert [WINDOWS.index(one.window) for one in found] == [0, 1, 1, 1, 1, 1, 0, 1, 1]
        assert [one.chain_n for one in found] == [0, 2, 0, 0, 0, 0, 0, 2, 0]
        progress = await ask(store, "import_progress", CENTRE, LIST, "x")
        assert progress.records_added == 9

    storage.run(check)


@pytest.mark.parametrize(
    ("note", "wrong"),
    [
        (BEGUN, {"row_before": 0}),
        (BEGUN, {"row_before": 2}),
        (BEGUN, {"file_digest": "e"}),
        (BEGUN, {"import_id": "y"}),
        (msgspec.structs.replace(BEGUN, state=ImportState.DONE), {}),
    ],
)
def test_a_block_at_another_place_is_a_conflict(storage: Storage, note: ImportProgress, wrong: dict[str, Any]) -> None:
    """When the note is not where the block begins nothing is added."""

    async def check(store: Store) -> None:
        await save(store, imports=[note])
        with pytest.raises(Conflict):
            await put(store, block(**wrong))
        assert await listed(store) == []
        assert await ask(store, "import_progress", CENTRE, LIST, "x") == note

    storage.run(check)


def test_of_two_runs_one_goes_on(durable_storage: Storage) -> None:
    """The same block from two programs at once is in once."""

    async def check() -> None:
        async with durable_storage.opened() as one, durable_storage.opened() as other:
            await save(one, imports=[BEGUN])
            outcomes = await asyncio.gather(put(one, block()), put(other, block()), return_exceptions=True)
            assert sorted(isinstance(outcome, Conflict) for outcome in outcomes) == [False, True], outcomes
            assert len(await listed(one)) == 3

    asyncio.run(check())


def test_what_is_there_already(storage: Storage) -> None:
    """Numbers and customers of the list, or of any list of the contact centre; those of others are unknown."""

    async def check(store: Store) -> None:
        await add(
            store,
            record(1, phone_number="+1 415 555 0100", customer_id="C1"),
            record(2, list_id=11, phone_number="+14155550101", customer_id="C2"),
            record(3, contact_centre_id=2, phone_number="+14155550102", customer_id="C3"),
        )
        numbers = ["14155550100", "14155550101", "14155550102", "1"]
        customers = ["C1", "C2", "C3", "C4"]
        async with store.bulk() as bulk:
            assert await bulk.known(CENTRE, LIST, DoNotCallKind.NUMBER, numbers) == {"14155550100"}
            assert await bulk.known(CENTRE, None, DoNotCallKind.NUMBER, numbers) == {"14155550100", "14155550101"}
            assert await bulk.known(CENTRE, LIST, DoNotCallKind.CUSTOMER, customers) == {"C1"}
            assert await bulk.known(CENTRE, None, DoNotCallKind.CUSTOMER, customers) == {"C1", "C2"}
            assert await bulk.known(3, None, DoNotCallKind.CUSTOMER, customers) == set()

    storage.run(check)


def test_what_must_not_be_called(storage: Storage) -> None:
    """Entries of the lists asked for that hold in the whole contact centre and have not ended."""

    def entry(value: str, **values: Any) -> Suppression:
        return Suppression(**{"contact_centre_id": CENTRE, "kind": DoNotCallKind.NUMBER, "value": value, **values})

    async def check(store: Store) -> None:
        async with store.bulk() as bulk:
            assert await bulk.all_suppressed(CENTRE, [0, 5], DoNotCallKind.NUMBER, 100, 10) == set()
        await save(
            store,
            suppressions=[
                entry("+1 000"),
                entry("1001", suppression_list_id=5),
                entry("1002", suppression_list_id=6),
                entry("1003", campaign_id=9),
                entry("1004", expires_at_s=100),
                entry("1005", expires_at_s=101),
                entry("1006", contact_centre_id=2),
                entry("C1", kind=DoNotCallKind.CUSTOMER),
            ],
        )
        keys = [*(f"100{n}" for n in range(9)), "1000", "C1"]
        async with store.bulk() as bulk:
            number = DoNotCallKind.NUMBER
            assert await bulk.suppressed(CENTRE, [0, 5], number, keys, 100) == {"1000", "1001", "1005"}
            assert await bulk.suppressed(CENTRE, [0], DoNotCallKind.CUSTOMER, keys, 100) == {"C1"}
            assert await bulk.all_suppressed(CENTRE, [0, 5], number, 100, 3) == {"1000", "1001", "1005"}
            assert await bulk.all_suppressed(CENTRE, [0, 5], number, 100, 2) is None
            assert await bulk.all_suppressed(CENTRE, [0, 5], DoNotCallKind.CUSTOMER, 100, 3) == {"C1"}
            assert await bulk.all_suppressed(CENTRE, [7], number, 100, 3) == set()

    storage.run(check)


def test_pages(storage: Storage) -> None:
    """All records of one list by chain and place, whatever the size of a page."""

    async def check(store: Store) -> None:
        mine = [record(chain, n) for chain in (1, 2, 5) for n in (0, 1)]
        await add(store, *mine, record(3, list_id=11), record(3, contact_centre_id=2))
        for limit in (1, 2, 100):
            assert await listed(store, limit=limit) == mine
        assert await listed(store, list_id=12) == []

    storage.run(check)
