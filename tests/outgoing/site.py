"""A contact centre with a webhook, whose deliveries go to a real receiver."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from tests.app.harness import CAMPAIGN_ID, CENTRE, NOON_S, House, record
from tests.outgoing.receiver import Got
from trunkline.adapters.http_out import HttpOut
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite
from trunkline.app.webhooks.delivery import Postman, Settings, Webhooks
from trunkline.contract.notices import GroupFigures, ListFigures
from trunkline.domain.addresses import networks
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.enums import CallResult
from trunkline.domain.objects import ObjectKind
from trunkline.domain.webhooks import Notice, Webhook

SECRET = "0123456789abcdef"
WEBHOOK_ID = 7


class Site:
    """A contact centre with a webhook at a receiver."""

    def __init__(self, house: House, outgoing: HttpOut) -> None:
        """Nothing is delivered before ``begin``."""
        self.house = house
        self.outgoing = outgoing
        self.told: list[str] = []

    async def log(self, *guids: str, step: AttemptStep = AttemptStep.PERMITTED, **facts: Any) -> None:
        """Further rows of the attempt log, committed."""
        changes = {"campaign_id": CAMPAIGN_ID, "campaign_group_id": CAMPAIGN_ID, "agent_id": 1, **facts}
        one = record(1, call_result=CallResult.BUSY, customer_id="c1")
        rows = [attempt_row(one, step, NOON_S * 1000, guid, **changes) for guid in guids]
        async with self.house.store.begin() as unit:
            await unit.save(Changes(attempts=rows))

    async def save(self, url: str, *, version: int = 0, **changes: Any) -> None:
        """Write the webhook and read the reference data anew, as after an admin's change."""
        webhook = Webhook(
            **{
                "contact_centre_id": CENTRE,
                "webhook_id": WEBHOOK_ID,
                "name": "crm",
                "url": url,
                "secret": SECRET,
                "notices": (Notice.CALL_REPORT,),
                **changes,
            }
        )
        write = ObjectWrite(
            contact_centre_id=CENTRE,
            kind=ObjectKind.WEBHOOK,
            object_id=WEBHOOK_ID,
            expected_version=version,
            value=webhook,
        )
        await self.house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=(write,)))
        self.house.writer.adopt(ReferenceBook(await self.house.store.directory()))

    async def begin(self, **settings: Any) -> Webhooks:
        """Begin to deliver; ends with the site."""
        house = self.house
        self.webhooks = Webhooks(
            house.store,
            house.writer,
            house.clock,
            self.outgoing,
            lambda: 0.5,
            lambda step, error: self.told.append(str(error)),
            Settings(**{"timeout_s": 20.0, **settings}),
            figures,
        )
        await self.webhooks.start()
        return self.webhooks

    @property
    def postman(self) -> Postman:
        """Who delivers to the webhook."""
        found = self.webhooks.postman(CENTRE, WEBHOOK_ID)
        assert found is not None
        return found

    async def set_group(self, **changes: Any) -> None:
        """The group changes state, as a committed request of a supervisor does it."""
        self.house.clock.ms += 1
        before = next(iter(self.house.writer.book.group_states))
        state = msgspec.structs.replace(before, changed_at_ms=self.house.clock.ms, **changes)
        self.house.writer.book = self.house.writer.book.with_states([state])
        self.webhooks.committed()


def figures(contact_centre_id: int, campaign_group_id: int) -> GroupFigures:
    """Figures of the example in the original's documentation."""
    per_list = ListFigures(list_name="List", hit_ratio=0.3, time_to_complete_s=600)
    return GroupFigures(busy_factor=0.85, hit_ratio=0.3, overdial_rate=0.02, time_to_complete_s=600, lists=(per_list,))


def at_site(test: Callable[[Site], Awaitable[None]]) -> None:
    """Run a test at a site that may send to this machine."""

    async def run() -> None:
        house = await House().open([])
        outgoing = HttpOut(connections=4, allowed=networks(["127.0.0.0/8"]))
        site = Site(house, outgoing)
        try:
            await test(site)
        finally:
            if hasattr(site, "webhooks"):
                await site.webhooks.stop()
            await outgoing.close()
            await house.close()

    asyncio.run(run())


def bodies(got: list[Got]) -> list[Any]:
    """What was received."""
    return [json.loads(one.body) for one in got]


async def until(is_so: Callable[[], bool]) -> None:
    """Let others work until it is so; the test's own time limit ends the wait."""
    while not is_so():  # noqa: ASYNC110 - the state of a task that nobody announces
        await asyncio.sleep(0)
