"""One WebSocket: the upgrade, frames both ways, and its end. RFC 6455 itself is the ``websockets`` library's.

No task serves an open socket: what arrives is processed in the call that brings it. permessage-deflate is not offered:
it keeps some 64 KiB for each socket, and messages are short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from websockets.datastructures import Headers as WebSocketHeaders
from websockets.frames import (  # type: ignore[attr-defined]
    Frame,
    Opcode,
    apply_mask,  # not exported by name: the compiled one, where there is one
)
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from trunkline.bayeux.close_codes import GOING_AWAY, NOT_TEXT
from trunkline.contract.answers import HttpAnswer
from trunkline.web.bounds import Bounds
from trunkline.web.exchange import FIXED, Headers

CLOSE_S = 5
"""Seconds that a client gets to answer a close."""


class Listener(Protocol):
    """Who gets the frames of an open socket."""

    def received(self, text: bytes) -> None:
        """Process one text message, not yet decoded."""

    def gone(self) -> None:
        """The connection is lost or closed."""

    def stuck(self) -> None:
        """The client does not take what is sent."""


class Upgrade(Headers):
    """A client's wish for a WebSocket. ``url`` is path and query, ``address`` where the client is."""

    __slots__ = ("address", "url")

    def __init__(self, url: bytes, headers: dict[bytes, bytes], address: str | None) -> None:
        super().__init__(headers)
        self.url = url
        self.address = address


Gate = Callable[[Upgrade, "SocketConnection"], Awaitable["Listener | HttpAnswer"]]
"""Opens the door for a socket, or says with which HTTP answer the wish is refused."""


def _text_frame(body: bytes) -> bytes:
    """A whole text message as a server frames it. Source: RFC 6455, 5.2.

    By the library it takes some 5 us, as much as all else of a pushed event.
    """
    size = len(body)
    if size < 126:
        return b"\x81%c%b" % (size, body)
    if size < 65_536:
        return b"\x81\x7e%b%b" % (size.to_bytes(2, "big"), body)
    return b"\x81\x7f%b%b" % (size.to_bytes(8, "big"), body)


def _whole_text(data: bytes) -> bytes | None:
    """The text, when what arrived is one short message in one frame, as nearly always; else the library reads it.

    Heartbeats of idle clients are half of all work then; by the library they take a third more. Source: RFC 6455, 5.2.
    """
    if len(data) < 6 or data[0] != 0x81:  # a last frame, of text, without extensions
        return None
    size, begin = data[1] & 0x7F, 2
    if size == 126:
        size, begin = int.from_bytes(data[2:4], "big"), 4
    if not data[1] & 0x80 or size < (126 if begin == 4 else 0) or size == 127 or len(data) != begin + 4 + size:
        return None
    return apply_mask(data[begin + 4 :], data[begin : begin + 4])


class FrameCutter:
    """Finds where frames end in what arrives; what is in them is the library's business."""

    __slots__ = ("_head", "_left")

    def __init__(self) -> None:
        self._head = b""
        self._left = 0

    @property
    def is_between_frames(self) -> bool:
        """Tell whether a frame begins with the next byte."""
        return not self._left and not self._head

    def end_of_frame(self, data: bytes, begin: int) -> int:
        """The end of the frame that begins or goes on at ``begin``, or of ``data`` when it goes on further."""
        if not self._left:
            head = self._head + data[begin : begin + _LONGEST_HEAD]
            size = _frame_size(head)
            if not size:
                self._head = head
                return len(data)
            self._left = size - len(self._head)
            self._head = b""
        end = min(begin + self._left, len(data))
        self._left -= end - begin
        return end


_LONGEST_HEAD = 14


def _frame_size(head: bytes) -> int:
    """Bytes of a frame with its head, 0 while the head is not complete. Source: RFC 6455, 5.2."""
    if len(head) < 2:
        return 0
    size = head[1] & 0x7F
    end = 2 + (8 if size == 127 else 2 if size == 126 else 0)
    if len(head) < end:
        return 0
    if end > 2:
        size = int.from_bytes(head[2:end], "big")
    return end + (4 if head[1] & 0x80 else 0) + size


