"""Claims: which chains are taken for a group, in what order, and which never are."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest

from tests.stores.storage import (
    AGENT,
    CAMPAIGN,
    CENTRE,
    GROUP,
    LIST,
    NOON_S,
    Storage,
    add,
    ask,
    by_key,
    claim,
    claimed,
    record,
    save,
)
from trunkline.adapters.storage.rows import PRIORITIES_FOR_ANYONE
from trunkline.app.ports import BufferEntry, Changes, ClaimKind, Store
from trunkline.domain.campaigns import TYPE_PRIORITY
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.filter_parsing import parse_filter
from trunkline.domain.records import Record

FRESH, DUE = ClaimKind.FRESH, ClaimKind.DUE
PERSONAL = RecordType.PERSONAL_CALL_BACK


def test_what_a_claim_does(storage: Storage) -> None:
    """Open records of the chain become RETRIEVED for the campaign, closed ones stay; the chain lies in the buffer."""

    async def check(store: Store) -> None:
        chain = [
            record(1, 0),
            record(1, 1, status=RecordStatus.UPDATED),
            record(1, 2, status=RecordStatus.CHAIN_READY, due_at_s=NOON_S + 60),
            record(1, 3, status=RecordStatus.MISSED_CALL_BACK, phone_type=PhoneType.EMAIL_ADDRESS),
        ]
        await add(store, *chain, record(2), record(3))
        assert await claimed(store, claim(limit=2, first_place=70, place_step=7)) == [1, 2]
        taken = {"status": RecordStatus.RETRIEVED, "campaign_id": CAMPAIGN, "version": 2}
        expected = [msgspec.structs.replace(one, **({} if one.chain_n == 1 else taken)) for one in chain]
        assert await ask(store, "chain", CENTRE, LIST, 1) == expected
        entries = [
            BufferEntry(
                contact_centre_id=CENTRE,
                list_id=LIST,
                chain_id=chain_id,
                campaign_group_id=GROUP,
                place=place,
                taken_at_ms=5,
                lease_until_ms=60,
            )
            for chain_id, place in ((1, 70), (2, 77))
        ]
        found = await ask(store, "buffered", CENTRE, GROUP, (), 10)
        assert [one.entry for one in found] == entries
        assert [one.records for one in found] == [expected, await ask(store, "chain", CENTRE, LIST, 2)]
        assert await ask(store, "buffer_entry", CENTRE, LIST, 2) == entries[1]
        assert await ask(store, "buffer_entry", CENTRE, LIST, 3) is None

    storage.run(check)


def test_later_reads_of_the_unit_see_it(storage: Storage) -> None:
    """A claim is written at once for its own unit, for others with the commit, and not at all when that fails."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2))
        with pytest.raises(ZeroDivisionError):
            await _claim_and_fail(store)
        assert await ask(store, "buffered", CENTRE, GROUP, (), 10) == []
        async with store.begin() as unit:
            assert len((await unit.claim(claim())).chains) == 2
            assert await unit.buffer_size(CENTRE, GROUP) == 2
            (taken,) = await unit.chain(CENTRE, LIST, 1)
            assert (await unit.claim(claim())).chains == ()
            changed = msgspec.structs.replace(taken, call_result=CallResult.BUSY, version=taken.version + 1)
            await unit.save(Changes(records=by_key(changed), off_buffer={(CENTRE, LIST, 1)}))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [changed]
        assert await ask(store, "buffer_size", CENTRE, GROUP) == 1

    async def _claim_and_fail(store: Store) -> None:
        async with store.begin() as unit:
            assert len((await unit.claim(claim())).chains) == 2
            raise ZeroDivisionError

    storage.run(check)


