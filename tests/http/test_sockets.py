"""CometD over WebSocket: a real server, a real socket library, and what sockets do that polls do not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.http.desks import Demo, Desktop, accept, exchange
from tests.support.server import RunningServer

Message = dict[str, Any]

OUTBOUND = "/v2/me/outbound"
INTERNAL = "/me/internal"
WAIT_S = 20
ALLOWED = "https://desk.example.com"


def credentials(name: str, password: str = "demo") -> dict[str, str]:
    """The header of a client that logs in on the upgrade."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class Line:
    """One client on a socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.client_id = ""
        self.events: list[Message] = []
        self._last_id = 0

    def send(self, channel: str, **fields: Any) -> str:
        """Send one message; returns its id."""
        self._last_id += 1
        message = {"id": str(self._last_id), "channel": channel, **fields}
        if self.client_id:
            message.setdefault("clientId", self.client_id)
        self.socket.send(json.dumps([message]))
        return str(self._last_id)

    def reply(self, message_id: str) -> Message:
        """The reply to a message; events before it are kept."""
        while True:
            for message in self.frame():
                if message.get("id") == message_id:
                    return message

    def frame(self) -> list[Message]:
        """The next frame; its events are kept."""
        messages: list[Message] = json.loads(self.socket.recv(WAIT_S))
        assert messages
        self.events += [message for message in messages if "data" in message]
        return messages

    def ask(self, channel: str, **fields: Any) -> Message:
        """Send one message and wait for its reply."""
        return self.reply(self.send(channel, **fields))

    def shake_hands(self, **fields: Any) -> Message:
        """Begin a session."""
        reply = self.ask(
            "/meta/handshake", version="1.0", supportedConnectionTypes=["websocket", "long-polling"], **fields
        )
        assert reply["successful"], reply
        self.client_id = reply["clientId"]
        return reply

    def connect(self, **fields: Any) -> str:
        """Send a connect."""
        return self.send("/meta/connect", connectionType="websocket", **fields)

    def begin(self, *channels: str) -> Self:
        """Begin a session, subscribe it, and leave a connect behind that is held."""
        self.shake_hands()
        for channel in channels:
            assert self.ask("/meta/subscribe", subscription=channel)["successful"]
        assert self.reply(self.connect())["successful"]
        self.connect()
        self.events.clear()
        return self

    def references(self, count: int) -> list[str]:
        """The references of the next acknowledgements that are pushed."""
        found: list[str] = []
        while len(found) < count:
            self.events.clear()
            self.frame()
            found += [m["data"]["referenceId"] for m in self.events if "referenceId" in m["data"]]
        return found


@contextmanager
def line(server: RunningServer, name: str, path: str = "/api/v2/notifications", **options: Any) -> Iterator[Line]:
    """A socket of a user."""
    url = f"ws://127.0.0.1:{server.port}{path}"
    headers = {**credentials(name), **options.pop("additional_headers", {})}
    with connect(url, additional_headers=headers, proxy=None, compression=None, **options) as socket:
        yield Line(socket)


def update(desk: Desktop, *references: str) -> None:
    """Cause one pair of acknowledgements for each reference."""
    for reference in references:
        accept(desk.on_record("UpdateRecord", referenceId=reference))


def close_code(client: Line) -> int:
    """Read until the server closes; the code it gave."""
    try:
        while True:
            client.frame()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 0


@pytest.mark.item("0.3", "0.10", 70, 71)
@pytest.mark.parametrize("suffix", ["", "/", "/handshake", "/connect"])
def test_events_are_pushed_beside_the_held_connect(demo: Demo, suffix: str) -> None:
    """Any path that clients use; events come at once, data and channel alone, and no connect ends."""
    desk = demo.desk()
    with line(demo.server, desk.name, f"/api/v2/notifications{suffix}") as client:
        client.begin(OUTBOUND, "/me/internal")
        update(desk, "1", "2")
        assert client.references(2) == ["1", "2"]
        assert all(list(message) == ["data", "channel"] for message in client.events)


@pytest.mark.item(26, 29, 72)
def test_the_handshake_offers_both_transports(demo: Demo) -> None:
    """The reply is the first frame and alone in it."""
    desk = demo.desk()
    with line(demo.server, desk.name) as client:
        client.send("/meta/handshake", version="1.0", supportedConnectionTypes=["websocket"])
        (reply,) = client.frame()
        assert reply["supportedConnectionTypes"] == ["websocket", "long-polling"]


@pytest.mark.item("0.11", 73)
def test_a_session_of_polls_goes_on_over_a_socket_and_back(demo: Demo) -> None:
    """The client id of an HTTP handshake is usable on a socket, and the other way round."""
    desk = demo.desk().listen()
    with line(demo.server, desk.name) as client:
        client.client_id = desk.events._client_id
        client.connect()
        update(desk, "1")
        assert client.references(1) == ["1"]
        # The poll takes the session over; what the socket's client did not confirm comes again.
        desk.events.poll(0)
        found = [m["data"].get("referenceId") for m in desk.events.last_answer if m["channel"] == OUTBOUND]
        assert found == ["1"]
        assert close_code(client) == 1000


@pytest.mark.item(47, 74)
def test_what_was_pushed_and_not_confirmed_comes_again_on_the_next_socket(demo: Demo) -> None:
    """The session outlives its socket, queue included; the client's next message had confirmed."""
    desk = demo.desk()
    with line(demo.server, desk.name) as client:
        client.begin(OUTBOUND)
        update(desk, "1")
        assert client.references(1) == ["1"]
        assert client.ask("/meta/unsubscribe", subscription="/v2/me/nothing")["successful"]
        update(desk, "2")
        assert client.references(1) == ["2"]
        client_id = client.client_id
    update(desk, "3")
    with line(demo.server, desk.name) as client:
        client.client_id = client_id
        client.connect()
        assert client.references(2) == ["2", "3"]


