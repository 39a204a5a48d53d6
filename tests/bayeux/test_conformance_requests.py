"""Conformance, item by item: messages, channels, handshake, subscriptions, publishing.

The numbers are those of the conformance sheet of the project's CometD reference.
"""

from __future__ import annotations

from collections.abc import Hashable

import pytest

from tests.bayeux.harness import (
    INTERNAL,
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
    unsubscribe,
)
from trunkline.bayeux import (
    AllowList,
    Config,
    Published,
    SessionClosed,
    SessionOpened,
    Subscribed,
    Unsubscribed,
)

DENIED_SUBSCRIBE = "403:denied_by_security_policy:subscribe_denied"
UNKNOWN = "402::Unknown client"


class Doorkeeper(AllowList):
    """Lets nobody in."""

    def may_handshake(self, principal: Hashable) -> str | None:
        return "closed_today"


@pytest.mark.parametrize("channel", [LEFT_OUT, None, 7, ["/a"]])
def test_item_01_a_message_without_channel_is_refused_with_its_id(channel: object) -> None:
    """The reply is an HTTP 200 with ``400::channel missing`` and the id."""
    outcome = Wire().send({"id": "9", "channel": channel} if channel is not LEFT_OUT else {"id": "9"})
    assert outcome.reply == {"successful": False, "error": "400::channel missing", "id": "9"}


def test_item_01_a_message_without_channel_and_with_a_bad_id_is_answered() -> None:
    """Two faults at once still yield one reply."""
    assert Wire().send({"id": []}).reply == {"successful": False, "error": "400::channel missing"}


def test_item_05_an_empty_array_is_http_400_with_a_body() -> None:
    """Nothing to reply to is no Bayeux answer; the body is neither empty nor an empty array."""
    outcome = Wire().send()
    assert outcome.status == 400
    assert outcome.answers[1].body == b'[{"successful":false,"error":"400::no message"}]'


@pytest.mark.parametrize("message", [1, "x", None, [], True])
def test_item_05_an_array_of_other_things_is_http_400(message: object) -> None:
    """One item that is no object spoils the request, and none of it takes effect."""
    wire = Wire()
    assert wire.send(handshake(), message).status == 400
    assert not wire.server.has_sessions("ann")


def test_item_99_too_many_messages_are_http_413() -> None:
    """The count of messages in a request is limited; the limit itself passes."""
    wire = Wire(Config(max_messages_per_request=2))
    assert wire.send({}, {}).status == 200
    assert wire.send({}, {}, {}).status == 413


@pytest.mark.parametrize("message_id", ["1", "", "a-b_c", "é\"\\", 1, 0, -5, 1.5, 9007199254740993])
def test_item_06_ids_are_echoed_in_the_same_type(message_id: object) -> None:
    """Strings stay strings and numbers numbers, on success and refusal of every kind of message."""
    wire = Wire()
    client_id = wire.handshake()
    for message in (
        handshake(),
        connect(client_id),
        connect("nobody"),
        subscribe(client_id, OUTBOUND),
        unsubscribe(client_id, OUTBOUND),
        publish(client_id, "/chat/1"),
        publish(client_id, OUTBOUND),
        disconnect(client_id),
    ):
        reply = wire.send(message | {"id": message_id}).reply
        assert reply["id"] == message_id
        assert type(reply["id"]) is type(message_id)


def test_item_06_a_message_without_id_gets_a_reply_without() -> None:
    """No id is invented; null counts as none."""
    wire = Wire()
    assert "id" not in wire.send(handshake(id=LEFT_OUT)).reply
    assert "id" not in wire.send(handshake(id=None)).reply


@pytest.mark.parametrize("message_id", [True, [], {"a": 1}, "x" * 129])
def test_item_06_what_is_no_id_is_refused(message_id: object) -> None:
    """Other types and overlong strings are answered without echo."""
    wire = Wire()
    client_id = wire.handshake()
    for message in (handshake(), connect(client_id), disconnect(client_id)):
        reply = wire.send(message | {"id": message_id}).reply
        assert reply["error"] == "405::message_id_invalid"
        assert "id" not in reply
    assert wire.send(connect(client_id)).reply["successful"]


