"""Acknowledgement, time and activity in the core, and lazy events."""

from __future__ import annotations

import pytest

from tests.bayeux.harness import INTERNAL, OUTBOUND, Message, Wire, connect, event, handshake, marks_in, subscribe
from trunkline.bayeux import Answer, Config, Confirmed, Delivery, SessionClosed


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
def test_acknowledgement_is_granted_to_who_asks(asked: object) -> None:
    """Both forms of asking get the same consent."""
    _acking(Wire(), asked)


@pytest.mark.parametrize("ext", [{"ack": False}, {"ack": 1}, {"ack": {"enabled": 1}}, {"ack": {}}, {}, [], None])
def test_nobody_else_is_given_numbers(ext: object) -> None:
    """Neither the handshake nor connects say anything of it."""
    wire = Wire()
    reply = wire.send(handshake(ext=ext)).reply
    assert "ext" not in reply
    assert "ext" not in wire.send(connect(reply["clientId"], ext={"ack": 0})).reply


def test_what_was_not_processed_comes_again_first() -> None:
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


def test_a_connect_with_something_unacknowledged_is_not_held() -> None:
    """It brings what was lost at once."""
    wire = Wire()
    client_id = _acking(wire)
    wire.send(_acked(client_id, 0))
    wire.deliver(event(1))
    wire.send(_acked(client_id, 1))
    assert marks_in(wire.send(_acked(client_id, 1)).messages) == [1]


def test_a_lost_connection_decides_nothing_for_who_acknowledges() -> None:
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


def test_two_connects_of_one_request_put_nothing_back_between_them() -> None:
    """The second cannot know what the first one brings."""
    wire = Wire()
    client_id = _acking(wire)
    wire.deliver(event(1))
    outcome = wire.send(_acked(client_id, 0), _acked(client_id, 0))
    assert marks_in(outcome.messages) == [1]


@pytest.mark.parametrize("number", [-1, "1", True, 1.0, None])
def test_a_connect_without_a_number_counts_as_one_of_a_plain_client(number: object) -> None:
    """What was written before is settled."""
    wire = Wire()
    client_id = _acking(wire)
    wire.deliver(event(1))
    wire.send(_acked(client_id, 0))
    assert [each.mark for each in wire.send(_acked(client_id, number)).of(Confirmed)] == [1]


def test_on_a_socket_acknowledged_events_come_with_connects() -> None:
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


def test_the_time_of_receipt_is_answered() -> None:
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


def test_the_first_form_has_no_lag_and_gets_no_accuracy() -> None:
    """Old clients send their time alone, or with an offset."""
    for asked in (_timesync(tc=5_000), _timesync(tc=5_000, o=3)):
        outcome = Wire().send(handshake(ext=asked), wall_ms=7_000)
        assert outcome.reply["ext"] == {"timesync": {"tc": 5_000, "ts": 7_000, "p": 0}}


@pytest.mark.parametrize(
    ("offset_ms", "lag_ms", "is_answered"),
    [(1_966, 10, False), (1_965, 10, True), (2_014, 10, False), (2_015, 10, True), (2_000, 0, True)],
)
def test_a_client_within_25_ms_gets_no_answer(offset_ms: int, lag_ms: int, *, is_answered: bool) -> None:
    """Unless it has no lag yet, which says that it never measured."""
    asked = _timesync(tc=5_000, l=lag_ms, o=offset_ms)
    reply = Wire().send(handshake(ext=asked), wall_ms=7_000).reply
    assert ("ext" in reply) is is_answered


@pytest.mark.parametrize("asked", [{}, {"tc": "1"}, {"tc": True}, {"tc": None}, [1], 7, None])
def test_what_asks_for_no_time_gets_none(asked: object) -> None:
    """The handshake succeeds all the same."""
    assert "ext" not in Wire().send(handshake(ext={"timesync": asked}), wall_ms=7_000).reply


def test_odd_lag_and_offset_are_passed_over() -> None:
    """Text and booleans are no numbers."""
    outcome = Wire().send(handshake(ext=_timesync(tc=5_000, l="1", o=True)), wall_ms=7_000)
    assert outcome.reply["ext"]["timesync"] == {"tc": 5_000, "ts": 7_000, "p": 0}


def test_without_a_clock_of_the_day_nothing_is_answered() -> None:
    """An application may have none."""
    assert "ext" not in Wire().send(handshake(ext=_timesync(tc=5_000))).reply


def test_time_and_acknowledgement_go_together() -> None:
    """Both are in one ext."""
    wire = Wire()
    client_id = _acking(wire)
    outcome = wire.send(connect(client_id, ext={"ack": 0, **_timesync(tc=1, l=0, o=0)}), wall_ms=1)
    assert outcome.reply["ext"] == {"ack": 1, "timesync": {"tc": 1, "ts": 1, "p": 0, "a": 0}}


def test_who_does_nothing_but_poll_is_told_to_stop() -> None:
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


def test_other_messages_are_activity() -> None:
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


def test_an_inactive_session_takes_its_socket_along() -> None:
    """The reply goes first."""
    wire = Wire(Config(max_inactive_ms=50_000))
    client_id = wire.on_socket("s")
    wire.now_ms += 50_001
    outcome = wire.frame("s", connect(client_id))
    assert [reply["advice"]["reconnect"] for reply in outcome.pushed] == ["none"]
    assert [type(effect).__name__ for effect in outcome.effects] == ["SessionClosed", "Send", "Close"]


def _lazy(mark: int) -> Delivery:
    return Delivery(OUTBOUND, str(mark).encode(), mark, is_lazy=True)


def test_a_lazy_event_waits_for_company() -> None:
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


def test_a_connect_that_comes_finds_the_lazy_event() -> None:
    """That is the next occasion. A connect that ends sooner than the event must go is not lengthened."""
    wire = Wire(Config(max_lazy_ms=5_000))
    client_id = wire.connected(OUTBOUND)
    wire.deliver(_lazy(1))
    assert marks_in(wire.send(connect(client_id)).messages) == [1]
    held = wire.hold(client_id, advice={"timeout": 100})
    wire.deliver(_lazy(2))
    assert marks_in(wire.pass_time(100).messages_in(held)) == [2]


def test_on_a_socket_lazy_events_go_without_waking_the_connect() -> None:
    """After a while, by themselves; the connect goes on until its time."""
    wire = Wire(Config(max_lazy_ms=5_000))
    client_id = wire.on_socket("s", OUTBOUND)
    assert wire.deliver(_lazy(1)).effects == []
    assert wire.pass_time(5_000).frames == [[{"data": 1, "channel": OUTBOUND}]]
    assert [reply["channel"] for reply in wire.pass_time(25_000).pushed] == ["/meta/connect"]
    wire.deliver(_lazy(2))
    assert marks_in(wire.frame("s", connect(client_id)).pushed) == [2]
