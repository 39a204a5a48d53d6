"""Extensions: what a message's ``ext`` asks for, and what the reply's says. Unknown names are passed over.

``ack`` numbers the replies to connects, so that the client can say which was the last that it processed; ``timesync``
measures the distance between two clocks; ``replay`` numbers events, so that a client can say where it stopped.
Source: CometD reference, Extensions; replay is our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec

from trunkline.bayeux.channels import SUBSCRIBE
from trunkline.bayeux.effects import Delivery
from trunkline.strict_json import Json

_CLOSE_ENOUGH_MS = 25
"""A client that measures its clock better than this already gets no further answer."""
_MAX_EPOCH_LENGTH = 64
"""Characters of an epoch; ours have a handful."""


class Position(msgspec.Struct, frozen=True):
    """Where a client stopped on one channel."""

    epoch: str
    offset: int


class Recovery(msgspec.Struct, frozen=True):
    """What the application found from a position on: all that came after it, or that there is a gap.

    ``offset`` is the channel's newest mark. ``deliveries``, in order, are empty when ``is_recovered`` is false.
    More of them than a queue takes are a gap as well.
    """

    is_recovered: bool
    offset: int
    deliveries: Sequence[Delivery] = ()


Positions: TypeAlias = Mapping[str, Position]
Recoveries: TypeAlias = Mapping[str, Recovery]
NO_RECOVERIES: Recoveries = {}


class TimeSync(msgspec.Struct, frozen=True):
    """A client's question for the time, as it was received."""

    client_ms: int | float
    lag_ms: int | float | None
    offset_ms: int | float
    received_wall_ms: int
    received_ms: int

    def answer(self, now_ms: int) -> dict[str, object] | None:
        """What the reply says, ``None`` when the client knows it well enough."""
        said: dict[str, object] = {"tc": self.client_ms, "ts": self.received_wall_ms, "p": now_ms - self.received_ms}
        if self.lag_ms is None:  # the first form of the extension
            return said
        accuracy_ms = self.client_ms + self.offset_ms + self.lag_ms - self.received_wall_ms
        if abs(accuracy_ms) < _CLOSE_ENOUGH_MS and self.lag_ms != 0:
            return None
        return {**said, "a": accuracy_ms}


def asks_for(ext: Json, name: str) -> bool:
    """Tell whether a handshake asks for an extension: ``true``, or an object with ``enabled`` true."""
    asked = ext.get(name) if type(ext) is dict else None
    return asked is True or (type(asked) is dict and asked.get("enabled") is True)


def acknowledged(ext: Json) -> int | None:
    """The last reply that a connect says it processed, ``None`` if it says nothing that can be meant."""
    number = ext.get("ack") if type(ext) is dict else None
    return number if type(number) is int and number >= 0 else None


def time_sync(ext: Json, wall_ms: int, now_ms: int) -> TimeSync | None:
    """The question for the time in a handshake or connect."""
    asked = ext.get("timesync") if type(ext) is dict else None
    if type(asked) is not dict or type(asked.get("tc")) not in (int, float):
        return None
    lag_ms = asked.get("l")
    offset_ms = asked.get("o")
    return TimeSync(
        client_ms=asked["tc"],
        lag_ms=lag_ms if type(lag_ms) in (int, float) else None,
        offset_ms=offset_ms if isinstance(offset_ms, int | float) and offset_ms is not True else 0,
        received_wall_ms=wall_ms,
        received_ms=now_ms,
    )


def positions(ext: Json, most: int) -> dict[str, Position]:
    """Where a subscribe says that its client stopped, by channel; at most ``most``. What is no position is left out."""
    asked = ext.get("replay") if type(ext) is dict else None
    if type(asked) is not dict or len(asked) > most:
        return {}
    found = {}
    for channel, value in asked.items():
        if type(value) is not dict:
            continue
        epoch, offset = value.get("epoch"), value.get("offset")
        if type(epoch) is str and len(epoch) <= _MAX_EPOCH_LENGTH and type(offset) is int and offset >= 0:
            found[channel] = Position(epoch, offset)
    return found


def positions_in(messages: Sequence[Json], most: int) -> dict[str, Position]:
    """All positions of a request's subscribes, for the application to look up before the request is processed."""
    found: dict[str, Position] = {}
    for message in messages:
        if type(message) is dict and message.get("channel") == SUBSCRIBE and "ext" in message:
            found.update(positions(message["ext"], most))
    return found
