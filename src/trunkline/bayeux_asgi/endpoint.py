"""The endpoint: carries out what the core says, on a clock, a timer, and the lines that requests came over.

One event loop; every method is called from its thread. A held request is a number and whoever is to answer it: no task
waits for it, and one timer serves all.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping, Sequence
from typing import Any

from trunkline.bayeux import (
    Answer,
    Close,
    Confirmed,
    Delivery,
    Effect,
    Hold,
    Origin,
    Published,
    Send,
    Server,
    SessionClosed,
    SessionOpened,
    Subscribed,
    positions_in,
)
from trunkline.bayeux.close_codes import GOING_AWAY
from trunkline.bayeux.messages import protocol_error
from trunkline.bayeux_asgi.bodies import JSON_HEADERS
from trunkline.bayeux_asgi.cookie import BrowserCookie, Headers
from trunkline.bayeux_asgi.hooks import Hooks, Reply, Unheard
from trunkline.bayeux_asgi.sockets import Socket, SocketLine, shakes_hands, subscribes
from trunkline.errors import Unavailable
from trunkline.strict_json import MAX_BODY_BYTES, Json

# The timer never fires more often than this part of the timeout, however many sessions end one after the other: a reply
# or an expiry so late is noticed by nobody (200 ms of 30 s), while a wake-up for each session is. It also brings the
# polls of idle clients together, so that one wake-up serves many of them.
_TICKS_A_TIMEOUT = 150
_TICK_SPACING_MS = (20, 200)
"""Least and most."""
MAX_UNSENT_BYTES = 1024 * 1024
"""Bytes that may wait in this process for one socket's client: as much as a session may have queued."""


