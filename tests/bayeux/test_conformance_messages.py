"""Conformance, item by item: messages and ids.

The numbers are those of docs/bayeux-conformance.md.
"""

from __future__ import annotations

import re

import pytest

from tests.bayeux.harness import (
    LEFT_OUT,
    OUTBOUND,
    Message,
    Outcome,
    Wire,
    connect,
    disconnect,
    event,
    handshake,
    publish,
    subscribe,
    unsubscribe,
)
from trunkline.bayeux import (
    Config,
)
from trunkline.bayeux.channels import CONNECT, HANDSHAKE

UNKNOWN = "402::Unknown client"


@pytest.mark.item(1, 14)
@pytest.mark.parametrize("channel", [LEFT_OUT, None, 7, ["/a"]])
def test_a_message_without_channel_is_refused_with_its_id(channel: object) -> None:
    """The reply is an HTTP 200 with ``400::channel missing`` and the id."""
    outcome = Wire().send({"id": "9", "channel": channel} if channel is not LEFT_OUT else {"id": "9"})
    assert outcome.reply == {"successful": False, "error": "400::channel missing", "id": "9"}


@pytest.mark.item(1)
def test_a_message_without_channel_and_with_a_bad_id_is_answered() -> None:
    """Two faults at once still yield one reply."""
    assert Wire().send({"id": []}).reply == {"successful": False, "error": "400::channel missing"}


@pytest.mark.item("0.5", 5)
def test_an_empty_array_is_http_400_with_a_body() -> None:
    """Nothing to reply to is no Bayeux answer; the body is neither empty nor an empty array."""
    outcome = Wire().send()
    assert outcome.status == 400
    assert outcome.answers[1].body == b'[{"successful":false,"error":"400::no message"}]'


@pytest.mark.item(5)
@pytest.mark.parametrize("message", [1, "x", None, [], True])
def test_an_array_of_other_things_is_http_400(message: object) -> None:
    """One item that is no object spoils the request, and none of it takes effect."""
    wire = Wire()
    assert wire.send(handshake(), message).status == 400
    assert not wire.server.has_sessions("ann")


@pytest.mark.item(99)
def test_too_many_messages_are_http_413() -> None:
    """The count of messages in a request is limited; the limit itself passes."""
    wire = Wire(Config(max_messages_per_request=2))
    assert wire.send({}, {}).status == 200
    assert wire.send({}, {}, {}).status == 413


@pytest.mark.item("0.1", 6)
@pytest.mark.parametrize("message_id", ["1", "", "a-b_c", 'é"\\', 1, 0, -5, 1.5, 9007199254740993])
def test_ids_are_echoed_in_the_same_type(message_id: object) -> None:
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


@pytest.mark.item(6)
def test_a_message_without_id_gets_a_reply_without() -> None:
    """No id is invented; null counts as none."""
    wire = Wire()
    assert "id" not in wire.send(handshake(id=LEFT_OUT)).reply
    assert "id" not in wire.send(handshake(id=None)).reply


@pytest.mark.item(6)
@pytest.mark.parametrize("message_id", [True, [], {"a": 1}, "x" * 129])
def test_what_is_no_id_is_refused(message_id: object) -> None:
    """Other types and overlong strings are answered without echo."""
    wire = Wire()
    client_id = wire.handshake()
    for message in (handshake(), connect(client_id), disconnect(client_id)):
        reply = wire.send(message | {"id": message_id}).reply
        assert reply["error"] == "405::message_id_invalid"
        assert "id" not in reply
    assert wire.send(connect(client_id)).reply["successful"]


@pytest.mark.item(7, 14, 15, 45)
@pytest.mark.parametrize("client_id", [LEFT_OUT, None, "nobody", "", 7, ["c1"], {}])
def test_every_message_needs_a_known_client(client_id: object) -> None:
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


@pytest.mark.item(10, 11, 17)
def test_unknown_fields_are_tolerated() -> None:
    """ext, timestamp and anything else, of any shape, change nothing."""
    wire = Wire()
    extra = {"ext": {"ack": True}, "timestamp": "2024-01-01T00:00:00", "connectionId": 1, "json-comment-filtered": 0}
    client_id = wire.send(handshake(**extra, other=[1])).reply["clientId"]
    assert wire.send(connect(client_id, ext="odd", advice="odd")).reply["successful"]
    assert wire.send(subscribe(client_id, OUTBOUND, ext=None)).reply["successful"]


