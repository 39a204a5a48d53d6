"""Replay: what a client missed since a position, whole and in order, or the plain word that there is a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.app.harness import HandClock
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app import replay
from trunkline.app.messages import mark_behind, rendered, seq_of
from trunkline.app.outbox import Message, Outbox, Position, Recovery, UserKey
from trunkline.app.ports import Changes, JournalRow, JournalSpan, StoredRow
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import Acknowledgement, RecordAcknowledged
from trunkline.errors import Defect

ANN: UserKey = (1, 1)
BOB: UserKey = (1, 2)
OUTBOUND, INTERNAL, CALLS = "/v2/me/outbound", "/me/internal", "/v2/me/calls"


class BusyStore(MemoryStore):
    """A store on which something may happen before and after each read of a replay."""

    def __init__(self) -> None:
        """Nothing happens."""
        super().__init__()
        self.meanwhile: Callable[[], Awaitable[None]] = _nothing
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


async def _nothing() -> None:
    return None


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


def test_what_was_missed() -> None:
    """All of a channel behind the offset, in order, with its body; also after confirmations and a restart."""

    async def test(desk: Desk) -> None:
        await desk.update(5)
        sent = [message for message in desk.delivered if message.channel == OUTBOUND]
        assert (await desk.recover(sent[1].mark)).messages == sent[2:]
        desk.outbox.confirmed(ANN, OUTBOUND, sent[4].mark)
        assert marks(await desk.recover(0)) == desk.marks(OUTBOUND)
        await desk.start()
        assert (await desk.recover(sent[3].mark)).messages == sent[4:]
        assert (await desk.recover(sent[4].mark)).messages == []

    at_desk(test)


def test_the_offset_that_is_answered() -> None:
    """It lies behind all that is known, so that from there on only what is new comes, with one read of nothing."""

    async def test(desk: Desk) -> None:
        assert (await desk.recover(0)).offset == 0
        await desk.update(3)
        first = await desk.recover(0, CALLS)
        assert first.messages == []
        assert first.offset > desk.marks(INTERNAL)[-1]
        assert marks(await desk.recover(first.offset)) == []
        await desk.update()
        assert marks(await desk.recover(first.offset)) == desk.marks(OUTBOUND)[-1:]

    at_desk(test)


def test_several_channels_in_one_reading() -> None:
    """Each channel has its own offset and epoch; names that are no channels are left out."""

    async def test(desk: Desk) -> None:
        await desk.update(4)
        epoch = desk.outbox.epoch
        outbound, internal = desk.marks(OUTBOUND), desk.marks(INTERNAL)
        positions = {
            OUTBOUND: Position(epoch, outbound[2]),
            INTERNAL: Position(epoch, internal[0]),
            CALLS: Position("another", 0),
            "/v2/me/*": Position(epoch, 0),
            "/foreign": Position(epoch, 0),
        }
        desk.store.reads = 0
        found = await desk.outbox.recover(ANN, positions)
        assert set(found) == {OUTBOUND, INTERNAL, CALLS}
        assert marks(found[OUTBOUND]) == outbound[3:]
        assert marks(found[INTERNAL]) == internal[1:]
        assert is_gap(found[CALLS])
        assert desk.store.reads == 1

    at_desk(test)


def test_within_a_row() -> None:
    """A client that had a part of a row's messages gets the others."""

    async def test(desk: Desk) -> None:
        await desk.commit(Door.REST, Door.USER_EVENT, Door.REST)
        desk.publish()
        internal = desk.marks(INTERNAL)
        assert len(internal) == 3
        assert marks(await desk.recover(internal[0], INTERNAL)) == internal[1:]

    at_desk(test)


@pytest.mark.parametrize("offset", [-1, 10**6, 2**63, 10**30])
def test_an_offset_that_was_never_given(offset: int) -> None:
    """Before the beginning or behind the end, however large: a gap."""

    async def test(desk: Desk) -> None:
        await desk.update(2)
        assert is_gap(await desk.recover(offset))

    at_desk(test)


