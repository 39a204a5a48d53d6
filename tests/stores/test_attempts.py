"""The attempt log: what is appended comes back, by number, person, chain and portion."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.stores.storage import AGENT, CAMPAIGN, CENTRE, LIST, Storage, ask, attempt, record, save
from trunkline.app.ports import AttemptQuery, Changes, Store
from trunkline.domain.attempts import MAX_PAST_ATTEMPTS, AttemptRow, AttemptStep, StoredAttempt
from trunkline.domain.enums import CallResult

APRIL_MS, MAY_MS = 1_775_001_600_000, 1_777_593_600_000
"""The first moments of two months of 2026, UTC."""
DAY_MS = 86_400_000


async def rows_of(url: str, sql: str) -> list[str]:
    """The first column of what PostgreSQL answers, as text."""
    connection = await asyncpg.connect(url)
    try:
        return [str(row[0]) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def log(store: Store, **conditions: Any) -> list[StoredAttempt]:
    """The log of the contact centre."""
    return await store.attempts(AttemptQuery(contact_centre_id=CENTRE, **conditions))


def test_rows_come_back_whole(storage: Storage) -> None:
    """Every column is kept, in the order in which rows were appended; numbers grow."""

    async def check(store: Store) -> None:
        full = attempt(
            2000,
            record(3, 1, customer_id="c1", region="US-TX", other_zones=("America/Denver",)),
            step=AttemptStep.BLOCKED,
            campaign_id=CAMPAIGN,
            campaign_group_id=3,
            agent_id=AGENT,
            call_result=CallResult.BUSY,
            rule_set_id=2,
            rule_set_version=5,
            is_lead=True,
            detail={"rule": "window", "n": 3, "ratio": 0.5, "is_final": True, "none": None},
        )
        rows = [attempt(1000), full, attempt(500)]
        await save(store, attempts=rows[:2])
        await save(store, attempts=rows[2:])
        found = await log(store)
        assert [one.row for one in found] == rows
        assert [one.seq for one in found] == sorted({one.seq for one in found})

    storage.run(check)


def test_a_failed_unit_leaves_no_rows(storage: Storage) -> None:
    """Rows are written with the unit or not at all."""

    async def check(store: Store) -> None:
        try:
            async with store.begin() as unit:
                await unit.save(Changes(attempts=[attempt()]))
                raise ZeroDivisionError  # noqa: TRY301 - it must be raised inside the unit
        except ZeroDivisionError:
            pass
        assert await log(store) == []
        await save(store, attempts=[attempt(7)])
        assert [one.row.at_ms for one in await log(store)] == [7]

    storage.run(check)


def test_portions_of_the_log(storage: Storage) -> None:
    """A reader that goes on behind the last number it saw meets every row of its contact centre once."""

    async def check(store: Store) -> None:
        rows = [attempt(1000 + n, step=AttemptStep(n % 3)) for n in range(10)]
        await save(store, attempts=rows)
        await save(store, attempts=[attempt(1, contact_centre_id=2)])
        met: list[AttemptRow] = []
        seq = 0
        while portion := await log(store, after_seq=seq, limit=4):
            assert len(portion) <= 4
            met += [one.row for one in portion]
            seq = portion[-1].seq
        assert met == rows
        assert [one.row for one in await log(store, since_ms=1002, until_ms=1005)] == rows[2:5]
        ended = [row for row in rows if row.step is AttemptStep.ENDED]
        assert [one.row for one in await log(store, steps=(AttemptStep.ENDED, AttemptStep.RELEASED))] == ended

    storage.run(check)


def test_the_end_of_the_log(storage: Storage) -> None:
    """Who serves all contact centres reads the rows of all, from the newest that there was on."""

    async def check(store: Store) -> None:
        assert await store.newest_attempt() == 0
        await save(store, attempts=[attempt(7)])
        newest = await store.newest_attempt()
        assert [one.seq for one in await log(store)] == [newest]
        await save(store, attempts=[attempt(8), attempt(9, contact_centre_id=2)])
        found = await store.attempts(AttemptQuery(contact_centre_id=None, after_seq=newest))
        assert [(one.row.contact_centre_id, one.row.at_ms) for one in found] == [(CENTRE, 8), (2, 9)]
        assert found[-1].seq == await store.newest_attempt()

    storage.run(check)


def test_attempts_of_numbers_and_persons(storage: Storage) -> None:
    """Rows of any of the numbers or persons come once each, without what attempt rules do not count."""

    async def check(store: Store) -> None:
        home, mobile = record(1, 0, customer_id="c1"), record(1, 1, phone_number="+1999", customer_id="c1")
        rows = [
            attempt(100, home, step=AttemptStep.PERMITTED, campaign_id=CAMPAIGN),
            attempt(110, home, call_result=CallResult.ANSWER),
            attempt(120, mobile),
            attempt(130, mobile, step=AttemptStep.TREATED),
            attempt(140, record(2)),
            attempt(90, home, contact_centre_id=2),
        ]
        await save(store, attempts=rows)

        async def moments(numbers: list[str], persons: list[str], since_ms: int = 0) -> list[int]:
            return [past.at_ms for past in await ask(store, "attempts_of", CENTRE, numbers, persons, since_ms)]

        assert await moments([], []) == []
        assert await moments([rows[0].number_key], []) == [100, 110]
        assert await moments([rows[0].number_key], ["cc1"]) == [100, 110, 120]
        assert await moments([], ["cc1", "#2"]) == [100, 110, 120, 140]
        assert await moments([], ["cc1"], 110) == [110, 120]
        first, second = await ask(store, "attempts_of", CENTRE, [rows[0].number_key], [], 0)
        assert (first.step, first.campaign_id) == (AttemptStep.PERMITTED, CAMPAIGN)
        assert (second.call_result, second.person_key, second.attempt_guid) == (CallResult.ANSWER, "cc1", "a1")

    storage.run(check)


def test_the_newest_attempts_of_a_number_are_read(storage: Storage) -> None:
    """A number with more rows than rules need yields the newest ones."""

    async def check(store: Store) -> None:
        await save(store, attempts=[attempt(at_ms) for at_ms in range(MAX_PAST_ATTEMPTS + 20)])
        found = await ask(store, "attempts_of", CENTRE, [attempt().number_key], [], 0)
        assert [past.at_ms for past in found] == list(range(20, MAX_PAST_ATTEMPTS + 20))

    storage.run(check)


def test_attempts_of_a_chain(storage: Storage) -> None:
    """The newest rows of a chain come first, whichever of its numbers they are about."""

    async def check(store: Store) -> None:
        rows = [
            attempt(100, record(1, 0)),
            attempt(300, record(1, 1)),
            attempt(200, record(1, 0)),
            attempt(250, record(2)),
        ]
        await save(store, attempts=rows)
        chain = (CENTRE, LIST, 1)
        assert [one.row.at_ms for one in await ask(store, "attempts_of_chain", *chain, 10)] == [300, 200, 100]
        assert [one.row.at_ms for one in await ask(store, "attempts_of_chain", *chain, 2)] == [300, 200]
        assert await ask(store, "attempts_of_chain", 2, LIST, 1, 10) == []

    storage.run(check)


def test_old_attempts_go(storage: Storage) -> None:
    """Rows of months that are over as a whole go, newer ones stay, and no number comes twice."""

    async def check(store: Store) -> None:
        rows = [attempt(APRIL_MS + n * 1000) for n in range(5)]
        await save(store, attempts=rows)
        first = (await log(store))[0].seq
        assert await store.make_attempt_parts(APRIL_MS) >= 0
        assert [one.row for one in await log(store)] == rows
        gone = 0
        while portion := await store.drop_attempts(MAY_MS, 3):
            gone += portion
        assert gone == len(rows)
        assert await log(store) == []
        await save(store, attempts=[attempt(MAY_MS)])
        assert await store.drop_attempts(MAY_MS, 3) == 0
        (left,) = await log(store)
        assert (left.row.at_ms, left.seq > first + 4) == (MAY_MS, True)

    storage.run(check)


@pytest.mark.parametrize("durable_storage", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_parts_of_the_log(durable_storage: Storage) -> None:
    """Parts are made ahead once; rows that came before their part are moved into it; only whole months are dropped."""

    async def check(store: Store) -> None:
        early = [attempt(APRIL_MS + 5), attempt(MAY_MS - 1), attempt(MAY_MS), attempt(MAY_MS + 400 * DAY_MS)]
        await save(store, attempts=early)
        assert await store.make_attempt_parts(APRIL_MS) == 4
        assert await store.make_attempt_parts(APRIL_MS) == 0
        assert await store.make_attempt_parts(MAY_MS) == 1
        await save(store, attempts=[attempt(MAY_MS + 7)])
        names = await rows_of(durable_storage.url, "SELECT tableoid::regclass::text FROM attempt_log ORDER BY seq")
        assert names == [f"attempt_log_{month}" for month in ("2026_04", "2026_04", "2026_05", "2027_06", "2026_05")]
        number = attempt().number_key
        assert len(await ask(store, "attempts_of", CENTRE, [number], [], MAY_MS)) == 3
        assert await store.drop_attempts(MAY_MS - 1, 1) == 0
        assert await store.drop_attempts(MAY_MS, 1) == 2
        assert [one.row.at_ms for one in await log(store)] == [MAY_MS, MAY_MS + 400 * DAY_MS, MAY_MS + 7]
        plan = await rows_of(
            durable_storage.url,
            f"EXPLAIN SELECT seq FROM attempt_log WHERE number_key = 'x' AND "
            f"contact_centre_id = 1 AND at_ms >= {MAY_MS} AND at_ms < {MAY_MS + 1}",
        )
        assert not [line for line in plan if "2027_06" in line], plan

    durable_storage.run(check)
