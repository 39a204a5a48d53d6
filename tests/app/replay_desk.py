"""An outbox on a store in which things happen in the middle of a replay; commits and publications are made by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.app.harness import HandClock
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.messages import rendered
from trunkline.app.outbox import Message, Outbox, Position, Recovery, UserKey
from trunkline.app.ports import Changes, JournalRow, JournalSpan, StoredRow
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import Acknowledgement, RecordAcknowledged

ANN: UserKey = (1, 1)
BOB: UserKey = (1, 2)
OUTBOUND, INTERNAL, CALLS = "/v2/me/outbound", "/me/internal", "/v2/me/calls"


class BusyStore(MemoryStore):
    """A store on which something may happen before and after each read of a replay."""

    def __init__(self) -> None:
        """Nothing happens."""
        super().__init__()
        self.meanwhile: Callable[[], Awaitable[None]] = nothing
        self.reads = 0

    async def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """The rows."""
        self.reads += 1
        await self.meanwhile()
        found = await super().rows_after(contact_centre_id, user_id, after_seq, limit)
        await self.meanwhile()
        return found

    async def journal_span(self) -> JournalSpan:
        """The span."""
        await self.meanwhile()
        found = await super().journal_span()
        await self.meanwhile()
        return found


async def nothing() -> None:
    """Happen not at all."""


class Desk:
    """An outbox with Ann's mailbox open, whose commits and publications are made by hand."""

    def __init__(self, store: BusyStore) -> None:
        """Put together by ``at_desk``."""
        self.store = store
        self.clock = HandClock()
        self.committed: list[StoredRow] = []
        self.unpublished: list[StoredRow] = []
        self.delivered: list[Message] = []

    async def start(self) -> None:
        """A server begins; what an earlier one did not publish, nobody publishes any more."""
        self.unpublished = []
        self.outbox = Outbox(self.store, self.clock)
        self.outbox._courier = self  # without a writer: replay does not depend on what was confirmed
        await self.outbox.prepare()
        await self.outbox.open(ANN)

    def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
        """Keep what goes to Ann's sessions."""
        assert user == ANN
        self.delivered += messages

    async def commit(self, *doors: Door, user: UserKey = ANN, at_ms: int | None = None) -> None:
        """Write a row with an event for each door."""
        event: dict[str, Any] = {
            "device_id": "d1",
            "what": Acknowledgement.UPDATED,
            "application_id": 5,
            "campaign_name": "c",
        }
        row = JournalRow(
            contact_centre_id=user[0],
            user_id=user[1],
            at_ms=self.clock.ms if at_ms is None else at_ms,
            request_type=RequestType.UPDATE_CALL_COMPLETION_STATS,
            events=tuple(RecordAcknowledged(door=door, **event) for door in doors),
        )
        async with self.store.begin() as unit:
            (seq,) = await unit.save(Changes(journal=[row]))
        self.committed.append(StoredRow(seq, row))
        self.unpublished.append(StoredRow(seq, row))

    def publish(self) -> None:
        """Publish what was committed."""
        rows, self.unpublished = self.unpublished, []
        self.outbox.publish(rows)

    async def update(self, times: int = 1) -> None:
        """Rows of Ann's with a message on each channel, committed and published."""
        for _ in range(times):
            await self.commit(Door.REST)
            self.publish()

    def marks(self, channel: str, rows: Sequence[StoredRow] | None = None) -> list[int]:
        """The marks of all of Ann's messages on a channel that were ever committed."""
        rows = self.committed if rows is None else rows
        mine = [stored for stored in rows if (stored.row.contact_centre_id, stored.row.user_id) == ANN]
        return [m.mark for stored in mine for m in rendered(stored, 0, "") if m.channel == channel]

    async def recover(self, offset: int, channel: str = OUTBOUND, epoch: str | None = None) -> Recovery:
        """Recover one channel."""
        position = Position(self.outbox.epoch if epoch is None else epoch, offset)
        return (await self.outbox.recover(ANN, {channel: position}))[channel]


def at_desk(test: Callable[[Desk], Awaitable[None]]) -> None:
    """Run a test with an outbox on an empty store."""

    async def run() -> None:
        desk = Desk(BusyStore())
        await desk.store.open()
        await desk.start()
        await test(desk)
        assert desk.outbox._replay._noted == {}

    asyncio.run(run())


def marks(recovery: Recovery) -> list[int]:
    """The marks of what was recovered."""
    assert recovery.is_recovered
    return [message.mark for message in recovery.messages]


def is_gap(recovery: Recovery) -> bool:
    """True when nothing was recovered, and nothing is pretended."""
    assert recovery.is_recovered or recovery.messages == []
    return not recovery.is_recovered