class CometD:
    """A Bayeux endpoint over long-polling, WebSocket and, where the core offers it, callback-polling."""

    def __init__(
        self,
        server: Server,
        *,
        clock_ms: Callable[[], int],
        random_id: Callable[[], str],
        hooks: Hooks | None = None,
        published: Callable[[str, Hashable, str, Json], None] | None = None,
        cookie: BrowserCookie | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_unsent_bytes: int = MAX_UNSENT_BYTES,
        wall_ms: Callable[[], int] | None = None,
    ) -> None:
        """Wrap ``server``.

        ``clock_ms`` is any clock that does not run backwards, ``wall_ms`` tells the time of day to clients that ask
        (timesync). ``random_id`` returns a new alphanumeric text of 128 random bits or more, for client ids and
        cookies. ``published`` is told client id, principal, channel and decoded JSON of each publish that the policy
        granted. ``max_body_bytes``, of a body or a frame, is at most what ``strict_json`` takes.
        ``max_unsent_bytes`` is what may wait for a socket's client before it loses its session.
        """
        self.server = server
        self.max_body_bytes = max_body_bytes
        self.max_depth = server.config.max_depth
        self.max_unsent_bytes = max_unsent_bytes
        self.is_stopping = False
        self._clock_ms = clock_ms
        self._wall_ms = wall_ms
        self._random_id = random_id
        self._hooks = hooks or Unheard()
        self._published = published
        self._cookie = cookie or BrowserCookie()
        # Bounded by the number of connections that the HTTP server accepts.
        self._exchanges: dict[Hashable, Reply] = {}
        self._new_browsers: set[Hashable] = set()
        self._sockets: dict[Hashable, Socket] = {}
        self._effects: deque[Effect] = deque()
        self._is_carrying_out = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_ms = 0
        least_ms, most_ms = _TICK_SPACING_MS
        self._tick_spacing_ms = min(max(server.config.timeout_ms // _TICKS_A_TIMEOUT, least_ms), most_ms)
        self._is_running = False
        self._unfinished = 0
        self._all_finished = asyncio.Event()

    async def start(self) -> None:
        """Start the timer that ends held requests and expired sessions."""
        self._is_running = True
        self._arm()

    async def stop(self, grace_s: float = 5.0) -> None:
        """Answer the held requests, close the sockets, open no session any more; wait ``grace_s`` for the answers."""
        self._is_running = False
        self.is_stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._carry_out(self.server.shutdown(self._clock_ms()))
        for socket in list(self._sockets.values()):  # those on which nobody shook hands
            socket.end(GOING_AWAY)
        if self._unfinished:
            with contextlib.suppress(TimeoutError):  # the HTTP server cuts off those who do not read
                await asyncio.wait_for(self._all_finished.wait(), grace_s)

    # What the application says

    def deliver(self, principal: Hashable, deliveries: Sequence[Delivery]) -> None:
        """Send events to the sessions of ``principal``; see ``Server.deliver``."""
        self._carry_out(self.server.deliver(principal, deliveries, self._clock_ms()))

    def deliver_to(self, client_id: str, deliveries: Sequence[Delivery]) -> None:
        """Send events to one session; see ``Server.deliver_to``."""
        self._carry_out(self.server.deliver_to(client_id, deliveries, self._clock_ms()))

    def kick(self, principal: Hashable) -> None:
        """End all sessions of ``principal``; see ``Server.kick``."""
        self._carry_out(self.server.kick(principal, self._clock_ms()))

    def has_sessions(self, principal: Hashable) -> bool:
        """Tell whether anybody would receive what is delivered to ``principal``."""
        return self.server.has_sessions(principal)

    # Requests by HTTP

    def begin(
        self,
        messages: list[Json],
        principal: Hashable,
        reply: Reply,
        *,
        browser: str | None = None,
        address: Hashable = None,
        is_multiplexed: bool = False,
    ) -> int:
        """Process one request of ``principal``, whom the caller has authenticated; ``reply`` is asked to answer once.

        Returns the request's number, for ``lost``. ``browser`` is the browser's cookie, ``address`` where it is;
        ``is_multiplexed`` says that its requests share one connection (HTTP/2).
        """
        self._last_number += 1
        number = self._last_number
        self._exchanges[number] = reply
        facts = self._facts(principal, address, browser, is_multiplexed=is_multiplexed)
        if not subscribes(messages):
            try:
                self._process(number, messages, Origin(**facts))
            except BaseException:
                self._exchanges.pop(number, None)  # the caller answers
                raise
        else:
            self.spawn(self._prepared(number, messages, facts))
        return number

    async def _prepared(self, number: int, messages: list[Json], facts: dict[str, Any]) -> None:
        try:
            asked = await self.preparation(messages, facts["principal"])
            if number in self._exchanges:
                self._process(number, messages, Origin(**{**facts, **self._times(), **asked}))
        except Exception as error:  # noqa: BLE001 - nobody waits for this task
            self.report("CometD request failed", error)
            reply = self._exchanges.pop(number, None)
            if reply is not None:
                reply.answer(500, protocol_error(500, "internal error"), JSON_HEADERS, is_last=True)

    def _process(self, number: int, messages: list[Json], origin: Origin) -> None:
        effects = self.server.receive(
            messages, exchange=number, fresh_client_id=self._fresh_client_id(messages), origin=origin
        )
        if origin.browser is None and any(type(effect) is SessionOpened for effect in effects):
            self._new_browsers.add(number)
        self._carry_out(effects)

    def lost(self, number: int) -> None:
        """The client of a request is gone, before its answer or without having got it. May be called on any doubt."""
        self._exchanges.pop(number, None)
        self._new_browsers.discard(number)
        self._carry_out(self.server.closed(number, self._clock_ms()))

    # Sockets

    def open_socket(self, principal: Hashable, line: SocketLine, *, address: Hashable = None) -> Socket:
        """Take a socket whose upgrade ``principal`` asked for; frames go to what is returned, answers to ``line``."""
        self._last_number += 1
        socket = Socket(self, self._last_number, principal, line, address)
        self._sockets[socket.number] = socket
        if self.is_stopping:
            socket.end(GOING_AWAY)
        return socket

    def process_frame(
        self, socket: Socket, messages: list[Json], asked: Mapping[str, Any], *, has_waited: bool
    ) -> None:
        """Process one frame's messages; ``asked`` comes from ``preparation``, for which the frame ``has_waited``."""
        origin = Origin(
            principal=socket.principal,
            now_ms=self._clock_ms(),
            wall_ms=None if self._wall_ms is None else self._wall_ms(),
            address=socket.address,
            is_socket=True,
            has_taken_all=not has_waited and socket.line.unsent_bytes() == 0,
            **asked,
        )
        fresh_client_id = self._fresh_client_id(messages)
        self._carry_out(
            self.server.receive(messages, exchange=socket.number, fresh_client_id=fresh_client_id, origin=origin)
        )

    def _fresh_client_id(self, messages: list[Json]) -> str:
        """A client id for a request that may need one: asking the system for chance each time would cost more."""
        return self._random_id() if shakes_hands(messages) else ""

    def socket_gone(self, socket: Socket) -> None:
        """The socket is closed, whoever did it."""
        if self._sockets.pop(socket.number, None) is not None:
            self._carry_out(self.server.socket_closed(socket.number, self._clock_ms()))

    def socket_stuck(self, socket: Socket) -> None:
        """The socket's client does not take what is sent."""
        self._carry_out(self.server.socket_stuck(socket.number, self._clock_ms()))
        if self._sockets.pop(socket.number, None) is not None:
            socket.line.abort()

    @property
    def sockets(self) -> int:
        """Open sockets."""
        return len(self._sockets)

    # What both have in common

    def _facts(
        self, principal: Hashable, address: Hashable, browser: str | None = None, *, is_multiplexed: bool = False
    ) -> dict[str, Any]:
        facts = self._times()
        facts["principal"] = principal
        facts["address"] = address
        facts["browser"] = browser
        facts["is_multiplexed"] = is_multiplexed
        return facts

    def _times(self) -> dict[str, Any]:
        return {"now_ms": self._clock_ms(), "wall_ms": None if self._wall_ms is None else self._wall_ms()}

    async def preparation(self, messages: list[Json], principal: Hashable) -> dict[str, Any]:
        """Have the application get ready for the subscriptions in these messages; what it says of them."""
        most = self.server.config.max_channels_per_subscribe
        positions = positions_in(messages, most) if self.server.config.replay_epoch else {}
        try:
            return {"recoveries": await self._hooks.before_subscribe(principal, positions)}
        except Unavailable:
            return {"may_subscribe": False}

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside; it is kept from the collector of unused objects."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def report(self, text: str, error: BaseException) -> None:
        """Tell the loop's exception handler of a defect."""
        asyncio.get_running_loop().call_exception_handler({"message": text, "exception": error})

    async def finishing(self, sending: Awaitable[None]) -> None:
        """Await the sending of an answer; ``stop`` waits for those that are under way."""
        self._unfinished += 1
        try:
            await sending
        finally:
            self._unfinished -= 1
            if self.is_stopping and not self._unfinished:
                self._all_finished.set()

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        """Do what the core says, in its order: what follows from a hook comes behind what was said before."""
        self._effects.extend(effects)
        if self._is_carrying_out:
            return
        self._is_carrying_out = True
        try:
            while self._effects:
                self._do(self._effects.popleft())
        finally:
            self._is_carrying_out = False
        self._arm()

    def _do(self, effect: Effect) -> None:
        kind = type(effect)
        if kind is Answer:
            self._answer(effect)  # type: ignore[arg-type]
        elif kind is Send or kind is Close:
            self._to_socket(effect)  # type: ignore[arg-type]
        elif kind is not Hold:
            try:
                self._tell(effect)
            except Exception as error:  # noqa: BLE001
                # One hook's defect must not leave the other effects of this input undone.
                self.report(f"CometD hook failed on {kind.__name__}", error)

    def _answer(self, answer: Answer) -> None:
        number = answer.exchange
        reply = self._exchanges.pop(number, None)
        headers: Headers = JSON_HEADERS
        if number in self._new_browsers:
            self._new_browsers.discard(number)
            headers = [*JSON_HEADERS, self._cookie.header(self._random_id())]
        if reply is None or not reply.answer(answer.status, answer.body, headers, is_last=self.is_stopping):
            self._carry_out(self.server.closed(number, self._clock_ms()))

    def _to_socket(self, effect: Send | Close) -> None:
        socket = self._sockets.get(effect.socket)
        if socket is None:
            return
        if isinstance(effect, Close):
            socket.end(effect.code)
        else:
            socket.line.send(effect.body)
            if socket.line.unsent_bytes() > self.max_unsent_bytes:
                socket.stuck()

    def _tell(self, effect: Effect) -> None:
        match effect:
            case Confirmed(principal, channel, mark):
                self._hooks.confirmed(principal, channel, mark)
            case Subscribed(client_id, principal, channel, recovered):
                self._hooks.subscribed(client_id, principal, channel, recovered)
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
        due_ms = self.server.next_deadline_ms()
        if due_ms is None or (self._timer is not None and self._timer_due_ms <= due_ms):
            return
        if self._timer is not None:
            self._timer.cancel()
        delay_ms = max(due_ms - self._clock_ms() + 1, self._tick_spacing_ms)
        self._timer = asyncio.get_running_loop().call_later(delay_ms / 1000, self._tick)
        self._timer_due_ms = due_ms

    def _tick(self) -> None:
        self._timer = None
        self._carry_out(self.server.tick(self._clock_ms()))
