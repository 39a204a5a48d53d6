"""The CometD endpoint over HTTP on a real server: what depends on more than the core."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from websockets.sync.client import connect as open_socket
from websockets.typing import Origin

from tests.http.desks import Demo, Reply, demo_server, exchange
from tests.http.test_sockets import OUTBOUND, Line, close_code, credentials, line, update

ENDPOINT = "/api/v2/notifications"
ALLOWED = "https://desk.example"
BASIC = credentials("agent1")
JSON = {"Content-Type": "application/json"}
HANDSHAKE = {"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"], "id": "1"}


@pytest.fixture(scope="module")
def scripts() -> Iterator[Demo]:
    """A server that offers callback-polling, and lets pages of one other site in."""
    with demo_server("--cometd-callback-polling", "--allowed-origins", ALLOWED, agents=5) as made:
        yield made


def post(demo: Demo, *messages: dict[str, Any], suffix: str = "", **headers: str) -> Reply:
    """Post messages as agent1."""
    body = json.dumps(messages)
    return exchange(demo.url, "POST", ENDPOINT + suffix, body, {**BASIC, **JSON, **headers})


def first(reply: Reply) -> dict[str, Any]:
    """The first message of an answer."""
    messages: list[dict[str, Any]] = json.loads(reply.body)
    return messages[0]


def get(demo: Demo, *messages: dict[str, Any], callback: str = "cb", **headers: str) -> Reply:
    """Send messages by callback-polling; log in as the headers say."""
    query = "&".join(f"message={quote(json.dumps(message))}" for message in messages)
    return exchange(demo.url, "GET", f"{ENDPOINT}?{query}&jsonp={callback}", headers=headers)


@pytest.mark.item(9)
def test_client_ids_are_long_and_random(demo: Demo) -> None:
    """160 bits in hexadecimal digits, another one each time."""
    ids = {first(post(demo, HANDSHAKE))["clientId"] for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch(r"[0-9a-f]{40}", client_id) for client_id in ids)


@pytest.mark.item("0.3")
@pytest.mark.parametrize("suffix", ["", "/", "/handshake", "/connect", "/subscribe", "/unsubscribe", "/disconnect"])
def test_what_clients_append_to_the_url_does_not_matter(demo: Demo, suffix: str) -> None:
    """The messages say what they are."""
    reply = post(demo, HANDSHAKE, suffix=suffix)
    assert (reply.status, first(reply)["successful"]) == (200, True)


@pytest.mark.item("0.12", 79)
def test_credentials_are_enough_without_a_cookie(demo: Demo) -> None:
    """The cookie is set, HttpOnly and for the whole site; a client that does not send it back is served."""
    opened = post(demo, HANDSHAKE)
    (cookie,) = [c for c in opened.headers.get_all("Set-Cookie", []) if c.startswith("BAYEUX_BROWSER=")]
    assert re.fullmatch(r"BAYEUX_BROWSER=[0-9a-f]{40}; Path=/; HttpOnly; SameSite=Lax", cookie)
    client_id = first(opened)["clientId"]
    reply = post(demo, {"channel": "/meta/connect", "connectionType": "long-polling", "clientId": client_id})
    assert first(reply)["successful"]


@pytest.mark.item(64)
def test_bodies_may_be_chunked_and_announced(demo: Demo) -> None:
    """A client that sends ``Expect: 100-continue`` is told to go on, and its chunks are one body."""
    body = json.dumps([HANDSHAKE]).encode()
    head = [
        f"POST {ENDPOINT} HTTP/1.1",
        "Host: x",
        f"Authorization: {BASIC['Authorization']}",
        "Content-Type: application/json;charset=UTF-8",
        "Transfer-Encoding: chunked",
        "Expect: 100-continue",
        "Connection: close",
    ]
    with socket.create_connection(("127.0.0.1", demo.server.port), 20) as client:
        client.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        for part in (body[:20], body[20:], b""):
            client.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        said = b"".join(iter(lambda: client.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 200 ")
    assert b'"successful":true' in said


@pytest.mark.item(97)
def test_pages_of_allowed_sites_may_speak_cometd(scripts: Demo) -> None:
    """A preflight needs no log-in and names what clients send; the answer is for that page, with credentials."""
    asked = {"Origin": ALLOWED, "Access-Control-Request-Method": "POST"}
    allowed = exchange(scripts.url, "OPTIONS", f"{ENDPOINT}/handshake", headers=asked)
    assert allowed.status == 204
    assert {"POST", "GET", "OPTIONS"} <= set(allowed.headers["Access-Control-Allow-Methods"].split(","))
    named = {name.lower() for name in allowed.headers["Access-Control-Allow-Headers"].split(",")}
    assert {"content-type", "authorization", "x-csrf-token"} <= named
    reply = post(scripts, HANDSHAKE, Origin=ALLOWED)
    assert first(reply)["successful"]
    assert reply.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert reply.headers["Access-Control-Allow-Credentials"] == "true"
    assert post(scripts, HANDSHAKE, Origin="https://elsewhere.example").status == 403


@pytest.mark.item(67)
def test_callback_polling_by_its_switch(scripts: Demo, demo: Demo) -> None:
    """Offered and served as a script with the switch; without it neither."""
    reply = get(scripts, HANDSHAKE, **BASIC)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/javascript; charset=UTF-8"
    assert reply.body.startswith(b"/**/cb([{")
    assert b'"supportedConnectionTypes":["websocket","long-polling","callback-polling"]' in reply.body
    assert get(demo, HANDSHAKE, **BASIC).status == 405


@pytest.mark.item(68, 98)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Referer": f"{ALLOWED}/desk"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Referer": f"{ALLOWED}.elsewhere.example/"}, 403),
        ({}, 403),
    ],
)
def test_a_log_in_cookie_alone_is_not_enough_for_callback_polling(
    scripts: Demo, headers: dict[str, str], status: int
) -> None:
    """A page of strangers could load the script with the user's cookie; the browser must say that it is none."""
    said = exchange(scripts.url, "GET", "/api/v2/me", headers=BASIC).headers.get_all("Set-Cookie", [])
    (cookie,) = [each.partition(";")[0] for each in said if each.startswith("JSESSIONID=")]
    assert get(scripts, HANDSHAKE, Cookie=cookie, **headers).status == status


