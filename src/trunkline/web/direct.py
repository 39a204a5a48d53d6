"""Requests that are served without ASGI: one call takes a complete request, one call sends its answer.

ASGI costs a task, a scope and four messages for each request, which is more than a record operation or a
``/meta/connect`` itself takes; and a held poll would keep all of that alive for half a minute. The socket layer
(``web.connection``) offers each complete small POST to a ``Door`` first. What the door does not take goes through ASGI
as if there were no door, so that it needs to know the common case only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol

from trunkline.web.exchange import Header, Headers

MAX_BODY_BYTES = 65_536
"""Longer bodies go through ASGI, which refuses them as soon as their length is known."""


class Line(Protocol):
    """What a direct request knows of its connection."""

    transport: Any

    def general_headers(self) -> Sequence[Header]:
        """Headers of every answer: the date."""

    def address(self) -> str | None:
        """Where the client is."""

    def has_unsent(self) -> bool:
        """Tell whether the client has not taken everything that was written."""

    def on_response_complete(self) -> None:
        """Note that the answer was handed over: the connection takes the next request."""


class DirectRequest(Headers):
    """A POST that has arrived whole. It is answered once, by ``answer``, at once or later.

    ``on_lost`` is called when the client went away before the answer, or without having taken all of it; an answer
    given afterwards goes nowhere.
    The attributes that uvicorn's connection asks of a request under way are named as it names them.
    """

    __slots__ = ("body", "disconnected", "keep_alive", "line", "on_lost", "response_complete", "url")

    def __init__(self, line: Line, url: bytes, headers: dict[bytes, bytes]) -> None:
        super().__init__(headers)
        self.line = line
        self.url = url
        self.body: bytearray | bytes = bytearray()
        self.keep_alive = True
        self.disconnected = False
        self.response_complete = False
        self.on_lost: Callable[[], None] | None = None

    @property
    def message_event(self) -> DirectRequest:
        """Uvicorn sets this event of a request when the connection is lost."""
        return self

    def set(self) -> None:
        """Note that the connection is lost."""
        on_lost, self.on_lost = self.on_lost, None
        if on_lost is not None and (not self.response_complete or self.line.has_unsent()):
            on_lost()

    def hold(self) -> None:
        """Keep nothing but what the answer needs: the request waits, maybe for half a minute."""
        self.body = b""
        self._headers = _NO_HEADERS

    def answer(self, status: int, body: bytes, headers: Sequence[Header] = (), *, is_last: bool = False) -> bool:
        """Send the answer; false when nobody is there to take it. ``is_last`` closes the connection after it."""
        transport = self.line.transport
        if self.disconnected or self.response_complete or transport.is_closing():
            return False
        self.response_complete = True
        keep_alive = self.keep_alive and not is_last
        parts = [_status_line(status)]
        for name, value in self.line.general_headers():
            parts += (name, b": ", value, b"\r\n")
        parts.append(_lines(headers) if isinstance(headers, tuple) else _joined(headers))
        if self.extra:
            parts.append(_joined(self.extra))
        parts.append(b"content-length: %d\r\n\r\n" % len(body) if keep_alive else _CLOSE % len(body))
        parts.append(body)
        transport.write(b"".join(parts))
        if not keep_alive:
            transport.close()
        self.line.on_response_complete()
        return True


Door = Callable[[DirectRequest], bool]
"""Takes a request and answers it, or returns false and leaves it untouched. Raises nothing."""

_NO_HEADERS: dict[bytes, bytes] = {}
_CLOSE = b"connection: close\r\ncontent-length: %d\r\n\r\n"


@lru_cache(maxsize=32)  # a tuple is one of the few that are sent all the time
def _lines(headers: tuple[Header, ...]) -> bytes:
    return _joined(headers)


def _joined(headers: Sequence[Header]) -> bytes:
    return b"".join([part for name, value in headers for part in (name, b": ", value, b"\r\n")])


@lru_cache(maxsize=32)  # the statuses that are ever answered
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode("ascii")
