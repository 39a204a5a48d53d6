"""CometD for any ASGI application: the Bayeux core with a clock, a timer and HTTP around it.

The application routes authenticated POST requests (whatever suffix clients append to the URL) to
``CometD.handle`` and calls ``deliver`` when something happened. One event loop, no task of its own
but one that watches the connection of each held request. Deadlines for slow senders and slow readers
are the HTTP server's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Hashable, MutableMapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from trunkline.bayeux import (
    Answer,
    Confirmed,
    Delivery,
    Effect,
    Hold,
    Published,
    Server,
    SessionClosed,
    SessionOpened,
    Subscribed,
    read_form_body,
    read_json_body,
)
from trunkline.bayeux.channels import HANDSHAKE, SUBSCRIBE
from trunkline.bayeux.messages import protocol_error
from trunkline.errors import OutOfRange, TooLarge, Unavailable
from trunkline.strict_json import MAX_BODY_BYTES, Json, Malformed

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

# The timer never fires more often than this, however many sessions end one after the other: a reply or
# an expiry 20 ms late is noticed by nobody, a wake-up per session is.
_TICK_SPACING_MS = 20

_COOKIE_NAME = b"BAYEUX_BROWSER"

_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"application/json;charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class Hooks(Protocol):
    """What the application wants to know. An exception goes to the loop's exception handler, not to the client."""

    async def before_subscribe(self, principal: Hashable) -> None:
        """Get ready for subscriptions of ``principal``: awaited before a request that holds one is processed.

        Raising ``Unavailable`` makes the subscriptions of this request fail; the client may repeat them.
        """

    def subscribed(self, client_id: str, principal: Hashable, channel: str) -> None:
        """Note a new subscription; ``deliver_to`` may be called from here."""

    def confirmed(self, principal: Hashable, channel: str, mark: int) -> None:
        """Note that a client took the events of ``channel`` up to ``mark``."""

    def opened(self, client_id: str, principal: Hashable) -> None:
        """Note a new session."""

    def closed(self, client_id: str, principal: Hashable, reason: str) -> None:
        """Note the end of a session; reasons as in ``SessionClosed``."""


