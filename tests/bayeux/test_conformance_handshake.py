"""Conformance, item by item: the handshake.

The numbers are those of docs/bayeux-conformance.md.
"""

from __future__ import annotations

from collections.abc import Hashable

import pytest

from tests.bayeux.harness import (
    LEFT_OUT,
    Wire,
    connect,
    disconnect,
    handshake,
)
from trunkline.bayeux import (
    AllowList,
    Config,
    SessionOpened,
)
from trunkline.errors import Defect


class Doorkeeper(AllowList):
    """Lets nobody in."""

    def may_handshake(self, principal: Hashable) -> str | None:
        return "closed_today"


@pytest.mark.item("0.7", "0.8", 8, 26, 35, 36, 48, 50)
def test_the_handshake_reply_is_complete() -> None:
    """All fields that clients read, with the whole advice."""
    outcome = Wire().send(handshake(id=5))
    assert outcome.reply == {
        "successful": True,
        "clientId": "c1",
        "version": "1.0",
        "minimumVersion": "1.0",
        "supportedConnectionTypes": ["websocket", "long-polling"],
        "advice": {"interval": 0, "timeout": 30000, "reconnect": "retry"},
        "id": 5,
        "channel": "/meta/handshake",
    }
    assert outcome.of(SessionOpened) == [SessionOpened("c1", "ann")]


@pytest.mark.item(27)
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
def test_versions_are_compared_by_element(version: object, minimum: object, is_supported: bool) -> None:  # noqa: FBT001
    """Missing versions pass, one that needs more than 1.0 does not."""
    reply = Wire().send(handshake(version=version, minimumVersion=minimum)).reply
    assert reply["successful"] is is_supported
    if not is_supported:
        assert reply["error"].startswith("300:")
        assert reply["error"].endswith(":Version mismatch")
        assert reply["advice"]["reconnect"] == "none"


@pytest.mark.item(27)
def test_only_harmless_versions_are_quoted() -> None:
    """An error text cannot be forged by the version that it quotes."""
    assert Wire().send(handshake(version="2.0", minimumVersion="2")).reply["error"] == "300:2.0:Version mismatch"
    assert Wire().send(handshake(version="2:x,<b>")).reply["error"] == "300::Version mismatch"


@pytest.mark.item(28, 77)
@pytest.mark.parametrize(
    ("types", "error"),
    [
        (LEFT_OUT, None),
        (None, None),
        (["long-polling"], None),
        (["websocket", "long-polling", 7], None),
        (["callback-polling", "eventsource"], "301:callback-polling,eventsource:Connection types not supported"),
        (["a:b", {}, "x"], "301:x:Connection types not supported"),
        ([], "301::Connection types not supported"),
        ("long-polling", "301::Connection types not supported"),
    ],
)
def test_a_connection_type_must_be_in_common(types: object, error: str | None) -> None:
    """Without one the negotiation ends; a missing list means long-polling."""
    reply = Wire().send(handshake(supportedConnectionTypes=types)).reply
    assert reply.get("error") == error
    assert reply["advice"]["reconnect"] == ("retry" if error is None else "none")


@pytest.mark.item(29)
def test_the_list_is_the_operators() -> None:
    """What is offered is what was configured, in that order."""
    config = Config(connection_types=("websocket", "long-polling"))
    assert Wire(config).send(handshake()).reply["supportedConnectionTypes"] == ["websocket", "long-polling"]


@pytest.mark.item(30)
def test_a_handshake_is_processed_alone() -> None:
    """Other messages of its request are ignored, wherever they stand; so is a second handshake."""
    wire = Wire()
    client_id = wire.connected()
    outcome = wire.send(disconnect(client_id), handshake(id="8"), handshake(id="9"), connect(client_id))
    assert outcome.reply["id"] == "8"
    assert outcome.reply["successful"]
    assert wire.send(connect(client_id)).is_held


@pytest.mark.item(32)
def test_every_handshake_opens_a_new_session() -> None:
    """An old client id in the message is ignored, the old session lives on."""
    wire = Wire()
    first = wire.handshake()
    second = wire.send(handshake(clientId=first)).reply["clientId"]
    assert second != first
    assert wire.send(connect(first)).reply["successful"]
    assert wire.send(connect(second)).reply["successful"]


@pytest.mark.item(14, 33)
def test_a_refused_handshake_stops_the_client() -> None:
    """Policy says no: the text of the sheet, advice none, no session."""
    wire = Wire(policy=Doorkeeper([]))
    outcome = wire.send(handshake())
    assert outcome.reply["error"] == "403::Handshake denied"
    assert outcome.reply["advice"] == {"interval": 0, "timeout": 30000, "reconnect": "none"}
    assert not outcome.of(SessionOpened)


@pytest.mark.item(99)
def test_sessions_are_limited_in_all_and_for_each_principal() -> None:
    """Beyond the limit clients are told to try again, and succeed once a place is free."""
    wire = Wire(Config(max_sessions=3, max_sessions_per_principal=2))
    first, _ = wire.handshake(), wire.handshake()
    refused = wire.send(handshake()).reply
    assert (refused["error"], refused["advice"]["reconnect"]) == ("403:too_many_sessions:create denied", "handshake")
    wire.handshake("bob")
    assert not wire.send(handshake(), principal="carl").reply["successful"]
    wire.send(disconnect(first))
    assert wire.send(handshake(), principal="carl").reply["successful"]


@pytest.mark.item(9)
def test_a_client_id_is_never_given_twice() -> None:
    """A caller that repeats a fresh id has a defect; the session that has the id keeps it."""
    wire = Wire()
    client_id = wire.handshake()
    wire.handshakes = 0
    with pytest.raises(Defect):
        wire.send(handshake(), principal="bob")
    assert wire.send(connect(client_id)).reply["successful"]
