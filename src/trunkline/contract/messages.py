"""Events to CometD messages, with the exact keys, key order and types of the documented samples.

OutboundRecordMessage and OutboundCampaignMessage on ``/v2/me/outbound``, DeviceUserEventMessage on ``/me/internal``,
DeviceStateChangeMessage on ``/v2/me/devices``.

Which channels an event goes to depends on the door of the request (decisions 2):

- REST: ``/v2/me/outbound``, then ``/me/internal``
- SendUserEvent: ``/me/internal``, with the request's GSW_REFERENCE_ID
- the HTTP door of third parties: none, the HTTP answer is the acknowledgement
- nobody asked: both

Source: Outbound API, Update Record and the other pages; decisions 2 to 4; outbound domain 3.2.
"""

from __future__ import annotations

import msgspec

from trunkline.contract.names import DEVICES, DIAL_MODE_NAMES, INTERNAL, OUTBOUND
from trunkline.contract.resources import DEFAULT_API_URL, campaign_state, device_object
from trunkline.contract.user_data import (
    Json,
    acknowledged_user_data,
    aimed_record,
    record_object,
    shown_record,
    shown_user_data,
    user_data_of,
)
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import (
    Acknowledgement,
    AgentAcknowledged,
    AnyEvent,
    Appearance,
    CampaignChanged,
    CampaignStep,
    Event,
    MayLogOut,
    NothingToPreview,
    RecordAcknowledged,
    RecordShown,
    RecordWithdrawn,
    RequestFailed,
)
from trunkline.domain.people import Device

_encode = msgspec.json.Encoder().encode

Message = tuple[str, bytes]
"""Channel, and the encoded JSON of ``data``."""


class Timing(msgspec.Struct, frozen=True):
    """What ``metrics`` tells: when the event was made (Unix ms), how long this process and the whole server took."""

    generated_at_ms: int
    processing_ns: int
    total_ms: int


ACKNOWLEDGEMENT_NAMES: dict[Acknowledgement, str] = {
    Acknowledgement.UPDATED: "UpdateCallCompletionStatsAcknowledge",
    Acknowledgement.ADDED: "AddRecordAcknowledge",
    Acknowledgement.PROCESSED: "RecordProcessedAcknowledge",
    Acknowledgement.REJECTED: "RecordRejectAcknowledge",
    Acknowledgement.SUPPRESSED: "DoNotCallAcknowledge",
    Acknowledgement.RESCHEDULED: "RecordRescheduleAcknowledge",
    Acknowledgement.CALLBACK_MOVED: "ScheduledRecordRescheduleAcknowledge",
    Acknowledgement.CANCELLED: "RecordCancelAcknowledge",
    Acknowledgement.CHAIN_END: "ChainedRecordsDataEnd",
}
_APPEARANCES: dict[Appearance, str] = {
    Appearance.PREVIEW: "PreviewRecord",
    Appearance.CHAINED: "ChainedRecord",
    Appearance.SCHEDULED_CALL: "ScheduledCall",
}
_CAMPAIGN_STEPS: dict[CampaignStep, tuple[str, str]] = {
    CampaignStep.PREVIEW_STARTED: ("PreviewSessionStarted", "PreviewDialingModeStartAcknowledge"),
    CampaignStep.PREVIEW_ENDED: ("PreviewSessionEnded", "PreviewDialingModeOverAcknowledge"),
    **{
        step: (name, name)
        for step, name in (
            (CampaignStep.LOADED, "CampaignLoaded"),
            (CampaignStep.UNLOADED, "CampaignUnloaded"),
            (CampaignStep.STARTED, "CampaignStarted"),
            (CampaignStep.STOPPED, "CampaignStopped"),
            (CampaignStep.MODE_CHANGED, "CampaignModeChanged"),
            (CampaignStep.ASSIGNED, "CampaignGroupAssigned"),
        )
    },
}
_WITH_MODE = (CampaignStep.STARTED, CampaignStep.STOPPED, CampaignStep.MODE_CHANGED)
_AGENT_ACKNOWLEDGEMENTS: dict[RequestType, str] = {
    RequestType.LOGOUT: "LogOutAcknowledge",
    RequestType.READY_TIME: "ReadyTimeAcknowledge",
    RequestType.CONTINUE_PROCESSING: "ContinueProcessingAcknowledge",
}
_CAMPAIGN_REQUESTS = frozenset(
    {"StartPreviewSession", "EndPreviewSession", "PreviewDialingModeStart", "PreviewDialingModeOver"}
)
"""Requests whose success is an OutboundCampaignMessage."""