def test_another_epoch() -> None:
    """A position in another database's journal says nothing about this one."""

    async def test(desk: Desk) -> None:
        await desk.update(2)
        recovery = await desk.recover(desk.marks(OUTBOUND)[0], epoch="k3")
        assert is_gap(recovery)
        assert recovery.offset == mark_behind(desk.committed[-1].seq)
        assert is_gap(await desk.recover(0, epoch=""))

    at_desk(test)


def test_what_was_pruned_is_a_gap() -> None:
    """Also when the journal is empty, and when what was pruned lay behind a row that stayed; told once."""

    async def test(desk: Desk) -> None:
        for at_ms in (300, 900, 400, 500):
            await desk.commit(Door.REST, at_ms=at_ms)
        desk.publish()
        outbound = desk.marks(OUTBOUND)
        await desk.store.prune(450, 10)
        assert is_gap(await desk.recover(0))
        assert is_gap(await desk.recover(outbound[1]))
        assert marks(await desk.recover(outbound[3])) == []
        await desk.store.prune(1000, 10)
        recovery = await desk.recover(outbound[0])
        assert is_gap(recovery)
        assert marks(await desk.recover(recovery.offset)) == []
        await desk.start()
        assert marks(await desk.recover(recovery.offset)) == []

    at_desk(test)


def test_too_much_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """More messages than the limit: the fullest channel is given up, the others are whole."""
    monkeypatch.setattr(replay, "MAX_REPLAYED", 10)
    monkeypatch.setattr(replay, "READ_ROWS", 3)

    async def test(desk: Desk) -> None:
        await desk.update(5)
        epoch, outbound, internal = desk.outbox.epoch, desk.marks(OUTBOUND), desk.marks(INTERNAL)
        both = {OUTBOUND: Position(epoch, 0), INTERNAL: Position(epoch, 0)}
        found = await desk.outbox.recover(ANN, both)
        assert marks(found[OUTBOUND]) == outbound
        assert marks(found[INTERNAL]) == internal
        await desk.commit(Door.USER_EVENT)
        desk.publish()
        found = await desk.outbox.recover(ANN, both)
        assert marks(found[OUTBOUND]) == outbound
        assert is_gap(found[INTERNAL])

    at_desk(test)


def test_a_far_channel_does_not_spoil_a_near_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows looked at are counted for each channel; when one is given up, the reading goes on at the next."""
    monkeypatch.setattr(replay, "MAX_REPLAYED", 10)
    monkeypatch.setattr(replay, "READ_ROWS", 4)

    async def test(desk: Desk) -> None:
        await desk.update(100)
        epoch, near = desk.outbox.epoch, desk.marks(OUTBOUND)[-3]
        desk.store.reads = 0
        found = await desk.outbox.recover(ANN, {CALLS: Position(epoch, 0), OUTBOUND: Position(epoch, near)})
        assert is_gap(found[CALLS])
        assert marks(found[OUTBOUND]) == desk.marks(OUTBOUND)[-2:]
        assert desk.store.reads == 4

    at_desk(test)


def test_a_store_that_fails() -> None:
    """The error comes through, and nothing of the attempt stays behind."""

    async def test(desk: Desk) -> None:
        async def broken() -> None:
            raise OSError

        await desk.update()
        desk.store.meanwhile = broken
        with pytest.raises(OSError):  # noqa: PT011 - the store's own error comes through
            await desk.recover(0)
        desk.store.meanwhile = _nothing
        assert marks(await desk.recover(0)) == desk.marks(OUTBOUND)

    at_desk(test)


def test_an_outbox_that_was_not_prepared() -> None:
    """Without its epoch nothing can be said; an empty one from outside does not match it."""

    async def test(desk: Desk) -> None:
        outbox = Outbox(desk.store, desk.clock)
        with pytest.raises(Defect):
            await outbox.recover(ANN, {OUTBOUND: Position("", 0)})

    at_desk(test)


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
        desk.store.meanwhile = _nothing
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


def test_marks_and_numbers() -> None:
    """A mark behind a row lies in that row, behind its last message and before the next row's first."""
    assert mark_behind(0) == 0
    assert seq_of(mark_behind(7)) == 7
    assert mark_behind(7) + 1 == 8 * 1024
