"""Conformance, item by item: channels, subscribing, publishing, disconnect, ownership.

The numbers are those of docs/bayeux-conformance.md.
"""

from __future__ import annotations

import pytest

from tests.bayeux.harness import (
    INTERNAL,
    LEFT_OUT,
    OUTBOUND,
    Wire,
    connect,
    disconnect,
    event,
    marks_in,
    publish,
    subscribe,
    unsubscribe,
)
from trunkline.bayeux import (
    AllowList,
    Config,
    Published,
    SessionClosed,
    Subscribed,
    Unsubscribed,
)

DENIED_SUBSCRIBE = "403:denied_by_security_policy:subscribe_denied"
UNKNOWN = "402::Unknown client"


@pytest.mark.item(18, 19)
@pytest.mark.parametrize("name", ["", "a", "/", "/a//b", "/a/", "/a/*/b", "/a*", "/ä", "/" + "x" * 256])
def test_malformed_subscriptions_are_invalid(name: str) -> None:
    """Names and misplaced wildcards are judged before any policy."""
    wire = Wire(policy=AllowList(["/**"]))
    reply = wire.send(subscribe(wire.handshake(), name)).reply
    assert (reply["error"], reply["subscription"]) == ("403::subscription_invalid", name)


@pytest.mark.item(18)
def test_a_name_with_the_wide_alphabet_is_subscribable() -> None:
    """What the Java server accepts is accepted."""
    wire = Wire()
    assert wire.send(subscribe(wire.handshake(), ["/a b", "/a.b/{c}", "/x/**", "/*"])).reply["successful"]


@pytest.mark.item(18)
@pytest.mark.parametrize("channel", ["/a/*", "/**", "no-slash", "/a//b", "/" + "x" * 256])
def test_publishing_to_what_is_no_name_is_refused(channel: str) -> None:
    """Patterns are for subscribing only."""
    wire = Wire()
    assert wire.send(publish(wire.handshake(), channel)).reply["error"] == "405::channel_invalid"


@pytest.mark.item(14, 22)
@pytest.mark.parametrize("pattern", ["/meta/connect", "/meta/**", "/meta/*", "/meta"])
def test_nobody_subscribes_to_meta_channels(pattern: str) -> None:
    """Refused by the core, whatever the policy."""
    wire = Wire(policy=AllowList(["/**", "/meta/**"]))
    assert wire.send(subscribe(wire.handshake(), pattern)).reply["error"] == DENIED_SUBSCRIBE


@pytest.mark.item(23)
@pytest.mark.parametrize("channel", ["/meta/other", "/meta/connect/x", "/meta"])
def test_unknown_meta_channels_are_refused(channel: str) -> None:
    """The text is that of the Java server."""
    wire = Wire(policy=AllowList(["/**"], ["/**"]))
    reply = wire.send(publish(wire.handshake(), channel)).reply
    assert reply["error"] == "403:denied_by_security_policy:channel_create_denied"


@pytest.mark.item(24)
def test_service_channels_are_acknowledged_and_not_recorded() -> None:
    """A subscription says yes without effect, a granted publish reaches the application only."""
    wire = Wire(policy=AllowList(["/**"], ["/service/echo"]))
    client_id = wire.connected("/**")
    outcome = wire.send(subscribe(client_id, "/service/echo"))
    assert outcome.reply["successful"]
    assert not outcome.of(Subscribed)
    outcome = wire.send(publish(client_id, "/service/echo", id="77"))
    assert outcome.reply == {"successful": True, "id": "77", "channel": "/service/echo"}
    assert outcome.of(Published) == [Published(client_id, "ann", "/service/echo", {"text": "hello"})]
    wire.hold(client_id)
    assert not wire.deliver(event(1, "/service/echo")).effects


@pytest.mark.item(53)
def test_disconnect_ends_the_session() -> None:
    """It is answered, the session and its subscriptions are gone, a second one is 402."""
    wire = Wire()
    client_id = wire.connected(OUTBOUND)
    outcome = wire.send(disconnect(client_id))
    assert outcome.reply == {"successful": True, "id": "5", "channel": "/meta/disconnect"}
    assert outcome.of(SessionClosed) == [SessionClosed(client_id, "ann", "disconnect")]
    assert not wire.server.has_sessions("ann")
    assert wire.send(disconnect(client_id)).reply["error"] == UNKNOWN