class BrowserCookie(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes of the cookie that tells browsers apart. It is given, never asked for."""

    secure: bool = False
    """Set it where the site is served by HTTPS alone."""
    same_site: Literal["Lax", "Strict", "None"] | None = "Lax"
    """``None`` as text is needed by pages of other sites, and needs ``secure``."""
    domain: str | None = None
    """Host name without port; ``None`` binds the cookie to the exact host."""

    def header(self, value: str) -> tuple[bytes, bytes]:
        """Return the Set-Cookie header for ``value``."""
        text = f"{_COOKIE_NAME.decode()}={value}; Path=/; HttpOnly"
        text += "; Secure" if self.secure else ""
        text += f"; SameSite={self.same_site}" if self.same_site else ""
        text += f"; Domain={self.domain}" if self.domain else ""
        return b"set-cookie", text.encode("ascii")


class _Exchange:
    """One request under way. ``settled`` is there while it is held, and done once it is answered or lost."""

    __slots__ = ("answer", "is_lost", "settled")

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.is_lost = False
        self.settled: asyncio.Future[None] | None = None

    def settle(self) -> None:
        if self.settled is not None and not self.settled.done():
            self.settled.set_result(None)


class CometD:
    """Bayeux over long-polling. Every method is called from the event loop's own thread."""

    def __init__(
        self,
        server: Server,
        *,
        clock_ms: Callable[[], int],
        random_id: Callable[[], str],
        hooks: Hooks,
        published: Callable[[str, Hashable, str, Json], None] | None = None,
        cookie: BrowserCookie | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """Wrap ``server``.

        ``clock_ms`` is any clock that does not run backwards. ``random_id`` returns a new alphanumeric text
        of 128 random bits or more, for client ids and cookies. ``published`` is told client id, principal,
        channel and decoded JSON of each publish that the policy granted. ``max_body_bytes`` is at most
        what ``strict_json`` takes.
        """
        self._server = server
        self._clock_ms = clock_ms
        self._random_id = random_id
        self._hooks = hooks
        self._published = published
        self._cookie = cookie or BrowserCookie()
        self._max_body_bytes = max_body_bytes
        # Bounded by the number of connections that the HTTP server accepts.
        self._exchanges: dict[Hashable, _Exchange] = {}
        self._last_number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_ms = 0
        self._is_running = False
        self._is_stopping = False
        self._all_answered = asyncio.Event()

    async def start(self) -> None:
        """Start the timer that ends held requests and expired sessions."""
        self._is_running = True
        self._arm()

    async def stop(self, grace_s: float = 5.0) -> None:
        """Answer the held requests, open no session any more; wait ``grace_s`` for the answers to be sent."""
        self._is_running = False
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._carry_out(self._server.shutdown(self._clock_ms()))
        if self._exchanges:
            with contextlib.suppress(TimeoutError):  # the HTTP server cuts off those who do not read
                await asyncio.wait_for(self._all_answered.wait(), grace_s)

    def deliver(self, principal: Hashable, deliveries: Sequence[Delivery]) -> None:
        """Send events to the sessions of ``principal``; see ``Server.deliver``."""
        self._carry_out(self._server.deliver(principal, deliveries, self._clock_ms()))

    def deliver_to(self, client_id: str, deliveries: Sequence[Delivery]) -> None:
        """Send events to one session; see ``Server.deliver_to``."""
        self._carry_out(self._server.deliver_to(client_id, deliveries, self._clock_ms()))

    def kick(self, principal: Hashable) -> None:
        """End all sessions of ``principal``; see ``Server.kick``."""
        self._carry_out(self._server.kick(principal, self._clock_ms()))

    def has_sessions(self, principal: Hashable) -> bool:
        """Tell whether anybody would receive what is delivered to ``principal``."""
        return self._server.has_sessions(principal)

    async def handle(
        self, scope: Scope, receive: Receive, send: Send, principal: Hashable, extra_headers: Headers = ()
    ) -> None:
        """Answer one HTTP request of ``principal``, whom the caller has authenticated.

        ``extra_headers`` are added to the answer as they are (CORS, for instance). Answers 200 with messages, or
        400, 405, 409 or 413; returns without an answer when the client is gone.
        """
        reply = _Reply(scope, send, extra_headers)
        if scope["method"] != "POST":
            await reply.refuse(405, "only POST is served here", (b"allow", b"POST"))
            return
        try:
            messages = await self._read(scope, receive)
        except TooLarge as error:
            await reply.refuse(413, error.message)
            return
        except OutOfRange as error:
            await reply.refuse(400, error.message)
            return
        if messages is not None:
            await self._exchange(messages, principal, receive, reply)

    async def _exchange(self, messages: list[Json], principal: Hashable, receive: Receive, reply: _Reply) -> None:
        """Run one request through the core; tell the core when its answer could not be handed over."""
        may_subscribe = await self._may_subscribe(messages, principal)
        self._last_number += 1
        number = self._last_number
        exchange = self._exchanges[number] = _Exchange()
        is_handed_over = False
        try:
            effects = self._server.receive(
                messages,
                exchange=number,
                principal=principal,
                now_ms=self._clock_ms(),
                fresh_client_id=self._random_id(),
                may_subscribe=may_subscribe,
            )
            if any(type(effect) is SessionOpened for effect in effects) and not reply.has_cookie():
                reply.headers.append(self._cookie.header(self._random_id()))
            self._carry_out(effects)
            if exchange.answer is None:
                await _wait(exchange, receive)
            if exchange.answer is not None and not exchange.is_lost:
                answer = exchange.answer
                is_handed_over = await reply.send(answer.status, answer.body, is_last=self._is_stopping)
        finally:
            del self._exchanges[number]
            if not is_handed_over:
                self._carry_out(self._server.closed(number, self._clock_ms()))
            if self._is_stopping and not self._exchanges:
                self._all_answered.set()

    async def _may_subscribe(self, messages: list[Json], principal: Hashable) -> bool:
        names = [message.get("channel") for message in messages if type(message) is dict]
        if SUBSCRIBE in names and HANDSHAKE not in names:
            try:
                await self._hooks.before_subscribe(principal)
            except Unavailable:
                return False
        return True

    async def _read(self, scope: Scope, receive: Receive) -> list[Json] | None:
        """Return the messages of the request, ``None`` if the client left. Raises ``Malformed``, ``TooLarge``."""
        headers = dict(scope["headers"])
        kind = _kind_of_body(headers.get(b"content-type", b""))
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > self._max_body_bytes:
            raise TooLarge(f"the body is larger than {self._max_body_bytes} bytes")
        body = bytearray()
        while True:
            part = await receive()
            if part["type"] == "http.disconnect":
                return None
            body += part.get("body", b"")
            if len(body) > self._max_body_bytes:
                raise TooLarge(f"the body is larger than {self._max_body_bytes} bytes")
            if not part.get("more_body", False):
                break
        if kind == "form":
            most = self._server.config.max_messages_per_request
            return read_form_body(bytes(body), max_messages=most, max_bytes=self._max_body_bytes)
        return read_json_body(bytes(body), max_bytes=self._max_body_bytes)

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if type(effect) is Answer:
                exchange = self._exchanges[effect.exchange]
                exchange.answer = effect
                exchange.settle()
            elif type(effect) is not Hold:
                try:
                    self._tell(effect)
                except Exception as error:  # noqa: BLE001
                    # One hook's defect must not leave the other effects of this input undone.
                    context = {"message": f"CometD hook failed on {type(effect).__name__}", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(context)
        self._arm()

    def _tell(self, effect: Effect) -> None:
        match effect:
            case Confirmed(principal, channel, mark):
                self._hooks.confirmed(principal, channel, mark)
            case Subscribed(client_id, principal, channel):
                self._hooks.subscribed(client_id, principal, channel)
            case SessionOpened(client_id, principal):
                self._hooks.opened(client_id, principal)
            case SessionClosed(client_id, principal, reason):
                self._hooks.closed(client_id, principal, reason)
            case Published(client_id, principal, channel, published) if self._published is not None:
                self._published(client_id, principal, channel, published)

    def _arm(self) -> None:
        """Have the timer fire at the next deadline; an earlier one that is set already will do."""
        if not self._is_running:
            return
        due_ms = self._server.next_deadline_ms()
        if due_ms is None or (self._timer is not None and self._timer_due_ms <= due_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_ms = max(due_ms - self._clock_ms() + 1, _TICK_SPACING_MS)
        self._timer = asyncio.get_running_loop().call_later(delay_ms / 1000, self._tick)
        self._timer_due_ms = due_ms

    def _tick(self) -> None:
        self._timer = None
        self._carry_out(self._server.tick(self._clock_ms()))


class _Reply:
    """The answer of one request."""

    __slots__ = ("_scope", "_send", "headers")

    def __init__(self, scope: Scope, send: Send, extra_headers: Headers) -> None:
        self._scope = scope
        self._send = send
        self.headers = [*_HEADERS, *extra_headers]

    def has_cookie(self) -> bool:
        """Tell whether the browser has its cookie already; a new value would split it in two."""
        return any(
            pair.strip().startswith(_COOKIE_NAME + b"=")
            for name, value in self._scope["headers"]
            if name == b"cookie"
            for pair in value.split(b";")
        )

    async def refuse(self, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        """Answer what never reached the core."""
        self.headers.extend(headers)
        await self.send(status, protocol_error(status, text), is_last=False)

    async def send(self, status: int, body: bytes, *, is_last: bool) -> bool:
        """Send the answer, the connection's last if so told; false when nobody is there to take it."""
        headers = [*self.headers, (b"content-length", str(len(body)).encode("ascii"))]
        if is_last and self._scope.get("http_version", "1.1").startswith("1"):
            # The client's next request should find another process, not this one's last moments.
            headers.append((b"connection", b"close"))
        try:
            await self._send({"type": "http.response.start", "status": status, "headers": headers})
            await self._send({"type": "http.response.body", "body": body})
        except OSError:
            return False
        return True


async def _wait(exchange: _Exchange, receive: Receive) -> None:
    """Wait until the exchange is answered or its client has left."""
    loop = asyncio.get_running_loop()
    exchange.settled = loop.create_future()
    watch = loop.create_task(_watch(exchange, receive))
    try:
        await exchange.settled
    finally:
        watch.cancel()


async def _watch(exchange: _Exchange, receive: Receive) -> None:
    with contextlib.suppress(OSError):  # says the same as the message
        while (await receive())["type"] != "http.disconnect":
            pass
    exchange.is_lost = True
    exchange.settle()


def _kind_of_body(content_type: bytes) -> Literal["json", "form"]:
    """Return how the body is written. Raises ``Malformed`` for other types and character sets."""
    media, *parameters = content_type.lower().split(b";")
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip(b' "') not in (b"utf-8", b"utf8", b"us-ascii"):
            raise Malformed("the body must be UTF-8")
    match media.strip():
        case b"application/x-www-form-urlencoded":
            return "form"
        case b"application/json" | b"text/json" | b"":
            return "json"
    raise Malformed("the body must be application/json")
