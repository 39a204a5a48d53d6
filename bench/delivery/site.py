"""The server under test: the reusable CometD parts on the project's own HTTP server, without storage and passwords.

Takes one command a line: ``own BYTES`` and ``shared BYTES`` deliver an event to every session, ``flood FROM TO
COUNT BYTES`` delivers COUNT events to each session from number FROM up to TO, and ``event TO OWNER SEQ`` delivers what
may be wrong, so that it can be proved that the clients notice. Writes its port when it listens, and ends when its input
does.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import secrets
import sys
import time
from collections.abc import Hashable, Mapping
from functools import partial

import uvloop

from bench.delivery.events import event
from trunkline.bayeux import AllowList, Config, Delivery, Position, Recovery, Server
from trunkline.bayeux_asgi import BROWSER_COOKIE, CometD, Socket, read_body
from trunkline.web.bounds import Bounds
from trunkline.web.direct import DirectRequest
from trunkline.web.exchange import Headers, Receive, Scope, Send
from trunkline.web.server import Server as WebServer
from trunkline.web.websocket import SocketConnection, Upgrade

MAX_QUEUE_BYTES = 393_216
"""What may wait for a client. With an answer of 320 KiB under way, of which the core and the connection keep a copy
each, a client that does not read occupies less than 1 MiB."""
MAX_HANDSHAKES_PER_S = 100_000
"""All clients have one address."""


class Site:
    """The application, its users, and what it has delivered. Hooks of ``CometD``."""

    def __init__(self, timeout_ms: int) -> None:
        self._core = Server(
            Config(
                timeout_ms=timeout_ms,
                max_handshakes_per_s=MAX_HANDSHAKES_PER_S,
                max_queue_bytes=MAX_QUEUE_BYTES,
            ),
            AllowList(["/own/*", "/shared"]),
        )
        self.cometd = CometD(self._core, clock_ms=_clock_ms, random_id=lambda: secrets.token_hex(16), hooks=self)
        self._users: dict[bytes, str] = {}
        """Names by credentials; there are as many as the clients that the benchmark starts."""
        self._sent: dict[str, int] = {}

    def door(self, request: DirectRequest) -> bool:
        """Serve a POST, as the project's own door does; see ``web.direct.Door``."""
        messages = read_body(
            bytes(request.body),
            request.header(b"content-type") or b"",
            max_messages=self._core.config.max_messages_per_request,
            max_bytes=self.cometd.max_body_bytes,
        )
        user = self._user(request)
        browser, address = request.cookie(BROWSER_COOKIE), request.line.address()
        number = self.cometd.begin(messages, user, request, browser=browser, address=address)
        request.on_lost = partial(self.cometd.lost, number)
        if not request.response_complete:
            request.hold()
        return True

    async def gate(self, upgrade: Upgrade, line: SocketConnection) -> Socket:
        """Open a WebSocket; see ``web.websocket.Gate``."""
        return self.cometd.open_socket(self._user(upgrade), line, address=upgrade.address)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Nothing comes this way: the clients send what the door and the gate take."""
        raise NotImplementedError

    def _user(self, request: Headers) -> str:
        """Who the credentials name; the password is not looked at."""
        header = request.header(b"authorization")
        assert header is not None
        user = self._users.get(header)
        if user is None:
            user = base64.b64decode(header.removeprefix(b"Basic ")).partition(b":")[0].decode()
            self._users[header] = user
        return user

    def obey(self, command: str) -> None:
        """Carry out one command."""
        word, *numbers = command.split()
        match word, [int(number) for number in numbers]:
            case "own", [size]:
                for number in range(len(self._users)):
                    self._deliver_own(number, size)
            case "shared", [size]:
                self._deliver_shared(size)
            case "flood", [first, end, count, size]:
                for number in range(first, end):
                    for _ in range(count):
                        self._deliver_own(number, size)
            case "event", [number, owner, seq]:
                self.cometd.deliver(f"client-{number}", [Delivery(f"/own/{number}", event(owner, seq, 0), 0)])
            case _:
                raise ValueError(f"unknown command {command!r}")

    def _deliver_own(self, number: int, size: int) -> None:
        channel = f"/own/{number}"
        seq = self._next(channel)
        self.cometd.deliver(f"client-{number}", [Delivery(channel, event(number, seq, size), seq)])

    def _deliver_shared(self, size: int) -> None:
        seq = self._next("/shared")
        shared = [Delivery("/shared", event(-1, seq, size), seq)]
        for user in self._users.values():
            self.cometd.deliver(user, shared)

    def _next(self, channel: str) -> int:
        seq = self._sent[channel] = self._sent.get(channel, 0) + 1
        return seq

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        """Nothing has to be loaded."""
        return {}

    def subscribed(self, client_id: str, principal: Hashable, channel: str, recovered: frozenset[str]) -> None:
        """Nothing waits for a new subscription."""

    def confirmed(self, principal: Hashable, channel: str, mark: int) -> None:
        """Nothing is kept until it is confirmed."""

    def opened(self, client_id: str, principal: Hashable) -> None:
        """Users are known by their requests."""

    def closed(self, client_id: str, principal: Hashable, reason: str) -> None:
        """Tell of sessions that the server gave up."""
        if reason != "disconnect":
            sys.stderr.write(f"session of {principal} closed: {reason}\n")


def _clock_ms() -> int:
    return time.monotonic_ns() // 1_000_000


async def _commands(site: Site) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        site.obey(line.decode())


def _say_port(port: int) -> None:
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


async def _run(timeout_ms: int) -> None:
    site = Site(timeout_ms)
    server = WebServer(
        site,
        host="127.0.0.1",
        port=0,
        shutdown_grace_s=1,
        on_ready=_say_port,
        on_stop=site.cometd.stop,
        bounds=Bounds(),
        door=site.door,
        gate=site.gate,
    )
    await site.cometd.start()
    serving = asyncio.create_task(server.serve())
    try:
        await _commands(site)
    finally:
        server.should_exit = True
        await serving


def main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timeout-ms", type=int, default=30_000)
    given = parser.parse_args()
    uvloop.run(_run(given.timeout_ms))


if __name__ == "__main__":
    main()