def messages_of(event: AnyEvent, timing: Timing, api_url: str = DEFAULT_API_URL) -> list[Message]:
    """The messages of an event in the order of delivery; the same ones every time.

    ``api_url`` is the prefix of absolute addresses in device objects, without a slash at the end.
    """
    match event:
        case RecordAcknowledged():
            name = ACKNOWLEDGEMENT_NAMES[event.what]
            user_data = acknowledged_user_data(event, name)
            return _both(event, timing, _record_message(event, aimed_record(event), name), user_data)
        case RecordShown():
            return _shown(event, timing)
        case NothingToPreview():
            outbound = _preview_message(event, record_object(event), "PreviewRecordEmpty")
            return _both(event, timing, outbound, user_data_of(event, "PreviewRecordEmpty"))
        case RecordWithdrawn():
            outbound = _record_message(event, record_object(event), "RecordCancel")
            user_data = user_data_of(event, "RecordCancel", event.list_name or None, event.handle)
            return _both(event, timing, outbound, user_data)
        case CampaignChanged():
            return _campaign_changed(event, timing)
        case AgentAcknowledged():
            user_data = user_data_of(event, _AGENT_ACKNOWLEDGEMENTS[event.what])
            return [_device_user_event(event, timing, user_data)]
        case MayLogOut():
            user_data = {**user_data_of(event, "LogOutTime"), "GSW_LOGOUT_TIME": event.at_s}
            return [_device_user_event(event, timing, user_data)]
        case RequestFailed():
            return _request_failed(event, timing)
    device = device_object(Device(event.device_id, event.phone_number), event.state_name, api_url)
    data = {"devices": [device], "messageType": "DeviceStateChangeMessage", "metrics": _metrics(timing)}
    return [(DEVICES, _encode(data))]


# --- envelopes ---------------------------------------------------------------------------------------------------


def _both(event: Event, timing: Timing, outbound: Json, user_data: Json) -> list[Message]:
    """What the door of the request calls for."""
    if event.door is Door.HTTP:
        return []
    internal = _device_user_event(event, timing, user_data)
    if event.door is Door.USER_EVENT:
        return [internal]
    return [(OUTBOUND, _encode(outbound)), internal]


def _device_user_event(event: Event, timing: Timing, user_data: Json) -> Message:
    if event.door is Door.USER_EVENT and event.reference is not None:
        user_data["GSW_REFERENCE_ID"] = event.reference
    data = {
        "metrics": _metrics(timing),
        "userData": user_data,
        "deviceId": event.device_id,
        "messageType": "DeviceUserEventMessage",
    }
    return (INTERNAL, _encode(data))


def _metrics(timing: Timing) -> Json:
    return {
        "eventProcessing": {
            "serverGenerationTimestamp": timing.generated_at_ms,
            "nodeProcessingTimeNanos": timing.processing_ns,
            "serverProcessingTimeTotalMs": timing.total_ms,
        }
    }


def _reference(event: Event) -> Json:
    """referenceId, when one was given."""
    return {} if event.reference is None else {"referenceId": event.reference}


# --- records ---------------------------------------------------------------------------------------------------------


def _record_message(event: Event, record: Json, notification_type: str) -> Json:
    return {
        "record": record,
        "notificationType": notification_type,
        "messageType": "OutboundRecordMessage",
        **_reference(event),
    }


