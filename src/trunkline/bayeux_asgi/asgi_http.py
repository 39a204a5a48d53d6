"""Long-polling and callback-polling over ASGI.

A held request waits in the coroutine that serves it, as ASGI has it, beside one task that watches for its client's end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, MutableMapping
from typing import Any, TypeAlias

from trunkline.bayeux.messages import protocol_error
from trunkline.bayeux_asgi.bodies import JSON_HEADERS, SCRIPT_HEADERS, as_script, kind_of_body, read_body, read_query
from trunkline.bayeux_asgi.cookie import Headers, browser_of
from trunkline.bayeux_asgi.endpoint import CometD
from trunkline.errors import OutOfRange, TooLarge
from trunkline.strict_json import Json

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def handle(
    cometd: CometD, scope: Scope, receive: Receive, send: Send, principal: Hashable, extra_headers: Headers = ()
) -> None:
    """Answer one HTTP request of ``principal``, whom the caller has authenticated.

    ``extra_headers`` are added to the answer as they are (CORS, for instance). Answers 200 with messages, or
    400, 405, 409 or 413; returns without an answer when the client is gone. A GET is callback-polling: whoever
    offers that has made sure that the request does not come from a page of strangers.
    """
    reply = _Reply(scope, send, extra_headers)
    types = cometd.server.config.connection_types
    is_script = scope["method"] == "GET" and "callback-polling" in types
    if scope["method"] != "POST" and not is_script:
        await reply.refuse(405, "only POST is served here", (b"allow", b"POST"))
        return
    try:
        if is_script:
            config = cometd.server.config
            reply.callback, messages = read_query(
                scope["query_string"], max_messages=config.max_messages_per_request, max_depth=config.max_depth
            )
        else:
            found = await _read(cometd, scope, receive)
            if found is None:
                return
            messages = found
    except TooLarge as error:
        await reply.refuse(413, error.message, is_last=True)  # the rest of it is not read
        return
    except OutOfRange as error:
        await reply.refuse(400, error.message)
        return
    await cometd.finishing(_exchange(cometd, messages, principal, receive, reply))


async def _exchange(cometd: CometD, messages: list[Json], principal: Hashable, receive: Receive, reply: _Reply) -> None:
    """Run one request through the endpoint; tell it when its answer could not be handed over."""
    reply.settled = asyncio.get_running_loop().create_future()
    number = cometd.begin(
        messages,
        principal,
        reply,
        browser=browser_of(reply.header(b"cookie")),
        address=reply.address(),
        is_multiplexed=not reply.is_http_1,
    )
    is_handed_over = False
    try:
        if not reply.settled.done():
            await _wait(reply, receive)
        if reply.status and not reply.is_lost:
            is_handed_over = await reply.send()
    finally:
        if not is_handed_over:
            cometd.lost(number)


async def _read(cometd: CometD, scope: Scope, receive: Receive) -> list[Json] | None:
    """Return the messages of the request, ``None`` if the client left. Raises ``Malformed``, ``TooLarge``."""
    max_bytes = cometd.max_body_bytes
    headers = dict(scope["headers"])
    content_type = headers.get(b"content-type", b"")
    kind_of_body(content_type)
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared[:20]) > max_bytes:
        raise TooLarge(f"the body is larger than {max_bytes} bytes")
    body = bytearray()
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            return None
        body += part.get("body", b"")
        if len(body) > max_bytes:
            raise TooLarge(f"the body is larger than {max_bytes} bytes")
        if not part.get("more_body", False):
            break
    config = cometd.server.config
    return read_body(
        bytes(body),
        content_type,
        max_messages=config.max_messages_per_request,
        max_bytes=max_bytes,
        max_depth=config.max_depth,
    )


class _Reply:
    """The answer of one request. ``settled`` is done once it is there, or the client has left."""

    def __init__(self, scope: Scope, send: Send, extra_headers: Headers) -> None:
        self.callback: str | None = None
        self.is_lost = False
        self.settled: asyncio.Future[None] | None = None
        self.status = 0
        self._body = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_last = False
        self._scope = scope
        self._send = send
        self._extra_headers = extra_headers

    @property
    def is_http_1(self) -> bool:
        """Each request has a connection to itself."""
        version: str = self._scope.get("http_version", "1.1")
        return version.startswith("1")

    def header(self, name: bytes) -> bytes | None:
        """A header of the request."""
        return next((value for key, value in self._scope["headers"] if key == name), None)

    def address(self) -> Hashable:
        """Where the client is."""
        client = self._scope.get("client")
        return client[0] if client else None

    def answer(self, status: int, body: bytes, headers: Headers, *, is_last: bool) -> bool:
        """See ``hooks.Reply``: sending goes on in the coroutine that waits."""
        self.status, self._body, self._is_last = status, body, is_last
        self._headers = [*headers, *self._extra_headers]
        self.settle()
        return True

    def settle(self) -> None:
        """End the waiting."""
        if self.settled is not None and not self.settled.done():
            self.settled.set_result(None)

    async def refuse(self, status: int, text: str, *headers: tuple[bytes, bytes], is_last: bool = False) -> None:
        """Answer what never reached the core."""
        self.answer(status, protocol_error(status, text), [*JSON_HEADERS, *headers], is_last=is_last)
        self.callback = None
        await self.send()

    async def send(self) -> bool:
        """Send the answer; false when nobody is there to take it."""
        body, headers = self._body, self._headers
        if self.callback is not None:
            body = as_script(self.callback, body)
            headers = [*SCRIPT_HEADERS, *headers[len(JSON_HEADERS) :]]
        headers = [*headers, (b"content-length", b"%d" % len(body))]
        if self._is_last and self.is_http_1:
            # The client's next request should find another process, not this one's last moments.
            headers.append((b"connection", b"close"))
        try:
            await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})
        except OSError:
            return False
        return True


async def _wait(reply: _Reply, receive: Receive) -> None:
    """Wait until the request is answered or its client has left."""
    assert reply.settled is not None
    watch = asyncio.get_running_loop().create_task(_watch(reply, receive))
    try:
        await reply.settled
    finally:
        watch.cancel()


async def _watch(reply: _Reply, receive: Receive) -> None:
    with contextlib.suppress(OSError):  # says the same as the message
        while (await receive())["type"] != "http.disconnect":
            pass
    reply.is_lost = True
    reply.settle()
