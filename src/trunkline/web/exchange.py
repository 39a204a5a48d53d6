"""One HTTP request and its answer, without a framework's weight: the hot routes use nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from trunkline.contract.answers import HttpAnswer, refusal, refusal_text
from trunkline.errors import OutOfRange, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

MAX_QUERY_BYTES = 4096
"""Bytes of a query string: the longest that the desktop sends has 60."""
MAX_QUERY_PARAMETERS = 50
"""Filters in one request: more attributes than any resource has."""

FIXED: tuple[Header, ...] = (
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
"""Headers of every answer of the API."""


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class Headers:
    """The headers of a request. ``session_token`` is that of a session begun by this request.

    ``extra`` headers go out with whatever is answered.
    """

    __slots__ = ("_headers", "extra", "session_token")

    def __init__(self, headers: dict[bytes, bytes]) -> None:
        self._headers = headers
        self.extra: list[Header] = []
        self.session_token: str | None = None

    def header(self, name: bytes) -> bytes | None:
        """A header by its lower-case name; the last one when it was sent twice."""
        return self._headers.get(name)

    def cookie(self, name: str) -> str | None:
        """A cookie's value, None when it was not sent."""
        sent = self.header(b"cookie")
        if sent is None:
            return None
        for part in sent.decode("latin-1").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value.strip('"')
        return None


class Exchange(Headers):
    """A request with its headers, body and answer. ``is_text`` refusals are sentences instead of JSON."""

    __slots__ = ("is_text", "path", "receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(dict(scope["headers"]))
        self.is_text = False
        self.scope = scope
        self.receive = receive
        self.send = send
        self.path: str = scope["path"]

    @property
    def method(self) -> str:
        """The method in capitals."""
        method: str = self.scope["method"]
        return method

    def query(self) -> dict[str, str]:
        """The query's parameters; the last of a repeated one. ``OutOfRange`` when it is malformed or too long."""
        raw: bytes = self.scope["query_string"]
        if len(raw) > MAX_QUERY_BYTES:
            raise TooLarge(f"the query is longer than {MAX_QUERY_BYTES} bytes")
        try:
            pairs = parse_qsl(
                raw.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_QUERY_PARAMETERS, errors="strict"
            )
        except (ValueError, UnicodeDecodeError):
            raise OutOfRange("the query string is malformed") from None
        return dict(pairs)

    async def body(self, max_bytes: int) -> bytes:
        """The whole body; ``TooLarge`` as soon as it is known to be longer than ``max_bytes``."""
        announced = self.header(b"content-length")
        if announced is not None and (not announced.isdigit() or int(announced[:12]) > max_bytes):
            raise TooLarge(f"the body is larger than {max_bytes} bytes")
        message = await self.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        first: bytes = message.get("body", b"")
        if not message.get("more_body", False) and len(first) <= max_bytes:
            return first
        parts = [first]
        size = len(first)
        while message.get("more_body", False):
            if size > max_bytes:
                break
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        if size > max_bytes:
            raise TooLarge(f"the body is larger than {max_bytes} bytes")
        return b"".join(parts)

    async def answer(self, body: bytes, status: int = 200, headers: Sequence[Header] = ()) -> None:
        """Send a JSON answer."""
        length = (b"content-length", b"%d" % len(body))
        await self.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [*FIXED, length, *self.extra, *headers],
            }
        )
        await self.send({"type": "http.response.body", "body": body})

    async def answer_with(self, answer: HttpAnswer) -> None:
        """Send an answer that the contract made."""
        await self.answer(answer.body, answer.http_status, wire_headers(answer))

    async def refuse(self, error: Exception, incident_id: str = "") -> None:
        """Send the documented answer of an error."""
        if isinstance(error, TooLarge):
            # What is left of the body is not read; the connection cannot serve another request.
            self.extra.append((b"connection", b"close"))
        answer = refusal(error, incident_id)
        if self.is_text:
            await self.answer_text(refusal_text(error, incident_id), answer.http_status, wire_headers(answer))
        else:
            await self.answer_with(answer)

    async def answer_text(self, text: str, status: int, headers: Sequence[Header] = ()) -> None:
        """Send a sentence as plain text."""
        body = text.encode()
        kind = [(b"content-type", b"text/plain; charset=utf-8"), *FIXED[1:], (b"content-length", b"%d" % len(body))]
        await self.send({"type": "http.response.start", "status": status, "headers": [*kind, *self.extra, *headers]})
        await self.send({"type": "http.response.body", "body": body})


def wire_headers(answer: HttpAnswer) -> list[Header]:
    """The headers that an answer of the contract has of its own, as they are sent."""
    return [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]


def only(query: Collection[str], *names: str) -> None:
    """Refuse what nobody understands: ``dryrun=true`` must not add a list, ``username=ann`` not show everybody."""
    if set(query) - set(names):
        raise OutOfRange(f"the query may hold {', '.join(names)} alone" if names else "the query must be empty")
