"""Conformance, item by item: connects, expiry, shutdown.

The numbers are those of docs/bayeux-conformance.md.
"""

from __future__ import annotations

import pytest

from tests.bayeux.harness import (
    LEFT_OUT,
    OUTBOUND,
    Wire,
    connect,
    disconnect,
    event,
    handshake,
    marks_in,
    publish,
    subscribe,
)
from trunkline.bayeux import Config, Confirmed, Hold, SessionClosed

RETRY = {"interval": 0, "timeout": 30000, "reconnect": "retry"}


@pytest.mark.item("0.7", "0.8", "0.9", 37)
def test_connect_replies_always_carry_the_whole_advice() -> None:
    """On the first connect, on a batch, and on a held one that times out."""
    wire = Wire()
    client_id = wire.handshake()
    assert wire.send(connect(client_id)).reply["advice"] == RETRY
    assert wire.send(connect(client_id), {}).messages[-1]["advice"] == RETRY
    held = wire.hold(client_id)
    assert wire.pass_time(30_000).messages_in(held)[0]["advice"] == RETRY


@pytest.mark.item(38)
@pytest.mark.parametrize(
    ("connection_type", "error", "reconnect"),
    [
        (LEFT_OUT, "400::connectionType missing", "retry"),
        (None, "400::connectionType missing", "retry"),
        ("callback-polling", "301:callback-polling:Connection types not supported", "none"),
        (["long-polling"], "301::Connection types not supported", "none"),
    ],
)
def test_a_connect_names_its_connection_type(connection_type: object, error: str, reconnect: str) -> None:
    """Missing or unsupported: refused, and a connect that is held stays held."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id)
    outcome = wire.send(connect(client_id, connectionType=connection_type))
    assert (outcome.reply["error"], outcome.reply["advice"]["reconnect"]) == (error, reconnect)
    assert held in wire.pass_time(30_000).answers


@pytest.mark.item(39)
def test_a_connect_is_held_until_the_timeout() -> None:
    """The reply comes with the tick at the deadline and not before."""
    wire = Wire()
    client_id = wire.connected()
    outcome = wire.send(connect(client_id, id=8))
    assert outcome.of(Hold) == [Hold(outcome.exchange, client_id, wire.now_ms + 30_000)]
    assert not wire.pass_time(29_999).effects
    assert wire.server.next_deadline_ms() == wire.now_ms + 1
    (reply,) = wire.pass_time(1).messages_in(outcome.exchange)
    assert (reply["successful"], reply["id"]) == (True, 8)


@pytest.mark.item("0.2", 40)
def test_the_first_connect_is_answered_at_once() -> None:
    """Without any advice from the client; the second is held."""
    wire = Wire()
    client_id = wire.handshake()
    assert wire.send(connect(client_id)).reply["successful"]
    assert wire.send(connect(client_id)).is_held


@pytest.mark.item(40)
@pytest.mark.parametrize("timeout", [0, 0.0, 0.5])
def test_a_timeout_of_zero_is_answered_at_once(timeout: float) -> None:
    """That is how clients ask whether the server is there."""
    wire = Wire()
    client_id = wire.connected()
    assert wire.send(connect(client_id, advice={"timeout": timeout})).reply["advice"] == RETRY
    assert wire.send(connect(client_id)).is_held


@pytest.mark.item(41)
@pytest.mark.parametrize(
    ("advice", "until_ms"),
    [
        ({"timeout": 5_000}, 5_000),
        ({"timeout": 90_000}, 30_000),
        ({"timeout": -1}, 30_000),
        ({"timeout": "0"}, 30_000),
        ({"timeout": False}, 30_000),
        ([], 30_000),
    ],
)
def test_the_clients_timeout_holds_for_one_connect(advice: object, until_ms: int) -> None:
    """It may shorten ours; nonsense is passed over; the next connect has ours again."""
    wire = Wire()
    client_id = wire.connected()
    (hold,) = wire.send(connect(client_id, advice=advice)).of(Hold)
    assert hold.until_ms == wire.now_ms + until_ms
    wire.pass_time(until_ms)
    (hold,) = wire.send(connect(client_id)).of(Hold)
    assert hold.until_ms == wire.now_ms + 30_000


@pytest.mark.item(41)
def test_the_clients_interval_lengthens_the_life_of_one_pause() -> None:
    """Up to the limit; after the next connect the ordinary time counts again."""
    wire = Wire()
    client_id = wire.connected()
    wire.send(connect(client_id, advice={"timeout": 0, "interval": 50_000}))
    assert not wire.pass_time(109_999).effects
    wire.send(connect(client_id, advice={"timeout": 0, "interval": 10**9}))
    assert not wire.pass_time(119_999).effects
    wire.send(connect(client_id, advice={"timeout": 0}))
    assert wire.pass_time(60_000).of(SessionClosed)


@pytest.mark.item(42)
def test_events_between_polls_come_with_the_next_connect() -> None:
    """At once, events first, connect reply last."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    wire.deliver(event(2), event(3))
    messages = wire.send(connect(client_id)).messages
    assert marks_in(messages) == [1, 2, 3]
    assert messages[-1]["channel"] == "/meta/connect"


