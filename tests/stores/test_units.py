"""Transactions: all or nothing, one after the other, whatever happens to the one who asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from tests.stores.storage import (
    AGENT,
    CAMPAIGN,
    CENTRE,
    LIST,
    NOON_S,
    Storage,
    acknowledged,
    add,
    ask,
    attempt,
    by_key,
    claim,
    claimed,
    cursor,
    entry,
    hits,
    key,
    on_desk,
    record,
    row,
    rows_of,
    save,
    suppression,
)
from tests.support.paths import ROOT
from tests.support.processes import Program
from trunkline.app.ports import (
    AgentSession,
    AuditQuery,
    Changes,
    Conflict,
    Held,
    ImportProgress,
    ImportState,
    PreviewSession,
    Store,
    Unit,
)
from trunkline.domain.enums import DoNotCallKind
from trunkline.errors import Defect, TrunklineError, Unavailable


def everything() -> Changes:
    """A change of each kind on top of ``record(1)``."""
    progress = ImportProgress(contact_centre_id=CENTRE, list_id=LIST, import_id="i", state=ImportState.RUNNING)
    session = AgentSession(contact_centre_id=CENTRE, user_id=AGENT, device_id="d", state_name="Ready", started_at_ms=1)
    return Changes(
        records=by_key(record(1, attempts=1, version=2)),
        new_records=[record(2, time_zone="Europe/Paris")],
        desk=on_desk(entry(1)),
        off_desk={key(2)},
        suppressions=[suppression("+1001")],
        attempts=[attempt()],
        preview_sessions={PreviewSession(CENTRE, AGENT, CAMPAIGN): True},
        agent_sessions={(CENTRE, AGENT): session},
        cursors={cursor(): 5},
        imports=[progress],
        journal=[row(events=(acknowledged(),), request_key=1)],
    )


async def traces(store: Store) -> list[bool]:
    """For each kind of change, whether ``everything`` left one."""
    async with store.begin() as unit:
        chain = await unit.chain(CENTRE, LIST, 1)
        found = [
            bool(chain) and chain[0].attempts == 1,
            bool(await unit.chain(CENTRE, LIST, 2)),
            bool(await unit.entries_of_chain(CENTRE, LIST, 1)),
            bool(await unit.suppressed(CENTRE, None, [], NOON_S, [(DoNotCallKind.NUMBER, "1001")])),
            bool(await unit.attempts_of_chain(CENTRE, LIST, 1, 1)),
            await unit.has_preview_session(PreviewSession(CENTRE, AGENT, CAMPAIGN)),
            await unit.agent_session(CENTRE, AGENT) is not None,
            await unit.import_progress(CENTRE, LIST, "i") is not None,
            bool(await unit.repeats([1], 0)),
        ]
    found.append(bool(await store.cursors(CENTRE, AGENT)))
    found.append(bool(await store.newest(CENTRE, AGENT, None, 1)))
    return found


def test_a_unit_writes_everything(storage: Storage) -> None:
    """After the block all kinds of changes are there, also for a store opened later."""

    async def write(store: Store) -> None:
        await add(store, record(1))
        async with store.begin() as unit:
            assert len(await unit.save(everything())) == 1

    async def read(store: Store) -> None:
        assert all(await traces(store))

    storage.run(write)
    storage.run(read)


def test_a_block_that_fails_leaves_nothing(storage: Storage) -> None:
    """An error after saving takes back every kind of change, and the next unit works."""

    async def check(store: Store) -> None:
        await add(store, record(1))
        with pytest.raises(ZeroDivisionError):
            await _save_and_fail(store)
        assert not any(await traces(store))
        async with store.begin() as unit:
            await unit.save(everything())
        assert all(await traces(store))

    storage.run(check)


async def _save_and_fail(store: Store) -> None:
    async with store.begin() as unit:
        await unit.save(everything())
        raise ZeroDivisionError


def test_a_conflict_takes_everything_back(storage: Storage) -> None:
    """One stale record is enough: nothing else of the batch is stored either."""

    async def check(store: Store) -> None:
        await add(store, record(1), record(3, version=7))
        stale = everything()
        stale.records |= by_key(record(3, version=7))
        with pytest.raises(Conflict):  # noqa: PT012 - it comes from the end of the block
            async with store.begin() as unit:
                await unit.chain(CENTRE, LIST, 3)
                await unit.save(stale)
        assert not any(await traces(store))

    storage.run(check)


def test_a_unit_that_reads_only(storage: Storage) -> None:
    """A unit needs no save, and one without any question is nothing."""

    async def check(store: Store) -> None:
        async with store.begin():
            pass
        assert await ask(store, "chain", CENTRE, LIST, 1) == []
        await add(store, record(1))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [record(1)]

    storage.run(check)


def test_a_unit_saves_once_and_ends(storage: Storage) -> None:
    """A second save, and any use after the block, are defects of the program."""

    async def check(store: Store) -> None:
        with pytest.raises(Defect):  # noqa: PT012 - it comes from the end of the block
            async with store.begin() as unit:
                await unit.save(Changes(journal=[row()]))
                await unit.save(Changes(journal=[row()]))
        async with store.begin() as unit:
            pass
        with pytest.raises(Defect):
            await unit.chain(CENTRE, LIST, 1)
        assert await store.audit(AuditQuery(contact_centre_id=CENTRE)) == []

    storage.run(check)


def test_reads_outside_see_what_is_committed(storage: Storage) -> None:
    """While a unit holds saved changes, the store's own reads answer at once and see nothing of them."""

    async def check(store: Store) -> None:
        async with store.begin() as unit:
            await unit.save(everything_new())
            assert await store.held([key(1)]) == await store.desk_of(CENTRE, AGENT) == []
            assert await store.agent_session(CENTRE, AGENT) is None
            assert await store.newest(CENTRE, AGENT, None, 10) == []
            assert await store.cursors(CENTRE, AGENT) == {}
            assert await store.audit(AuditQuery(contact_centre_id=CENTRE)) == []
        assert await store.held([key(1)]) == await store.desk_of(CENTRE, AGENT) == [Held(entry(1), record(1))]
        assert await store.agent_session(CENTRE, AGENT) is not None
        assert len(await store.newest(CENTRE, AGENT, None, 10)) == 1
        assert await store.cursors(CENTRE, AGENT) == {"/me/internal": 5}

    storage.run(check)


