"""Connections without a network: the server's own protocols on a line that the test feeds and reads."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, NamedTuple

import httptools
import uvicorn
from uvicorn.server import ServerState

from tests.bayeux.harness import connect, handshake, subscribe
from tests.bayeux.site import Site
from trunkline.bayeux import Config, Origin
from trunkline.bayeux.messages import protocol_error
from trunkline.bayeux_asgi import handle, read_body
from trunkline.bayeux_asgi.bodies import JSON_HEADERS
from trunkline.contract.answers import HttpAnswer
from trunkline.errors import OutOfRange, TooLarge
from trunkline.web.bounds import Bounds
from trunkline.web.connection import BoundedProtocol
from trunkline.web.direct import DirectRequest
from trunkline.web.websocket import Listener, SocketConnection, Upgrade

PATHS = {b"/cometd", b"/cometd/connect"}
CONFIG = Config(connection_types=("websocket", "long-polling", "callback-polling"), max_handshakes_per_s=10_000)


class Line(asyncio.Transport):
    """What a connection is read from and written to; it hands bytes over only while they are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_aborted = False
        self._is_closing = False
        self._is_paused = False
        self._waiting: deque[bytes] = deque()
        self.protocol: Any = None

    def feed(self, sent: bytes, size: int) -> None:
        """Let bytes arrive, ``size`` at a time."""
        self._waiting.extend(sent[at : at + size] for at in range(0, len(sent), size))
        self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting and not self._is_paused and not self._is_closing:
            self.protocol.data_received(self._waiting.popleft())

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._is_paused = True

    def resume_reading(self) -> None:
        """Hand over what was kept, in the loop's next round as a real line does."""
        self._is_paused = False
        asyncio.get_running_loop().call_soon(self._hand_over)

    def write(self, data: Any) -> None:
        """Take what the server says."""
        if not self._is_closing:
            self.written += data

    def close(self) -> None:
        """Take and give nothing any more."""
        self._is_closing = True

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = self.is_aborted = True

    def is_closing(self) -> bool:
        """Tell whether it is over."""
        return self._is_closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have another protocol read."""
        self.protocol = protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """An address at both ends."""
        return ("127.0.0.1", 1) if name in ("peername", "sockname") else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever left to be taken."""

    def get_write_buffer_size(self) -> int:
        """See above."""
        return 0


class Edge:
    """A CometD site behind the server's connections: its door, its ASGI way and its gate for sockets."""

    def __init__(self) -> None:
        self.site = Site(CONFIG)
        self.reported: list[Any] = []
        self._state = ServerState()
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # it tells of each malformed request
        self._uvicorn = uvicorn.Config(
            self._serve, loop="none", ws="none", lifespan="off", log_config=None, interface="asgi3", proxy_headers=False
        )
        for client_id in ("c1", "c2", "b1"):
            owner = "bob" if client_id == "b1" else "ann"
            for message in (handshake(), subscribe(client_id, ["/**"]), connect(client_id)):
                origin = Origin(principal=owner, now_ms=self.site.now_ms)
                self.site.server.receive([message], exchange=client_id, fresh_client_id=client_id, origin=origin)

    def line(self) -> Line:
        """A new connection."""
        line = Line()
        line.protocol = BoundedProtocol(
            bounds=Bounds(),
            door=self._door,
            gate=self._gate,
            config=self._uvicorn,
            server_state=self._state,
            app_state={},
        )
        line.protocol.connection_made(line)
        return line

    async def settled(self) -> None:
        """Wait until nothing is left to do but what waits for a time or a client."""
        loop = asyncio.get_running_loop()
        while loop._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110 - the loop itself is what is waited for
            await asyncio.sleep(0)

    async def end(self, line: Line) -> None:
        """The client hangs up."""
        line.close()
        line.protocol.connection_lost(None)
        await self.settled()
        cometd = self.site.cometd
        assert not self._state.connections, "the connection is forgotten"
        assert not self._state.tasks, "nobody waits"
        assert not cometd._exchanges, "nobody is to be answered"
        assert not cometd.sockets

    def _door(self, request: DirectRequest) -> bool:
        if request.url not in PATHS:
            return False
        cometd, most = self.site.cometd, CONFIG.max_messages_per_request
        content_type = request.header(b"content-type") or b""
        try:
            found = read_body(bytes(request.body), content_type, max_messages=most, max_bytes=cometd.max_body_bytes)
        except TooLarge as error:
            request.answer(413, protocol_error(413, error.message), JSON_HEADERS, is_last=True)
            return True
        except OutOfRange as error:
            request.answer(400, protocol_error(400, error.message), JSON_HEADERS)
            return True
        number = cometd.begin(found, "ann", request)
        request.on_lost = lambda: cometd.lost(number)
        if not request.response_complete:
            request.hold()
        return True

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        await handle(self.site.cometd, scope, receive, send, "ann")

    async def _gate(self, upgrade: Upgrade, line: SocketConnection) -> Listener | HttpAnswer:
        if upgrade.url.partition(b"?")[0] not in PATHS:
            return HttpAnswer(404, {}, b"{}")
        return self.site.cometd.open_socket("ann", line)


class HttpSaid(NamedTuple):
    """One answer."""

    status: int
    body: bytes


def answers_in(written: bytes) -> tuple[list[HttpSaid], bytes]:
    """The HTTP answers that were written, and what follows an upgrade."""
    reader = _Reader()
    parser = httptools.HttpResponseParser(reader)
    reader.parser = parser
    try:
        parser.feed_data(written)
    except httptools.HttpParserUpgrade as upgrade:
        return reader.answers, written[upgrade.args[0] :]
    assert reader.is_whole, "an answer is complete"
    return reader.answers, b""


class _Reader:
    """See ``httptools``."""

    def __init__(self) -> None:
        self.answers: list[HttpSaid] = []
        self.is_whole = True
        self.parser: Any = None
        self._body = b""

    def on_message_begin(self) -> None:
        self.is_whole, self._body = False, b""

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self.is_whole = True
        self.answers.append(HttpSaid(self.parser.get_status_code(), self._body))