@pytest.mark.item(42)
def test_in_a_batch_events_are_first_and_connect_replies_last() -> None:
    """Other replies keep the order of the request between them."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    outcome = wire.send(connect("nobody"), connect(client_id), subscribe(client_id, "/a"), publish(client_id, "/x"))
    assert [message["channel"] for message in outcome.messages] == [
        OUTBOUND,
        "/meta/subscribe",
        "/x",
        "/meta/connect",
        "/meta/connect",
    ]


@pytest.mark.item(43)
def test_a_second_connect_ends_the_first_with_409() -> None:
    """The newer one is held in its place and gets the events; the body of the 409 matches no request."""
    wire = Wire()
    client_id = wire.connected("/**")
    first = wire.hold(client_id)
    outcome = wire.send(connect(client_id))
    assert outcome.is_held
    assert outcome.answers[first].status == 409
    assert b'"id"' not in outcome.answers[first].body
    delivered = wire.deliver(event(1))
    assert list(delivered.answers) == [outcome.exchange]


@pytest.mark.item(43)
def test_a_batched_connect_ends_the_held_one_too() -> None:
    """The session is then without a held connect."""
    wire = Wire()
    client_id = wire.connected("/**")
    first = wire.hold(client_id)
    outcome = wire.send(connect(client_id), {})
    assert outcome.answers[first].status == 409
    assert not wire.deliver(event(1)).effects


@pytest.mark.item(44)
def test_a_batched_connect_is_not_held() -> None:
    """All replies of the batch come together, as after a re-handshake."""
    wire = Wire()
    client_id = wire.connected()
    outcome = wire.send(connect(client_id), subscribe(client_id, OUTBOUND))
    assert [message["channel"] for message in outcome.messages] == ["/meta/subscribe", "/meta/connect"]
    assert all(message["successful"] for message in outcome.messages)


@pytest.mark.item(44)
def test_two_connects_of_one_batch_settle_nothing_between_them() -> None:
    """What the answer itself carries has not arrived yet."""
    wire = Wire()
    client_id = wire.connected("/**")
    wire.deliver(event(1))
    outcome = wire.send(connect(client_id), connect(client_id))
    assert marks_in(outcome.messages) == [1]
    assert not outcome.of(Confirmed)
    assert wire.send(connect(client_id)).of(Confirmed) == [Confirmed("ann", OUTBOUND, 1)]


@pytest.mark.item("0.4", 15, 45)
def test_an_unknown_session_is_sent_to_the_handshake() -> None:
    """HTTP 200, unsuccessful, advice handshake with interval 0."""
    outcome = Wire().send(connect("nobody", id="3"))
    assert outcome.reply == {
        "successful": False,
        "error": "402::Unknown client",
        "advice": {"interval": 0, "timeout": 30000, "reconnect": "handshake"},
        "id": "3",
        "channel": "/meta/connect",
    }


@pytest.mark.item(46, 54)
def test_a_session_without_connect_expires() -> None:
    """60 s after the handshake, or after the end of the last connect; then it is unknown."""
    wire = Wire()
    client_id = wire.handshake()
    assert not wire.pass_time(59_999).effects
    assert wire.pass_time(1).of(SessionClosed) == [SessionClosed(client_id, "ann", "expired")]
    client_id = wire.connected()
    wire.pass_time(59_000)
    held = wire.hold(client_id)
    assert held in wire.pass_time(30_000).answers
    assert not wire.pass_time(59_999).effects
    assert wire.pass_time(1).of(SessionClosed)
    assert wire.send(connect(client_id)).reply["error"] == "402::Unknown client"
    assert wire.server.next_deadline_ms() is None


@pytest.mark.item(46)
def test_other_messages_do_not_keep_a_session_alive() -> None:
    """Only connects count."""
    wire = Wire()
    client_id = wire.connected()
    wire.pass_time(59_000)
    wire.send(subscribe(client_id, OUTBOUND))
    assert wire.pass_time(1_000).of(SessionClosed)


@pytest.mark.item(48)
def test_maxinterval_is_advised_only_when_configured() -> None:
    """The wire name is camel case."""
    wire = Wire(Config(advise_max_interval=True, max_interval_ms=5_000))
    assert wire.send(handshake()).reply["advice"]["maxInterval"] == 5_000
    assert "maxInterval" not in Wire().send(handshake()).reply["advice"]


@pytest.mark.item(49)
def test_max_interval_counts_on_top_of_the_interval() -> None:
    """A client that waits as advised is not swept."""
    wire = Wire(Config(interval_ms=5_000, max_interval_ms=10_000))
    client_id = wire.handshake()
    assert not wire.pass_time(14_999).effects
    assert wire.send(connect(client_id)).reply["advice"]["interval"] == 5_000
    assert not wire.pass_time(14_999).effects
    assert wire.pass_time(1).of(SessionClosed)


@pytest.mark.item(52)
def test_kicked_sessions_are_told_to_stop() -> None:
    """Held connects return unsuccessful with advice none; all sessions of that principal are gone, no other's."""
    wire = Wire()
    held = wire.hold(wire.connected("/**"), id="7")
    idle = wire.connected()
    bob = wire.connected(principal="bob")
    outcome = wire.kick()
    assert [closed.client_id for closed in outcome.of(SessionClosed)] == ["c1", idle]
    assert {closed.reason for closed in outcome.of(SessionClosed)} == {"kicked"}
    assert outcome.messages_in(held) == [
        {
            "successful": False,
            "error": "402::Unknown client",
            "advice": {"interval": 0, "timeout": 30000, "reconnect": "none"},
            "id": "7",
            "channel": "/meta/connect",
        }
    ]
    assert not wire.server.has_sessions("ann")
    assert wire.send(connect(bob), principal="bob").is_held


