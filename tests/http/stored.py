"""What lies in the database of a running server, read and changed beside it as a tool would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.http.desks import Demo
from trunkline.adapters.storage import make_store
from trunkline.app.demo import CENTRE_ID, LIST_ID
from trunkline.app.ports import Changes, DeskKey, Provision, Unit
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.desk import Share, shared
from trunkline.domain.enums import DialMode, GroupStatus
from trunkline.domain.records import Record

T = TypeVar("T")


def _with_unit(demo: Demo, work: Callable[[Unit], Awaitable[T]]) -> T:
    async def run() -> T:
        store = make_store(demo.database_url)
        await store.open()
        try:
            async with store.begin() as unit:
                return await work(unit)
        finally:
            await store.close()

    return asyncio.run(run())


def chain(demo: Demo, chain_id: int) -> list[Record]:
    """The records of a chain of the demo's list, by place."""

    async def read(unit: Unit) -> list[Record]:
        return await unit.chain(CENTRE_ID, LIST_ID, chain_id)

    return _with_unit(demo, read)


def share(demo: Demo, handle: int, user_id: int, how: Share) -> None:
    """Let another agent join the call about a record, as telephony does."""

    async def write(unit: Unit) -> None:
        (held,) = await unit.held([DeskKey(CENTRE_ID, handle)])
        await unit.save(Changes(desk={DeskKey(CENTRE_ID, handle): shared(held.entry, user_id, how)}))

    _with_unit(demo, write)


def group_status(demo: Demo, group_id: int) -> GroupStatus:
    """Where a campaign group of the demo stands."""

    async def run() -> GroupStatus:
        store = make_store(demo.database_url)
        await store.open()
        try:
            states = (await store.directory()).group_states
        finally:
            await store.close()
        return next(state.status for state in states if state.key == (CENTRE_ID, group_id))

    return asyncio.run(run())


def provision_odd_names(demo: Demo) -> None:
    """Add a list that no campaign has, a campaign that is not loaded, and one whose name needs every escape."""
    common = {"contact_centre_id": CENTRE_ID, "application_id": 134, "dial_mode": DialMode.PREVIEW}
    group = {"lists": (), "agents": frozenset({2})}
    more = Provision(
        lists=[CallingList(contact_centre_id=CENTRE_ID, list_id=102, name="Other list")],
        campaigns=[
            Campaign(**common, **group, campaign_id=202, name="Käse & Co", status=GroupStatus.NOT_LOADED),  # type: ignore[arg-type]
            Campaign(**common, **group, campaign_id=203, name="1/2 über%", status=GroupStatus.RUNNING),  # type: ignore[arg-type]
        ],
    )

    provision(demo, more)


def provision(demo: Demo, more: Provision) -> None:
    """Write reference data; a running server sees them within a second."""

    async def run() -> None:
        store = make_store(demo.database_url)
        await store.open()
        try:
            await store.provision(more)
        finally:
            await store.close()

    asyncio.run(run())


def append(demo: Demo, attempts: list[AttemptRow]) -> None:
    """Append rows to the attempt log."""

    async def write(unit: Unit) -> None:
        await unit.save(Changes(attempts=attempts))

    _with_unit(demo, write)