@pytest.mark.item(53)
def test_disconnect_releases_the_held_connect_first() -> None:
    """The held connect gets a successful farewell with advice none, before the disconnect is answered."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id, id="41")
    outcome = wire.send(disconnect(client_id))
    (farewell,) = outcome.messages_in(held)
    assert farewell["successful"] is True
    assert (farewell["advice"]["reconnect"], farewell["id"], farewell["channel"]) == ("none", "41", "/meta/connect")
    assert list(outcome.answers) == [held, outcome.exchange]


@pytest.mark.item(55)
def test_the_subscription_is_echoed_in_its_form() -> None:
    """A string for a string, an array for an array, one reply each."""
    wire = Wire()
    client_id = wire.handshake()
    for subscription in (OUTBOUND, [OUTBOUND], [INTERNAL, OUTBOUND]):
        for message in (subscribe(client_id, subscription), unsubscribe(client_id, subscription)):
            reply = wire.send(message).reply
            assert (reply["successful"], reply["subscription"]) == (True, subscription)


@pytest.mark.item(14, 55)
@pytest.mark.parametrize(
    ("subscription", "error"),
    [
        (LEFT_OUT, "403::subscription_missing"),
        (None, "403::subscription_missing"),
        ([], "403::subscription_missing"),
        (7, "403::subscription_invalid"),
        ({}, "403::subscription_invalid"),
        (["/a", 7], "403::subscription_invalid"),
        (["/a", "b"], "403::subscription_invalid"),
    ],
)
def test_missing_and_bad_subscriptions_are_told_apart(subscription: object, error: str) -> None:
    """The same texts for subscribing and unsubscribing; nothing is recorded."""
    wire = Wire()
    client_id = wire.handshake()
    for message in (
        subscribe(client_id, subscription),
        unsubscribe(client_id, subscription),
    ):
        outcome = wire.send(message)
        assert outcome.reply["error"] == error
        assert not outcome.without_answers()


@pytest.mark.item(56)
def test_an_array_is_subscribed_whole_or_not_at_all() -> None:
    """One refused channel refuses the message; those before it are not subscribed."""
    wire = Wire(policy=AllowList([OUTBOUND]))
    client_id = wire.connected()
    outcome = wire.send(subscribe(client_id, [OUTBOUND, "/secret"]))
    assert outcome.reply["error"] == DENIED_SUBSCRIBE
    assert outcome.reply["subscription"] == [OUTBOUND, "/secret"]
    assert not outcome.of(Subscribed)
    wire.hold(client_id)
    assert not wire.deliver(event(1)).effects


@pytest.mark.item(57)
def test_repeated_subscriptions_succeed_once() -> None:
    """The second says yes without effect; one unsubscribe ends it; another still succeeds."""
    wire = Wire()
    client_id = wire.connected()
    assert len(wire.send(subscribe(client_id, [OUTBOUND, OUTBOUND])).of(Subscribed)) == 1
    again = wire.send(subscribe(client_id, OUTBOUND))
    assert again.reply["successful"]
    assert not again.of(Subscribed)
    assert wire.send(unsubscribe(client_id, OUTBOUND)).of(Unsubscribed) == [Unsubscribed(client_id, "ann", OUTBOUND)]
    last = wire.send(unsubscribe(client_id, OUTBOUND))
    assert last.reply["successful"]
    assert not last.of(Unsubscribed)


@pytest.mark.item(58)
def test_subscribing_before_the_first_connect_works() -> None:
    """An event between the subscribe and the first connect arrives with that connect."""
    wire = Wire()
    client_id = wire.handshake()
    assert wire.send(subscribe(client_id, OUTBOUND)).of(Subscribed) == [Subscribed(client_id, "ann", OUTBOUND)]
    assert not wire.deliver(event(1)).effects
    assert marks_in(wire.send(connect(client_id)).messages) == [1]


@pytest.mark.item("0.10", 60, 61)
def test_a_granted_publish_is_acknowledged_and_reaches_its_sender() -> None:
    """The acknowledgement has no data; the event has data and channel alone and comes by connect."""
    wire = Wire()
    client_id = wire.connected("/chat/*")
    held = wire.hold(client_id)
    outcome = wire.send(publish(client_id, "/chat/1"))
    assert outcome.reply == {"successful": True, "id": "6", "channel": "/chat/1"}
    happened, reply = outcome.messages_in(held)
    assert happened == {"data": {"text": "hello"}, "channel": "/chat/1"}
    assert reply["channel"] == "/meta/connect"


@pytest.mark.item(61)
def test_a_publish_stays_with_its_principal() -> None:
    """Every session of the publisher gets it, nobody else's does, although the channel is the same."""
    wire = Wire()
    ann, bob = wire.connected("/chat/1"), wire.connected("/chat/1", principal="bob")
    other = wire.connected("/chat/1")
    wire.send(publish(ann, "/chat/1"))
    assert len(wire.send(connect(other)).messages) == 2
    assert wire.send(connect(bob), principal="bob").is_held


