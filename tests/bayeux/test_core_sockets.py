"""Sockets in the core: pushing, taking over, breaking, and what "delivered" means on a socket."""

from __future__ import annotations

from tests.bayeux.harness import (
    OUTBOUND,
    Outcome,
    Wire,
    connect,
    disconnect,
    event,
    handshake,
    marks_in,
    publish,
    subscribe,
    unsubscribe,
)
from trunkline.bayeux import Answer, Close, Config, Confirmed, Delivery, SessionClosed

SMALL = Config(max_answer_bytes=200, max_queue_messages=20)
"""An event of the harness takes 38 bytes: five fit, and one may be larger than the room that is left."""


def _closes(outcome: Outcome) -> list[tuple[object, int]]:
    return [(effect.socket, effect.code) for effect in outcome.of(Close)]


def _confirmed(outcome: Outcome) -> list[int]:
    return [effect.mark for effect in outcome.of(Confirmed)]


def _is_nothing_left(wire: Wire) -> bool:
    hub = wire.server._hub
    return not (hub._waiting or hub._written or hub.on_socket or hub._polls_of_browser or len(hub.sessions))


def test_events_are_pushed_beside_the_held_connect() -> None:
    """An event goes out at once, in a frame of its own; the heartbeat is answered at its time."""
    wire = Wire()
    wire.on_socket("s", OUTBOUND)
    assert wire.deliver(event(1)).frames == [[{"data": 1, "channel": OUTBOUND}]]
    assert wire.pass_time(29_999).effects == []
    (reply,) = wire.pass_time(1).pushed
    assert (reply["channel"], reply["successful"]) == ("/meta/connect", True)
    assert wire.deliver(event(2)).frames == [[{"data": 2, "channel": OUTBOUND}]], "without any connect as well"


def test_events_before_the_first_connect_are_pushed_as_well() -> None:
    """Whoever shook hands on a socket is reached there."""
    wire = Wire()
    (reply,) = wire.frame("s", handshake()).pushed
    wire.frame("s", subscribe(reply["clientId"], OUTBOUND))
    assert marks_in(wire.deliver(event(1)).pushed) == [1]


def test_replies_of_one_frame_come_in_one_frame() -> None:
    """Subscribe, publish and connect of one frame are answered together; the connect is not held then."""
    wire = Wire()
    client_id = wire.on_socket("s")
    outcome = wire.frame("s", subscribe(client_id, "/chat/*"), publish(client_id, "/chat/a"), connect(client_id))
    first, second = outcome.frames
    assert [message["channel"] for message in first] == ["/meta/subscribe", "/chat/a", "/meta/connect"]
    assert [message["channel"] for message in second] == ["/chat/a"]


def test_what_is_no_request_is_answered_and_closes_the_socket() -> None:
    """An empty frame is invalid, one of too many messages too large."""
    wire = Wire(Config(max_messages_per_request=1))
    empty = wire.frame("s")
    assert empty.pushed[0]["error"] == "400::no message"
    assert _closes(empty) == [("s", 1007)]
    assert _closes(wire.frame("s", "text")) == [("s", 1007)]
    assert _closes(wire.frame("s", connect("x"), connect("x"))) == [("s", 1009)]


def test_a_second_connect_on_a_socket_replaces_the_first() -> None:
    """There is no exchange to be ended; the newer id is answered."""
    wire = Wire()
    client_id = wire.on_socket("s")
    assert wire.frame("s", connect(client_id, id="newer")).effects == []
    assert [reply["id"] for reply in wire.pass_time(30_000).pushed] == ["newer"]


