"""Clients that others wrote: connect, hear the sample's two messages, unsubscribe, in every way they can talk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.desks import Demo, Json, accept, demo_server
from tests.http.sample import ANSWER, DEVICE
from tests.interop.peers import ANY, INTERNAL, KINDS, OUTBOUND, SCRIPTS, Kind, Peer, peer, update

TOPICS = {
    "by name": (OUTBOUND, INTERNAL),
    "by pattern": ("/v2/me/*", INTERNAL),
    "everything": ("/**",),
}
"""What different desktops subscribe to (Web Services API 8)."""

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo server for all clients, each as an agent of its own."""
    with demo_server(agents=len(KINDS) + 1) as made:
        yield made


@pytest.fixture(scope="module")
def polling() -> Iterator[Demo]:
    """A demo server as the original is: long-polling alone."""
    with demo_server("--no-cometd-websocket", agents=len(SCRIPTS) + 1) as made:
        yield made


def pair(told: list[Json], reference: str) -> list[Json] | None:
    """The message with this reference and the one behind it."""
    messages = [{"channel": line["channel"], "data": line["data"]} for line in told if line["what"] == "message"]
    at = next(
        (n for n, message in enumerate(messages) if message["data"].get("referenceId") == reference), len(messages)
    )
    return messages[at : at + 2] if at + 2 <= len(messages) else None


def check_sample(messages: list[Json], reference: str) -> None:
    """The two messages of the sample, in order."""
    outbound, internal = messages
    assert outbound == {"channel": ANSWER[0]["channel"], "data": {**ANSWER[0]["data"], "referenceId": reference}}
    metrics = internal["data"].pop("metrics")
    assert {type(value) for value in metrics["eventProcessing"].values()} == {int}
    wanted = {key: value for key, value in ANSWER[1]["data"].items() if key != "metrics"}
    assert internal == {"channel": ANSWER[1]["channel"], "data": wanted}


def check_transport(client: Peer, kind: Kind) -> None:
    """The client talks the way it was told to (faye's after a beginning over HTTP), with the extension it asked for."""
    client.wait("reply", successful=True, transport=kind.transport)
    if kind.is_official:
        client.wait("reply", "/meta/connect")  # events may overtake it on a websocket
        assert {reply["transport"] for reply in client.said("reply", "/meta/connect")} == {kind.transport}
    if kind.has_ack:
        assert client.said("reply", "/meta/handshake")[0].get("ack") is True
        numbers = [reply.get("ack") for reply in client.said("reply", "/meta/connect", successful=True)]
        assert all(type(number) is int for number in numbers)


@pytest.mark.item("0.1", "0.2", "0.3", "0.6", "0.10", 58)
@pytest.mark.parametrize("topics", TOPICS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.has_ack], ids=lambda kind: kind.title)
def test_the_sample_arrives(node_modules: Path, demo: Demo, kind: Kind, topics: str) -> None:
    """With the settings a desktop uses: both messages in order, whatever they are subscribed by, then a goodbye."""
    reference = f"{kind.title} {topics}"
    with peer(kind, demo.url, TOPICS[topics], user="agent1") as client:
        client.wait_for_subscriptions(*TOPICS[topics])
        accept(demo.desktop("agent1", DEVICE, 6).on_record("UpdateRecord", referenceId=reference))
        check_sample(client.wait_until(lambda told: pair(told, reference), reference), reference)
        check_transport(client, kind)
        client.ask("disconnect")
        client.wait("reply", "/meta/disconnect", successful=True)
        assert client.ends_by_itself() == 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_a_topic_that_was_left_is_silent(node_modules: Path, demo: Demo, kind: Kind) -> None:
    """Nothing more comes on it while the other topic goes on; back again, the client hears what it missed."""
    desk = demo.desk()
    with peer(kind, demo.url, [OUTBOUND, INTERNAL], user=desk.name) as client:
        client.wait_for_subscriptions(OUTBOUND, INTERNAL)
        update(desk, 1)
        client.wait_to_hear(1, OUTBOUND, INTERNAL)
        check_transport(client, kind)
        client.ask("unsubscribe", topic=OUTBOUND)
        client.wait("reply", "/meta/unsubscribe", subscription=OUTBOUND, successful=True)
        update(desk, 2)
        client.wait_to_hear(2, INTERNAL)
        assert client.heard(OUTBOUND) == [1]
        client.ask("subscribe", topic=OUTBOUND)
        client.wait_for_subscriptions(OUTBOUND, round_=2)
        update(desk, 3)
        client.wait_to_hear(3, OUTBOUND, INTERNAL)
        assert client.heard(OUTBOUND) == [1, 2, 3]
        assert client.heard(INTERNAL) == [1, 2, 3]


@pytest.mark.item(29)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_free_client_chooses_the_websocket(node_modules: Path, demo: Demo, script: str) -> None:
    """A client that may talk in every way takes the quickest: it is offered."""
    with peer(Kind(script, ANY), demo.url, [OUTBOUND], user="agent1") as client:
        client.wait_for_subscriptions(OUTBOUND)
        client.wait("reply", successful=True, transport="websocket")


@pytest.mark.item(75)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_free_client_falls_back(node_modules: Path, polling: Demo, script: str) -> None:
    """Where the websocket is switched off it finds out at once, and hears everything by long-polling."""
    desk = polling.desk()
    with peer(Kind(script, ANY), polling.url, [OUTBOUND, INTERNAL], user=desk.name) as client:
        client.wait_for_subscriptions(OUTBOUND, INTERNAL)
        update(desk, 1)
        client.wait_to_hear(1, OUTBOUND, INTERNAL)
        transports = {reply["transport"] for reply in client.said("reply", successful=True)}
        assert "long-polling" in transports
        assert "websocket" not in transports