def test_the_order_of_fresh_chains(storage: Storage) -> None:
    """Priority first; then window by window, that of the first chain before the others; then the chain."""

    async def check(store: Store) -> None:
        rome: dict[str, Any] = {"time_zone": "Europe/Rome"}
        await add(
            store,
            *(record(n) for n in (2, 4, 6)),
            *(record(n, **rome) for n in (1, 5)),
            record(3, record_type=RecordType.UNKNOWN, **rome),
            record(7, record_type=RecordType.CAMPAIGN_CALL_BACK),
            record(8, record_type=RecordType.CAMPAIGN_RESCHEDULED, **rome),
            record(9, record_type=RecordType.NO_RECORD_TYPE),
        )
        expected = [7, 8, 1, 5, 2, 4, 6, 3, 9]
        for limit in (1, 4, 9):
            assert await _rolled_back(store, limit) == expected[:limit]
        assert await claimed(store, claim()) == expected

    async def _rolled_back(store: Store, limit: int) -> list[int]:
        found: list[int] = []
        with suppress(ZeroDivisionError):
            async with store.begin() as unit:
                found += [chain_id for _, _, chain_id in (await unit.claim(claim(limit=limit))).chains]
                raise ZeroDivisionError
        return found

    storage.run(check)


def test_the_order_of_due_chains(storage: Storage) -> None:
    """Priority first; within a window the oldest first; no record without a time, or whose time has not come."""

    async def check(store: Store) -> None:
        retry: dict[str, Any] = {"record_type": RecordType.CAMPAIGN_RESCHEDULED}
        await add(
            store,
            record(1, due_at_s=NOON_S, **retry),
            record(2, due_at_s=NOON_S - 9, **retry),
            record(3, due_at_s=NOON_S - 5, record_type=RecordType.CAMPAIGN_CALL_BACK),
            record(4, due_at_s=NOON_S - 7, time_zone="Europe/Rome", **retry),
            record(5, due_at_s=NOON_S + 1, **retry),
            record(6, due_at_s=NOON_S - 99),
            record(7, **retry),
        )
        assert await claimed(store, claim(DUE)) == [3, 2, 1, 4, 6]
        assert await claimed(store, claim(FRESH)) == [7]

    storage.run(check)


def test_a_chain_is_claimed_once(storage: Storage) -> None:
    """However many of its records may be called, in one window or several; the limit counts chains."""

    async def check(store: Store) -> None:
        zones = ("UTC", "UTC", "Europe/Rome", "Europe/Rome")
        await add(store, *(record(n, place, time_zone=zone) for n in (1, 2, 3) for place, zone in enumerate(zones)))
        assert await claimed(store, claim(limit=2)) == [1, 2]
        assert await claimed(store, claim(limit=2)) == [3]
        assert await ask(store, "buffer_size", CENTRE, GROUP) == 3

    storage.run(check)


def test_a_chain_with_a_record_out_is_left(storage: Storage) -> None:
    """When a record of it is RETRIEVED the chain is on a desk or in a buffer; the next ones are taken."""

    async def check(store: Store) -> None:
        await add(store, record(1, 0, status=RecordStatus.RETRIEVED), record(1, 1), record(2), record(3, due_at_s=9))
        await add(store, record(3, 1, status=RecordStatus.RETRIEVED))
        assert await claimed(store, claim()) == [2]
        assert await claimed(store, claim(DUE)) == []

    storage.run(check)