@pytest.mark.item(86, 87, 88)
def test_acknowledged_events_come_with_connects_only(demo: Demo) -> None:
    """The reply counts, the next connect says how far, what it did not process comes again."""
    desk = demo.desk()
    with line(demo.server, desk.name) as client:
        assert client.shake_hands(ext={"ack": True})["ext"] == {"ack": True}
        client.ask("/meta/subscribe", subscription=OUTBOUND)
        first = client.reply(client.connect(ext={"ack": 0}))
        assert first["ext"] == {"ack": 1}
        held = client.connect(ext={"ack": 1})
        client.events.clear()
        update(desk, "1")
        assert client.reply(held)["ext"] == {"ack": 2}
        assert [m["data"]["referenceId"] for m in client.events] == ["1"]
        client.events.clear()
        again = client.reply(client.connect(ext={"ack": 1}))
        assert [m["data"]["referenceId"] for m in client.events] == ["1"]
        client.events.clear()
        assert client.reply(client.connect(ext=again["ext"], advice={"timeout": 0}))["successful"]
        assert client.events == []


@pytest.mark.item(5, 70, 81)
@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 1007),
        ("17", 1007),
        ("[]", 1007),
        ("[7]", 1007),
        ("[" * 40 + "]" * 40, 1009),
        ("[" + ",".join(["{}"] * 65) + "]", 1009),
        (" " * 65_537, 1009),
        (b"[]", 1003),
    ],
    ids=["malformed", "number", "empty", "no object", "deep", "many", "large", "binary"],
)
def test_what_is_no_message_ends_the_socket(demo: Demo, frame: str | bytes, code: int) -> None:
    """With the code that says why."""
    with line(demo.server, "agent1") as client:
        client.socket.send(frame)
        assert close_code(client) == code


@pytest.mark.item(70)
def test_fragments_and_pings_are_the_librarys(demo: Demo) -> None:
    """A message in fragments is one, and a ping is answered between them."""
    with line(demo.server, "agent1") as client:
        text = json.dumps({"id": "7", "channel": "/meta/handshake", "version": "1.0"})
        client.socket.send(iter([text[:10], text[10:40], text[40:]]))
        assert client.reply("7")["successful"]
        assert client.socket.ping().wait(WAIT_S)


