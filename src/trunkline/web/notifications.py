"""The CometD endpoint: joins the Bayeux core to the outbox.

Same topic names for everybody, delivery by owner: a subscription to any name or pattern yields the subscriber's own
events only (decisions 9).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial

from trunkline.app.directory import ReferenceBook
from trunkline.app.groups.control import shown_campaign
from trunkline.app.hand_out.preview import campaign_step
from trunkline.app.outbox import Message, Outbox, UserKey
from trunkline.app.ports import Clock
from trunkline.app.replay import Position as Stopped
from trunkline.app.replay import Recovery as Found
from trunkline.bayeux import AllowList, Config, Delivery, Position, Recovery, Server
from trunkline.bayeux.channels import matches
from trunkline.bayeux.close_codes import POLICY_VIOLATED
from trunkline.bayeux.extensions import NO_RECOVERIES
from trunkline.bayeux_asgi import BROWSER_COOKIE, BrowserCookie, CometD, Socket, SocketLine, handle, read_body
from trunkline.contract.messages import Timing, messages_of
from trunkline.contract.names import CHANNELS, OUTBOUND
from trunkline.domain.people import Caller
from trunkline.web.direct import DirectRequest
from trunkline.web.exchange import Exchange


class TopicPolicy(AllowList):
    """The documented topics, and every pattern that contains one (Web Services API 8; decisions 9)."""

    def __init__(self) -> None:
        super().__init__(CHANNELS)

    def may_subscribe(self, principal: Hashable, channel: str) -> str | None:
        """Yes for topics and patterns over them; ``/*`` contains none of them and is among those clients send."""
        return None if channel == "/*" else super().may_subscribe(principal, channel)


class Notifications:
    """The endpoint ``/api/v2/notifications``; also the outbox's courier and the core's hooks."""

    def __init__(
        self,
        outbox: Outbox,
        config: Config,
        clock: Clock,
        random_id: Callable[[], str],
        book: Callable[[], ReferenceBook],
        max_unsent_bytes: int,
        max_body_bytes: int,
        *,
        is_cookie_secure: bool,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._book = book
        self._callers: dict[UserKey, Caller] = {}
        self.sessions = 0
        self.server = Server(config, TopicPolicy())
        self.cometd = CometD(
            self.server,
            clock_ms=lambda: clock.monotonic_ns() // 1_000_000,
            random_id=random_id,
            hooks=self,
            cookie=BrowserCookie(secure=is_cookie_secure),
            max_body_bytes=max_body_bytes,
            max_unsent_bytes=max_unsent_bytes,
            wall_ms=clock.now_ms,
        )

    async def handle(self, exchange: Exchange, caller: Caller, address: str | None) -> None:
        """Serve one request of an authenticated user over ASGI."""
        user = self._met(caller)
        scope = {**exchange.scope, "client": (address, 0)}
        try:
            await handle(self.cometd, scope, exchange.receive, exchange.send, user, exchange.extra)
        finally:
            self.forget_idle(user)

    def serve(self, request: DirectRequest, caller: Caller, address: str | None) -> None:
        """Serve one request of an authenticated user without ASGI; raises what is wrong with its body."""
        cometd = self.cometd
        messages = read_body(
            bytes(request.body),
            request.header(b"content-type") or b"",
            max_messages=cometd.server.config.max_messages_per_request,
            max_bytes=cometd.max_body_bytes,
            max_depth=cometd.max_depth,
        )
        user = self._met(caller)
        number = cometd.begin(
            messages,
            user,
            request,
            browser=request.cookie(BROWSER_COOKIE),
            address=address,
        )
        request.on_lost = partial(cometd.lost, number)
        if not request.response_complete:
            request.hold()
        self.forget_idle(user)

    def open_socket(
        self, line: SocketLine, caller: Caller, address: str | None, is_valid: Callable[[], bool]
    ) -> GuardedSocket:
        """Take a WebSocket of an authenticated user; ``is_valid`` tells whether the log-in still is."""
        user = self._met(caller)
        return GuardedSocket(self, self.cometd.open_socket(user, line, address=address), user, is_valid)

    def _met(self, caller: Caller) -> UserKey:
        user = (caller.contact_centre_id, caller.user_id)
        self._callers[user] = caller
        return user

    def forget_idle(self, user: UserKey) -> None:
        """Keep nothing of a user without a session."""
        if not self.cometd.has_sessions(user):
            self._callers.pop(user, None)
            self._outbox.forget(user)

    def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
        """Hand messages to every session of the user that subscribed to their channels."""
        self.cometd.deliver(user, [Delivery(m.channel, m.body, m.mark) for m in messages])

    async def before_subscribe(self, principal: Hashable, positions: Mapping[str, Position]) -> Mapping[str, Recovery]:
        """Load what waits for the user, and what came after its positions, before the core sees the subscription."""
        assert isinstance(principal, tuple)
        await self._outbox.open(principal)
        if not self.cometd.has_sessions(principal):
            # No subscription can succeed, and nobody else would let the mailbox go.
            self.forget_idle(principal)
            return NO_RECOVERIES
        if not positions:
            return NO_RECOVERIES
        stopped = {channel: Stopped(position.epoch, position.offset) for channel, position in positions.items()}
        found = await self._outbox.recover(principal, stopped)
        return {channel: _recovery(each) for channel, each in found.items()}

    def subscribed(self, client_id: str, principal: Hashable, channel: str, recovered: frozenset[str]) -> None:
        """Send what waits, then the present state of the user's campaigns (decisions 8 and 9)."""
        assert isinstance(principal, tuple)

        def covers(name: str) -> bool:
            return name == channel or matches(channel, name)

        waiting = self._outbox.waiting(principal, lambda name: covers(name) and name not in recovered)
        if waiting:
            self.cometd.deliver_to(client_id, [Delivery(m.channel, m.body, m.mark) for m in waiting])
        caller = self._callers.get(principal)
        if caller is not None and covers(OUTBOUND):
            states = self._campaign_states(caller)
            if states:
                self.cometd.deliver_to(client_id, states)

    def _campaign_states(self, caller: Caller) -> list[Delivery]:
        """The caller's campaigns as events that nobody stored: they are true now, not news."""
        timing = Timing(generated_at_ms=self._clock.now_ms(), processing_ns=0, total_ms=0)
        device_id = caller.devices[0].device_id if caller.devices else ""
        return [
            Delivery(channel, body, 0)
            for campaign in self._book().campaigns_of(caller.contact_centre_id, caller.user_id)
            for channel, body in messages_of(shown_campaign(campaign, campaign_step(campaign), device_id), timing)
            if channel == OUTBOUND
        ]

    def confirmed(self, principal: Hashable, channel: str, mark: int) -> None:
        """A session took everything up to ``mark``."""
        assert isinstance(principal, tuple)
        self._outbox.confirmed(principal, channel, mark)

    def opened(self, client_id: str, principal: Hashable) -> None:
        """A session began."""
        self.sessions += 1

    def closed(self, client_id: str, principal: Hashable, reason: str) -> None:
        """A session ended; with a user's last one the mailbox goes."""
        assert isinstance(principal, tuple)
        self.sessions -= 1
        self.forget_idle(principal)


class GuardedSocket:
    """A socket that ends with the log-in that opened it; see ``web.websocket.Listener``."""

    __slots__ = ("_is_valid", "_notifications", "_socket", "_user")

    def __init__(
        self, notifications: Notifications, socket: Socket, user: UserKey, is_valid: Callable[[], bool]
    ) -> None:
        self._notifications = notifications
        self._socket = socket
        self._user = user
        self._is_valid = is_valid

    def received(self, text: bytes) -> None:
        """Process a frame, unless the log-in is no longer valid."""
        if self._is_valid():
            self._socket.received(text)
        else:
            self._socket.end(POLICY_VIOLATED)

    def gone(self) -> None:
        """The connection is lost."""
        self._socket.gone()
        self._notifications.forget_idle(self._user)

    def stuck(self) -> None:
        """The client does not read."""
        self._socket.stuck()


def _recovery(found: Found) -> Recovery:
    return Recovery(found.is_recovered, found.offset, [Delivery(m.channel, m.body, m.mark) for m in found.messages])
