"""Extensions: conformance items 85 (lazy), 86 to 89 (ack), 90 (timesync), 91 (activity) and 93 (replay)."""

from __future__ import annotations

import pytest

from tests.bayeux.harness import INTERNAL, OUTBOUND, Message, Wire, connect, event, handshake, marks_in, subscribe
from trunkline.bayeux import Answer, Config, Confirmed, Delivery, Position, Recovery, SessionClosed, positions_in

EPOCH = "k3"


def _acking(wire: Wire, asked: object = True) -> str:  # noqa: FBT002
    reply = wire.send(handshake(ext={"ack": asked})).reply
    assert reply["ext"] == {"ack": True}
    client_id: str = reply["clientId"]
    wire.send(subscribe(client_id, OUTBOUND))
    return client_id


def _acked(client_id: str, number: object) -> Message:
    return connect(client_id, ext={"ack": number})


def _marks_and_number(messages: list[Message]) -> tuple[list[int], int]:
    return marks_in(messages), messages[-1]["ext"]["ack"]


@pytest.mark.parametrize("asked", [True, {"enabled": True}])
def test_item_86_acknowledgement_is_granted_to_who_asks(asked: object) -> None:
    """Both forms of asking get the same consent."""
    _acking(Wire(), asked)


@pytest.mark.parametrize("ext", [{"ack": False}, {"ack": 1}, {"ack": {"enabled": 1}}, {"ack": {}}, {}, [], None])
def test_item_86_nobody_else_is_given_numbers(ext: object) -> None:
    """Neither the handshake nor connects say anything of it."""
    wire = Wire()
    reply = wire.send(handshake(ext=ext)).reply
    assert "ext" not in reply
    assert "ext" not in wire.send(connect(reply["clientId"], ext={"ack": 0})).reply


def test_item_87_what_was_not_processed_comes_again_first() -> None:
    """Replies are numbered from 1; what a later one than the number said carried is sent once more, with newer ones."""
    wire = Wire()
    client_id = _acking(wire)
    assert wire.send(_acked(client_id, 0)).reply["ext"] == {"ack": 1}
    wire.deliver(event(1))
    assert _marks_and_number(wire.send(_acked(client_id, 1)).messages) == ([1], 2)
    wire.deliver(event(2))
    again = wire.send(_acked(client_id, 1))
    assert _marks_and_number(again.messages) == ([1, 2], 3)
    assert again.of(Confirmed) == []
    settled = wire.send(_acked(client_id, 3))
    assert [each.mark for each in settled.of(Confirmed)] == [2]
    assert settled.is_held


def test_item_87_a_connect_with_something_unacknowledged_is_not_held() -> None:
    """It brings what was lost at once."""
    wire = Wire()
    client_id = _acking(wire)
    wire.send(_acked(client_id, 0))
    wire.deliver(event(1))
    wire.send(_acked(client_id, 1))
    assert marks_in(wire.send(_acked(client_id, 1)).messages) == [1]


def test_item_87_a_lost_connection_decides_nothing_for_who_acknowledges() -> None:
    """The server hears of a break, yet the client had the answer: it says so, and nothing comes twice."""
    wire = Wire()
    client_id = _acking(wire)
    wire.send(_acked(client_id, 0))
    held = wire.exchange + 1
    wire.send(_acked(client_id, 1))
    wire.deliver(event(1))
    assert wire.closed(held).effects == []
    outcome = wire.send(_acked(client_id, 2))
    assert outcome.is_held
    assert [each.mark for each in outcome.of(Confirmed)] == [1]


def test_item_87_two_connects_of_one_request_put_nothing_back_between_them() -> None:
    """The second cannot know what the first one brings."""
    wire = Wire()
    client_id = _acking(wire)
    wire.deliver(event(1))
    outcome = wire.send(_acked(client_id, 0), _acked(client_id, 0))
    assert marks_in(outcome.messages) == [1]