def test_a_handshake_on_the_same_socket_replaces_the_session() -> None:
    """The former session is gone without a word; what it did not confirm is not confirmed."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    outcome = wire.frame("s", handshake())
    assert [(each.client_id, each.reason) for each in outcome.of(SessionClosed)] == [(client_id, "replaced")]
    assert [reply["channel"] for reply in outcome.pushed] == ["/meta/handshake"]
    assert (_confirmed(outcome), _closes(outcome)) == ([], [])


def test_what_was_pushed_is_delivered_with_the_next_message_of_the_client() -> None:
    """Any message on the socket will do, if what went before has left the process; a request by HTTP will not."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    assert _confirmed(wire.send(subscribe(client_id, "/chat/*"))) == []
    assert _confirmed(wire.frame("s", subscribe(client_id, "/chat/*"), has_taken_all=False)) == []
    assert _confirmed(wire.frame("other", subscribe(client_id, "/chat/*"))) == []
    assert _confirmed(wire.frame("s", subscribe(client_id, "/chat/*"))) == [1]
    assert _confirmed(wire.frame("s", connect(client_id))) == []


def test_a_closed_socket_keeps_session_and_queue() -> None:
    """What was not confirmed comes with the next connect, before newer events, on a poll as on another socket."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    assert wire.socket_closed("s").effects == []
    wire.deliver(event(2))
    polled = wire.send(connect(client_id))
    assert marks_in(polled.messages) == [1, 2]
    outcome = wire.frame("t", connect(client_id))
    assert _confirmed(outcome) == [2], "a connect confirms what an answer carried before"
    assert marks_in(wire.deliver(event(3)).pushed) == [3]


def test_a_closed_socket_starts_the_expiry() -> None:
    """The session lives for max_interval, not for the rest of its connect."""
    wire = Wire(Config(max_interval_ms=1_000))
    wire.on_socket("s")
    wire.socket_closed("s")
    assert wire.pass_time(999).effects == []
    assert [each.reason for each in wire.pass_time(1).of(SessionClosed)] == ["expired"]
    assert _is_nothing_left(wire)


def test_what_a_closed_socket_puts_back_may_be_too_much() -> None:
    """A queue beyond its limit ends the session, then as ever."""
    wire = Wire(Config(max_queue_messages=2, max_answer_bytes=200))
    wire.on_socket("s", OUTBOUND)
    for mark in (1, 2, 3):
        wire.deliver(event(mark))
    outcome = wire.socket_closed("s")
    assert [each.reason for each in outcome.of(SessionClosed)] == ["overflow"]
    assert _closes(outcome) == []
    assert _is_nothing_left(wire)


def test_a_newer_socket_takes_over() -> None:
    """What was pushed on the older one goes out again, and that one is closed behind it."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    outcome = wire.frame("t", connect(client_id))
    assert marks_in(outcome.pushed) == [1]
    assert _closes(outcome) == [("s", 1000)]
    assert wire.socket_closed("s").effects == [], "its end means nothing any more"
    assert marks_in(wire.deliver(event(2)).pushed) == [2]


def test_a_poll_takes_over_from_a_socket() -> None:
    """The socket is closed; the poll brings what was not confirmed."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    outcome = wire.send(connect(client_id))
    assert marks_in(outcome.messages) == [1]
    assert _closes(outcome) == [("s", 1000)]


def test_a_session_of_polls_goes_on_over_a_socket() -> None:
    """The held poll ends with 409, and events are pushed from then on."""
    wire = Wire()
    client_id = wire.connected(OUTBOUND)
    held = wire.hold(client_id)
    outcome = wire.frame("s", connect(client_id))
    assert [(answer.exchange, answer.status) for answer in outcome.of(Answer)] == [(held, 409)]
    assert marks_in(wire.deliver(event(1)).pushed) == [1]


def test_a_socket_with_two_sessions_outlives_the_first_that_leaves() -> None:
    """Shared proxies: the socket is closed with the last session only."""
    wire = Wire()
    first = wire.on_socket("s", OUTBOUND)
    second = wire.connected(OUTBOUND)
    wire.frame("s", connect(second))
    assert [marks_in(frame) for frame in wire.deliver(event(1)).frames] == [[1], [1]]
    assert _closes(wire.send(connect(first))) == []
    assert _closes(wire.send(connect(second))) == [("s", 1000)]


def test_a_disconnect_on_a_socket_leaves_the_closing_to_the_client() -> None:
    """The held connect is answered first, then the disconnect; what was pushed is settled."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    outcome = wire.frame("s", disconnect(client_id))
    assert [(reply["channel"], reply["successful"]) for reply in outcome.pushed] == [
        ("/meta/connect", True),
        ("/meta/disconnect", True),
    ]
    assert (_confirmed(outcome), _closes(outcome)) == ([1], [])
    assert _is_nothing_left(wire)


def test_a_kicked_session_is_told_and_its_socket_closed() -> None:
    """The held connect says stop."""
    wire = Wire()
    wire.on_socket("s")
    outcome = wire.kick()
    assert [reply["advice"]["reconnect"] for reply in outcome.pushed] == ["none"]
    assert _closes(outcome) == [("s", 1008)]


def test_an_expired_session_leaves_its_socket_open() -> None:
    """The client's next connect finds out."""
    wire = Wire(Config(max_interval_ms=1_000, timeout_ms=100))
    client_id = wire.on_socket("s")
    wire.pass_time(100)
    outcome = wire.pass_time(1_000)
    assert [each.reason for each in outcome.of(SessionClosed)] == ["expired"]
    assert _closes(outcome) == []
    assert [reply["error"] for reply in wire.frame("s", connect(client_id)).pushed] == ["402::Unknown client"]


def test_shutdown_answers_the_connects_and_closes_the_sockets() -> None:
    """Plain retry advice, then going away; nobody is pushed anything by it."""
    wire = Wire()
    wire.on_socket("s")
    outcome = wire.shutdown()
    assert [reply["advice"]["reconnect"] for reply in outcome.pushed] == ["retry"]
    assert _closes(outcome) == [("s", 1001)]


def test_a_client_that_does_not_take_what_is_sent_loses_its_session() -> None:
    """Nothing more is sent to it, nothing is confirmed, and the socket is closed."""
    wire = Wire()
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    outcome = Outcome(wire.server.socket_stuck("s", wire.now_ms))
    assert [(each.client_id, each.reason) for each in outcome.of(SessionClosed)] == [(client_id, "overflow")]
    assert (outcome.pushed, _confirmed(outcome)) == ([], [])
    assert _is_nothing_left(wire)
    assert wire.server.socket_stuck("s", wire.now_ms) == []


def test_a_socket_gets_no_more_than_the_window_without_a_word() -> None:
    """The held connect is answered when the window is half full, so that the client says something; then it goes on."""
    wire = Wire(SMALL)
    client_id = wire.on_socket("s", OUTBOUND)
    assert [marks_in(wire.deliver(event(mark)).pushed) for mark in (1, 2)] == [[1], [2]]
    third = wire.deliver(event(3)).pushed
    assert marks_in(third) == [3]
    assert third[-1]["channel"] == "/meta/connect"
    assert [marks_in(wire.deliver(event(mark)).pushed) for mark in (4, 5, 6, 7, 8)] == [[4], [5], [6], [], []]
    outcome = wire.frame("s", connect(client_id))
    assert _confirmed(outcome) == [6]
    assert marks_in(outcome.pushed) == [7, 8]


def test_a_connect_behind_unsent_frames_makes_no_room_and_is_answered() -> None:
    """The client comes back, and by then it has taken what was sent: no event waits for a timeout."""
    wire = Wire(SMALL)
    client_id = wire.on_socket("s", OUTBOUND)
    for mark in range(1, 8):
        wire.deliver(event(mark))
    outcome = wire.frame("s", connect(client_id), has_taken_all=False)
    assert [message["channel"] for message in outcome.pushed] == ["/meta/connect"]
    assert marks_in(wire.frame("s", connect(client_id)).pushed) == [7]


def test_an_event_larger_than_the_room_that_is_left_goes_alone() -> None:
    """One event is never cut and never stuck, wherever the window stands."""
    wire = Wire(SMALL)
    client_id = wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    large = Delivery(OUTBOUND, b'"' + b"x" * 500 + b'"', 2)
    assert len(wire.deliver(large).frames[0]) == 1
    assert marks_in(wire.deliver(event(3)).pushed) == []
    assert marks_in(wire.frame("s", connect(client_id)).pushed) == [3]


def test_other_messages_make_room_too() -> None:
    """A subscribe confirms what went before, and what waited goes out behind its reply."""
    wire = Wire(SMALL)
    client_id = wire.on_socket("s", OUTBOUND)
    for mark in range(1, 8):
        wire.deliver(event(mark))
    outcome = wire.frame("s", unsubscribe(client_id, "/chat/*"))
    assert [marks_in(frame) for frame in outcome.frames] == [[], [7]]


def test_a_queue_behind_a_full_window_ends_the_session() -> None:
    """The client is told, and its socket closed behind that."""
    wire = Wire(Config(max_answer_bytes=1, max_queue_messages=1))
    wire.on_socket("s", OUTBOUND)
    wire.deliver(event(1))
    wire.deliver(event(2))
    outcome = wire.deliver(event(3))
    assert [each.reason for each in outcome.of(SessionClosed)] == ["overflow"]
    assert _closes(outcome) == [("s", 1008)]
