"""Conformance, item by item: extensions, lazy events, limits of handshakes.

The numbers are those of docs/bayeux-conformance.md.
"""

from __future__ import annotations

import pytest

from tests.bayeux.harness import OUTBOUND, Wire, connect, event, handshake, marks_in, subscribe
from trunkline.bayeux import Config, Confirmed, Delivery, SessionClosed


def acknowledging(wire: Wire) -> str:
    """Open a session that acknowledges, and bring its first connect, which has number 1, behind it."""
    client_id: str = wire.send(handshake(ext={"ack": True})).reply["clientId"]
    assert wire.send(subscribe(client_id, "/**")).reply["successful"]
    assert wire.send(connect(client_id, ext={"ack": 0})).reply["ext"] == {"ack": 1}
    return client_id


@pytest.mark.item(86)
@pytest.mark.parametrize(
    ("ext", "is_granted"),
    [
        ({"ack": True}, True),
        ({"ack": {"enabled": True, "batch": 7}}, True),
        ({"ack": {"enabled": False}}, False),
        ({"ack": False}, False),
        ({"ack": "true"}, False),
        ({"ack": 1}, False),
        ({}, False),
        (None, False),
    ],
)
def test_acknowledgement_is_asked_for_in_the_handshake(ext: object, is_granted: bool) -> None:  # noqa: FBT001
    """Granted by ``true``, and used only then: other sessions' connects carry no number."""
    wire = Wire()
    reply = wire.send(handshake(ext=ext)).reply
    assert reply.get("ext") == ({"ack": True} if is_granted else None)
    assert ("ext" in wire.send(connect(reply["clientId"], ext={"ack": 0})).reply) is is_granted


@pytest.mark.item(87)
def test_what_was_not_processed_comes_again_before_newer_events() -> None:
    """In a reply with a number of its own, at once; and is confirmed by a connect that names that number."""
    wire = Wire()
    client_id = acknowledging(wire)
    held = wire.hold(client_id, ext={"ack": 1})
    assert wire.deliver(event(1)).messages_in(held)[-1]["ext"] == {"ack": 2}
    wire.deliver(event(2))
    outcome = wire.send(connect(client_id, ext={"ack": 1}))
    assert marks_in(outcome.messages) == [1, 2]
    assert not outcome.of(Confirmed)
    assert outcome.messages[-1]["ext"] == {"ack": 3}
    outcome = wire.send(connect(client_id, ext={"ack": 3}))
    assert outcome.is_held
    assert outcome.of(Confirmed) == [Confirmed("ann", OUTBOUND, 2)]


@pytest.mark.item(89)
def test_what_was_not_processed_stays_undelivered_when_the_session_ends() -> None:
    """Then the client is unknown, and nothing of what it did not process was confirmed."""
    wire = Wire()
    client_id = acknowledging(wire)
    wire.hold(client_id, ext={"ack": 1})
    wire.deliver(event(1))
    outcome = wire.pass_time(60_000)
    assert outcome.of(SessionClosed)
    assert not outcome.of(Confirmed)
    assert wire.send(connect(client_id, ext={"ack": 1})).reply["error"] == "402::Unknown client"


@pytest.mark.item(91)
def test_a_session_that_only_polls_ends() -> None:
    """At the first connect after the limit, with advice none; any other message counts as activity, connects do not."""
    wire = Wire(Config(max_interval_ms=600_000, max_inactive_ms=50_000))
    client_id = wire.connected()
    wire.pass_time(40_000)
    assert wire.send(subscribe(client_id, "/a")).reply["successful"]
    wire.pass_time(40_000)
    assert wire.send(connect(client_id, advice={"timeout": 0})).reply["successful"]
    wire.pass_time(10_001)
    outcome = wire.send(connect(client_id))
    assert (outcome.reply["successful"], outcome.reply["advice"]["reconnect"]) == (False, "none")
    assert outcome.of(SessionClosed) == [SessionClosed(client_id, "ann", "inactive")]


@pytest.mark.item(91)
@pytest.mark.parametrize("counts", [True, False])
def test_events_may_count_as_activity(counts: bool) -> None:  # noqa: FBT001
    """If the operator says so."""
    wire = Wire(Config(max_interval_ms=600_000, max_inactive_ms=50_000, is_delivery_activity=counts))
    client_id = wire.connected("/**")
    wire.pass_time(40_000)
    wire.deliver(event(1))
    wire.pass_time(20_000)
    assert wire.send(connect(client_id)).messages[-1]["successful"] is counts


@pytest.mark.item(92)
def test_what_is_not_offered_is_not_granted() -> None:
    """The reply names no extension, so that clients which ask for one leave it off."""
    reply = Wire().send(handshake(ext={"binary": {}, "reload": {}, "timestamp": True})).reply
    assert reply["successful"]
    assert "ext" not in reply


@pytest.mark.item(85)
def test_lazy_events_wait_for_an_occasion() -> None:
    """Another event takes them along, in order; without one they go at the end of their time."""
    wire = Wire(Config(max_lazy_ms=5_000))
    client_id = wire.connected("/**")
    held = wire.hold(client_id)
    lazy = Delivery(OUTBOUND, b"1", 1, is_lazy=True)
    assert not wire.deliver(lazy).effects
    assert marks_in(wire.deliver(event(2)).messages_in(held)) == [1, 2]
    held = wire.hold(client_id)
    wire.deliver(Delivery(OUTBOUND, b"3", 3, is_lazy=True))
    assert not wire.pass_time(4_999).effects
    assert marks_in(wire.pass_time(1).messages_in(held)) == [3]


@pytest.mark.item(99)
def test_handshakes_of_one_address_are_limited() -> None:
    """Five seconds' worth at once, then as many as the limit says; the refusal lets the client try again."""
    wire = Wire(Config(max_handshakes_per_s=2))
    for _ in range(10):
        wire.handshake()
    refused = wire.send(handshake()).reply
    assert refused["error"] == "403:too_many_handshakes:create denied"
    assert refused["advice"]["reconnect"] == "handshake"
    wire.pass_time(500)
    wire.handshake()
    assert not wire.send(handshake()).reply["successful"]
