"""The parts of messages that are about records: ``record`` objects and ``GSW_*`` user data.

Source: Outbound API, Update Record (key order); decisions 3 and 4; outbound domain 3.2.
"""

from __future__ import annotations

from typing import Any

from trunkline.contract.names import PHONE_TYPE_NAMES, is_custom_field
from trunkline.domain.enums import CallResult, Door
from trunkline.domain.events import (
    Acknowledgement,
    AgentAcknowledged,
    Appearance,
    CampaignChanged,
    MayLogOut,
    NothingToPreview,
    RecordAcknowledged,
    RecordShown,
    RecordWithdrawn,
)
from trunkline.domain.records import FieldValue, Record

Json = dict[str, Any]

SWITCH_ID = 0
"""GSW_SWITCH_DBID: desktops expect the key; this server has no switch objects, and 0 is the original's "none"."""

_About = (
    RecordAcknowledged
    | RecordShown
    | RecordWithdrawn
    | NothingToPreview
    | CampaignChanged
    | AgentAcknowledged
    | MayLogOut
)


def record_object(event: RecordWithdrawn | NothingToPreview) -> Json:
    """``record`` of a message that nobody aimed at anything."""
    record: Json = {"campaignName": event.campaign_name, "devicePath": f"/devices/{event.device_id}"}
    if isinstance(event, RecordWithdrawn) and event.list_name:
        record["callingList"] = event.list_name
    record["applicationId"] = event.application_id
    if isinstance(event, RecordWithdrawn):
        record["recordHandle"] = event.handle
    return record


def aimed_record(event: RecordAcknowledged) -> Json:
    """``record`` of an acknowledgement: by handle, or by the number or customer the request aimed at."""
    record: Json = {"campaignName": event.campaign_name, "devicePath": f"/devices/{event.device_id}"}
    if event.list_name is not None:
        record["callingList"] = event.list_name
    record["applicationId"] = event.application_id
    if event.handle is not None:
        record["recordHandle"] = event.handle
    elif event.phone_number is not None:
        record["phoneNumber"] = event.phone_number
    elif event.customer_id is not None:
        record["customerId"] = event.customer_id
    return record


def user_data_of(event: _About, name: str, list_name: str | None = None, handle: int | None = None) -> Json:
    """The keys that nearly all user events begin with, in the order of the documented sample."""
    user_data: Json = {} if list_name is None else {"GSW_CALLING_LIST": list_name}
    user_data["GSW_APPLICATION_ID"] = event.application_id
    if handle is not None:
        user_data["GSW_RECORD_HANDLE"] = handle
    user_data["GSW_USER_EVENT"] = name
    user_data["GSW_CAMPAIGN_NAME"] = event.campaign_name
    return user_data


def acknowledged_user_data(event: RecordAcknowledged, name: str) -> Json:
    """User data of an acknowledgement (decisions 3)."""
    user_data = user_data_of(event, name, event.list_name, event.handle)
    match event.what:
        case Acknowledgement.UPDATED:
            # A string here and an integer everywhere else, and before the campaign's name: as the sample has it.
            result = CallResult.UNKNOWN if event.call_result is None else event.call_result
            campaign_name = user_data.pop("GSW_CAMPAIGN_NAME")
            user_data["GSW_CALL_RESULT"] = str(result.value)
            user_data["GSW_CAMPAIGN_NAME"] = campaign_name
        case Acknowledgement.ADDED:
            if event.record is not None:
                user_data |= _added_fields(event.record)
        case Acknowledgement.PROCESSED:
            if event.treatment is not None:
                user_data["GSW_TREATMENT"] = event.treatment.value
        case Acknowledgement.SUPPRESSED | Acknowledgement.CANCELLED:
            user_data |= _aim(event)
        case Acknowledgement.RESCHEDULED | Acknowledgement.CALLBACK_MOVED:
            if event.door in (Door.USER_EVENT, Door.HTTP):
                user_data |= _callback(event)
        case Acknowledgement.CHAIN_END:
            user_data["GSW_CHAIN_ID"] = event.chain_id
    return user_data