@pytest.mark.item(14, 60, 94)
def test_a_refused_publish_says_why() -> None:
    """The policy's reason is the second part of the error."""
    wire = Wire(policy=AllowList(["/**"]))
    outcome = wire.send(publish(wire.handshake(), OUTBOUND))
    assert outcome.reply["error"] == "403:denied_by_security_policy:publish denied"
    assert not outcome.of(Published)


@pytest.mark.item(62)
def test_an_unconnected_publish_is_refused() -> None:
    """It is answered, with 402."""
    assert Wire().send({"channel": "/chat/1", "data": 1, "id": "1"}).reply["error"] == UNKNOWN


@pytest.mark.item(94)
def test_a_subscription_that_cannot_be_served_now_fails_whole() -> None:
    """The application may decline all subscriptions of a request without naming a reason."""
    wire = Wire()
    client_id = wire.handshake()
    outcome = wire.send(connect(client_id), subscribe(client_id, OUTBOUND), may_subscribe=False)
    assert [message["successful"] for message in outcome.messages] == [False, True]
    assert outcome.messages[0]["error"] == "403::subscribe_failed"
    assert not outcome.of(Subscribed)


@pytest.mark.item("0.12", 96)
def test_a_foreign_client_id_is_answered_like_an_unknown_one() -> None:
    """For each kind of message, alone and in a batch, byte for byte the same answer."""
    wire = Wire()
    ann = wire.connected(OUTBOUND)
    held = wire.hold(ann)
    for make in (
        connect,
        disconnect,
        lambda client_id: subscribe(client_id, OUTBOUND),
        lambda client_id: unsubscribe(client_id, OUTBOUND),
        lambda client_id: publish(client_id, "/chat/1"),
    ):
        own = wire.handshake("bob")
        for batch in ([], [subscribe(own, INTERNAL)]):
            foreign = wire.send(*batch, make(ann), principal="bob")
            unknown = wire.send(*batch, make("nobody"), principal="bob")
            assert foreign.answers[foreign.exchange].body == unknown.answers[unknown.exchange].body
            assert held not in foreign.answers
    assert marks_in(wire.deliver(event(1)).messages_in(held)) == [1]


@pytest.mark.item(99)
def test_subscriptions_are_limited() -> None:
    """Channels of one array and subscriptions of one session have limits; repeats and services do not count."""
    wire = Wire(Config(max_channels_per_subscribe=3, max_subscriptions_per_session=3))
    client_id = wire.handshake()
    too_many = wire.send(subscribe(client_id, ["/a", "/b", "/c", "/d"])).reply
    assert too_many["error"] == "403:too_many_channels:subscribe_denied"
    assert wire.send(subscribe(client_id, ["/a", "/b", "/a"])).reply["successful"]
    assert wire.send(subscribe(client_id, ["/service/x", "/c"])).reply["successful"]
    assert wire.send(subscribe(client_id, "/d")).reply["error"] == "403:too_many_subscriptions:subscribe_denied"
    assert wire.send(subscribe(client_id, ["/a", "/b", "/c"])).reply["successful"]
    wire.send(unsubscribe(client_id, "/a"))
    assert wire.send(subscribe(client_id, "/d")).reply["successful"]
