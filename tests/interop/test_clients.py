"""Clients that others wrote receive the sample's two messages: the official JavaScript ones, and one for Python."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiocometd_ng.client import Client
from aiocometd_ng.constants import ConnectionType
from aiocometd_ng.extensions import AuthExtension

from tests.http.desks import Demo, Json, accept, demo_server
from tests.http.sample import ANSWER, DEVICE
from tests.support import nodes

BASIC = "Basic YWdlbnQxOmRlbW8="
TOPICS = {
    "by name": ("/v2/me/outbound", "/me/internal"),
    "by pattern": ("/v2/me/*", "/me/internal"),
    "everything": ("/**",),
}
"""What different desktops subscribe to (Web Services API 8)."""

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """A demo server for all clients."""
    with demo_server(agents=5) as made:
        yield made


def update(demo: Demo, reference: str) -> None:
    """Send the page's request."""
    desk = demo.desktop("agent1", DEVICE, 6)
    accept(desk.on_record("UpdateRecord", referenceId=reference))


def check(messages: list[Json], reference: str) -> None:
    """The two messages of the sample, in order, for this reference."""
    at = next(n for n, message in enumerate(messages) if message["data"].get("referenceId") == reference)
    outbound, internal = messages[at : at + 2]
    assert outbound == {"channel": ANSWER[0]["channel"], "data": {**ANSWER[0]["data"], "referenceId": reference}}
    metrics = internal["data"].pop("metrics")
    assert {type(value) for value in metrics["eventProcessing"].values()} == {int}
    wanted = {key: value for key, value in ANSWER[1]["data"].items() if key != "metrics"}
    assert internal == {"channel": ANSWER[1]["channel"], "data": wanted}


@pytest.mark.parametrize("topics", TOPICS)
@pytest.mark.parametrize("script", ["listen.cjs", "listen.mjs"], ids=["cometd 3.1", "cometd 9"])
def test_the_official_client_hears_both_messages(node_modules: Path, demo: Demo, script: str, topics: str) -> None:
    """It connects with the settings a desktop uses, falls back to long-polling, hears both and says goodbye."""
    reference = f"{script} {topics}"
    program = nodes.run(script, f"{demo.url}/api/v2/notifications", BASIC, reference, *TOPICS[topics])
    try:
        assert "long-polling" in program.wait_for_line("LISTENING", 30)
        update(demo, reference)
        code = program.process.wait(30)
    finally:
        program.end()
    assert code == 0, program.output
    lines = [line.removeprefix("MESSAGE ") for line in program.output.splitlines() if line.startswith("MESSAGE ")]
    check([json.loads(line) for line in lines], reference)


class Basic(AuthExtension):
    """Credentials on every request, and no cookie."""

    async def outgoing(self, payload: Any, headers: Any) -> None:
        """Add the header."""
        headers["Authorization"] = BASIC

    async def incoming(self, payload: Any, headers: Any = None) -> None:
        """Take what comes."""

    async def authenticate(self) -> None:
        """Nothing to renew."""


@pytest.mark.parametrize("topics", TOPICS)
def test_the_python_client_hears_both_messages(demo: Demo, topics: str) -> None:
    """aiocometd-ng opens at once, though it waits for the first connect and sends no advice, and hears both."""

    async def listen() -> list[Json]:
        messages: list[Json] = []
        endpoint = f"{demo.url}/api/v2/notifications"
        async with Client(endpoint, ConnectionType.LONG_POLLING, connection_timeout=0, auth=Basic()) as client:
            for topic in TOPICS[topics]:
                await client.subscribe(topic)
            await asyncio.to_thread(update, demo, topics)
            while not messages or messages[-1]["channel"] != "/me/internal":
                message = await client.receive()
                messages.append({"channel": message["channel"], "data": message["data"]})
        return messages

    check(asyncio.run(listen()), topics)
