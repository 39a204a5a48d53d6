"""One request: who sent it, what follows from it, and its answer."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from trunkline.bayeux import extensions, messages
from trunkline.bayeux.effects import Answer, Delivery, Effect, Send
from trunkline.bayeux.extensions import NO_RECOVERIES, Recoveries, TimeSync
from trunkline.bayeux.hub import Hub
from trunkline.bayeux.policy import Policy
from trunkline.bayeux.sessions import Entry, Session
from trunkline.strict_json import Json

Message = dict[str, Json]


class Broadcast:
    """What a granted publish leaves to be done once the request is through."""

    __slots__ = ("channel", "encoded")

    def __init__(self, channel: str, encoded: bytes) -> None:
        self.channel = channel
        self.encoded = encoded


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a request, when, and what the application knows about it."""

    principal: Hashable
    now_ms: int
    may_subscribe: bool = True
    is_socket: bool = False
    """It came as a frame of the socket that the exchange names."""
    has_taken_all: bool = True
    """Everything that was sent on that socket so far has left this process."""
    browser: str | None = None
    """The browser's cookie, as it was sent."""
    is_multiplexed: bool = False
    """The browser's requests share one connection (HTTP/2), so that its polls take nothing from each other."""
    address: Hashable = None
    wall_ms: int | None = None
    """The time of day, for clients that ask for it; ``None``: they get no answer."""
    recoveries: Recoveries = NO_RECOVERIES


class Request:
    """State of one exchange while its messages are processed; ``finish`` yields the answer.

    ``socket`` names the socket that it came on, ``None`` for a request by HTTP.
    """

    def __init__(
        self,
        hub: Hub,
        policy: Policy,
        *,
        exchange: Hashable,
        origin: Origin,
        is_alone: bool,
    ) -> None:
        self.hub = hub
        self.policy = policy
        self.exchange = exchange
        self.socket = exchange if origin.is_socket else None
        self.origin = origin
        self.is_alone = is_alone
        self.is_held = False
        self.events: list[bytes] = []
        self.replies: list[bytes] = []
        self.connect_replies: list[bytes] = []
        self.effects: list[Effect] = []
        self.broadcasts: list[Broadcast] = []
        self.woken: list[Session] = []
        """Sessions that have something to get once the request is through."""

    def finish(self) -> None:
        """Append the answer, unless the request is held: events, replies as asked for, connect replies last."""
        parts = self.events + self.replies + self.connect_replies
        if self.socket is not None:
            if parts:
                self.effects.append(Send(self.socket, messages.join(parts)))
        elif not self.is_held:
            self.effects.append(Answer(self.exchange, 200, messages.join(parts)))

    @property
    def carrier(self) -> Hashable:
        """The answer that must not settle what it carries itself; a socket's messages settle what went out before."""
        return None if self.socket is not None else self.exchange

    @property
    def now_ms(self) -> int:
        """The present time."""
        return self.origin.now_ms

    def time_sync(self, ext: Json) -> TimeSync | None:
        """The question for the time in a message's ``ext``, if the application has a clock for it."""
        wall_ms = self.origin.wall_ms
        return None if wall_ms is None else extensions.time_sync(ext, wall_ms, self.now_ms)

    def refuse(self, channel: str | None, message_id: object, error: str) -> None:
        """Reply that a message was not successful."""
        echoed = messages.NO_ID if message_id is None else message_id
        self.replies.append(messages.refusal(channel, echoed, error))


def entry_of(delivery: Delivery) -> Entry:
    """The event of a delivery, encoded once for everybody who gets it."""
    encoded = messages.event(delivery.channel, delivery.data)
    return Entry(encoded, delivery.channel, delivery.mark, delivery.is_lazy)