@pytest.mark.parametrize(
    "reason",
    [
        {"status": RecordStatus.RETRIEVED},
        {"status": RecordStatus.CHAIN_READY},
        {"status": RecordStatus.MISSED_CALL_BACK},
        {"record_type": RecordType.NO_CALL},
        {"phone_type": PhoneType.EMAIL_ADDRESS},
        {"phone_type": PhoneType.INSTANT_MESSAGING},
        {"attempts": 10},
        {"attempts": 11},
        {"record_type": PERSONAL, "agent_id": AGENT},
        {"record_type": RecordType.PERSONAL_RESCHEDULED, "agent_id": AGENT},
        {"from_s": 0, "until_s": 43_200},
        {"from_s": 43_201, "until_s": 50_000},
        {"time_zone": "Asia/Tokyo", "from_s": 0, "until_s": 72_000},
        {"other_zones": ("Asia/Tokyo",), "from_s": 0, "until_s": 72_000},
        {"time_zone": "Nowhere/Atlantis"},
        {"other_zones": ("Nowhere/Atlantis",)},
        {"list_id": 11},
        {"contact_centre_id": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [FRESH, DUE])
def test_what_is_not_claimed(storage: Storage, reason: dict[str, Any], kind: ClaimKind) -> None:
    """One reason is enough to keep a record back; the next one is taken instead."""

    async def check(store: Store) -> None:
        due_at_s = NOON_S if kind is DUE else None
        await add(store, record(1, due_at_s=due_at_s, **reason), record(2, due_at_s=due_at_s))
        assert await claimed(store, claim(kind)) == [2]

    storage.run(check)


@pytest.mark.parametrize(
    "virtue",
    [
        {"due_at_s": NOON_S},
        {"attempts": 9},
        {"phone_type": PhoneType.NO_CONTACT_TYPE},
        {"agent_id": 8},
        {"from_s": 43_200, "until_s": 43_201},
        {"from_s": 79_200, "until_s": 43_201},
        {"from_s": 43_200, "until_s": 1},
        {"from_s": 5, "until_s": 5},
        {"time_zone": "Asia/Tokyo", "from_s": 75_600, "until_s": 75_601},
        {"other_zones": ("Asia/Tokyo",), "from_s": 0, "until_s": 76_000},
        {"region": "FR"},
        {"time_zone": "PST", "from_s": 79_200, "until_s": 21_600},
    ],
    ids=str,
)
def test_what_is_claimed(storage: Storage, virtue: dict[str, Any]) -> None:
    """Records at the edge of each rule are taken; windows that cross midnight are open on both sides of it."""

    async def check(store: Store) -> None:
        await add(store, record(1, **virtue))
        assert await claimed(store, claim(DUE if "due_at_s" in virtue else FRESH)) == [1]

    storage.run(check)


def test_windows_are_asked_once(storage: Storage) -> None:
    """Whether a window is open is asked for each window of the list, never for a record; the answer is what counts."""

    async def check(store: Store) -> None:
        zones = ("UTC", "Europe/Rome", "Europe/Paris")
        await add(store, *(record(n, time_zone=zones[n % 3]) for n in range(1, 31)))
        asked: list[str] = []

        def opens(window: Window) -> bool:
            asked.append(window.time_zone)
            return window.time_zone == "Europe/Rome"

        assert await claimed(store, claim(opens=opens)) == list(range(1, 31, 3))
        assert set(asked) == set(zones)
        if storage.kind != "memory":
            assert len(asked) <= 2 * len(zones)

    storage.run(check)


def test_chains_passed_over(storage: Storage) -> None:
    """A chain passed over stays where it is, with all its records."""

    async def check(store: Store) -> None:
        await add(store, record(1, 0), record(1, 1, time_zone="Europe/Rome"), record(2), record(3, due_at_s=1))
        assert await claimed(store, claim(passed_over=frozenset({1}))) == [2]
        assert await claimed(store, claim(DUE, passed_over=frozenset({3}))) == []
        assert await claimed(store, claim()) == [1]

    storage.run(check)


def test_what_is_returned_is_claimed_again(storage: Storage) -> None:
    """A chain that went back comes to the buffer again, though its old entry was forgotten there."""

    async def check(store: Store) -> None:
        await add(store, record(1))
        assert await claimed(store, claim()) == [1]
        returned = record(1, campaign_id=CAMPAIGN, time_zone="Europe/Paris", version=3)
        await save(store, records=by_key(returned))
        assert await claimed(store, claim(campaign_group_id=301, first_place=9)) == [1]
        found = await ask(store, "buffer_entry", CENTRE, LIST, 1)
        assert (found.campaign_group_id, found.place) == (301, 9)
        assert await ask(store, "buffer_size", CENTRE, GROUP) == 0

    storage.run(check)


@pytest.mark.parametrize("kind", [FRESH, DUE])
@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("", [1, 4, 2, 6]),
        ("attempts DESC", [6, 2, 1, 4]),
        ("weight, chain_id DESC", [4, 6, 2, 1]),
        ("time_zone, attempts", [2, 1, 4, 6]),
    ],
)
def test_a_filter_in_the_claim(storage: Storage, kind: ClaimKind, order_by: str, expected: list[int]) -> None:
    """A filter's condition holds records back, its order comes behind the priority, through all windows."""

    async def check(store: Store) -> None:
        due_at_s = NOON_S if kind is DUE else None
        rows: list[tuple[int, CallResult, int, str, dict[str, Any]]] = [
            (1, CallResult.BUSY, 1, "UTC", {}),
            (2, CallResult.BUSY, 3, "Europe/Rome", {"weight": "heavy"}),
            (3, CallResult.ANSWER, 9, "UTC", {}),
            (4, CallResult.NO_ANSWER, 1, "UTC", {"weight": 2}),
            (6, CallResult.BUSY, 5, "UTC", {"weight": "10"}),
        ]
        await add(
            store,
            *(
                record(n, call_result=r, attempts=a, time_zone=z, due_at_s=due_at_s, other_fields=f)
                for n, r, a, z, f in rows
            ),
        )
        selection = parse_filter("call_result IN ('busy', 'no answer') AND daily_until > 0", order_by, None)
        found = [*await claimed(store, claim(kind, selection=selection, limit=2))]
        found += await claimed(store, claim(kind, selection=selection))
        assert found == expected
        assert await claimed(store, claim(kind)) == [3]

    storage.run(check)