@pytest.mark.parametrize("client_id", [LEFT_OUT, None, "nobody", "", 7, ["c1"], {}])
def test_item_07_every_message_needs_a_known_client(client_id: object) -> None:
    """No client id, a wrong one and one of another type are all an unknown client."""
    wire = Wire()
    wire.handshake()
    for message in (
        connect("c", clientId=client_id),
        subscribe("c", OUTBOUND, clientId=client_id),
        unsubscribe("c", OUTBOUND, clientId=client_id),
        disconnect("c", clientId=client_id),
        publish("c", "/chat/1", clientId=client_id),
        publish("c", "/meta/other", clientId=client_id),
    ):
        reply = wire.send(message).reply
        assert (reply["successful"], reply["error"], reply["channel"]) == (False, UNKNOWN, message["channel"])
        assert ("advice" in reply) is (message["channel"] == "/meta/connect")


def test_item_10_item_11_item_17_unknown_fields_are_tolerated() -> None:
    """ext, timestamp and anything else, of any shape, change nothing."""
    wire = Wire()
    extra = {"ext": {"ack": True}, "timestamp": "2024-01-01T00:00:00", "connectionId": 1, "json-comment-filtered": 0}
    client_id = wire.send(handshake(**extra, other=[1])).reply["clientId"]
    assert wire.send(connect(client_id, ext="odd", advice="odd")).reply["successful"]
    assert wire.send(subscribe(client_id, OUTBOUND, ext=None)).reply["successful"]


def test_item_12_every_reply_says_whether_it_was_successful() -> None:
    """``successful`` is a boolean in each reply."""
    wire = Wire()
    client_id = wire.handshake()
    messages = wire.send(
        connect(client_id), subscribe(client_id, "/x"), unsubscribe(client_id, "/x"), publish(client_id, "/x"),
        disconnect(client_id), {},
    ).messages
    assert len(messages) == 6
    assert all(type(message["successful"]) is bool for message in messages)


def test_item_16_a_publish_needs_data_but_null_is_data() -> None:
    """Absent data is refused, null is passed on."""
    wire = Wire()
    client_id = wire.connected("/chat/1")
    reply = wire.send(publish(client_id, "/chat/1", data=LEFT_OUT)).reply
    assert (reply["successful"], reply["error"]) == (False, "400::data missing")
    assert wire.send(publish(client_id, "/chat/1", data=None)).reply["successful"]
    assert wire.send(connect(client_id)).messages[0] == {"data": None, "channel": "/chat/1"}


@pytest.mark.parametrize("name", ["", "a", "/", "/a//b", "/a/", "/a/*/b", "/a*", "/ä", "/" + "x" * 256])
def test_item_18_item_19_malformed_subscriptions_are_invalid(name: str) -> None:
    """Names and misplaced wildcards are judged before any policy."""
    wire = Wire(policy=AllowList(["/**"]))
    reply = wire.send(subscribe(wire.handshake(), name)).reply
    assert (reply["error"], reply["subscription"]) == ("403::subscription_invalid", name)


def test_item_18_a_name_with_the_wide_alphabet_is_subscribable() -> None:
    """What the Java server accepts is accepted."""
    wire = Wire()
    assert wire.send(subscribe(wire.handshake(), ["/a b", "/a.b/{c}", "/x/**", "/*"])).reply["successful"]


@pytest.mark.parametrize("channel", ["/a/*", "/**", "no-slash", "/a//b", "/" + "x" * 256])
def test_item_18_publishing_to_what_is_no_name_is_refused(channel: str) -> None:
    """Patterns are for subscribing only."""
    wire = Wire()
    assert wire.send(publish(wire.handshake(), channel)).reply["error"] == "405::channel_invalid"


