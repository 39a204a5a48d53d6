"""What happened, as values that are stored with the change and delivered after it.

An event holds facts, not wire shapes: ``trunkline.contract.messages`` makes the CometD messages of it,
the same ones after a restart.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.domain.commands import Reference
from trunkline.domain.enums import CallbackType, CallResult, ChainAttribute, DialMode, Door, RequestType, Treatment
from trunkline.domain.records import Record


class Acknowledgement(StrEnum):
    """Which request is acknowledged."""

    UPDATED = "updated"
    ADDED = "added"
    PROCESSED = "processed"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    RESCHEDULED = "rescheduled"
    CALLBACK_MOVED = "callback moved"
    CANCELLED = "cancelled"
    CHAIN_END = "chain end"


class Appearance(StrEnum):
    """Why a record is shown to an agent."""

    PREVIEW = "preview"
    CHAINED = "chained"
    SCHEDULED_CALL = "scheduled call"


class CampaignStep(StrEnum):
    """What befell a campaign, or the agent in it."""

    PREVIEW_STARTED = "preview started"
    PREVIEW_ENDED = "preview ended"
    LOADED = "loaded"
    UNLOADED = "unloaded"
    STARTED = "started"
    STOPPED = "stopped"
    MODE_CHANGED = "mode changed"
    ASSIGNED = "assigned"
    """The agent came to the group."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """What every event carries.

    ``device_id`` is the bare id of the device that asked, or the owner's first one for what nobody
    asked for. ``reference`` is the request's own mark.
    """

    device_id: str
    door: Door = Door.INSIDE
    reference: Reference = None


class RecordAcknowledged(Event, frozen=True, kw_only=True, tag="record-acknowledged"):
    """A request about a record was carried out."""

    what: Acknowledgement
    application_id: int
    campaign_name: str
    list_name: str | None = None
    handle: int | None = None
    call_result: CallResult | None = None
    phone_number: str | None = None
    customer_id: str | None = None
    chain_attribute: ChainAttribute | None = None
    treatment: Treatment | None = None
    callback_type: CallbackType | None = None
    local_time: str | None = None
    chain_id: int | None = None
    record: Record | None = None


class RecordShown(Event, frozen=True, kw_only=True, tag="record-shown"):
    """A record was put before an agent, with all that the agent's screen needs."""

    what: Appearance
    handle: int
    record: Record
    list_name: str
    campaign_name: str
    application_id: int
    group_id: int
    group_name: str
    group_description: str
    attempt_guid: str
    agent_name: str
    offset_s: int
    callback_type: CallbackType | None = None


class NothingToPreview(Event, frozen=True, kw_only=True, tag="nothing-to-preview"):
    """No record may be called now."""

    application_id: int
    campaign_name: str


class RecordWithdrawn(Event, frozen=True, kw_only=True, tag="record-withdrawn"):
    """A record was taken from the agent's desk by somebody else."""

    application_id: int
    campaign_name: str
    list_name: str
    handle: int


class CampaignChanged(Event, frozen=True, kw_only=True, tag="campaign-changed"):
    """A campaign, or the agent's preview session in it, changed state."""

    what: CampaignStep
    application_id: int
    campaign_name: str
    description: str = ""
    group_name: str = ""
    group_description: str = ""
    dial_mode: DialMode = DialMode.PREVIEW
    is_running: bool = True


class AgentAcknowledged(Event, frozen=True, kw_only=True, tag="agent-acknowledged"):
    """A request about the agent itself was carried out (log-out, ready time, continue)."""

    what: RequestType
    application_id: int
    campaign_name: str


class MayLogOut(Event, frozen=True, kw_only=True, tag="may-log-out"):
    """When an agent who asked to leave a campaign is free, at the latest: Unix seconds."""

    application_id: int
    campaign_name: str
    at_s: int


class RequestFailed(Event, frozen=True, kw_only=True, tag="request-failed"):
    """A request was refused after its HTTP answer, or over the desktop's door.

    ``code`` is the API status code of the refusal, ``number`` the documented number that desktops show;
    the rest repeats what the request named.
    """

    number: int
    code: int
    text: str
    what: str = ""
    application_id: int | None = None
    campaign_name: str | None = None
    list_name: str | None = None
    handle: int | None = None


class DeviceStateChanged(Event, frozen=True, kw_only=True, tag="device-state-changed"):
    """The agent logged in or out or changed state. ``state_name`` is one of the five fixed states."""

    state_name: str
    phone_number: str


AnyEvent = (
    RecordAcknowledged
    | RecordShown
    | NothingToPreview
    | RecordWithdrawn
    | CampaignChanged
    | AgentAcknowledged
    | MayLogOut
    | RequestFailed
    | DeviceStateChanged
)