@pytest.mark.item(75, 76)
@pytest.mark.parametrize(
    ("headers", "path", "status"),
    [
        ({"Authorization": "Basic bm9ib2R5Om5v"}, "/api/v2/notifications", 403),
        ({"Origin": "https://elsewhere.example.com"}, "/api/v2/notifications", 403),
        ({}, "/api/v2/elsewhere", 404),
        ({"Sec-WebSocket-Version": "7"}, "/api/v2/notifications", 400),
    ],
    ids=["stranger", "foreign page", "path", "version"],
)
def test_an_upgrade_is_refused_at_once(demo: Demo, headers: dict[str, str], path: str, status: int) -> None:
    """With an HTTP answer, so that clients fall back."""
    with pytest.raises(InvalidStatus) as refused, line(demo.server, "agent1", path, additional_headers=headers):
        pass
    assert refused.value.response.status_code == status


@pytest.mark.item(96)
def test_a_foreign_session_is_unknown_on_a_socket(demo: Demo) -> None:
    """Another user's client id is answered like one that never was."""
    desk, other = demo.desk().listen(), demo.desk()
    with line(demo.server, other.name) as client:
        client.client_id = desk.events._client_id
        reply = client.reply(client.connect())
        assert (reply["error"], reply["advice"]["reconnect"]) == ("402::Unknown client", "handshake")


@pytest.mark.item(32)
def test_a_handshake_on_the_same_socket_replaces_the_session(demo: Demo) -> None:
    """The former is gone, without a word to the client that gave it up."""
    with line(demo.server, "agent1") as client:
        former = client.begin().client_id
        client.client_id = ""
        client.shake_hands()
        reply = client.reply(client.connect(clientId=former))
        assert reply["error"] == "402::Unknown client"
        assert client.reply(client.connect())["successful"]


@pytest.mark.item(84)
def test_a_stopping_server_answers_the_connect_and_closes() -> None:
    """The held connect is answered, then the socket is closed with 1001."""
    with RunningServer("--demo") as server, line(server, "agent1") as client:
        client.begin()
        server.terminate()
        assert client.frame()[0]["channel"] == "/meta/connect"
        assert close_code(client) == 1001


@pytest.mark.item(29, 75)
def test_without_the_switch_an_upgrade_is_answered_and_not_offered() -> None:
    """The wish for a socket is refused as a GET is, and the handshake names long-polling alone."""
    with RunningServer("--demo", "--no-cometd-websocket") as server:
        with pytest.raises(InvalidStatus) as refused, line(server, "agent1"):
            pass
        assert refused.value.response.status_code == 405


def test_a_page_of_an_allowed_site_polls_by_the_door() -> None:
    """Item 97: its answer names the origin and lets it read; a stranger's page is refused."""
    with RunningServer("--demo", "--allowed-origins", ALLOWED) as server:
        for _ in range(2):  # the first log-in goes through ASGI, the second by the door
            for origin, status in (
                ("https://desk.example.com", 200),
                ("https://x.example.com", 403),
                (server.url, 200),
            ):
                headers = {**credentials("agent1"), "Origin": origin, "Content-Type": "application/json"}
                body = json.dumps([{"channel": "/meta/handshake", "version": "1.0"}])
                answer = exchange(server.url, "POST", "/api/v2/notifications", body, headers)
                assert answer.status == status
                allowed = answer.headers.get_all("Access-Control-Allow-Origin", [])
                assert allowed == ([origin] if origin == ALLOWED else [])


@pytest.mark.item(70, 81)
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535])
def test_messages_of_every_length_are_read_alike(demo: Demo, size: int) -> None:
    """Whichever form the frame's length has: a message padded to that size is processed."""
    with line(demo.server, "agent1") as client:
        text = json.dumps({"id": "7", "channel": "/meta/handshake", "version": "1.0"})
        client.socket.send(text + " " * max(0, size - len(text)))
        assert client.reply("7")["successful"]