@pytest.mark.parametrize("number", [-1, "1", True, 1.0, None])
def test_item_87_a_connect_without_a_number_counts_as_one_of_a_plain_client(number: object) -> None:
    """What was written before is settled."""
    wire = Wire()
    client_id = _acking(wire)
    wire.deliver(event(1))
    wire.send(_acked(client_id, 0))
    assert [each.mark for each in wire.send(_acked(client_id, number)).of(Confirmed)] == [1]


def test_item_88_on_a_socket_acknowledged_events_come_with_connects() -> None:
    """An event answers the held connect, and waits where none is held; a broken socket loses nothing."""
    wire = Wire()
    (reply,) = wire.frame("s", handshake(ext={"ack": True})).pushed
    client_id = reply["clientId"]
    wire.frame("s", subscribe(client_id, OUTBOUND))
    wire.frame("s", _acked(client_id, 0))
    wire.frame("s", _acked(client_id, 1))
    assert _marks_and_number(wire.deliver(event(1)).pushed) == ([1], 2)
    assert wire.deliver(event(2)).effects == []
    wire.socket_closed("s")
    outcome = wire.frame("t", _acked(client_id, 1))
    assert _marks_and_number(outcome.pushed) == ([1, 2], 3)
    assert outcome.of(Confirmed) == []


def _timesync(**asked: object) -> dict[str, object]:
    return {"timesync": asked}


def test_item_90_the_time_of_receipt_is_answered() -> None:
    """In handshakes and connects: the client's time, ours, how long it was held, and how far its guess was off."""
    wire = Wire()
    outcome = wire.send(handshake(ext=_timesync(tc=5_000, l=0, o=0)), wall_ms=7_000)
    assert outcome.reply["ext"] == {"timesync": {"tc": 5_000, "ts": 7_000, "p": 0, "a": -2_000}}
    client_id = outcome.reply["clientId"]
    wire.send(connect(client_id))
    wire.send(connect(client_id, ext=_timesync(tc=5_000, l=10, o=1_900)), wall_ms=7_000)
    held = wire.exchange
    wire.now_ms += 300
    (reply,) = wire.pass_time(29_700).messages_in(held)
    assert reply["ext"] == {"timesync": {"tc": 5_000, "ts": 7_000, "p": 30_000, "a": -90}}


def test_item_90_the_first_form_has_no_lag_and_gets_no_accuracy() -> None:
    """Old clients send their time alone, or with an offset."""
    for asked in (_timesync(tc=5_000), _timesync(tc=5_000, o=3)):
        outcome = Wire().send(handshake(ext=asked), wall_ms=7_000)
        assert outcome.reply["ext"] == {"timesync": {"tc": 5_000, "ts": 7_000, "p": 0}}


@pytest.mark.parametrize(
    ("offset_ms", "lag_ms", "is_answered"),
    [(1_966, 10, False), (1_965, 10, True), (2_014, 10, False), (2_015, 10, True), (2_000, 0, True)],
)
def test_item_90_a_client_within_25_ms_gets_no_answer(offset_ms: int, lag_ms: int, *, is_answered: bool) -> None:
    """Unless it has no lag yet, which says that it never measured."""
    asked = _timesync(tc=5_000, l=lag_ms, o=offset_ms)
    reply = Wire().send(handshake(ext=asked), wall_ms=7_000).reply
    assert ("ext" in reply) is is_answered


@pytest.mark.parametrize("asked", [{}, {"tc": "1"}, {"tc": True}, {"tc": None}, [1], 7, None])
def test_item_90_what_asks_for_no_time_gets_none(asked: object) -> None:
    """The handshake succeeds all the same."""
    assert "ext" not in Wire().send(handshake(ext={"timesync": asked}), wall_ms=7_000).reply


def test_item_90_odd_lag_and_offset_are_passed_over() -> None:
    """Text and booleans are no numbers."""
    outcome = Wire().send(handshake(ext=_timesync(tc=5_000, l="1", o=True)), wall_ms=7_000)
    assert outcome.reply["ext"]["timesync"] == {"tc": 5_000, "ts": 7_000, "p": 0}


def test_item_90_without_a_clock_of_the_day_nothing_is_answered() -> None:
    """An application may have none."""
    assert "ext" not in Wire().send(handshake(ext=_timesync(tc=5_000))).reply