@pytest.mark.item(31, 69)
def test_only_connects_are_held() -> None:
    """Everything else is answered at once, with a connect held beside it."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id)
    for message in (subscribe(client_id, "/a"), publish(client_id, "/a"), connect("nobody"), handshake()):
        outcome = wire.send(message)
        assert not outcome.is_held
        assert held not in outcome.answers


@pytest.mark.item(25, 83)
def test_nothing_is_left_of_ended_sessions() -> None:
    """Deadlines, owners and exchanges are freed."""
    wire = Wire()
    for _ in range(500):
        client_id = wire.connected("/**")
        held = wire.hold(client_id)
        wire.deliver(event(wire.exchange))
        wire.send(disconnect(client_id))
        wire.closed(held)
    hub = wire.server._hub
    assert (len(hub.sessions), hub._waiting, hub._written, hub.sessions._by_principal) == (0, {}, {}, {})
    assert len(hub.sessions._deadlines) < 100


@pytest.mark.item(84)
def test_shutdown_releases_held_connects_with_retry() -> None:
    """Clients come back to the next process; this one holds nothing and opens nothing any more."""
    wire = Wire()
    client_id = wire.connected("/**")
    held, idle = wire.hold(client_id), wire.connected()
    (reply,) = wire.shutdown().messages_in(held)
    assert (reply["successful"], reply["advice"]) == (True, RETRY)
    assert wire.send(connect(idle)).reply["successful"]
    refused = wire.send(handshake()).reply
    assert (refused["successful"], refused["advice"]["reconnect"]) == (False, "handshake")
