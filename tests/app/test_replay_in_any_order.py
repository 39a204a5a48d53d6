"""Replay against a model: commits, publications, prunes, confirmations and restarts in any order and in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.replay_desk import ANN, BOB, CALLS, INTERNAL, OUTBOUND, Desk, at_desk, is_gap, marks, nothing
from trunkline.app import replay
from trunkline.app.messages import mark_behind
from trunkline.app.outbox import Position, Recovery
from trunkline.domain.enums import Door


class Checked:
    """A recovery and what must be true of it in the end."""

    def __init__(self, desk: Desk, channel: str, position: Position, recovery: Recovery, end: int, pruned: int) -> None:
        """Take down what has been delivered when it is answered; ``end`` and ``pruned`` are those of the model."""
        self.channel = channel
        self.position = position
        self.recovery = recovery
        self.delivered_before = len(desk.delivered)
        self.may_be_gap = (
            position.epoch != desk.outbox.epoch or position.offset > end or position.offset < mark_behind(pruned)
        )

    def check(self, desk: Desk) -> None:
        """Recovered and published afterwards is what was committed behind the position; gaps have a reason."""
        if is_gap(self.recovery):
            assert self.may_be_gap
            return
        unpublished = {stored.seq for stored in desk.unpublished}
        published = [stored for stored in desk.committed if stored.seq not in unpublished]
        afterwards = [m.mark for m in desk.delivered[self.delivered_before :] if m.channel == self.channel]
        expected = [mark for mark in desk.marks(self.channel, published) if mark > self.position.offset]
        assert marks(self.recovery) + afterwards == expected


class Play:
    """Random steps on a desk, some of them in the middle of a recovery."""

    def __init__(self, desk: Desk, data: st.DataObject) -> None:
        """Nothing has been recovered."""
        self.desk = desk
        self.data = data
        self.offsets = [0, 10**9]
        self.checks: list[Checked] = []
        self.pruned = 0
        self.lost: set[int] = set()

    def draw(self, *choices: Any) -> Any:
        """One of them."""
        return self.data.draw(st.sampled_from(choices))

    async def small_step(self) -> None:
        """What other sessions and the server do: it may happen while somebody recovers."""
        desk = self.desk
        match self.draw("commit", "commit", "publish", "foreign", "prune", "confirm"):
            case "commit":
                doors = self.draw((Door.REST,), (Door.USER_EVENT,), (), (Door.REST, Door.USER_EVENT, Door.REST))
                await desk.commit(*doors, at_ms=self.draw(1, 2, 3, 4))
            case "foreign":
                await desk.commit(Door.REST, user=BOB)
            case "publish":
                desk.publish()
            case "prune":
                before_ms, limit = self.draw(1, 2, 3, 5), self.draw(1, 2, 5)
                kept = {stored.seq for stored in desk.store._tables.journal}
                await desk.store.prune(before_ms, limit)
                gone = kept - {stored.seq for stored in desk.store._tables.journal}
                self.pruned = max(self.pruned, *gone, 0)
            case "confirm":
                if desk.delivered:
                    desk.outbox.confirmed(ANN, desk.delivered[-1].channel, desk.delivered[-1].mark)

    async def meanwhile(self) -> None:
        """A few small steps."""
        for _ in range(self.draw(0, 0, 1, 2)):
            await self.small_step()

    async def recover(self) -> None:
        """Recover some channels from somewhere, while other things happen."""
        desk = self.desk
        known = [*self.offsets, *(message.mark for message in desk.delivered)]
        positions = {
            channel: Position(self.draw(*[desk.outbox.epoch] * 4, "another"), self.draw(*known))
            for channel in self.draw((OUTBOUND,), (INTERNAL, OUTBOUND), (OUTBOUND, INTERNAL, CALLS))
        }
        unpublished = {stored.seq for stored in desk.unpublished}
        end = mark_behind(max((s.seq for s in desk.committed if s.seq not in unpublished), default=0))
        desk.store.meanwhile = self.meanwhile
        found = await desk.outbox.recover(ANN, positions)
        desk.store.meanwhile = nothing
        for channel, recovery in found.items():
            self.offsets.append(recovery.offset)
            self.checks.append(Checked(desk, channel, positions[channel], recovery, end, self.pruned))

    async def check(self) -> None:
        """Everything that was recovered so far."""
        for check in self.checks:
            check.check(self.desk)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_recovered_and_published_is_what_was_committed(data: st.DataObject) -> None:
    """However commits, publications, prunes, confirmations and restarts fall into recoveries: no hole, no double.

    What is recovered, and what is published afterwards, together are what was committed behind the position, in
    order; a gap is told only where there is a reason, and what it answers can be continued from.
    """

    async def test(desk: Desk) -> None:
        play = Play(desk, data)
        for _ in range(data.draw(st.integers(1, 12))):
            match play.draw("step", "step", "recover", "recover", "restart"):
                case "step":
                    await play.small_step()
                case "recover":
                    await play.recover()
                case "restart":
                    await play.check()
                    play.checks.clear()
                    await desk.start()
        desk.publish()
        await play.check()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "READ_ROWS", 2)
        at_desk(test)
