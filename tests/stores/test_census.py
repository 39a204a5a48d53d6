"""The census of a list and its sample: every store answers as the reference does."""

from __future__ import annotations

import random
from typing import Any

from tests.stores.storage import CENTRE, LIST, NOON_S, Storage, add, record
from trunkline.adapters.storage import memory_census
from trunkline.app.explain.census import CensusGroup, CensusQuery, equal_parts
from trunkline.app.ports import Store
from trunkline.domain.enums import Hold, PhoneType, RecordStatus, RecordType
from trunkline.domain.filter_parsing import parse_filter
from trunkline.domain.records import Record

ZONES: list[dict[str, Any]] = [
    {"time_zone": "America/New_York", "region": "US-NY"},
    {"time_zone": "America/Chicago", "region": "US-TX", "other_zones": ("America/Denver",)},
    {"time_zone": "Europe/Paris", "from_s": 36_000, "until_s": 46_800},
]
CONDITION = parse_filter("attempts < 3 AND \"state\" = 'TX'", "").condition


def some_records(seed: int, count: int, **fixed: Any) -> list[Record]:
    """Records of all kinds in a list with gaps."""
    chance = random.Random(seed)
    return [
        record(
            chain_id=number * 3 + chance.randrange(3) + 1,
            **{
                **chance.choice(ZONES),
                "status": chance.choice(list(RecordStatus)),
                "record_type": chance.choice(list(RecordType)),
                "phone_type": chance.choice([PhoneType.MOBILE, PhoneType.EMAIL_ADDRESS, PhoneType.HOME_PHONE]),
                "hold": chance.choice(list(Hold)),
                "attempts": chance.randrange(6),
                "due_at_s": chance.choice(
                    [None, None, NOON_S - 5, NOON_S + chance.randrange(30 * 3600), NOON_S + 3600]
                ),
                "other_fields": chance.choice([{}, {"state": "TX"}, {"state": "RI"}]),
                **fixed,
            },
        )
        for number in range(count)
    ]


def ordered(groups: list[CensusGroup]) -> list[str]:
    """Groups in an order of their own."""
    return sorted(map(repr, groups))


def test_a_census_counts_what_the_rules_tell_apart(storage: Storage) -> None:
    """Every record is counted once, in the group that the reference says, with a filter and without, list by list."""
    records = some_records(1, 200)
    others = [*some_records(2, 10, list_id=LIST + 1), *some_records(3, 10, contact_centre_id=CENTRE + 1)]

    async def check(store: Store) -> None:
        await add(store, *records, *others)
        for condition in (None, CONDITION):
            query = CensusQuery(
                contact_centre_id=CENTRE, list_id=LIST, now_s=NOON_S, max_attempts=3, condition=condition
            )
            found = await store.census(query)
            assert ordered(found) == ordered(memory_census.census(records, query))
            assert sum(group.records for group in found) == 200
        empty = CensusQuery(contact_centre_id=CENTRE, list_id=99, now_s=NOON_S, max_attempts=3)
        assert await store.census(empty) == []

    storage.run(check)


def test_a_sample_is_spread_over_the_list(storage: Storage) -> None:
    """Of each part of the list the first record that waits to be called; more parts than chains give every chain."""
    records = some_records(4, 120)
    others = some_records(5, 10, contact_centre_id=CENTRE + 1)

    async def check(store: Store) -> None:
        await add(store, *records, *others)
        for size in (1, 7, 40, 5000):
            found = await store.sample(CENTRE, LIST, size)
            assert found == memory_census.sample(records, CENTRE, LIST, size)
            assert len(found) <= size
            assert all(one.status is RecordStatus.READY and one.phone_type.is_dialable for one in found)
        assert await store.sample(CENTRE, 99, 10) == []

    storage.run(check)


def test_equal_parts() -> None:
    """Parts touch, cover everything, and are never more than there are numbers."""
    assert equal_parts(5, 5, 10) == [(5, 6)]
    assert equal_parts(1, 10, 3) == [(1, 4), (4, 7), (7, 11)]
    assert equal_parts(1, 3, 10) == [(1, 2), (2, 3), (3, 4)]


def test_records_by_their_id(storage: Storage) -> None:
    """The record of that id in the lists that are asked about, and in no other."""
    records = some_records(6, 20)
    others = [record(1, record_id=7, list_id=LIST + 1), record(1, record_id=7, contact_centre_id=CENTRE + 1)]

    async def check(store: Store) -> None:
        await add(store, *records, *others)
        for one in records[:3]:
            assert await store.records_by_id(CENTRE, [LIST, LIST + 1], one.record_id) == [one]
        assert await store.records_by_id(CENTRE, [LIST], 7) == []
        assert await store.records_by_id(CENTRE, [LIST, LIST + 1], 7) == [others[0]]
        assert await store.records_by_id(CENTRE, [], 7) == []

    storage.run(check)