def test_a_window_of_a_unit_that_failed_is_forgotten(storage: Storage) -> None:
    """A window first met in a unit that was rolled back works when it is met again."""

    async def check(store: Store) -> None:
        new = record(1, time_zone="Europe/Paris", from_s=1, until_s=86_399)
        with pytest.raises(ZeroDivisionError):
            await _add_and_fail(store, new)
        await add(store, record(2, time_zone="Europe/Rome"))
        await add(store, new)
        assert await claimed(store, claim()) == [1, 2]

    storage.run(check)


async def _add_and_fail(store: Store, *records: Record) -> None:
    async with store.begin() as unit:
        await unit.save(Changes(new_records=list(records)))
        raise ZeroDivisionError


def test_windows_of_another_program_are_seen(durable_storage: Storage) -> None:
    """Two programs on one database: each claims the records of the other, whatever windows these have."""

    async def check(store: Store) -> None:
        async with durable_storage.opened() as other:
            await add(store, record(1, time_zone="Europe/Paris"))
            await add(other, record(2, time_zone="Europe/Rome"))
            await add(store, record(3, time_zone="Europe/Oslo"), record(4, time_zone="Europe/Rome"))
            await add(store, record(5, time_zone="Europe/Bern", due_at_s=1))
            assert await claimed(store, claim(limit=2)) == [1, 2]
            assert await claimed(other, claim()) == [3, 4]

    durable_storage.run(check)


def test_priorities_are_those_the_statements_name() -> None:
    """Statements tell personal records, records for anyone and "no call" apart by priority: 0 and 1, 2 to 8, 9."""
    assert {t for t in RecordType if TYPE_PRIORITY[t] < 2} == {t for t in RecordType if t.is_personal}
    assert [t for t in RecordType if TYPE_PRIORITY[t] > 8] == [RecordType.NO_CALL]
    assert sorted({p for p in TYPE_PRIORITY.values() if 2 <= p <= 8}) == PRIORITIES_FOR_ANYONE
    assert TYPE_PRIORITY[RecordType.CAMPAIGN_CALL_BACK] == 2