def test_item_90_time_and_acknowledgement_go_together() -> None:
    """Both are in one ext."""
    wire = Wire()
    client_id = _acking(wire)
    outcome = wire.send(connect(client_id, ext={"ack": 0, **_timesync(tc=1, l=0, o=0)}), wall_ms=1)
    assert outcome.reply["ext"] == {"ack": 1, "timesync": {"tc": 1, "ts": 1, "p": 0, "a": 0}}


def test_item_91_who_does_nothing_but_poll_is_told_to_stop() -> None:
    """At its next connect after the limit, with advice none; an older connect ends as by any newer one."""
    wire = Wire(Config(max_inactive_ms=50_000))
    client_id = wire.connected(OUTBOUND)
    wire.now_ms += 50_000
    held = wire.hold(client_id)
    wire.now_ms += 1
    outcome = wire.send(connect(client_id))
    assert outcome.reply["advice"]["reconnect"] == "none"
    assert outcome.reply["error"] == "402::Unknown client"
    assert [answer.status for answer in outcome.of(Answer) if answer.exchange == held] == [409]
    assert [each.reason for each in outcome.of(SessionClosed)] == ["inactive"]


def test_item_91_other_messages_are_activity() -> None:
    """A subscribe begins the time anew; events do so only where the operator wants it."""
    for is_delivery_activity in (False, True):
        wire = Wire(Config(max_inactive_ms=50_000, is_delivery_activity=is_delivery_activity))
        client_id = wire.connected(OUTBOUND)
        wire.now_ms += 40_000
        wire.send(subscribe(client_id, INTERNAL))
        wire.now_ms += 40_000
        assert wire.send(connect(client_id)).is_held
        wire.deliver(event(1))
        wire.now_ms += 40_000
        assert wire.send(connect(client_id)).of(SessionClosed) == [] or not is_delivery_activity
        assert wire.server.has_sessions("ann") is is_delivery_activity


def test_item_91_an_inactive_session_takes_its_socket_along() -> None:
    """The reply goes first."""
    wire = Wire(Config(max_inactive_ms=50_000))
    client_id = wire.on_socket("s")
    wire.now_ms += 50_001
    outcome = wire.frame("s", connect(client_id))
    assert [reply["advice"]["reconnect"] for reply in outcome.pushed] == ["none"]
    assert [type(effect).__name__ for effect in outcome.effects] == ["SessionClosed", "Send", "Close"]


def _lazy(mark: int) -> Delivery:
    return Delivery(OUTBOUND, str(mark).encode(), mark, is_lazy=True)


def test_item_85_a_lazy_event_waits_for_company() -> None:
    """It goes with the next event that is not lazy, in order, or by itself after a while."""
    wire = Wire(Config(max_lazy_ms=5_000))
    client_id = wire.connected(OUTBOUND)
    held = wire.hold(client_id)
    assert wire.deliver(_lazy(1)).effects == []
    assert marks_in(wire.deliver(event(2)).messages_in(held)) == [1, 2]
    held = wire.hold(client_id)
    wire.deliver(_lazy(3))
    wire.pass_time(1_000)
    wire.deliver(_lazy(4))
    assert wire.pass_time(3_999).effects == []
    assert marks_in(wire.pass_time(1).messages_in(held)) == [3, 4]


def test_item_85_a_connect_that_comes_finds_the_lazy_event() -> None:
    """That is the next occasion. A connect that ends sooner than the event must go is not lengthened."""
    wire = Wire(Config(max_lazy_ms=5_000))
    client_id = wire.connected(OUTBOUND)
    wire.deliver(_lazy(1))
    assert marks_in(wire.send(connect(client_id)).messages) == [1]
    held = wire.hold(client_id, advice={"timeout": 100})
    wire.deliver(_lazy(2))
    assert marks_in(wire.pass_time(100).messages_in(held)) == [2]