class SocketConnection(asyncio.Protocol):
    """A connection from its upgrade on; the line of a ``bayeux_asgi.Socket``."""

    __slots__ = (
        "_bounds",
        "_close_code",
        "_connections",
        "_cutter",
        "_deadline",
        "_heard_at_s",
        "_idle",
        "_listener",
        "_loop",
        "_parts",
        "_protocol",
        "_transport",
    )

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], bounds: Bounds, max_message_bytes: int
    ) -> None:
        self._transport = transport
        self._connections = connections
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._cutter = FrameCutter()
        self._protocol = ServerProtocol(max_size=max_message_bytes)
        self._listener: Listener | None = None
        self._parts: list[bytes] | None = None
        self._close_code: int | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._heard_at_s = self._loop.time()
        connections.add(self)

    # The upgrade

    async def open(self, upgrade: Upgrade, head: bytes, gate: Gate, early: bytes = b"") -> None:
        """Answer the upgrade as ``gate`` decides; ``head`` is the request as it was sent.

        Nothing is read meanwhile; ``early`` is what came behind the request, from a client that does not wait.
        """
        self._protocol.receive_data(head)
        events = self._protocol.events_received()
        if not events or not isinstance(events[0], Request):
            self._refuse(HttpAnswer(400, {}, b""))
            return
        response = self._protocol.accept(events[0])
        if response.status_code != 101:
            self._refuse(HttpAnswer(response.status_code, {}, bytes(response.body or b"")))
            return
        decided = await gate(upgrade, self)
        if isinstance(decided, HttpAnswer):
            self._refuse(decided)
            return
        if self._transport.is_closing():
            decided.gone()
            return
        self._protocol.send_response(response)
        self._listener = decided
        self._flush()
        self._idle = self._loop.call_later(self._bounds.socket_idle_s, self._look)
        self._transport.resume_reading()
        if self._close_code is not None:
            self.close(self._close_code)
        elif early:
            self.data_received(early)

    def _refuse(self, answer: HttpAnswer) -> None:
        headers = WebSocketHeaders()
        for name, value in FIXED:
            headers[name.decode()] = value.decode()
        headers.update(answer.headers)
        headers["content-length"] = str(len(answer.body))
        headers["connection"] = "close"
        status = answer.http_status
        self._transport.write(Response(status, "Refused", headers, answer.body).serialize())
        self._transport.close()

    # What arrives

    def data_received(self, data: bytes) -> None:
        """Process whole messages, frame by frame: one that came with a close, or a faulty frame, came before it."""
        self._heard_at_s = self._loop.time()
        protocol = self._protocol
        if self._parts is None and self._cutter.is_between_frames and (text := _whole_text(data)) is not None:
            self._hear(text)
            if protocol.writes or protocol.state is not State.OPEN:
                self._flush()
            return
        begin = 0
        while begin < len(data):
            end = self._cutter.end_of_frame(data, begin)
            protocol.receive_data(data if end - begin == len(data) else data[begin:end])
            for event in protocol.events_received():
                if isinstance(event, Frame):
                    self._take(event)
            if protocol.writes or protocol.state is not State.OPEN:
                self._flush()
            begin = end

    def _take(self, frame: Frame) -> None:
        opcode = frame.opcode
        if opcode is Opcode.TEXT and frame.fin:
            self._hear(frame.data)
        elif opcode is Opcode.TEXT:
            self._parts = [bytes(frame.data)]
        elif opcode is Opcode.CONT and self._parts is not None:
            if frame.data:  # the library counts bytes only, and empty ones have no end
                self._parts.append(bytes(frame.data))
            if frame.fin:
                whole, self._parts = b"".join(self._parts), None
                self._hear(whole)
        elif opcode is Opcode.BINARY:
            self.close(NOT_TEXT)

    def _hear(self, text: bytes | bytearray | memoryview) -> None:
        if self._listener is not None and self._protocol.state is State.OPEN:
            self._listener.received(bytes(text))

    def eof_received(self) -> None:
        """The client closed its side without a word."""
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever listens."""
        self._connections.discard(self)
        for timer in (self._deadline, self._idle):
            if timer is not None:
                timer.cancel()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.gone()

    # What leaves

    def send(self, body: bytes) -> None:
        """See ``bayeux_asgi.SocketLine``."""
        if self._protocol.state is State.OPEN:
            # Nothing of the library's is left unsent here, so that the order is kept.
            self._transport.write(_text_frame(body))

    def close(self, code: int) -> None:
        """See ``bayeux_asgi.SocketLine``."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code)
            self._flush()
        elif self._protocol.state is State.CONNECTING:
            self._close_code = code  # once it is open: the server stops while the gate is asked

    def abort(self) -> None:
        """See ``bayeux_asgi.SocketLine``."""
        self._transport.abort()

    def unsent_bytes(self) -> int:
        """See ``bayeux_asgi.SocketLine``."""
        return self._transport.get_write_buffer_size()

    def shutdown(self) -> None:
        """Uvicorn stops."""
        self.close(GOING_AWAY)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()
        if self._deadline is None and self._protocol.state is State.CLOSING:
            self._deadline = self._loop.call_later(CLOSE_S, self._transport.abort)

    # Time

    def pause_writing(self) -> None:
        """Give the client its time to take what was written; hear no more of it, because pings cause answers too."""
        if self._deadline is None:
            self._deadline = self._loop.call_later(self._bounds.write_s, self._end_stuck)
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Everything was taken."""
        if self._deadline is not None and self._protocol.state is State.OPEN:
            self._deadline.cancel()
            self._deadline = None
        if self._listener is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end_stuck(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stuck()
        self._transport.abort()

    def _look(self) -> None:
        """Close the socket of a client that has not been heard of for long: heartbeats come more often."""
        left_s = self._heard_at_s + self._bounds.socket_idle_s - self._loop.time()
        if left_s > 0:
            self._idle = self._loop.call_later(left_s, self._look)
        else:
            self._idle = None
            self.close(GOING_AWAY)