@pytest.mark.parametrize("pattern", ["/meta/connect", "/meta/**", "/meta/*", "/meta"])
def test_item_22_nobody_subscribes_to_meta_channels(pattern: str) -> None:
    """Refused by the core, whatever the policy."""
    wire = Wire(policy=AllowList(["/**", "/meta/**"]))
    assert wire.send(subscribe(wire.handshake(), pattern)).reply["error"] == DENIED_SUBSCRIBE


@pytest.mark.parametrize("channel", ["/meta/other", "/meta/connect/x", "/meta"])
def test_item_23_unknown_meta_channels_are_refused(channel: str) -> None:
    """The text is that of the Java server."""
    wire = Wire(policy=AllowList(["/**"], ["/**"]))
    reply = wire.send(publish(wire.handshake(), channel)).reply
    assert reply["error"] == "403:denied_by_security_policy:channel_create_denied"


def test_item_24_service_channels_are_acknowledged_and_not_recorded() -> None:
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


def test_item_26_the_handshake_reply_is_complete() -> None:
    """All fields that clients read, with the whole advice."""
    outcome = Wire().send(handshake(id=5))
    assert outcome.reply == {
        "successful": True,
        "clientId": "c1",
        "version": "1.0",
        "minimumVersion": "1.0",
        "supportedConnectionTypes": ["long-polling"],
        "advice": {"interval": 0, "timeout": 30000, "reconnect": "retry"},
        "id": 5,
        "channel": "/meta/handshake",
    }
    assert outcome.of(SessionOpened) == [SessionOpened("c1", "ann")]


@pytest.mark.parametrize(
    ("version", "minimum", "is_supported"),
    [
        (LEFT_OUT, LEFT_OUT, True),
        ("1.0", LEFT_OUT, True),
        ("0.9", LEFT_OUT, True),
        ("1.0", "0.9", True),
        ("1.0beta", "1", True),
        ("1", "1.0.0", True),
        (1.0, 1.0, True),
        ("2.0", "1.0", True),
        ("2.0", "2.0", False),
        ("2.0", LEFT_OUT, False),
        ("2.0", "1.5", False),
        ("10.0", "9", False),
        ("", LEFT_OUT, False),
        ("x", "1.0", False),
        ("1.0", "x", False),
        ("²", "1.0", False),
        ("9" * 40, "1.0", False),
        (True, LEFT_OUT, False),
        ([1], LEFT_OUT, False),
    ],
)
def test_item_27_versions_are_compared_by_element(version: object, minimum: object, is_supported: bool) -> None:  # noqa: FBT001
    """Missing versions pass, one that needs more than 1.0 does not."""
    reply = Wire().send(handshake(version=version, minimumVersion=minimum)).reply
    assert reply["successful"] is is_supported
    if not is_supported:
        assert reply["error"].startswith("300:")
        assert reply["error"].endswith(":Version mismatch")
        assert reply["advice"]["reconnect"] == "none"


def test_item_27_only_harmless_versions_are_quoted() -> None:
    """An error text cannot be forged by the version that it quotes."""
    assert Wire().send(handshake(version="2.0", minimumVersion="2")).reply["error"] == "300:2.0:Version mismatch"
    assert Wire().send(handshake(version="2:x,<b>")).reply["error"] == "300::Version mismatch"


@pytest.mark.parametrize(
    ("types", "error"),
    [
        (LEFT_OUT, None),
        (None, None),
        (["long-polling"], None),
        (["websocket", "long-polling", 7], None),
        (["callback-polling", "websocket"], "301:callback-polling,websocket:Connection types not supported"),
        (["a:b", {}, "x"], "301:x:Connection types not supported"),
        ([], "301::Connection types not supported"),
        ("long-polling", "301::Connection types not supported"),
    ],
)
def test_item_28_a_connection_type_must_be_in_common(types: object, error: str | None) -> None:
    """Without one the negotiation ends; a missing list means long-polling."""
    reply = Wire().send(handshake(supportedConnectionTypes=types)).reply
    assert reply.get("error") == error
    assert reply["advice"]["reconnect"] == ("retry" if error is None else "none")


