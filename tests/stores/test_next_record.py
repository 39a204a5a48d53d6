"""The hand-out: which record comes next, and which never does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stores.storage import AGENT, LIST, NOON_S, Storage, add, ask, by_key, record, save, search
from trunkline.app.ports import Changes, Search, Store
from trunkline.domain.campaigns import TYPE_PRIORITY
from trunkline.domain.enums import PhoneType, RecordStatus, RecordType
from trunkline.domain.records import Record

PERSONAL = RecordType.PERSONAL_CALL_BACK


async def order_of(store: Store, wanted: Search, at_most: int = 50) -> list[Record]:
    """The records of the chains in the order in which they would be handed out."""
    found: list[Record] = []
    passed = set(wanted.passed_over)
    while len(found) < at_most:
        asked = search(
            wanted.list_ids,
            contact_centre_id=wanted.contact_centre_id,
            max_attempts=wanted.max_attempts,
            user_id=wanted.user_id,
            now_s=wanted.now_s,
            passed_over=frozenset(passed),
        )
        one = await ask(store, "next_record", asked)
        if one is None:
            break
        found.append(one)
        passed.add((one.list_id, one.chain_id))
    return found


def test_the_order_of_types_lists_and_chains(storage: Storage) -> None:
    """Type comes before the list's place, that before the chain, that before the place in it."""

    async def check(store: Store) -> None:
        second_list: dict[str, Any] = {"list_id": 3}
        expected = [
            record(90, record_type=PERSONAL, agent_id=AGENT, due_at_s=NOON_S),
            record(91, record_type=RecordType.PERSONAL_RESCHEDULED, agent_id=AGENT),
            record(80, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S - 1),
            record(81, record_type=RecordType.CAMPAIGN_CALL_BACK),
            record(10, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S - 5, **second_list),
            record(70, record_type=RecordType.CAMPAIGN_RESCHEDULED, due_at_s=NOON_S),
            record(5),
            record(6, due_at_s=NOON_S),
            record(2, 1, **second_list),
            record(7, record_type=RecordType.UNKNOWN),
            record(8, record_type=RecordType.NO_RECORD_TYPE),
        ]
        await add(store, *reversed(expected))
        assert await order_of(store, search([LIST, 3])) == expected

    storage.run(check)


def test_the_first_record_of_a_chain_that_may_be_called(storage: Storage) -> None:
    """The chain is represented by its best record, not by its first."""

    async def check(store: Store) -> None:
        chain = [
            record(1, 0, status=RecordStatus.UPDATED),
            record(1, 1, from_s=0, until_s=60),
            record(1, 2),
            record(1, 3),
            record(2, 0),
        ]
        await add(store, *chain)
        assert await order_of(store, search()) == [chain[2], chain[4]]
        callback = record(1, 3, record_type=RecordType.CAMPAIGN_CALL_BACK, version=2)
        await save(store, records=by_key(callback))
        assert await ask(store, "next_record", search()) == callback

    storage.run(check)


@pytest.mark.parametrize(
    "reason",
    [
        {"status": RecordStatus.RETRIEVED},
        {"status": RecordStatus.CHAIN_READY},
        {"record_type": RecordType.NO_CALL},
        {"phone_type": PhoneType.EMAIL_ADDRESS},
        {"phone_type": PhoneType.INSTANT_MESSAGING, "due_at_s": NOON_S},
        {"due_at_s": NOON_S + 1},
        {"attempts": 10},
        {"attempts": 11, "due_at_s": NOON_S},
        {"attempts": 10, "record_type": PERSONAL, "agent_id": AGENT},
        {"record_type": PERSONAL, "agent_id": 8},
        {"record_type": PERSONAL, "agent_id": 8, "due_at_s": NOON_S},
        {"record_type": PERSONAL},
        {"record_type": PERSONAL, "agent_id": AGENT, "due_at_s": NOON_S + 1},
        {"record_type": PERSONAL, "agent_id": AGENT, "phone_type": PhoneType.EMAIL_ADDRESS},
        {"record_type": PERSONAL, "agent_id": AGENT, "from_s": 0, "until_s": 3600},
        {"record_type": PERSONAL, "agent_id": AGENT, "list_id": 11},
        {"from_s": 0, "until_s": 43_200},
        {"from_s": 0, "until_s": 43_200, "due_at_s": NOON_S},
        {"from_s": 43_201, "until_s": 50_000},
        {"time_zone": "Asia/Tokyo", "from_s": 0, "until_s": 72_000},
        {"time_zone": "Nowhere/Atlantis"},
        {"list_id": 11},
        {"contact_centre_id": 2},
    ],
    ids=str,
)
def test_what_is_not_handed_out(storage: Storage, reason: dict[str, Any]) -> None:
    """One reason is enough to keep a record back; the next one is handed out instead."""

    async def check(store: Store) -> None:
        await add(store, record(1, **reason))
        assert await ask(store, "next_record", search()) is None
        await add(store, record(2))
        assert await ask(store, "next_record", search()) == record(2)

    storage.run(check)


