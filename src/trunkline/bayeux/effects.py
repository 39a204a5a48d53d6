"""What goes into the core besides messages, and what comes out of it.

The core answers every input with a list of effects, to be carried out in their order.
Type names are the vocabulary: past participles tell the application what happened, ``Answer`` and
``Hold`` tell the transport what to do.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeAlias

import msgspec

from trunkline.strict_json import Json


class Delivery(msgspec.Struct, frozen=True):
    """One event for a principal: ``data`` is an encoded JSON value and is sent as it is."""

    channel: str
    data: bytes
    mark: int
    """Number of the application's own, growing per principal; comes back in ``Confirmed``, and is the offset of the
    replay extension. 0 stands for an event that needs no confirmation."""
    is_lazy: bool = False
    """It may wait for the next occasion, ``Config.max_lazy_ms`` at most."""


class Answer(msgspec.Struct, frozen=True):
    """Send this HTTP status and JSON body as the answer of ``exchange``, which is over then."""

    exchange: Hashable
    status: int
    body: bytes


class Hold(msgspec.Struct, frozen=True):
    """Keep ``exchange`` open: an ``Answer`` follows at ``until_ms`` at the latest, from a tick."""

    exchange: Hashable
    client_id: str
    until_ms: int


class Send(msgspec.Struct, frozen=True):
    """Send this JSON array as one text frame on ``socket``. Nothing waits for it: order is all that counts."""

    socket: Hashable
    body: bytes


class Close(msgspec.Struct, frozen=True):
    """Close ``socket`` with this WebSocket code, after what was sent on it; the core has forgotten it already."""

    socket: Hashable
    code: int


class Confirmed(msgspec.Struct, frozen=True):
    """The client took every event of ``channel`` that was sent to it up to ``mark``."""

    principal: Hashable
    channel: str
    mark: int


class SessionOpened(msgspec.Struct, frozen=True):
    """A handshake succeeded."""

    client_id: str
    principal: Hashable


class SessionClosed(msgspec.Struct, frozen=True):
    """The session is gone, its queue with it.

    ``reason``: ``disconnect`` (asked for), ``expired`` (no connect in time), ``overflow`` (it does not take what
    waits for it), ``inactive`` (it did nothing but poll for too long),
    ``replaced`` (its client shook hands again on the same socket) or ``kicked``.
    """

    client_id: str
    principal: Hashable
    reason: str


class Subscribed(msgspec.Struct, frozen=True):
    """A subscription is new in this session; repeating it says nothing. ``channel`` may be a pattern.

    ``recovered`` names the channels of which the client said where it stopped and has been given the rest.
    """

    client_id: str
    principal: Hashable
    channel: str
    recovered: frozenset[str] = frozenset()


class Unsubscribed(msgspec.Struct, frozen=True):
    """A subscription was taken back by the client (not said for those that end with their session)."""

    client_id: str
    principal: Hashable
    channel: str


class Published(msgspec.Struct, frozen=True):
    """A client published with the policy's consent; ``data`` is the decoded JSON value."""

    client_id: str
    principal: Hashable
    channel: str
    data: Json


Effect: TypeAlias = (
    Answer | Hold | Send | Close | Confirmed | SessionOpened | SessionClosed | Subscribed | Unsubscribed | Published
)
