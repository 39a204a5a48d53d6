"""What a program of a third party asks for: the requests of agents, about any record of its contact centre."""

from __future__ import annotations

import msgspec

from trunkline.domain.commands import (
    AddRecord,
    CancelRecord,
    CompleteRecord,
    RescheduleRecord,
    SuppressContact,
    UpdateRecord,
)
from trunkline.domain.people import Caller

ForeignCommand = UpdateRecord | CompleteRecord | RescheduleRecord | CancelRecord | SuppressContact | AddRecord
"""What a third party may ask. ``campaign_name`` is empty and ``application_id`` 0 where the request names none."""


class ThirdParty(Caller, frozen=True):
    """Somebody who is no agent of any campaign and may act in all of its contact centre's."""


class ThirdPartyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A command of a third party. ``agent`` is who a new record is for, when the request names somebody."""

    command: ForeignCommand
    agent: Caller | None = None

    @property
    def handle(self) -> int | None:
        """The record on a desk that the command is about, if any."""
        return getattr(self.command, "handle", None)
