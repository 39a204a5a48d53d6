"""A database that falls silent during a commit: nobody knows whether it was done, and nothing may be done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.app.harness import APPLICATION, CENTRE, LIST_ID, House, agent, record
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.asking import Asked
from trunkline.app.ports import StoredRow, Unit
from trunkline.domain import commands
from trunkline.domain.enums import DoNotCallKind, Door, RequestType
from trunkline.errors import Unavailable

ANN = agent(1)


class SilentStore(MemoryStore):
    """A store that commits the next transactions, as many as told, and then seems to be gone."""

    silences = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """Commit, and say nothing of it."""
        async with super().begin() as unit:
            yield unit
        if self.silences:
            self.silences -= 1
            raise Unavailable("the database did not say whether it stored the requests")


def added(number: str, key: int | None) -> Asked:
    """A request to add a record, which done twice would leave two."""
    command = commands.AddRecord(
        application_id=APPLICATION,
        campaign_name="Campaign",
        device_id="d1",
        list_name="List",
        phone_number=number,
        time_zone="UTC",
    )
    reference = None if key is None else "r"
    return Asked(
        caller=ANN,
        command=command,
        request_type=RequestType.ADD_RECORD,
        door=Door.REST,
        reference=reference,
        request_key=key,
    )


async def copies(house: House, number: str) -> int:
    """How many records have a number."""
    async with house.store.begin() as unit:
        return len(await unit.records_of_contact(CENTRE, [LIST_ID], DoNotCallKind.NUMBER, number, 10))


@pytest.mark.parametrize("is_prepared", [True, False])
def test_what_was_perhaps_done_is_not_tried_again(*, is_prepared: bool) -> None:
    """All of the batch are told to come back; who does, with a reference, is recognised; nobody is done twice."""

    async def run() -> None:
        store = SilentStore()
        house = await House(store=store).open([record(1)])
        if is_prepared:
            await house.writer.prepare()
        numbers = ["+12125550101", "+12125550102", "+12125550103"]
        asked = [added(numbers[0], 71), added(numbers[1], 72), added(numbers[2], None)]
        store.silences = 1
        outcomes = await asyncio.gather(*map(house.writer.submit, asked), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
        assert [await copies(house, number) for number in numbers] == [1, 1, 1]
        again = await asyncio.gather(*map(house.writer.submit, asked[:2]))
        assert all(isinstance(outcome, StoredRow) for outcome in again)
        assert [await copies(house, number) for number in numbers] == [1, 1, 1]
        await house.close()

    asyncio.run(run())