@pytest.mark.item(12)
def test_every_reply_says_whether_it_was_successful() -> None:
    """``successful`` is a boolean in each reply."""
    wire = Wire()
    client_id = wire.handshake()
    messages = wire.send(
        connect(client_id),
        subscribe(client_id, "/x"),
        unsubscribe(client_id, "/x"),
        publish(client_id, "/x"),
        disconnect(client_id),
        {},
    ).messages
    assert len(messages) == 6
    assert all(type(message["successful"]) is bool for message in messages)


@pytest.mark.item(16)
def test_a_publish_needs_data_but_null_is_data() -> None:
    """Absent data is refused, null is passed on."""
    wire = Wire()
    client_id = wire.connected("/chat/1")
    reply = wire.send(publish(client_id, "/chat/1", data=LEFT_OUT)).reply
    assert (reply["successful"], reply["error"]) == (False, "400::data missing")
    assert wire.send(publish(client_id, "/chat/1", data=None)).reply["successful"]
    assert wire.send(connect(client_id)).messages[0] == {"data": None, "channel": "/chat/1"}


def conversations(wire: Wire) -> list[Message]:
    """Every kind of reply, successful and refused, that the core gives."""
    client_id = wire.connected("/chat/*")
    outcomes: list[Outcome] = [
        wire.send(handshake()),
        wire.send(handshake(version="9:,x")),
        wire.send(handshake(supportedConnectionTypes=["a,b:c", "d"])),
        wire.send(connect(client_id)),
        wire.send(connect(client_id, connectionType=LEFT_OUT)),
        wire.send(connect(client_id, connectionType="iframe")),
        wire.send(connect("nobody")),
        wire.send(subscribe(client_id, OUTBOUND)),
        wire.send(subscribe(client_id, "/meta/connect")),
        wire.send(subscribe(client_id, "a:b")),
        wire.send(subscribe(client_id, None)),
        wire.send(unsubscribe(client_id, "/a")),
        wire.send(publish(client_id, "/chat/1")),
        wire.send(publish(client_id, "/secret")),
        wire.send(publish(client_id, "/meta/x")),
        wire.send(publish(client_id, "/chat/1", data=LEFT_OUT)),
        wire.send({}),
        wire.send(handshake(id=[])),
        wire.deliver(event(1)),
        wire.send(disconnect(client_id)),
        wire.send(disconnect(client_id)),
        wire.kick(),
        wire.shutdown(),
        wire.send(handshake()),
    ]
    return [
        message
        for outcome in outcomes
        for exchange, answer in outcome.answers.items()
        if answer.status == 200
        for message in outcome.messages_in(exchange)
        if "data" not in message
    ]


@pytest.mark.item(13)
def test_every_error_has_the_grammar_that_clients_parse() -> None:
    """Three digits, arguments joined by commas, a text; no colon of a client's comes back in it."""
    errors = [message["error"] for message in conversations(Wire()) if not message["successful"]]
    assert len(errors) > 10
    for error in errors:
        assert re.fullmatch(r"[0-9]{3}:([A-Za-z0-9_.,-]*):[^:]+", error), error


@pytest.mark.item("0.8", 51)
def test_advice_says_only_what_clients_understand() -> None:
    """One of three words, beside interval and timeout; "handshake" comes with refusals alone."""
    advised = [message for message in conversations(Wire()) if "advice" in message]
    assert {message["advice"]["reconnect"] for message in advised} == {"retry", "handshake", "none"}
    for message in advised:
        assert {"interval", "timeout", "reconnect"} <= set(message["advice"])
        assert not message["successful"] or message["advice"]["reconnect"] != "handshake"
    assert {message["channel"] for message in advised} == {HANDSHAKE, CONNECT}


@pytest.mark.item(8)
def test_the_client_id_is_told_once() -> None:
    """In the reply to the handshake; no other reply repeats it."""
    for message in conversations(Wire()):
        assert ("clientId" in message) is (message.get("channel") == HANDSHAKE and message["successful"])
