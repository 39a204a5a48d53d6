"""The example of a CometD endpoint in an application of its own runs as the manual shows it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from aiocometd_ng.client import Client
from aiocometd_ng.constants import ConnectionType
from aiocometd_ng.exceptions import ServerError
from aiocometd_ng.extensions import AuthExtension
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect as open_socket

from tests.bayeux.harness import Message, connect, handshake, subscribe
from tests.http.desks import Reply, exchange
from tests.support.paths import ROOT
from tests.support.processes import Program

EXAMPLE = ROOT / "examples" / "cometd.py"
SMALL = ROOT / "examples" / "cometd_small.py"
PAGE = ROOT / "docs" / "how-to" / "cometd-endpoint.md"
ANN, BOB = "Bearer of-ann", "Bearer of-bob"


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """The example on a free port."""
    running = Program([sys.executable, EXAMPLE, "0"])
    yield running
    running.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def url(program: Program) -> str:
    """Where it listens."""
    found = re.search(r"http://127\.0\.0\.1:\d+", program.wait_for_line("running on", 30))
    assert found
    return found[0]


class Bearer(AuthExtension):
    """Sends a key."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def outgoing(self, payload: Any, headers: Any) -> None:
        """Add the header."""
        headers["Authorization"] = self._key

    async def incoming(self, payload: Any, headers: Any = None) -> None:
        """Take what comes."""

    async def authenticate(self) -> None:
        """Nothing to renew."""


def client(url: str, key: str, transport: ConnectionType = ConnectionType.LONG_POLLING) -> Client:
    """A client that others wrote. Other timeouts pass on an argument that Python does not take any more."""
    return Client(f"{url}/cometd", transport, connection_timeout=0, auth=Bearer(key))


@pytest.mark.parametrize("example", [SMALL, EXAMPLE], ids=["small", "complete"])
def test_the_page_shows_the_example(example: Path) -> None:
    """To the letter."""
    assert f"```python\n{example.read_text(encoding='utf-8')}```\n" in PAGE.read_text(encoding="utf-8")


# The client calls its own library as it was called before.
@pytest.mark.filterwarnings("ignore:float parameter 'receive_timeout':DeprecationWarning")
@pytest.mark.filterwarnings("ignore:ssl=None:DeprecationWarning")
def test_the_smallest_endpoint_tells_the_time() -> None:
    """Under a plain uvicorn, over both transports."""
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        str(SMALL.parent),
        "--ws",
        "websockets-sansio",
        "--port",
        "0",
    ]
    program = Program([*command, "cometd_small:app"])
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", program.wait_for_line("running on", 30))
        assert found

        async def hear(transport: ConnectionType) -> str:
            async with Client(f"{found[0]}/cometd", transport, connection_timeout=0) as opened:
                assert opened.connection_type is transport
                await opened.subscribe("/time")
                return str((await opened.receive())["data"])

        for transport in (ConnectionType.LONG_POLLING, ConnectionType.WEBSOCKET):
            assert time.strptime(asyncio.run(hear(transport)))
    finally:
        assert program.end(signal.SIGTERM, 20) in (0, -signal.SIGTERM)


# The client calls its own library as it was called before.
@pytest.mark.filterwarnings("ignore:float parameter 'receive_timeout':DeprecationWarning")
@pytest.mark.filterwarnings("ignore:ssl=None:DeprecationWarning")
@pytest.mark.parametrize("transport", [ConnectionType.LONG_POLLING, ConnectionType.WEBSOCKET])
def test_each_client_hears_the_own_greetings(url: str, transport: ConnectionType) -> None:
    """Over both transports, by a pattern, side by side."""

    async def hear(key: str) -> str:
        async with client(url, key, transport) as opened:
            assert opened.connection_type is transport
            await opened.subscribe("/greetings/*")
            message = await opened.receive()
            assert message["channel"] == "/greetings/hello"
            return str(message["data"]["text"])

    async def both() -> list[str]:
        return list(await asyncio.gather(hear(ANN), hear(BOB)))

    assert asyncio.run(both()) == ["Hello, ann", "Hello, bob"]


def test_other_channels_are_refused(url: str) -> None:
    """The list says what may be subscribed to."""

    async def subscribe() -> None:
        async with client(url, ANN) as opened:
            await opened.subscribe("/elsewhere")

    with pytest.raises(ServerError):
        asyncio.run(subscribe())


@pytest.mark.parametrize("headers", [{}, {"Authorization": ANN, "Origin": "https://elsewhere.example.com"}])
def test_strangers_and_foreign_pages_stay_outside(url: str, headers: dict[str, str]) -> None:
    """On either way in."""
    assert exchange(url, "POST", "/cometd/handshake", "[]", headers).status == 403
    with pytest.raises(InvalidStatus) as refused:
        open_socket(f"ws{url.removeprefix('http')}/cometd", additional_headers=headers, proxy=None)
    assert refused.value.response.status_code == 403


def post(url: str, *messages: Message) -> Reply:
    """Post messages as ann."""
    headers = {"Authorization": ANN, "Content-Type": "application/json"}
    return exchange(url, "POST", "/cometd", json.dumps(messages), headers)


def opened_session(url: str) -> str:
    """The client id of a new session of ann."""
    client_id: str = json.loads(post(url, handshake()).body)[0]["clientId"]
    return client_id


def poll(url: str, client_id: str) -> list[int]:
    """The numbers of the greetings that a poll brings."""
    return [
        message["data"]["number"] for message in json.loads(post(url, connect(client_id)).body) if "data" in message
    ]


def test_greetings_wait_until_somebody_has_them(url: str) -> None:
    """What was sent and not confirmed goes to the next session; what a later poll confirmed does not."""
    first, second, third = (opened_session(url) for _ in range(3))
    assert json.loads(post(url, subscribe(first, "/greetings/*")).body)[0]["successful"]
    sent = poll(url, first)
    sent = sent or poll(url, first)
    post(url, subscribe(second, "/greetings/*"))
    again = poll(url, second)
    assert again[: len(sent)] == sent
    confirmed = max(again)
    poll(url, second)
    post(url, subscribe(third, "/greetings/*"))
    assert min(poll(url, third) or poll(url, third)) > confirmed


def test_it_stops_while_a_poll_is_held(program: Program, url: str) -> None:
    """The poll is answered, so that nothing has to be waited for."""
    client_id = opened_session(url)
    assert post(url, connect(client_id)).status == 200
    with ThreadPoolExecutor() as threads:
        polls = [threads.submit(post, url, connect(client_id)) for _ in range(2)]
        # The newer one has ended the older, so it is held.
        done, (held,) = wait(polls, return_when=FIRST_COMPLETED)
        assert [poll.result().status for poll in done] == [409]
        assert program.end(signal.SIGTERM, 10) == -signal.SIGTERM
        (reply,) = json.loads(held.result().body)
    assert (reply["successful"], reply["advice"]["reconnect"]) == (True, "retry")
    assert "Finished server process" in program.output