def _shown(event: RecordShown, timing: Timing) -> list[Message]:
    name = _APPEARANCES[event.what]
    user_data = shown_user_data(event, name)
    make = _preview_message if event.what is Appearance.PREVIEW else _record_message
    return _both(event, timing, make(event, shown_record(event, user_data), name), dict(user_data))


def _preview_message(event: Event, record: Json, notification_type: str) -> Json:
    return {
        "notificationType": notification_type,
        "messageType": "OutboundRecordMessage",
        **_reference(event),
        "record": record,
    }


# --- campaigns ---------------------------------------------------------------------------------------------------


def _campaign_changed(event: CampaignChanged, timing: Timing) -> list[Message]:
    notification_type, name = _CAMPAIGN_STEPS[event.what]
    user_data = user_data_of(event, name)
    device_path = f"/devices/{event.device_id}"
    state = campaign_state(is_loaded=event.what is not CampaignStep.UNLOADED, is_running=event.is_running)
    campaign: Json = {
        "devicePath": device_path,
        "state": state,
        "applicationId": event.application_id,
        "name": event.campaign_name,
    }
    if event.what is not CampaignStep.PREVIEW_ENDED:
        campaign = {
            "name": event.campaign_name,
            "dialingMode": DIAL_MODE_NAMES[event.dial_mode],
            "groupName": event.group_name,
            "state": state,
            "devicePath": device_path,
            "applicationId": event.application_id,
            "groupDescription": event.group_description,
            "description": event.description,
        }
    if event.what not in (CampaignStep.PREVIEW_STARTED, CampaignStep.PREVIEW_ENDED):
        user_data["GSW_CAMPAIGN_DESCRIPTION"] = event.description
        user_data["GSW_CAMPAIGN_GROUP_NAME"] = event.group_name
        user_data["GSW_CAMPAIGN_GROUP_DESCRIPTION"] = event.group_description
    if event.what in _WITH_MODE:
        user_data["GSW_CAMPAIGN_MODE"] = DIAL_MODE_NAMES[event.dial_mode]
    outbound = {
        "messageType": "OutboundCampaignMessage",
        "notificationType": notification_type,
        "campaign": campaign,
        **_reference(event),
    }
    return _both(event, timing, outbound, user_data)


# --- failures ----------------------------------------------------------------------------------------------------


def _request_failed(event: RequestFailed, timing: Timing) -> list[Message]:
    """``ErrorMessage`` on both channels, or on the desktop's own (decisions 2)."""
    named = {
        "GSW_APPLICATION_ID": event.application_id,
        "GSW_CAMPAIGN_NAME": event.campaign_name,
        "GSW_CALLING_LIST": event.list_name,
        "GSW_RECORD_HANDLE": event.handle,
    }
    user_data = {
        "GSW_USER_EVENT": "ErrorMessage",
        "GSW_ERROR_NUMBER": event.number,
        "GSW_ERROR": event.text,
        **{key: value for key, value in named.items() if value is not None},
    }
    is_campaign = event.what in _CAMPAIGN_REQUESTS
    outbound = {
        "messageType": "OutboundCampaignMessage" if is_campaign else "OutboundRecordMessage",
        "notificationType": "ErrorMessage",
        **({"campaign": _failed_campaign(event)} if is_campaign else {"record": _failed_record(event)}),
        "errorCode": event.number,
        "errorMessage": event.text,
        **_reference(event),
    }
    return _both(event, timing, outbound, user_data)


def _failed_record(event: RequestFailed) -> Json:
    named = {
        "campaignName": event.campaign_name,
        "devicePath": f"/devices/{event.device_id}",
        "callingList": event.list_name,
        "applicationId": event.application_id,
        "recordHandle": event.handle,
    }
    return {key: value for key, value in named.items() if value is not None}


def _failed_campaign(event: RequestFailed) -> Json:
    named = {
        "devicePath": f"/devices/{event.device_id}",
        "applicationId": event.application_id,
        "name": event.campaign_name,
    }
    return {key: value for key, value in named.items() if value is not None}
