"""A request on its way through the use cases, and the settings they work with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import msgspec

from trunkline.app.ports import Chance
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.commands import Reference
from trunkline.domain.enums import CallResult, Door, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.records import Record
from trunkline.domain.shares import Turns
from trunkline.domain.validation import Permission

Validation = Callable[[Campaign, CallingList, Record], Permission]
"""Whether the pre-dial validation permits the call of a record now; never waits."""


def no_validation(campaign: Campaign, calling_list: CallingList, record: Record) -> Permission:
    """For programs that ask nobody: a campaign with a validation is not dialed by them."""
    return Permission.WAITING if campaign.validation_url else Permission.NOT_ASKED


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the use cases.

    ``lease_ms`` counts from the last touch, ``grace_ms`` from the log-out (decisions 5). ``logout_call_result`` is
    stored in records whose agent logged out, None leaves them Stale. ``callback_grace_ms`` is how late a callback may
    be before it counts as missed. ``validation`` is asked before a record is handed out (see
    ``app.hand_out.validation.Validator.judge``).
    ``lease_ms`` counts from the last touch, ``grace_ms`` from the log-out (decisions 5). ``turns`` remembers whose turn
    it is among the lists of a campaign.
    """

    chance: Chance
    lease_ms: int = 28_800_000
    grace_ms: int = 60_000
    repeat_window_ms: int = 600_000
    logout_call_result: CallResult | None = None
    callback_grace_ms: int = 1_800_000
    validation: Validation = no_validation
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
