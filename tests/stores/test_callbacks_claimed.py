"""The callback that an agent is to get next: his own first, then those for anyone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.stores.storage import (
    AGENT,
    CENTRE,
    GROUP,
    LIST,
    NOON_S,
    Storage,
    add,
    ask,
    callback_claim,
    claimed,
    record,
)
from trunkline.app.ports import Claimed, Store
from trunkline.domain.enums import PhoneType, RecordStatus, RecordType
from trunkline.domain.filter_parsing import parse_filter

PERSONAL = RecordType.PERSONAL_CALL_BACK
CAMPAIGN_CALLBACK = RecordType.CAMPAIGN_CALL_BACK


async def order_of(store: Store, **values: Any) -> list[tuple[int, int]]:
    """List and chain of everything that the agent gets, one after the other."""
    found: list[tuple[int, int]] = []
    while chains := (await ask(store, "claim_callback", callback_claim(**values))).chains:
        found += [key[1:] for key in chains]
    return found


def test_the_order_of_callbacks(storage: Storage) -> None:
    """Own callbacks, own retries, then those for anyone; the oldest first, then the list's place, then the chain."""

    async def check(store: Store) -> None:
        mine: dict[str, Any] = {"agent_id": AGENT}
        other: dict[str, Any] = {"list_id": 3}
        await add(
            store,
            record(1, record_type=CAMPAIGN_CALLBACK, due_at_s=NOON_S),
            record(2, record_type=CAMPAIGN_CALLBACK, due_at_s=NOON_S - 5, time_zone="Europe/Rome"),
            record(3, record_type=CAMPAIGN_CALLBACK, due_at_s=NOON_S - 5, **other),
            record(4, record_type=RecordType.PERSONAL_RESCHEDULED, **mine),
            record(5, record_type=PERSONAL, due_at_s=NOON_S, **mine),
            record(6, record_type=PERSONAL, due_at_s=NOON_S - 1, **mine, **other),
            record(7, record_type=PERSONAL, due_at_s=NOON_S, **mine, **other),
        )
        expected = [(3, 6), (3, 7), (LIST, 5), (LIST, 4), (3, 3), (LIST, 2), (LIST, 1)]
        assert await order_of(store, list_ids=(3, LIST)) == expected
        assert await ask(store, "buffer_size", CENTRE, GROUP) == 7

    storage.run(check)


@pytest.mark.parametrize(
    "reason",
    [
        {"record_type": PERSONAL, "agent_id": 8},
        {"record_type": PERSONAL, "agent_id": 8, "due_at_s": NOON_S},
        {"record_type": PERSONAL},
        {"record_type": PERSONAL, "agent_id": AGENT, "due_at_s": NOON_S + 1},
        {"record_type": PERSONAL, "agent_id": AGENT, "phone_type": PhoneType.EMAIL_ADDRESS},
        {"record_type": PERSONAL, "agent_id": AGENT, "from_s": 0, "until_s": 3600},
        {"record_type": PERSONAL, "agent_id": AGENT, "time_zone": "Nowhere/Atlantis"},
        {"record_type": PERSONAL, "agent_id": AGENT, "list_id": 11},
        {"record_type": PERSONAL, "agent_id": AGENT, "contact_centre_id": 2},
        {"record_type": PERSONAL, "agent_id": AGENT, "attempts": 10},
        {"record_type": PERSONAL, "agent_id": AGENT, "status": RecordStatus.MISSED_CALL_BACK},
        {"record_type": CAMPAIGN_CALLBACK, "due_at_s": NOON_S + 1},
        {"record_type": CAMPAIGN_CALLBACK, "due_at_s": NOON_S, "attempts": 10},
        {"record_type": CAMPAIGN_CALLBACK, "due_at_s": NOON_S, "phone_type": PhoneType.INSTANT_MESSAGING},
        {"record_type": CAMPAIGN_CALLBACK, "due_at_s": NOON_S, "from_s": 0, "until_s": 3600},
        {"record_type": CAMPAIGN_CALLBACK},
        {"record_type": RecordType.CAMPAIGN_RESCHEDULED, "due_at_s": NOON_S},
        {"due_at_s": NOON_S},
        {},
    ],
    ids=str,
)
def test_what_is_no_callback_for_the_agent(storage: Storage, reason: dict[str, Any]) -> None:
    """One reason is enough; the next callback comes instead."""

    async def check(store: Store) -> None:
        await add(store, record(1, **reason), record(2, record_type=CAMPAIGN_CALLBACK, due_at_s=NOON_S))
        assert await order_of(store) == [(LIST, 2)]

    storage.run(check)


def test_chains_that_are_left(storage: Storage) -> None:
    """Chains with a record out and chains passed over stay where they are; a chain comes once."""

    async def check(store: Store) -> None:
        mine: dict[str, Any] = {"record_type": PERSONAL, "agent_id": AGENT, "due_at_s": NOON_S}
        await add(
            store,
            record(1, 0, **mine),
            record(1, 1, status=RecordStatus.RETRIEVED),
            record(2, 0, **mine),
            record(2, 1, **mine),
            record(2, 2, status=RecordStatus.CHAIN_READY),
            record(3, record_type=CAMPAIGN_CALLBACK, due_at_s=NOON_S),
            record(3, 1, status=RecordStatus.RETRIEVED),
            record(4, record_type=CAMPAIGN_CALLBACK, due_at_s=NOON_S),
        )
        passed = frozenset({(LIST, 2), (LIST, 4), (11, 2)})
        assert await claimed(store, callback_claim(passed_over=passed)) == []
        assert await order_of(store, passed_over=frozenset({(11, 2)})) == [(LIST, 2), (LIST, 4)]
        assert {one.status for one in await ask(store, "chain", CENTRE, LIST, 2)} == {RecordStatus.RETRIEVED}

    storage.run(check)


def test_no_lists_no_callback(storage: Storage) -> None:
    """A campaign whose lists are all switched off has nothing to hand out."""

    async def check(store: Store) -> None:
        await add(store, record(2, record_type=PERSONAL, agent_id=AGENT))
        assert await ask(store, "claim_callback", callback_claim([])) == Claimed()

    storage.run(check)


def test_filters_of_lists(storage: Storage) -> None:
    """Each list's filter holds its own callbacks back, personal ones too."""

    async def check(store: Store) -> None:
        callback: dict[str, Any] = {"record_type": CAMPAIGN_CALLBACK, "due_at_s": NOON_S}
        mine: dict[str, Any] = {"record_type": PERSONAL, "agent_id": AGENT, "due_at_s": NOON_S}
        await add(
            store,
            *(record(n, attempts=n, **callback) for n in (1, 2)),
            *(record(n, attempts=n, list_id=11, **callback) for n in (1, 2)),
            *(record(n, attempts=n, **mine) for n in (3, 4)),
        )
        wanted = callback_claim((LIST, 11))
        first, second = wanted.lists
        condition = parse_filter("attempts IN (2, 4) AND time_zone = 'UTC'", "", None).condition
        wanted = msgspec.structs.replace(wanted, lists=(msgspec.structs.replace(first, condition=condition), second))
        found: list[tuple[int, int]] = []
        while chains := (await ask(store, "claim_callback", wanted)).chains:
            found += [key[1:] for key in chains]
        assert found == [(LIST, 4), (LIST, 2), (11, 1), (11, 2)]

    storage.run(check)