def _added_fields(record: Record) -> Json:
    return {
        "GSW_PHONE": record.phone_number,
        "GSW_TZ_NAME": record.time_zone,
        "GSW_PHONE_TYPE": record.phone_type.value,
        "GSW_RECORD_TYPE": record.record_type.value,
        "GSW_RECORD_STATUS": record.status.value,
        "GSW_CHAIN_ID": record.chain_id,
        "GSW_CHAIN_N": record.chain_n,
        "GSW_CALL_RESULT": record.call_result.value,
        "GSW_ATTEMPTS": record.attempts,
        "GSW_FROM": record.from_s,
        "GSW_UNTIL": record.until_s,
        **_custom_fields(record),
    }


def _aim(event: RecordAcknowledged) -> Json:
    """What a do-not-call or cancel request aimed at, if not at a handle, and how far it reaches."""
    aim: Json = {}
    if event.handle is None:
        if event.phone_number is not None:
            aim["GSW_PHONE"] = event.phone_number
        if event.customer_id is not None:
            aim["GSW_CUSTOMER_ID"] = event.customer_id
    if event.chain_attribute is not None:
        aim["GSW_CHAIN_ATTR"] = event.chain_attribute.value
    return aim


def _callback(event: RecordAcknowledged) -> Json:
    callback: Json = {}
    if event.local_time is not None:
        callback["GSW_DATE_TIME"] = event.local_time
    if event.callback_type is not None:
        callback["GSW_CALLBACK_TYPE"] = event.callback_type.value
    return callback


def _custom_fields(record: Record) -> dict[str, FieldValue]:
    """Custom fields as further keys of user data; a list's column can never pose as one of the protocol's keys."""
    return {name: value for name, value in record.other_fields.items() if is_custom_field(name)}


def shown_record(event: RecordShown, user_data: Json) -> Json:
    """``record`` of a record on the agent's screen (decisions 4)."""
    record = event.record
    return {
        "recordHandle": event.handle,
        "campaignName": event.campaign_name,
        "callingList": event.list_name,
        "applicationId": event.application_id,
        "devicePath": f"/devices/{event.device_id}",
        "phoneNumber": record.phone_number,
        "phoneType": PHONE_TYPE_NAMES[record.phone_type],
        "timeZone": record.time_zone,
        "from": record.from_s,
        "until": record.until_s,
        "otherFields": record.other_fields,
        "userData": user_data,
    }


def shown_user_data(event: RecordShown, name: str) -> Json:
    """User data of a record on the agent's screen, custom fields included (decisions 4)."""
    record = event.record
    user_data: Json = {
        "GSW_RECORD_HANDLE": event.handle,
        "GSW_APPLICATION_ID": event.application_id,
        "GSW_CAMPAIGN_NAME": event.campaign_name,
        "GSW_CALLING_LIST": event.list_name,
        "GSW_CALLING_LIST_DBID": record.list_id,
        "GSW_CAMPAIGN_GROUP_NAME": event.group_name,
        "GSW_CAMPAIGN_GROUP_DBID": event.group_id,
        "GSW_CAMPAIGN_GROUP_DESCRIPTION": event.group_description,
        "GSW_PHONE": record.phone_number,
        "GSW_CHAIN_ID": record.chain_id,
        "GSW_ATTEMPTS": record.attempts,
        "GSW_CALL_RESULT": record.call_result.value,
        "GSW_TZ_NAME": record.time_zone,
        "GSW_TZ_OFFSET": event.offset_s,
        "GSW_FROM": record.from_s,
        "GSW_UNTIL": record.until_s,
        "GSW_CALL_ATTEMPT_GUID": event.attempt_guid,
        "GSW_AGENT_ID": event.agent_name,
        "GSW_SWITCH_DBID": SWITCH_ID,
        "GSW_USER_EVENT": name,
        "InteractionType": "Outbound",
        "InteractionSubtype": "OutboundNew",
        "contact_info": record.phone_number,
        **_custom_fields(record),
    }
    if event.what is Appearance.SCHEDULED_CALL and event.callback_type is not None:
        user_data["GSW_CALLBACK_TYPE"] = event.callback_type.value
    return user_data
