"""WebSocket over ASGI: the server's frames go to a ``Socket``, its frames to the server, by one task each way."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Hashable

from trunkline.bayeux.close_codes import NOT_TEXT, POLICY_VIOLATED
from trunkline.bayeux_asgi.asgi_http import Receive, Scope, Send
from trunkline.bayeux_asgi.endpoint import CometD


async def handle_socket(cometd: CometD, scope: Scope, receive: Receive, send: Send, principal: Hashable) -> None:
    """Serve one WebSocket of ``principal``, whom the caller has authenticated and whose Origin it has checked.

    Refuses the upgrade when the core does not offer ``websocket``, so that clients fall back at once.
    """
    await receive()  # websocket.connect
    if "websocket" not in cometd.server.config.connection_types:
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "websocket.accept"})
    line = _Line()
    client = scope.get("client")
    socket = cometd.open_socket(principal, line, address=client[0] if client else None)
    sending = asyncio.get_running_loop().create_task(line.carry(send))
    try:
        while not line.is_closing:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                break
            text = message.get("text")
            if text is None:
                socket.end(NOT_TEXT)
            else:
                socket.received(text.encode("utf-8", "surrogatepass"))
    finally:
        socket.gone()
        if line.is_closing:
            await asyncio.wait([sending])
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending


class _Line:
    """Frames on their way to the server."""

    def __init__(self) -> None:
        self.is_closing = False
        self._frames: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._code = 0
        self._wake = asyncio.Event()

    def send(self, body: bytes) -> None:
        """See ``sockets.SocketLine``."""
        self._frames.append(body)
        self._unsent_bytes += len(body)
        self._wake.set()

    def close(self, code: int) -> None:
        """See ``sockets.SocketLine``."""
        self._code = code
        self.is_closing = True
        self._wake.set()

    def abort(self) -> None:
        """See ``sockets.SocketLine``; ASGI knows no other end than a close."""
        self._frames.clear()
        self.close(POLICY_VIOLATED)

    def unsent_bytes(self) -> int:
        """See ``sockets.SocketLine``."""
        return self._unsent_bytes

    async def carry(self, send: Send) -> None:
        """Hand the frames to the server, then the close."""
        while True:
            while self._frames:
                body = self._frames.popleft()
                await send({"type": "websocket.send", "text": body.decode("utf-8")})
                self._unsent_bytes -= len(body)
            if self.is_closing:
                await send({"type": "websocket.close", "code": self._code})
                return
            self._wake.clear()
            await self._wake.wait()
