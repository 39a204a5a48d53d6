"""Limits: several tabs of one browser, handshakes of one address, and how much one answer carries."""

from __future__ import annotations

import pytest

from tests.bayeux.harness import OUTBOUND, Wire, connect, event, handshake, marks_in, subscribe
from trunkline.bayeux import Config, Delivery, limits
from trunkline.bayeux.limits import HandshakeLimiter

TABS = Config(max_sessions_per_browser=1, max_interval_ms=1_000, multi_session_interval_ms=2_000)


def test_a_further_tab_polls_at_intervals() -> None:
    """Its connect is answered at once, with what waits for it; it lives through the interval; a place may come free."""
    wire = Wire(TABS)
    first, second = wire.connected(OUTBOUND), wire.connected(OUTBOUND)
    assert wire.send(connect(first), browser="b").is_held
    held = wire.exchange
    wire.deliver_to(second, event(1))
    outcome = wire.send(connect(second), browser="b")
    assert marks_in(outcome.messages) == [1]
    reply = outcome.messages[-1]
    assert reply["successful"]
    assert reply["advice"] == {"interval": 2_000, "timeout": 30_000, "reconnect": "retry", "multiple-clients": True}
    wire.pass_time(2_999)
    assert wire.server._hub.sessions.get(second) is not None
    wire.closed(held)
    assert wire.send(connect(second), browser="b").is_held


def test_who_acknowledges_is_given_numbers_then_as_well() -> None:
    """What was lost on the way comes again."""
    wire = Wire(TABS)
    first = wire.connected()
    client_id = wire.send(handshake(ext={"ack": True})).reply["clientId"]
    wire.send(subscribe(client_id, OUTBOUND))
    wire.send(connect(first), browser="b")
    assert wire.send(connect(client_id, ext={"ack": 0}), browser="b").reply["ext"] == {"ack": 1}
    wire.deliver_to(client_id, event(1))
    for number in (2, 3):
        outcome = wire.send(connect(client_id, ext={"ack": 1}), browser="b")
        assert marks_in(outcome.messages) == [1]
        assert outcome.messages[-1]["ext"] == {"ack": number}


@pytest.mark.parametrize("interval_ms", [0, -1])
def test_without_an_interval_a_further_tab_is_refused(interval_ms: int) -> None:
    """It is told to stop."""
    wire = Wire(Config(max_sessions_per_browser=1, multi_session_interval_ms=interval_ms))
    first, second = wire.connected(), wire.connected()
    wire.send(connect(first), browser="b")
    reply = wire.send(connect(second), browser="b").reply
    assert (reply["successful"], reply["error"]) == (False, "403:too_many_tabs:connect denied")
    assert (reply["advice"]["reconnect"], reply["advice"]["multiple-clients"]) == ("none", True)


def test_other_browsers_and_clients_without_cookie_are_not_counted() -> None:
    """Nor is the connect that a newer one of the same session ends."""
    wire = Wire(TABS)
    first, second, third = wire.connected(), wire.connected(), wire.connected()
    assert wire.send(connect(first), browser="b").is_held
    assert wire.send(connect(first), browser="b").is_held
    assert wire.send(connect(second), browser="c").is_held
    assert wire.send(connect(third)).is_held


def test_several_places_are_given_back_one_by_one() -> None:
    """The count follows each end of a poll."""
    wire = Wire(Config(max_sessions_per_browser=2))
    clients = [wire.connected() for _ in range(3)]
    assert [wire.send(connect(client), browser="b").is_held for client in clients] == [True, True, False]
    wire.pass_time(30_000)
    assert wire.server._hub._polls_of_browser == {}


def test_handshakes_of_one_address_are_limited() -> None:
    """Five seconds' worth at once, then the rate; other addresses are not touched; the client may try again."""
    wire = Wire(Config(max_handshakes_per_s=1))
    replies = [wire.send(handshake(), address="a").reply for _ in range(6)]
    assert [reply["successful"] for reply in replies] == [True] * 5 + [False]
    assert replies[-1]["error"] == "403:too_many_handshakes:create denied"
    assert replies[-1]["advice"]["reconnect"] == "handshake"
    assert wire.send(handshake(), address="b").reply["successful"]
    wire.pass_time(1_000)
    assert [wire.send(handshake(), address="a").reply["successful"] for _ in range(2)] == [True, False]


def test_the_address_that_was_silent_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded."""
    monkeypatch.setattr(limits, "_MAX_ADDRESSES", 2)
    limiter = HandshakeLimiter(1)
    for _ in range(5):
        assert limiter.may_open("a", 0)
    assert not limiter.may_open("a", 0)
    assert limiter.may_open("b", 0)
    assert not limiter.may_open("a", 0)
    assert limiter.may_open("c", 0)
    assert list(limiter._buckets) == ["a", "c"]
    assert not limiter.may_open("a", 0)


def test_an_answer_carries_no_more_than_its_bytes() -> None:
    """The rest comes with the next one, in order; one event that is larger than an answer goes alone."""
    wire = Wire(Config(max_answer_bytes=100))
    client_id = wire.connected(OUTBOUND)
    wire.deliver(*[event(mark) for mark in range(1, 6)])
    large = Delivery(OUTBOUND, b'"' + b"x" * 200 + b'"', 6)
    wire.deliver(large, event(7))
    answers = [marks_in(wire.send(connect(client_id)).messages) for _ in range(5)]
    assert [len(marks) for marks in answers] == [2, 2, 1, 1, 1]
    assert answers[-1] == [7]
    assert wire.send(connect(client_id)).is_held


def test_two_connects_of_one_request_share_one_answer() -> None:
    """Its bytes are those of the answer."""
    wire = Wire(Config(max_answer_bytes=100))
    client_id = wire.connected(OUTBOUND)
    wire.deliver(*[event(mark) for mark in range(1, 6)])
    assert marks_in(wire.send(connect(client_id), connect(client_id)).messages) == [1, 2, 3]
    assert marks_in(wire.send(connect(client_id), connect(client_id)).messages) == [4, 5]
    wire.deliver(*[event(mark) for mark in range(6, 14)])
    assert marks_in(wire.send(*[connect(client_id)] * 3).messages) == [6, 7, 8]