def test_reads_outside_see_every_commit(storage: Storage) -> None:
    """A read that begins after a unit sees it, also while the next unit runs, and also a window never met before."""

    async def check(store: Store) -> None:
        await save(store, new_records=[record(1)], desk=on_desk(entry(1)))
        for version in range(2, 40, 2):
            stored = record(1, until_s=1000 + version, version=version)
            await save(store, records=by_key(stored))
            async with store.begin() as unit:
                await unit.save(Changes(records=by_key(record(1, until_s=5, version=version + 1))))
                assert await store.desk_of(CENTRE, AGENT) == await store.held([key(1)]) == [Held(entry(1), stored)]

    storage.run(check)


def test_reads_outside_meet_what_another_program_wrote(durable_storage: Storage) -> None:
    """A window that another program added is no stranger to a store's own reads."""

    async def check(store: Store) -> None:
        async with durable_storage.opened() as other:
            new = record(1, time_zone="Europe/Paris", from_s=7)
            await save(other, new_records=[new], desk=on_desk(entry(1)))
            assert await store.desk_of(CENTRE, AGENT) == [Held(entry(1), new)]

    durable_storage.run(check)


def everything_new() -> Changes:
    """The same without a record that must exist before."""
    changes = everything()
    changes.records = {}
    changes.new_records.append(record(1))
    return changes


def test_units_at_once_lose_nothing(storage: Storage) -> None:
    """Many tasks that read, add one and save: each either wins or is told to try again, and the sum is right."""

    async def check(store: Store) -> None:
        await add(store, record(1))

        async def count() -> None:
            while True:
                try:
                    async with store.begin() as unit:
                        (old,) = await unit.chain(CENTRE, LIST, 1)
                        await asyncio.sleep(0)
                        new = record(1, attempts=old.attempts + 1, version=old.version + 1)
                        await unit.save(Changes(records=by_key(new), journal=[row(old.attempts)]))
                except Conflict:
                    continue
                return

        await asyncio.gather(*(count() for _ in range(20)))
        assert await ask(store, "chain", CENTRE, LIST, 1) == [record(1, attempts=20, version=21)]
        audited = rows_of(await store.audit(AuditQuery(contact_centre_id=CENTRE)))
        assert [one.at_ms for one in audited] == list(range(19, -1, -1))

    storage.run(check)