def test_item_29_the_list_is_the_operators() -> None:
    """What is offered is what was configured, in that order."""
    config = Config(connection_types=("websocket", "long-polling"))
    assert Wire(config).send(handshake()).reply["supportedConnectionTypes"] == ["websocket", "long-polling"]


def test_item_30_a_handshake_is_processed_alone() -> None:
    """Other messages of its request are ignored, wherever they stand; so is a second handshake."""
    wire = Wire()
    client_id = wire.connected()
    outcome = wire.send(disconnect(client_id), handshake(id="8"), handshake(id="9"), connect(client_id))
    assert outcome.reply["id"] == "8"
    assert outcome.reply["successful"]
    assert wire.send(connect(client_id)).is_held


def test_item_32_every_handshake_opens_a_new_session() -> None:
    """An old client id in the message is ignored, the old session lives on."""
    wire = Wire()
    first = wire.handshake()
    second = wire.send(handshake(clientId=first)).reply["clientId"]
    assert second != first
    assert wire.send(connect(first)).reply["successful"]
    assert wire.send(connect(second)).reply["successful"]


def test_item_33_a_refused_handshake_stops_the_client() -> None:
    """Policy says no: the text of the sheet, advice none, no session."""
    wire = Wire(policy=Doorkeeper([]))
    outcome = wire.send(handshake())
    assert outcome.reply["error"] == "403::Handshake denied"
    assert outcome.reply["advice"] == {"interval": 0, "timeout": 30000, "reconnect": "none"}
    assert not outcome.of(SessionOpened)


def test_item_99_sessions_are_limited_in_all_and_for_each_principal() -> None:
    """Beyond the limit clients are told to try again, and succeed once a place is free."""
    wire = Wire(Config(max_sessions=3, max_sessions_per_principal=2))
    first, _ = wire.handshake(), wire.handshake()
    refused = wire.send(handshake()).reply
    assert (refused["error"], refused["advice"]["reconnect"]) == ("403:too_many_sessions:create denied", "handshake")
    wire.handshake("bob")
    assert not wire.send(handshake(), principal="carl").reply["successful"]
    wire.send(disconnect(first))
    assert wire.send(handshake(), principal="carl").reply["successful"]


def test_item_53_disconnect_ends_the_session() -> None:
    """It is answered, the session and its subscriptions are gone, a second one is 402."""
    wire = Wire()
    client_id = wire.connected(OUTBOUND)
    outcome = wire.send(disconnect(client_id))
    assert outcome.reply == {"successful": True, "id": "5", "channel": "/meta/disconnect"}
    assert outcome.of(SessionClosed) == [SessionClosed(client_id, "ann", "disconnect")]
    assert not wire.server.has_sessions("ann")
    assert wire.send(disconnect(client_id)).reply["error"] == UNKNOWN


def test_item_53_disconnect_releases_the_held_connect_first() -> None:
    """The held connect gets a successful farewell with advice none, before the disconnect is answered."""
    wire = Wire()
    client_id = wire.connected()
    held = wire.hold(client_id, id="41")
    outcome = wire.send(disconnect(client_id))
    (farewell,) = outcome.messages_in(held)
    assert farewell["successful"] is True
    assert (farewell["advice"]["reconnect"], farewell["id"], farewell["channel"]) == ("none", "41", "/meta/connect")
    assert list(outcome.answers) == [held, outcome.exchange]


def test_item_55_the_subscription_is_echoed_in_its_form() -> None:
    """A string for a string, an array for an array, one reply each."""
    wire = Wire()
    client_id = wire.handshake()
    for subscription in (OUTBOUND, [OUTBOUND], [INTERNAL, OUTBOUND]):
        for message in (subscribe(client_id, subscription), unsubscribe(client_id, subscription)):
            reply = wire.send(message).reply
            assert (reply["successful"], reply["subscription"]) == (True, subscription)


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
def test_item_55_missing_and_bad_subscriptions_are_told_apart(subscription: object, error: str) -> None:
    """The same texts for subscribing and unsubscribing; nothing is recorded."""
    wire = Wire()
    client_id = wire.handshake()
    for message in (
        subscribe(client_id, "/a", subscription=subscription),
        unsubscribe(client_id, "/a", subscription=subscription),
    ):
        outcome = wire.send(message)
        assert outcome.reply["error"] == error
        assert not outcome.without_answers()


