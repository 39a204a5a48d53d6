"""Replay in the core: positions in, what was missed out, ahead of what is newer."""

from __future__ import annotations

import pytest

from tests.bayeux.harness import INTERNAL, OUTBOUND, Message, Wire, connect, event, handshake, marks_in, subscribe
from trunkline.bayeux import Config, Confirmed, Position, Recovery, positions_in

EPOCH = "k3"


def _replaying(wire: Wire, **fields: object) -> str:
    reply = wire.send(handshake(ext={"replay": True, **fields})).reply
    assert reply["ext"]["replay"] is True
    client_id: str = reply["clientId"]
    return client_id


def _wire(**limits: int) -> Wire:
    return Wire(Config(replay_epoch=EPOCH, **limits))  # type: ignore[arg-type]


def _resume(client_id: str, offset: object, epoch: object = EPOCH, names: object = OUTBOUND) -> Message:
    return subscribe(client_id, names, ext={"replay": {OUTBOUND: {"epoch": epoch, "offset": offset}}})


def _found(*marks: int, offset: int = 9) -> dict[str, Recovery]:
    return {OUTBOUND: Recovery(is_recovered=True, offset=offset, deliveries=[event(mark) for mark in marks])}


def test_replay_is_not_offered_without_a_name_for_the_numbering() -> None:
    """The handshake says nothing, and events have no position."""
    wire = Wire()
    reply = wire.send(handshake(ext={"replay": True})).reply
    assert "ext" not in reply
    outcome = wire.send(_resume(reply["clientId"], 1), recoveries=_found(5))
    assert "ext" not in outcome.reply
    assert marks_in(wire.send(connect(reply["clientId"])).messages) == []


def test_events_carry_their_position() -> None:
    """For who asked; others, and events that nobody numbered, have data and channel alone."""
    wire = _wire()
    client_id, plain = _replaying(wire), wire.connected(OUTBOUND)
    wire.send(subscribe(client_id, OUTBOUND))
    wire.deliver(event(3), event(0))
    numbered, bare, _ = wire.send(connect(client_id)).messages
    assert numbered == {"data": 3, "channel": OUTBOUND, "ext": {"replay": {"epoch": EPOCH, "offset": 3}}}
    assert bare == {"data": 0, "channel": OUTBOUND}
    assert wire.send(connect(plain)).messages[0] == {"data": 3, "channel": OUTBOUND}


def test_what_was_missed_comes_behind_the_reply() -> None:
    """Before newer events, without those that were queued before; the client's position counts as a confirmation."""
    wire = _wire()
    client_id = _replaying(wire)
    wire.send(subscribe(client_id, OUTBOUND))
    wire.deliver(event(6), event(10))
    outcome = wire.send(_resume(client_id, 4), recoveries=_found(5, 6))
    assert outcome.reply["ext"] == {"replay": {OUTBOUND: {"recovered": True, "epoch": EPOCH, "offset": 9}}}
    assert outcome.of(Confirmed) == [Confirmed("ann", OUTBOUND, 4)]
    assert marks_in(wire.send(connect(client_id)).messages) == [5, 6, 10]


def test_the_held_connect_brings_what_was_missed() -> None:
    """Nothing waits for an event."""
    wire = _wire()
    client_id = _replaying(wire)
    wire.send(connect(client_id))
    held = wire.hold(client_id)
    assert marks_in(wire.send(_resume(client_id, 4), recoveries=_found(5)).messages_in(held)) == [5]


@pytest.mark.parametrize("others", [(), (7,)])
def test_what_was_written_does_not_come_before_what_was_missed(others: tuple[int, ...]) -> None:
    """The client lost 5 on a socket and 6 behind it; put back, 6 alone would hide that 5 is missing.

    What was written on other channels is put back as ever.
    """
    wire = _wire()
    (reply,) = wire.frame("s", handshake(ext={"replay": True})).pushed
    client_id = reply["clientId"]
    wire.frame("s", subscribe(client_id, [OUTBOUND, INTERNAL]))
    wire.frame("s", connect(client_id))
    wire.deliver(event(5))
    wire.frame("s", connect(client_id))
    wire.deliver(event(6), *[event(mark, INTERNAL) for mark in others])
    wire.frame("t", _resume(client_id, 4), recoveries=_found(5, 6))
    assert marks_in(wire.frame("t", connect(client_id)).pushed) == [*others, 5, 6]
    wire.kick()
    assert wire.server._hub._written == {}


def test_another_numbering_is_a_gap() -> None:
    """So is what the application cannot find; the reply says from where the client may go on."""
    wire = _wire()
    client_id = _replaying(wire)
    gap = {OUTBOUND: {"recovered": False, "epoch": EPOCH, "offset": 9}}
    assert wire.send(_resume(client_id, 4, "k2"), recoveries=_found(5)).reply["ext"]["replay"] == gap
    lost = {OUTBOUND: Recovery(is_recovered=False, offset=9)}
    outcome = wire.send(_resume(client_id, 4), recoveries=lost)
    assert outcome.reply["ext"]["replay"] == gap
    assert outcome.of(Confirmed) == []


@pytest.mark.parametrize("limits", [{"max_queue_messages": 2}, {"max_queue_bytes": 2}])
def test_more_than_a_queue_takes_is_a_gap(limits: dict[str, int]) -> None:
    """With the next event the session would overflow, and again when its client comes back."""
    wire = _wire(**limits)
    client_id = _replaying(wire)
    said = wire.send(_resume(client_id, 4), recoveries=_found(5, 6)).reply["ext"]["replay"]
    assert not said[OUTBOUND]["recovered"]
    assert wire.send(_resume(client_id, 5), recoveries=_found(6)).reply["ext"]["replay"][OUTBOUND]["recovered"]


def test_positions_of_other_channels_are_passed_over() -> None:
    """What the message does not subscribe to, and what the application does not know; a pattern covers its channels."""
    wire = _wire()
    client_id = _replaying(wire)
    assert wire.send(_resume(client_id, 4, names=INTERNAL), recoveries=_found(5)).reply["ext"] == {"replay": {}}
    assert wire.send(_resume(client_id, 4)).reply["ext"] == {"replay": {}}
    assert OUTBOUND in wire.send(_resume(client_id, 4, names="/**"), recoveries=_found(5)).reply["ext"]["replay"]


def test_positions_are_read_from_subscribes_alone() -> None:
    """Whatever is no position is left out, and too many at once are none."""
    good = {"epoch": EPOCH, "offset": 4}
    bad: list[object] = [
        {"epoch": EPOCH, "offset": -1},
        {"epoch": EPOCH, "offset": True},
        {"epoch": EPOCH, "offset": "4"},
        {"epoch": 3, "offset": 4},
        {"epoch": "x" * 65, "offset": 4},
        {"epoch": EPOCH},
        -1,
        None,
    ]
    asked = {"/a": good, **{f"/bad/{number}": value for number, value in enumerate(bad)}}
    message = subscribe("c", "/a", ext={"replay": asked})
    assert positions_in([message, connect("c"), "text", subscribe("c", "/a")], 32) == {"/a": Position(EPOCH, 4)}
    assert positions_in([message], 3) == {}
    assert positions_in([subscribe("c", "/a", ext={"replay": [1]}), subscribe("c", "/a", ext=7)], 32) == {}
    assert positions_in([connect("c", ext={"replay": asked})], 32) == {}