def test_item_85_on_a_socket_lazy_events_go_without_waking_the_connect() -> None:
    """After a while, by themselves; the connect goes on until its time."""
    wire = Wire(Config(max_lazy_ms=5_000))
    client_id = wire.on_socket("s", OUTBOUND)
    assert wire.deliver(_lazy(1)).effects == []
    assert wire.pass_time(5_000).frames == [[{"data": 1, "channel": OUTBOUND}]]
    assert [reply["channel"] for reply in wire.pass_time(25_000).pushed] == ["/meta/connect"]
    wire.deliver(_lazy(2))
    assert marks_in(wire.frame("s", connect(client_id)).pushed) == [2]


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


def test_item_93_replay_is_not_offered_without_a_name_for_the_numbering() -> None:
    """The handshake says nothing, and events have no position."""
    wire = Wire()
    reply = wire.send(handshake(ext={"replay": True})).reply
    assert "ext" not in reply
    outcome = wire.send(_resume(reply["clientId"], 1), recoveries=_found(5))
    assert "ext" not in outcome.reply
    assert marks_in(wire.send(connect(reply["clientId"])).messages) == []


def test_item_93_events_carry_their_position() -> None:
    """For who asked; others, and events that nobody numbered, have data and channel alone."""
    wire = _wire()
    client_id, plain = _replaying(wire), wire.connected(OUTBOUND)
    wire.send(subscribe(client_id, OUTBOUND))
    wire.deliver(event(3), event(0))
    numbered, bare, _ = wire.send(connect(client_id)).messages
    assert numbered == {"data": 3, "channel": OUTBOUND, "ext": {"replay": {"epoch": EPOCH, "offset": 3}}}
    assert bare == {"data": 0, "channel": OUTBOUND}
    assert wire.send(connect(plain)).messages[0] == {"data": 3, "channel": OUTBOUND}


def test_item_93_what_was_missed_comes_behind_the_reply() -> None:
    """Before newer events, without those that were queued before; the client's position counts as a confirmation."""
    wire = _wire()
    client_id = _replaying(wire)
    wire.send(subscribe(client_id, OUTBOUND))
    wire.deliver(event(6), event(10))
    outcome = wire.send(_resume(client_id, 4), recoveries=_found(5, 6))
    assert outcome.reply["ext"] == {"replay": {OUTBOUND: {"recovered": True, "epoch": EPOCH, "offset": 9}}}
    assert outcome.of(Confirmed) == [Confirmed("ann", OUTBOUND, 4)]
    assert marks_in(wire.send(connect(client_id)).messages) == [5, 6, 10]


def test_item_93_the_held_connect_brings_what_was_missed() -> None:
    """Nothing waits for an event."""
    wire = _wire()
    client_id = _replaying(wire)
    wire.send(connect(client_id))
    held = wire.hold(client_id)
    assert marks_in(wire.send(_resume(client_id, 4), recoveries=_found(5)).messages_in(held)) == [5]


@pytest.mark.parametrize("others", [(), (7,)])
def test_item_93_what_was_written_does_not_come_before_what_was_missed(others: tuple[int, ...]) -> None:
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


def test_item_93_another_numbering_is_a_gap() -> None:
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
def test_item_93_more_than_a_queue_takes_is_a_gap(limits: dict[str, int]) -> None:
    """With the next event the session would overflow, and again when its client comes back."""
    wire = _wire(**limits)
    client_id = _replaying(wire)
    said = wire.send(_resume(client_id, 4), recoveries=_found(5, 6)).reply["ext"]["replay"]
    assert not said[OUTBOUND]["recovered"]
    assert wire.send(_resume(client_id, 5), recoveries=_found(6)).reply["ext"]["replay"][OUTBOUND]["recovered"]


def test_item_93_positions_of_other_channels_are_passed_over() -> None:
    """What the message does not subscribe to, and what the application does not know; a pattern covers its channels."""
    wire = _wire()
    client_id = _replaying(wire)
    assert wire.send(_resume(client_id, 4, names=INTERNAL), recoveries=_found(5)).reply["ext"] == {"replay": {}}
    assert wire.send(_resume(client_id, 4)).reply["ext"] == {"replay": {}}
    assert OUTBOUND in wire.send(_resume(client_id, 4, names="/**"), recoveries=_found(5)).reply["ext"]["replay"]


def test_item_93_positions_are_read_from_subscribes_alone() -> None:
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
