"""What an agent can ask for, as values. The wire forms are in ``trunkline.contract``.

Every command names the campaign, the application and the device as the API demands; the rules check
that they agree with the record. A ``handle`` is the record's place on the caller's desk.
"""

from __future__ import annotations

import msgspec

from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    ChainAttribute,
    PhoneType,
    RecordStatus,
    RecordType,
    Treatment,
)
from trunkline.domain.records import FieldChanges, FieldValue

Reference = str | int | float | bool | None
"""The caller's own mark for a request, echoed as given with its JSON type."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What all commands to a campaign carry."""

    application_id: int
    campaign_name: str
    device_id: str


class RecordCommand(Command, frozen=True, kw_only=True):
    """A command about one record on the caller's desk."""

    handle: int
    list_name: str | None = None


class UpdateRecord(RecordCommand, frozen=True, kw_only=True):
    """Write fields; the record stays on the desk and no treatment runs."""

    changes: FieldChanges


class CompleteRecord(RecordCommand, frozen=True, kw_only=True):
    """Store the final result and take the chain off the desk."""

    changes: FieldChanges
    treatment: Treatment | None = None


class RejectRecord(RecordCommand, frozen=True, kw_only=True):
    """Give the chain back unworked."""


class RescheduleRecord(RecordCommand, frozen=True, kw_only=True):
    """Set a callback.

    ``due_at_s`` is Unix seconds; or ``local_time`` is ``mm/dd/yyyy hh:mm`` in the record's zone.
    ``is_scheduled`` tells the two requests of the original apart: their answers differ in name.
    """

    callback_type: CallbackType
    due_at_s: int | None = None
    local_time: str | None = None
    is_scheduled: bool = True
    changes: FieldChanges = FieldChanges()


class ReadChain(RecordCommand, frozen=True, kw_only=True):
    """Show the other records of the chain."""


class Aim(Command, frozen=True, kw_only=True):
    """A command at a record, a number or a customer: exactly one of the three is given."""

    handle: int | None = None
    phone_number: str | None = None
    customer_id: str | None = None
    list_name: str | None = None
    chain_attribute: ChainAttribute | None = None


class SuppressContact(Aim, frozen=True, kw_only=True):
    """Enter a number or a customer into the do-not-call list."""


class CancelRecord(Aim, frozen=True, kw_only=True):
    """Take a record out of dialing for good."""


class AddRecord(Command, frozen=True, kw_only=True):
    """Add a record to a calling list; without ``chain_id`` it opens a new chain."""

    list_name: str | None
    phone_number: str
    phone_type: PhoneType = PhoneType.HOME_PHONE
    time_zone: str | None = None
    from_s: int = 28_800
    until_s: int = 64_800
    chain_id: int | None = None
    record_type: RecordType = RecordType.GENERAL
    status: RecordStatus = RecordStatus.READY
    call_result: CallResult = CallResult.UNKNOWN
    attempts: int = 0
    due_at_s: int | None = None
    local_time: str | None = None
    called_at_s: int | None = None
    agent_name: str | None = None
    customer_id: str | None = None
    other_fields: dict[str, FieldValue] = {}


class StartPreview(Command, frozen=True, kw_only=True):
    """Begin to take preview records of a campaign."""


class EndPreview(Command, frozen=True, kw_only=True):
    """Stop taking preview records of a campaign."""


class NextPreview(Command, frozen=True, kw_only=True):
    """Ask for the next chain."""


class LogOut(Command, frozen=True, kw_only=True):
    """Leave the campaign."""


class ReadyTime(Command, frozen=True, kw_only=True):
    """The agent's own estimate of when it is ready; kept in the audit."""


class ContinueProcessing(Command, frozen=True, kw_only=True):
    """Go on with the records on the desk: renews their lease."""


class ReadCampaigns(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the state of the caller's campaigns, or of one."""

    device_id: str
    application_id: int | None = None
    campaign_name: str | None = None


class StartSession(msgspec.Struct, frozen=True, kw_only=True):
    """Log the agent in on a device; ``state_name`` is the state to begin with."""

    device_id: str
    state_name: str = "NotReady"
    place: str | None = None


class EndSession(msgspec.Struct, frozen=True, kw_only=True):
    """Log the agent out."""


class ChangeState(msgspec.Struct, frozen=True, kw_only=True):
    """Change the agent's state."""

    state_name: str


AnyCommand = (
    UpdateRecord
    | CompleteRecord
    | RejectRecord
    | RescheduleRecord
    | ReadChain
    | SuppressContact
    | CancelRecord
    | AddRecord
    | StartPreview
    | EndPreview
    | NextPreview
    | LogOut
    | ReadyTime
    | ContinueProcessing
    | ReadCampaigns
    | StartSession
    | EndSession
    | ChangeState
)
