"""What campaign groups ask of a store: workers, buffers, counts, turns of schedules."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.stores.storage import AGENT, CAMPAIGN, CENTRE, LIST, NOON_S, Storage, add, record, save
from trunkline.adapters.storage.sqlite import SqliteStore
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.ports import AgentSession, DeskKey, PreviewSession, Store
from trunkline.app.stored import SCHEDULE_RUNS_KEPT_S, ScheduleRun
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import GroupState
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, DialMode, GroupStatus, OptimizeBy, RecordStatus, RecordType
from trunkline.domain.statistics import RecordCounts
from trunkline.errors import Defect, Unavailable

GROUP = 300


def entry(handle: int, user_id: int, campaign_id: int = CAMPAIGN, centre: int = CENTRE) -> DeskEntry:
    """Something on a desk."""
    return DeskEntry(
        contact_centre_id=centre,
        handle=handle,
        list_id=LIST,
        chain_id=handle,
        chain_n=0,
        user_id=user_id,
        device_id="d",
        campaign_id=campaign_id,
        attempt_guid="g",
        lease_until_ms=None,
    )


def test_who_works(storage: Storage) -> None:
    """Agents with records and in preview sessions of one campaign, and all who are logged in; nobody else's."""

    async def check(store: Store) -> None:
        entries = [entry(1, 7), entry(2, 7), entry(3, 8), entry(4, 9, campaign_id=101), entry(5, 7, centre=2)]
        sessions = [(CENTRE, 8, CAMPAIGN), (CENTRE, 7, CAMPAIGN), (CENTRE, 7, 101), (2, 9, CAMPAIGN)]
        people = [(CENTRE, 7), (CENTRE, 3), (2, 9)]
        await save(
            store,
            desk={DeskKey(e.contact_centre_id, e.handle): e for e in entries},
            preview_sessions={PreviewSession(*session): True for session in sessions},
            agent_sessions={
                key: AgentSession(
                    contact_centre_id=key[0], user_id=key[1], device_id="d", state_name="Ready", started_at_ms=1
                )
                for key in people
            },
        )
        async with store.begin() as unit:
            for asked in (unit, store):
                assert await asked.desk_users(CENTRE, CAMPAIGN) == {7: 2, 8: 1}
                assert await asked.preview_users(CENTRE, CAMPAIGN) == [7, 8]
                assert await asked.desk_users(CENTRE, 999) == {}
                assert await asked.preview_users(CENTRE, 999) == []
        assert await store.logged_in(CENTRE) == [3, 7]
        assert await store.logged_in(3) == []

    storage.run(check)


def test_records_are_counted(storage: Storage) -> None:
    """By status, callbacks that wait, chains, and chains that may still be called."""

    async def check(store: Store) -> None:
        assert await store.record_counts(CENTRE, LIST, 3) == RecordCounts()
        await add(
            store,
            record(1, 0),
            record(1, 1, status=RecordStatus.UPDATED),
            record(2, 0, attempts=3),
            record(3, 0, status=RecordStatus.CANCELLED),
            record(4, 0, record_type=RecordType.CAMPAIGN_CALL_BACK, due_at_s=NOON_S),
            record(5, 0, record_type=RecordType.PERSONAL_CALL_BACK, status=RecordStatus.UPDATED),
            record(6, 0, status=RecordStatus.CHAIN_READY, record_type=RecordType.CAMPAIGN_RESCHEDULED),
            record(7, 0, status=RecordStatus.RETRIEVED, attempts=2),
            record(1, 0, list_id=11),
        )
        counts = await store.record_counts(CENTRE, LIST, 3)
        assert counts == RecordCounts(by_status={1: 3, 2: 1, 3: 2, 5: 1, 9: 1}, callbacks=1, chains=7, open_chains=4)

    storage.run(check)


def attempt(chain_id: int, step: AttemptStep, at_ms: int, result: CallResult, **values: Any) -> AttemptRow:
    """A row of the group's log."""
    kind = values.pop("record_type", RecordType.GENERAL)
    of = record(chain_id, call_result=result, record_type=kind, list_id=values.pop("list_id", LIST))
    return attempt_row(of, step, at_ms, "g", **{"campaign_group_id": GROUP, "campaign_id": CAMPAIGN, **values})


