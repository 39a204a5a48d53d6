"""Replay: what a client missed since a position, whole and in order, or the plain word that there is a gap."""

from __future__ import annotations

import pytest

from tests.app.replay_desk import ANN, CALLS, INTERNAL, OUTBOUND, Desk, at_desk, is_gap, marks, nothing
from trunkline.app import replay
from trunkline.app.messages import mark_behind, seq_of
from trunkline.app.outbox import Outbox, Position
from trunkline.domain.enums import Door
from trunkline.errors import Defect


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
        desk.store.meanwhile = nothing
        assert marks(await desk.recover(0)) == desk.marks(OUTBOUND)

    at_desk(test)


def test_an_outbox_that_was_not_prepared() -> None:
    """Without its epoch nothing can be said; an empty one from outside does not match it."""

    async def test(desk: Desk) -> None:
        outbox = Outbox(desk.store, desk.clock)
        with pytest.raises(Defect):
            await outbox.recover(ANN, {OUTBOUND: Position("", 0)})

    at_desk(test)


def test_marks_and_numbers() -> None:
    """A mark behind a row lies in that row, behind its last message and before the next row's first."""
    assert mark_behind(0) == 0
    assert seq_of(mark_behind(7)) == 7
    assert mark_behind(7) + 1 == 8 * 1024
