"""A request on its way through the use cases, and the settings they work with."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from trunkline.app.ports import Chance
from trunkline.domain.commands import Reference
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.shares import Turns


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the use cases.

    ``lease_ms`` counts from the last touch, ``grace_ms`` from the log-out (decisions 5). ``turns`` remembers whose turn
    it is among the lists of a campaign.
    """

    chance: Chance
    lease_ms: int = 28_800_000
    grace_ms: int = 60_000
    repeat_window_ms: int = 600_000
    turns: Turns = msgspec.field(default_factory=Turns)


class EventBase(TypedDict):
    """What every event of a request repeats of it."""

    device_id: str
    door: Door
    reference: Reference


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A command with who asked, through which door, and when it came in.

    ``command`` is one of ``domain.commands`` or an inner one of ``app.rescue``; ``app.handlers`` knows them all.

    ``request_key`` is the 64-bit digest that recognises a repetition, None when it named no reference.
    ``received_ns`` is monotonic.
    """

    caller: Caller
    command: object
    request_type: RequestType
    door: Door
    reference: Reference = None
    request_key: int | None = None
    received_ns: int = 0

    @property
    def device_id(self) -> str:
        """Bare id of the device that asks; the first of the caller's when the command names none."""
        named = getattr(self.command, "device_id", None)
        if isinstance(named, str):
            return named
        return self.caller.devices[0].device_id if self.caller.devices else ""

    def base(self) -> EventBase:
        """Keyword arguments that every event of this request starts with."""
        return {"device_id": self.device_id, "door": self.door, "reference": self.reference}
