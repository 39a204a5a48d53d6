"""One HTTP connection: uvicorn's, with bounds in space and time, and a door for requests that need no ASGI.

The usual ASGI servers have no deadlines, and no proxy in front is assumed: a head, a body and every answer must be
through within a time of its own, counted from its beginning, however steadily a byte arrives now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from trunkline.web.answering import AnswerTransport
from trunkline.web.bounds import Bounds
from trunkline.web.direct import MAX_BODY_BYTES, DirectRequest, Door
from trunkline.web.exchange import Header
from trunkline.web.websocket import Gate, SocketConnection, Upgrade

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers: cookies and credentials of real clients stay under 8 KiB; without a limit a head without
an end would fill the memory."""
MAX_PIPELINED = 64
"""Requests that wait for the answers before theirs: browsers send none, load generators some 16; each keeps about
3 KiB, and one packet may hold thousands."""
REFUSAL = "This is no HTTP request, its head is too large, or too many are sent at once."
"""Said to all, because what is seen first depends on how the bytes arrive."""
SLOWEST_BYTES_A_S = 16 * 1024
"""What the sender of a long body, which is refused at once wherever it is not expected, must send at least: a calling
list of 100 MB may take two hours."""
WRITE_HIGH_WATER_BYTES = 0
"""Bytes that may wait in the process before the writer is told to pause: none, so that whatever a client does not take
is seen, and timed. (The kernel's own buffers take the usual answer whole.)"""


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose requests and answers pass within bounds.

    ``door`` may serve small POSTs without ASGI; ``gate`` opens WebSockets, and without it wishes for one are answered
    as the plain requests that they are.
    """

    def __init__(self, *, bounds: Bounds, door: Door | None = None, gate: Gate | None = None, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._bounds = bounds
        self._door = door
        self._gate = gate
        self._direct: DirectRequest | None = None
        self._is_under_way = False
        self._served: RequestResponseCycle | DirectRequest | None = None
        self._is_complete = False
        self._is_in_head = True
        self._head_bytes = 0
        self._foreign_bytes = 0
        self._piece_bytes = 0
        self._requests_in_piece = 0
        self._is_refused = False
        self._is_wish_ignored = False
        self.url, self.headers = b"", []
        self._is_behind_chunk_size = False
        self._trailer_bytes = 0
        self._body_s = bounds.body_s
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._idle_since_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a first request."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(WRITE_HIGH_WATER_BYTES)
        self._watch(self._bounds.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        super().connection_lost(exc)
        self._stop_timers()
        served = self._served
        if served is not None and served is not self.cycle:  # another request waits behind it
            served.disconnected = not served.response_complete
            served.message_event.set()

    def _stop_timers(self) -> None:
        self._unwatch()
        for timer in (self._write_deadline, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()
        self._write_deadline = self.timeout_keep_alive_task = None

    # What arrives

    def data_received(self, data: bytes) -> None:
        """Read on; a request that came in one piece costs no timer."""
        if self._is_refused:
            return
        self._piece_bytes, self._requests_in_piece = len(data), int(self._is_under_way)
        was_behind_chunk_size = self._is_behind_chunk_size
        rest = self._read(data)
        while rest:
            rest = self._read(rest)
        if self._is_complete or self._is_refused:
            self._unwatch()
            return
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._requests_in_piece > 1:
                self._foreign_bytes = len(data)
            if self._is_head_too_large():
                self._refuse()
                return
        if was_behind_chunk_size and self._is_behind_chunk_size:  # of a body in chunks only the trailer is left
            self._trailer_bytes += len(data)
            if self._trailer_bytes > MAX_HEAD_BYTES:
                self.transport.abort()
                return
        if self._deadline is None:
            self._watch(self._bounds.head_s if self._is_in_head else self._body_s)

    def _read(self, data: bytes) -> bytes:
        """Parse; returns what comes behind a wish for another protocol that is not granted."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            if self._is_wish_ignored:
                return self._head_without_wish() + rest
            if not self._should_upgrade():
                return rest
            self._open_socket(rest)
        except httptools.HttpParserError:
            self._refuse()
        return b""

    def _head_without_wish(self) -> bytes:
        """The head once more, as that of a plain request, for a parser that has not skipped its body.

        Clients that would rather speak HTTP/2 ask for it with their first request, whatever that is.
        """
        self._is_wish_ignored = self._is_under_way = False
        parser, self.parser = self.parser, httptools.HttpRequestParser(self)
        head = [parser.get_method(), b" ", self.url, b" HTTP/", parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            if name == b"connection":
                kept = (token for token in value.split(b",") if token.strip().lower() != b"upgrade")
                head += [name, b": ", b",".join(kept), b"\r\n"]
            elif name != b"upgrade":
                head += [name, b": ", value, b"\r\n"]
        return b"".join([*head, b"\r\n"])

    def _refuse(self) -> None:
        """Answer what is no request, after those before it, and close."""
        self._is_refused = True
        if self.transport.is_closing():
            return
        if self._is_under_way and not self._is_in_head:  # its head was good, and it is served or waits for that
            if self.pipeline:
                self.pipeline.popleft()
            elif self._is_serving():
                self.send_400_response(REFUSAL)
            else:  # refused before its body was there
                self.transport.close()
        elif not self._is_serving():
            self.send_400_response(REFUSAL)

    def on_message_begin(self) -> None:
        """Note that a request has begun; behind the answer that was said to be the last, nothing is done any more."""
        if self.transport.is_closing():
            raise httptools.HttpParserError("the connection is closing")
        self._requests_in_piece += 1
        self._is_under_way = True
        self._is_complete, self._is_in_head, self._head_bytes, self._foreign_bytes = False, True, 0, 0
        self.url = b""
        self.expect_100_continue = False
        self.headers = []
        self._is_behind_chunk_size, self._trailer_bytes = False, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header; one that comes behind the body is none, lest it replace one that was checked in front."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_chunk_header(self) -> None:
        """Note that a chunk, or the trailer, comes next."""
        self._is_behind_chunk_size = True

    def on_headers_complete(self) -> None:
        """Begin to serve, unless the head came in one piece that is too large."""
        if self._head_bytes + self._piece_bytes > MAX_HEAD_BYTES and self._size_of_head() > MAX_HEAD_BYTES:
            raise httptools.HttpParserError("the head of the request is too large")
        if len(self.pipeline) >= MAX_PIPELINED:
            raise httptools.HttpParserError("too many requests at once")
        self._is_in_head = False
        self._unwatch()  # the body has a time of its own
        if self.parser.should_upgrade():
            self._is_wish_ignored = not self._should_upgrade() and self.parser.get_method() != b"CONNECT"
            if self._is_wish_ignored or self._should_upgrade():
                return
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        size = int(length) if length.isdigit() and len(length) < 12 else None
        self._body_s = max(self._bounds.body_s, (size or 0) / SLOWEST_BYTES_A_S)
        if self._door is not None and size is not None and size <= MAX_BODY_BYTES and self._may_be_direct():
            self._direct = self._served = self.cycle = DirectRequest(self, self.url, headers)  # type: ignore[assignment]
        else:
            self._begin_asgi()

    def _is_head_too_large(self) -> bool:
        """Tell whether what has arrived of the head is; a part of its first piece may be of the requests before it."""
        return self._head_bytes - self._foreign_bytes > MAX_HEAD_BYTES or (
            self._head_bytes > MAX_HEAD_BYTES and self._size_of_head() > MAX_HEAD_BYTES
        )

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _may_be_direct(self) -> bool:
        """Tell whether this is a plain POST, and nothing before it waits for its answer."""
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and not self._is_serving()
            and not self.expect_100_continue
            and parser.get_http_version() == "1.1"
            and bool(parser.should_keep_alive())
            and not parser.should_upgrade()
        )

    def _is_serving(self) -> bool:
        cycle: RequestResponseCycle | DirectRequest | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _begin_asgi(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()
        if self.scope["method"] != "HEAD":  # whose answer is a head alone
            self.cycle.transport = AnswerTransport(self.transport)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._served = cycle
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """Gather the body."""
        self._is_behind_chunk_size = False
        if self._direct is None:
            super().on_body(body)
        else:
            self._direct.body += body

    def on_message_complete(self) -> None:
        """Serve what is all there: through the door if it takes it, else through ASGI."""
        if self._is_wish_ignored:
            return  # its body follows
        self._is_complete, self._is_under_way = True, False
        direct = self._direct
        if direct is None:
            super().on_message_complete()
            return
        self._direct = None
        assert self._door is not None
        if self._door(direct):
            return
        self.cycle = None  # type: ignore[assignment]
        self._begin_asgi()
        self.cycle.keep_alive = direct.keep_alive
        self.cycle.body += direct.body
        super().on_message_complete()

    # WebSocket

    def _should_upgrade(self) -> bool:
        """Tell whether this is a wish for a WebSocket that somebody may grant."""
        return (
            self._gate is not None
            and self._get_upgrade() == b"websocket"
            and self.parser.get_method() == b"GET"
            and not self._is_serving()  # an answer would come amid the frames
        )

    def _open_socket(self, early: bytes) -> None:
        """Hand the connection over; a client that did not wait for its answer has sent ``early`` bytes already."""
        assert self._gate is not None
        has_unsent = self.has_unsent()
        self.transport.pause_reading()  # until the socket is open
        self._stop_timers()  # that of idleness would close the socket
        self.connections.discard(self)
        head = [b"GET ", self.url, b" HTTP/1.1\r\n"]
        for name, value in self.headers:
            head += [name, b": ", value, b"\r\n"]
        upgrade = Upgrade(self.url, dict(self.headers), self.client[0] if self.client else None)
        connection = SocketConnection(self.transport, self.connections, self._bounds, MAX_BODY_BYTES)
        self.transport.set_protocol(connection)
        if has_unsent:
            connection.pause_writing()
        task = self.loop.create_task(connection.open(upgrade, b"".join([*head, b"\r\n"]), self._gate, early))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # What leaves

    def general_headers(self) -> Sequence[Header]:
        """See ``direct.Line``."""
        return self.server_state.default_headers

    def address(self) -> str | None:
        """See ``direct.Line``."""
        return self.client[0] if self.client else None

    def has_unsent(self) -> bool:
        """See ``direct.Line``."""
        return self.flow.write_paused

    def on_response_complete(self) -> None:
        """Take the next request, or wait for it a while.

        The timer of idleness runs on while requests are served and looks at the clock when it ends: setting one for
        each request would cost more than many a request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        if self._is_refused:
            self.send_400_response(REFUSAL)
            return
        self.flow.resume_reading()
        if not self._is_complete and not self._is_in_head:
            # Nobody needs the rest of its body, so it gets no more time than a short one, whatever length it has.
            self._unwatch()
            self._body_s = self._bounds.body_s
            self._watch(self._body_s)
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._await_next(self._bounds.keep_alive_s)

    def _unset_keepalive_if_required(self) -> None:
        """Leave the timer alone: see ``on_response_complete``."""

    def _await_next(self, delay_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(delay_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it was idle for long; what its client did not take is thrown away."""
        self.timeout_keep_alive_task = None
        if self._is_serving():
            return  # its answer's end starts a new timer
        left_s = self._idle_since_s + self._bounds.keep_alive_s - self.loop.time()
        if left_s > 0 or not self._is_complete:
            self._await_next(max(left_s, 1.0))
        elif self.flow.write_paused:
            self.transport.abort()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """Give the client its time to take what was written."""
        super().pause_writing()
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(self._bounds.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Everything was taken."""
        super().resume_writing()
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    def _watch(self, delay_s: float) -> None:
        self._deadline = self.loop.call_later(delay_s, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