def test_two_programs_lose_nothing(durable_storage: Storage) -> None:
    """The same from two stores on one database."""

    async def check(store: Store) -> None:
        async with durable_storage.opened() as other:
            await add(store, record(1))

            async def count(one: Store) -> None:
                while True:
                    try:
                        async with one.begin() as unit:
                            (old,) = await unit.chain(CENTRE, LIST, 1)
                            new = record(1, attempts=old.attempts + 1, version=old.version + 1)
                            await unit.save(Changes(records=by_key(new)))
                    except Conflict:
                        continue
                    return

            await asyncio.gather(*(count(one) for one in (store, other) for _ in range(5)))
            for one in (store, other):
                assert await ask(one, "chain", CENTRE, LIST, 1) == [record(1, attempts=10, version=11)]

    durable_storage.run(check)


@pytest.mark.parametrize(
    "step",
    [
        lambda unit: unit.chain(CENTRE, LIST, 1),
        lambda unit: unit.take_numbers(handles=1),
        lambda unit: unit.save(everything_new()),
    ],
    ids=["read", "numbers", "save"],
)
def test_a_cancelled_task_leaves_nothing(storage: Storage, step: Callable[[Unit], asyncio.Future[object]]) -> None:
    """A task cancelled in the middle of a unit, wherever it is, leaves no transaction open and nothing written."""

    async def check(store: Store) -> None:
        async def work(reached: asyncio.Event) -> None:
            async with store.begin() as unit:
                await step(unit)
                reached.set()
                await asyncio.Event().wait()

        for wait_for_step in (True, False):
            reached = asyncio.Event()
            task = asyncio.get_running_loop().create_task(work(reached))
            if wait_for_step:
                await reached.wait()
            else:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not any(await traces(store))
        await add(store, record(1))
        assert await claimed(store, claim()) == [1]

    storage.run(check)


def test_a_store_closed_under_a_unit(storage: Storage) -> None:
    """A unit that runs when its store is closed ends with an error and leaves nothing behind."""

    async def leave_in_flight(store: Store) -> None:
        await add(store, record(1))
        with pytest.raises(TrunklineError):  # noqa: PT012 - it comes from the end of the block
            async with store.begin() as unit:
                await unit.save(everything())
                await store.close()

    async def check(store: Store) -> None:
        assert not any(await traces(store))

    storage.run(leave_in_flight)
    storage.run(check)


def test_the_error_of_a_block_comes_out(storage: Storage) -> None:
    """What went wrong inside a unit is what its task learns, also when the store was closed under it."""

    async def work(store: Store, *, closes: bool) -> None:
        async with store.begin() as unit:
            await unit.save(everything_new())
            if closes:
                await store.close()
            raise ZeroDivisionError

    async def check(store: Store) -> None:
        for closes in (False, True):
            with pytest.raises(ZeroDivisionError):
                await work(store, closes=closes)

    storage.run(check)


def test_a_closed_store_refuses(storage: Storage) -> None:
    """Before opening and after closing every use is refused; closing twice is harmless; opening again works."""

    async def main() -> None:
        store = storage.make()
        for _ in range(2):
            for use in (store.directory_version(), store.users(1), ask(store, "chain", 1, 1, 1), store.prune(1, 1)):
                with pytest.raises(Unavailable):
                    await use
            await store.open()
            assert await store.users(1) == []
            assert await hits(store, ["+1"], campaign_id=None) == {}
            await store.close()
            await store.close()

    asyncio.run(main())


CRASH = """
import asyncio, os, sys
from trunkline.adapters.storage import make_store
from tests.stores.storage import add, record, save
from trunkline.app.ports import Changes

async def main() -> None:
    store = make_store(sys.argv[1])
    await store.open()
    await add(store, record(1))
    async with store.begin() as unit:
        await unit.save(Changes(new_records=[record(2)]))
        print("saved", flush=True)
        os._exit(9)

asyncio.run(main())
"""


def test_a_program_that_dies(durable_storage: Storage) -> None:
    """What was committed outlives a program that dies without a word; what was only saved does not."""
    program = Program([sys.executable, "-c", CRASH, durable_storage.url], directory=ROOT)
    program.wait_for_line("saved", timeout_s=60)
    assert program.process.wait(60) == 9
    program.end()

    async def check(store: Store) -> None:
        assert await ask(store, "chain", CENTRE, LIST, 1) == [record(1)]
        assert await ask(store, "chain", CENTRE, LIST, 2) == []
        await add(store, record(2))

    durable_storage.run(check)