def test_item_56_an_array_is_subscribed_whole_or_not_at_all() -> None:
    """One refused channel refuses the message; those before it are not subscribed."""
    wire = Wire(policy=AllowList([OUTBOUND]))
    client_id = wire.connected()
    outcome = wire.send(subscribe(client_id, [OUTBOUND, "/secret"]))
    assert outcome.reply["error"] == DENIED_SUBSCRIBE
    assert outcome.reply["subscription"] == [OUTBOUND, "/secret"]
    assert not outcome.of(Subscribed)
    wire.hold(client_id)
    assert not wire.deliver(event(1)).effects


def test_item_57_repeated_subscriptions_succeed_once() -> None:
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


def test_item_58_subscribing_before_the_first_connect_works() -> None:
    """An event between the subscribe and the first connect arrives with that connect."""
    wire = Wire()
    client_id = wire.handshake()
    assert wire.send(subscribe(client_id, OUTBOUND)).of(Subscribed) == [Subscribed(client_id, "ann", OUTBOUND)]
    assert not wire.deliver(event(1)).effects
    assert marks_in(wire.send(connect(client_id)).messages) == [1]


def test_item_60_item_61_a_granted_publish_is_acknowledged_and_reaches_its_sender() -> None:
    """The acknowledgement has no data; the event has data and channel alone and comes by connect."""
    wire = Wire()
    client_id = wire.connected("/chat/*")
    held = wire.hold(client_id)
    outcome = wire.send(publish(client_id, "/chat/1"))
    assert outcome.reply == {"successful": True, "id": "6", "channel": "/chat/1"}
    happened, reply = outcome.messages_in(held)
    assert happened == {"data": {"text": "hello"}, "channel": "/chat/1"}
    assert reply["channel"] == "/meta/connect"


def test_item_61_a_publish_stays_with_its_principal() -> None:
    """Every session of the publisher gets it, nobody else's does, although the channel is the same."""
    wire = Wire()
    ann, bob = wire.connected("/chat/1"), wire.connected("/chat/1", principal="bob")
    other = wire.connected("/chat/1")
    wire.send(publish(ann, "/chat/1"))
    assert len(wire.send(connect(other)).messages) == 2
    assert wire.send(connect(bob), principal="bob").is_held


def test_item_60_item_94_a_refused_publish_says_why() -> None:
    """The policy's reason is the second part of the error."""
    wire = Wire(policy=AllowList(["/**"]))
    outcome = wire.send(publish(wire.handshake(), OUTBOUND))
    assert outcome.reply["error"] == "403:denied_by_security_policy:publish denied"
    assert not outcome.of(Published)


def test_item_62_an_unconnected_publish_is_refused() -> None:
    """It is answered, with 402."""
    assert Wire().send({"channel": "/chat/1", "data": 1, "id": "1"}).reply["error"] == UNKNOWN


def test_item_94_a_subscription_that_cannot_be_served_now_fails_whole() -> None:
    """The application may decline all subscriptions of a request without naming a reason."""
    wire = Wire()
    client_id = wire.handshake()
    outcome = wire.send(connect(client_id), subscribe(client_id, OUTBOUND), may_subscribe=False)
    assert [message["successful"] for message in outcome.messages] == [False, True]
    assert outcome.messages[0]["error"] == "403::subscribe_failed"
    assert not outcome.of(Subscribed)


def test_item_96_a_foreign_client_id_is_answered_like_an_unknown_one() -> None:
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


def test_item_99_subscriptions_are_limited() -> None:
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