@pytest.mark.parametrize(
    "virtue",
    [
        {"due_at_s": NOON_S},
        {"attempts": 9},
        {"phone_type": PhoneType.NO_CONTACT_TYPE},
        {"record_type": PERSONAL, "agent_id": AGENT, "due_at_s": NOON_S},
        {"agent_id": 8},
        {"from_s": 43_200, "until_s": 43_201},
        {"from_s": 79_200, "until_s": 43_201},
        {"from_s": 43_200, "until_s": 1},
        {"from_s": 5, "until_s": 5},
        {"time_zone": "Asia/Tokyo", "from_s": 75_600, "until_s": 75_601},
        {"time_zone": "PST", "from_s": 79_200, "until_s": 21_600},
    ],
    ids=str,
)
def test_what_is_handed_out(storage: Storage, virtue: dict[str, Any]) -> None:
    """Records at the edge of each rule are handed out; windows that cross midnight are open on both sides of it."""

    async def check(store: Store) -> None:
        await add(store, record(1, **virtue))
        assert await ask(store, "next_record", search()) == record(1, **virtue)

    storage.run(check)


def test_a_window_over_midnight_by_the_hour(storage: Storage) -> None:
    """From ten in the evening to two in the morning a record is there, all other hours it is not."""

    async def check(store: Store) -> None:
        await add(store, record(1, from_s=22 * 3600, until_s=2 * 3600))
        midnight_s = NOON_S + 43_200
        opened = [
            hour
            for hour in range(24)
            if await ask(store, "next_record", search(now_s=midnight_s + hour * 3600)) is not None
        ]
        assert opened == [0, 1, 22, 23]

    storage.run(check)


def test_limits_of_attempts_are_the_lists_own(storage: Storage) -> None:
    """Each list has its own number of attempts."""

    async def check(store: Store) -> None:
        tried = [record(1, attempts=3), record(2, attempts=3, list_id=11)]
        await add(store, *tried)
        wanted = search([LIST, 11], max_attempts={LIST: 3, 11: 4})
        assert await order_of(store, wanted) == tried[1:]

    storage.run(check)


def test_chains_passed_over(storage: Storage) -> None:
    """A chain passed over is left out with all its records, in its own list only."""

    async def check(store: Store) -> None:
        personal = record(1, 1, record_type=PERSONAL, agent_id=AGENT)
        await add(store, record(1, 0), personal, record(1, list_id=11), record(2, due_at_s=NOON_S))
        both = [LIST, 11]
        assert await ask(store, "next_record", search(both)) == personal
        passed = frozenset({(LIST, 1)})
        assert await ask(store, "next_record", search(both, passed_over=passed)) == record(2, due_at_s=NOON_S)
        passed = frozenset({(LIST, 1), (LIST, 2)})
        assert await ask(store, "next_record", search(both, passed_over=passed)) == record(1, list_id=11)
        passed = frozenset({(LIST, 1), (LIST, 2), (11, 1)})
        assert await ask(store, "next_record", search(both, passed_over=passed)) is None

    storage.run(check)


def test_no_lists_no_record(storage: Storage) -> None:
    """A campaign whose lists are all switched off has nothing to hand out."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2, record_type=PERSONAL, agent_id=AGENT))
        assert await ask(store, "next_record", search([])) is None

    storage.run(check)


def test_changes_are_seen(storage: Storage) -> None:
    """What is taken disappears from the hand-out and what is returned appears again, under another window too."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(2))
        await save(store, records=by_key(record(1, status=RecordStatus.RETRIEVED, version=2)))
        assert await ask(store, "next_record", search()) == record(2)
        returned = record(1, time_zone="Europe/Paris", from_s=60_000, until_s=61_000, version=3)
        await save(store, records=by_key(returned))
        assert await ask(store, "next_record", search()) == record(2)
        paris_s = NOON_S - 43_200 + 60_000 - 7200
        assert await ask(store, "next_record", search(now_s=paris_s)) == returned

    storage.run(check)


def test_a_window_of_a_unit_that_failed_is_forgotten(storage: Storage) -> None:
    """A window first met in a unit that was rolled back works when it is met again."""

    async def check(store: Store) -> None:
        new = record(1, time_zone="Europe/Paris", from_s=1, until_s=86_399)
        with pytest.raises(ZeroDivisionError):
            await _add_and_fail(store, new)
        await add(store, record(2, time_zone="Europe/Rome"))
        await add(store, new)
        assert await ask(store, "next_record", search()) == new
        assert await order_of(store, search()) == [new, record(2, time_zone="Europe/Rome")]

    storage.run(check)


async def _add_and_fail(store: Store, *records: Record) -> None:
    async with store.begin() as unit:
        await unit.save(Changes(new_records=list(records)))
        raise ZeroDivisionError


def test_windows_of_another_program_are_seen(durable_storage: Storage) -> None:
    """Two programs on one database: each finds the records of the other, whatever windows these have."""

    async def check(store: Store) -> None:
        async with durable_storage.opened() as other:
            await add(store, record(1, time_zone="Europe/Paris"))
            await add(other, record(2, time_zone="Europe/Rome"))
            await add(store, record(3, time_zone="Europe/Oslo"), record(4, time_zone="Europe/Rome"))
            for one in (store, other):
                assert [r.time_zone for r in await order_of(one, search())] == [
                    "Europe/Paris",
                    "Europe/Rome",
                    "Europe/Oslo",
                    "Europe/Rome",
                ]

    durable_storage.run(check)


def test_priorities_are_those_the_statements_name() -> None:
    """Statements tell personal records, records for anyone and "no call" apart by priority: 0 and 1, 2 to 8, 9."""
    assert {t for t in RecordType if TYPE_PRIORITY[t] < 2} == {t for t in RecordType if t.is_personal}
    assert [t for t in RecordType if TYPE_PRIORITY[t] > 8] == [RecordType.NO_CALL]