@pytest.mark.item(76)
def test_a_browser_opens_a_socket_with_its_cookie(demo: Demo) -> None:
    """No header of its own is needed: the session cookie, and the Origin of the server itself."""
    said = exchange(demo.url, "GET", "/api/v2/me", headers=BASIC).headers.get_all("Set-Cookie", [])
    (cookie,) = [each.partition(";")[0] for each in said if each.startswith("JSESSIONID=")]
    url = f"ws://127.0.0.1:{demo.server.port}{ENDPOINT}"
    with open_socket(url, origin=Origin(demo.url), additional_headers={"Cookie": cookie}, proxy=None) as opened:
        assert Line(opened).shake_hands()["successful"]


@pytest.mark.item(43)
def test_a_second_connect_on_a_socket_replaces_the_first(demo: Demo) -> None:
    """Only the newer one is answered, though nothing is said about the older."""
    with line(demo.server, "agent1") as client:
        client.begin()
        older = client.connect()
        newer = client.connect(advice={"timeout": 200})
        (reply,) = client.frame()
        assert (reply["id"], reply["successful"]) == (newer, True)
        assert older != newer
        last = client.connect(advice={"timeout": 0})
        assert [message["id"] for message in client.frame()] == [last]


@pytest.mark.item(73)
def test_a_newer_socket_takes_over(demo: Demo) -> None:
    """The session's connect on another socket moves it there and closes the former, which has no other session."""
    desk = demo.desk()
    with line(demo.server, desk.name) as former, line(demo.server, desk.name) as newer:
        newer.client_id = former.begin(OUTBOUND).client_id
        newer.connect()
        assert close_code(former) == 1000
        update(desk, "1")
        assert newer.references(1) == ["1"]


@pytest.mark.item(73)
def test_several_sessions_may_share_a_socket(demo: Demo) -> None:
    """As behind a shared proxy: each session that connects there gets its events there."""
    desk = demo.desk()
    with ExitStack() as stack:
        ids = []
        for _ in range(2):
            desktop = demo.again(desk).listen()
            ids.append(desktop.events._client_id)
        client = stack.enter_context(line(demo.server, desk.name))
        for client_id in ids:
            client.client_id = client_id
            client.connect()
        update(desk, "1")
        assert client.references(2) == ["1", "1"]


@pytest.mark.item(90)
def test_a_client_may_ask_for_the_time(demo: Demo) -> None:
    """The server's clock, how long the question was held, and the accuracy; nothing once the client knows it well."""
    with line(demo.server, "agent1") as client:
        before = time.time_ns() // 1_000_000
        said = client.shake_hands(ext={"timesync": {"tc": before, "l": 0, "o": 0}})["ext"]["timesync"]
        assert list(said) == ["tc", "ts", "p", "a"]
        assert before <= said["ts"] <= time.time_ns() // 1_000_000
        assert (said["tc"], said["a"]) == (before, before - said["ts"])
        old = client.reply(client.connect(ext={"timesync": {"tc": before}}))["ext"]["timesync"]
        assert list(old) == ["tc", "ts", "p"]
        held = client.connect(ext={"timesync": {"tc": before, "l": 10**6, "o": 0}}, advice={"timeout": 300})
        assert client.reply(held)["ext"]["timesync"]["p"] >= 300
        # A client whose offset is right to the millisecond, as far as the way to the server lets it know.
        now = time.time_ns() // 1_000_000
        known = client.connect(ext={"timesync": {"tc": now, "l": 1, "o": 0}}, advice={"timeout": 0})
        reply = client.reply(known)
        assert "ext" not in reply or abs(reply["ext"]["timesync"]["a"]) >= 25
