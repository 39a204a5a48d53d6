"""The CometD endpoint: joins the Bayeux core to the outbox.

Same topic names for everybody, delivery by owner: a subscription to any name or pattern yields the subscriber's own
events only (decisions 9).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from trunkline.app.directory import ReferenceBook
from trunkline.app.outbox import Message, Outbox, UserKey
from trunkline.app.ports import Clock
from trunkline.app.preview import campaign_step
from trunkline.bayeux import AllowList, Config, Delivery, Server
from trunkline.bayeux.channels import matches
from trunkline.bayeux_asgi import CometD
from trunkline.contract.messages import Timing, messages_of
from trunkline.contract.names import CHANNELS, OUTBOUND
from trunkline.domain.campaigns import Campaign
from trunkline.domain.events import CampaignChanged
from trunkline.domain.people import Caller
from trunkline.web.exchange import Exchange


class TopicPolicy(AllowList):
    """The documented topics, and every pattern that contains one (Web Services API 8; decisions 9)."""

    def __init__(self) -> None:
        super().__init__(CHANNELS)

    def may_subscribe(self, principal: Hashable, channel: str) -> str | None:
        """Yes for topics and patterns over them; ``/*`` contains none of them and is among those clients send."""
        return None if channel == "/*" else super().may_subscribe(principal, channel)


MAX_QUEUE_MESSAGES = 12_000
"""A full mailbox and what happens while it is read."""
MAX_QUEUE_BYTES = 24 * 1024 * 1024
"""Two kilobytes for each of these messages."""


def bayeux_config(timeout_ms: int, interval_ms: int, max_interval_ms: int) -> Config:
    """Settings of the core for this application."""
    return Config(
        timeout_ms=timeout_ms,
        interval_ms=interval_ms,
        max_interval_ms=max_interval_ms,
        max_queue_messages=MAX_QUEUE_MESSAGES,
        max_queue_bytes=MAX_QUEUE_BYTES,
    )


class Notifications:
    """The endpoint ``/api/v2/notifications``; also the outbox's courier and the core's hooks."""

    def __init__(
        self,
        outbox: Outbox,
        config: Config,
        clock: Clock,
        random_id: Callable[[], str],
        book: Callable[[], ReferenceBook],
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._book = book
        self._callers: dict[UserKey, Caller] = {}
        self.sessions = 0
        self.server = Server(config, TopicPolicy())
        self.cometd = CometD(
            self.server, clock_ms=lambda: clock.monotonic_ns() // 1_000_000, random_id=random_id, hooks=self
        )

    async def handle(self, exchange: Exchange, caller: Caller) -> None:
        """Serve one request of an authenticated user."""
        user = (caller.contact_centre_id, caller.user_id)
        self._callers[user] = caller
        try:
            await self.cometd.handle(exchange.scope, exchange.receive, exchange.send, user, exchange.extra)
        finally:
            self._forget_idle(user)

    def _forget_idle(self, user: UserKey) -> None:
        if not self.cometd.has_sessions(user):
            self._callers.pop(user, None)
            self._outbox.forget(user)

    def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
        """Hand messages to every session of the user that subscribed to their channels."""
        self.cometd.deliver(user, [Delivery(m.channel, m.body, m.mark) for m in messages])

    async def before_subscribe(self, principal: Hashable) -> None:
        """Load what waits for the user before the core sees the subscription."""
        assert isinstance(principal, tuple)
        await self._outbox.open(principal)

    def subscribed(self, client_id: str, principal: Hashable, channel: str) -> None:
        """Send what waits, then the present state of the user's campaigns (decisions 8 and 9)."""
        assert isinstance(principal, tuple)

        def covers(name: str) -> bool:
            return name == channel or matches(channel, name)

        waiting = self._outbox.waiting(principal, covers)
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
            for channel, body in messages_of(_present(campaign, device_id), timing)
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
        self._forget_idle(principal)


def _present(campaign: Campaign, device_id: str) -> CampaignChanged:
    return CampaignChanged(
        device_id=device_id,
        what=campaign_step(campaign),
        application_id=campaign.application_id,
        campaign_name=campaign.name,
        description=campaign.description,
        group_name=campaign.group_name,
        group_description=campaign.group_description,
        dial_mode=campaign.dial_mode,
    )