def test_attempts_are_counted_from_where_one_stopped(storage: Storage) -> None:
    """Alike rows together, since a time, behind a number; finished chains once; other groups' rows are not there."""

    async def check(store: Store) -> None:
        await add(store, record(1, status=RecordStatus.UPDATED), record(2), record(3, status=RecordStatus.CANCELLED))
        ended, permitted = AttemptStep.ENDED, AttemptStep.PERMITTED
        await save(
            store,
            attempts=[
                attempt(1, ended, 5, CallResult.BUSY),
                attempt(1, permitted, 10, CallResult.UNKNOWN),
                attempt(1, ended, 11, CallResult.ANSWER, record_type=RecordType.CAMPAIGN_CALL_BACK, is_lead=True),
                attempt(2, ended, 12, CallResult.BUSY),
                attempt(3, ended, 13, CallResult.BUSY, is_lead=True),
                attempt(3, ended, 13, CallResult.BUSY, list_id=11),
                attempt(4, ended, 13, CallResult.BUSY, campaign_group_id=301),
            ],
        )
        found = await store.attempt_counts(CENTRE, GROUP, 10, 0)
        seen = [(c.list_id, c.step, c.call_result, c.is_callback, c.rows, c.leads, c.newest_at_ms) for c in found]
        assert sorted(seen) == [
            (LIST, permitted, CallResult.UNKNOWN, False, 1, 0, 10),
            (LIST, ended, CallResult.BUSY, False, 2, 1, 13),
            (LIST, ended, CallResult.ANSWER, True, 1, 1, 11),
            (11, ended, CallResult.BUSY, False, 1, 0, 13),
        ]
        before = await store.attempt_counts(CENTRE, GROUP, 10, 0, 12)
        assert [(c.step, c.rows, c.leads) for c in before] == [(permitted, 1, 0), (ended, 1, 1)]
        newest = max(count.newest_seq for count in found)
        assert (await store.attempt_counts(CENTRE, GROUP, 10, newest)) == []
        await save(store, attempts=[attempt(2, AttemptStep.CALLBACK_MISSED, 14, CallResult.AGENT_CALL_BACK_ERROR)])
        again = await store.attempt_counts(CENTRE, GROUP, 10, newest)
        assert [(c.step, c.rows) for c in again] == [(AttemptStep.CALLBACK_MISSED, 1)]
        assert (await store.attempt_counts(2, GROUP, 0, 0)) == []

    storage.run(check)


def test_turns_of_schedules_are_had_once(storage: Storage) -> None:
    """The first outcome of a turn stays; others of the contact centre, since a time, in their order."""

    async def check(store: Store) -> None:
        def turn(item_n: int, due_at_s: int, outcome: str = "done", centre: int = CENTRE) -> ScheduleRun:
            return ScheduleRun(
                contact_centre_id=centre,
                schedule_id=4,
                item_n=item_n,
                due_at_s=due_at_s,
                done_at_ms=1,
                outcome=outcome,
            )

        await save(store, schedule_runs=[turn(1, 200), turn(0, 200), turn(0, 100), turn(0, 200, centre=2)])
        await save(store, schedule_runs=[turn(0, 200, "again"), turn(2, 300)])
        assert await store.schedule_runs(CENTRE, 150) == [turn(0, 200), turn(1, 200), turn(2, 300)]
        await save(store, schedule_runs=[turn(0, 250 + SCHEDULE_RUNS_KEPT_S)])
        left = [turn(2, 300), turn(0, 250 + SCHEDULE_RUNS_KEPT_S)]
        assert await store.schedule_runs(CENTRE, 0) == left
        assert len(await store.schedule_runs(2, 0)) == 1

    storage.run(check)


def test_a_state_comes_back_whole(storage: Storage) -> None:
    """Everything of a group's state is kept, and the directory says that something changed."""

    async def check(store: Store) -> None:
        state = GroupState(
            contact_centre_id=CENTRE,
            campaign_group_id=GROUP,
            status=GroupStatus.RUNNING,
            dial_mode=DialMode.POWER,
            optimize_by=OptimizeBy.WAIT_TIME,
            optimize_goal=30,
            changed_at_ms=2**40,
            schedule_id=9,
            is_completing=True,
            loaded_at_ms=2**40 - 1,
        )
        before = await store.directory_version()
        await save(store, group_states={state.key: state})
        directory = await store.directory()
        assert directory.group_states == (state,)
        assert directory.version > before

    storage.run(check)


def test_a_count_does_not_hold_up_the_end(sqlite_url: str) -> None:
    """Closing the store breaks off what is being counted, however long that would take."""

    async def check() -> None:
        store = SqliteStore(sqlite_url)
        await store.open()
        begun = threading.Event()

        def endless(statements: Statements) -> None:
            statements.connection.create_function("begun", 0, begun.set)
            statements.connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT begun() UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n"
            ).fetchone()

        counting = asyncio.ensure_future(store._count(endless))
        await asyncio.to_thread(begun.wait)
        await asyncio.wait_for(store.close(), 20)
        with pytest.raises((Unavailable, Defect)):
            await counting

    asyncio.run(check())


def test_counting_waits_for_no_unit(storage: Storage) -> None:
    """A list is counted while a transaction runs, and sees what was committed before it."""

    async def check(store: Store) -> None:
        await add(store, record(AGENT))
        async with store.begin() as unit:
            await unit.take_numbers(handles=1)
            counts = await asyncio.wait_for(store.record_counts(CENTRE, LIST, 10), 20)
            assert counts.chains == 1

    storage.run(check)
