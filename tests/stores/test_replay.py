"""Replay on the databases: recoveries beside a writer that commits, with the threads and connections of a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.app.harness import House, agent, record
from tests.stores.storage import Storage
from trunkline.app import replay
from trunkline.app.outbox import Message, Outbox, Position, UserKey
from trunkline.domain import commands
from trunkline.domain.events import RecordShown
from trunkline.domain.records import FieldChanges

ANN: UserKey = (1, 1)
OUTBOUND = "/v2/me/outbound"
UPDATES = 150


class Sessions:
    """A courier that keeps the marks of one channel."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.marks: list[int] = []

    def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
        """Keep."""
        assert user == ANN
        self.marks += [message.mark for message in messages if message.channel == OUTBOUND]


def test_recoveries_beside_commits(durable_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that can be read already, but is published only later, comes once; so does one committed meanwhile."""
    monkeypatch.setattr(replay, "READ_ROWS", 7)

    async def main() -> None:
        house = await House(store=durable_storage.make()).open([record(1)])
        outbox, sessions = Outbox(house.store, house.clock), Sessions()
        outbox.connect(sessions, house.writer)
        house.writer._publish = outbox.publish
        await outbox.prepare()
        await outbox.open(ANN)
        shown = (await house.preview(agent(1)))[0]
        assert isinstance(shown, RecordShown)
        found: list[tuple[int, list[int], int]] = []
        is_over = False

        async def write() -> None:
            for until_s in range(1, UPDATES + 1):
                changes = FieldChanges(until_s=until_s)
                await house.ask(agent(1), commands.UpdateRecord, handle=shown.handle, changes=changes)

        async def read() -> None:
            offset = 0
            while not is_over:
                recovery = (await outbox.recover(ANN, {OUTBOUND: Position(outbox.epoch, offset)}))[OUTBOUND]
                assert recovery.is_recovered
                found.append((offset, [message.mark for message in recovery.messages], len(sessions.marks)))
                offset = recovery.offset

        readers = [asyncio.create_task(read()) for _ in range(3)]
        await write()
        is_over = True
        await asyncio.gather(*readers)
        await house.close()
        assert len(sessions.marks) > UPDATES
        for offset, recovered, delivered_before in found:
            assert recovered + sessions.marks[delivered_before:] == [mark for mark in sessions.marks if mark > offset]

    asyncio.run(main())
