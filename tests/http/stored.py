"""What lies in the database of a running server, read and changed beside it as a tool would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.http.desks import Demo
from trunkline.adapters.storage import make_store
from trunkline.app.demo import CENTRE_ID, LIST_ID
from trunkline.app.ports import Changes, DeskKey, Unit
from trunkline.domain.desk import Share, shared
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
