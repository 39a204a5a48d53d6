"""Shapes of what can be read: user, devices, features, channels, campaigns, records, and the desktop's start-up reads.

Plain functions from values of the domain to JSON objects. ``api_url`` is the prefix of absolute addresses
(``http://host:port/api/v2``, no slash at the end); ``uri`` is that prefix and ``path``.
Source: Web Services API 5, 7; decisions 5; ``data/web-services-operations.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trunkline.contract.names import (
    AGENT_STATES,
    CALL_RESULT_NAMES,
    DIAL_MODE_NAMES,
    FEATURES,
    OFFLINE,
    PHONE_TYPE_NAMES,
    ROLE_NAMES,
    AgentState,
)
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import GroupStatus
from trunkline.domain.people import Caller, Device, Feature
from trunkline.domain.records import Record

Json = dict[str, Any]

DEFAULT_API_URL = "/api/v2"
"""Used where nobody configured the address under which clients see the server."""

VOICE_ENVIRONMENT_ID = "5b6f2d0e-0000-4000-8000-000000000001"
"""The one telephony system that all devices belong to; fixed, so that clients may keep it."""


def _address(path: str, api_url: str) -> Json:
    return {"uri": f"{api_url}{path}", "path": path}


# --- people ------------------------------------------------------------------------------------------------------


def user_resource(caller: Caller, api_url: str = DEFAULT_API_URL, *, is_enabled: bool = True) -> Json:
    """``user`` of ``GET /me``; sub-resources are added by the caller under their own names."""
    return {
        "id": caller.public_id,
        "userName": caller.user_name,
        "firstName": caller.first_name,
        "lastName": caller.last_name,
        "emailAddress": caller.email_address,
        "roles": [ROLE_NAMES[role] for role in caller.roles],
        "enabled": is_enabled,
        "changePasswordOnFirstLogin": False,
        "contactCenterId": contact_centre_id(caller),
        **_address(f"/users/{caller.public_id}", api_url),
    }


def contact_centre_id(caller: Caller) -> str:
    """The contact centre's id as the API writes ids: 32 hexadecimal digits."""
    return f"{caller.contact_centre_id:032x}"


def contact_centre_resource(caller: Caller, api_url: str = DEFAULT_API_URL) -> Json:
    """``contactCenter`` of the desktop's start-up read. There are no business attributes."""
    return {
        "id": contact_centre_id(caller),
        "name": caller.contact_centre_name,
        "businessAttributes": [],
        **_address(f"/contact-centers/{contact_centre_id(caller)}", api_url),
    }


def contact_resource(caller: Caller, api_url: str = DEFAULT_API_URL) -> Json:
    """``contact`` of ``GET /contacts/<user id>?type=User``."""
    return {
        "id": caller.public_id,
        "name": f"{caller.first_name} {caller.last_name}".strip() or caller.user_name,
        "type": "User",
        "phoneNumbers": [
            {"phoneNumber": device.phone_number, "description": "", "switchName": ""} for device in caller.devices
        ],
        "userName": caller.user_name,
        "firstName": caller.first_name,
        "lastName": caller.last_name,
        "employeeId": caller.user_name,
        **_address(f"/contacts/{caller.public_id}", api_url),
    }


def user_state(state: AgentState) -> Json:
    """``userState`` of a device: id, displayName, state and, where the state has one, workMode."""
    shown = {"id": state.state_id, "displayName": state.display_name, "state": state.device_state}
    return shown if state.work_mode is None else {**shown, "workMode": state.work_mode}


def device_object(device: Device, state_name: str = OFFLINE.name, api_url: str = DEFAULT_API_URL) -> Json:
    """A device as it stands in DeviceStateChangeMessage and, with its address, in reads.

    ``state_name`` is one of the five fixed states; Offline for whoever is not logged in.
    """
    return {
        "id": device.device_id,
        "deviceState": "Active",
        "userState": user_state(AGENT_STATES[state_name]),
        "phoneNumber": device.phone_number,
        "description": "",
        "e164Number": device.phone_number,
        "telephonyNetwork": "Private",
        "doNotDisturb": "Off",
        "voiceEnvironmentUri": f"{api_url}/voice-environments/{VOICE_ENVIRONMENT_ID}",
        "capabilities": ["ForwardCallsOn", "DoNotDisturbOn"],
        "channels": ["voice"],
        "dynamicPhoneNumber": False,
    }


def device_resource(device: Device, state_name: str = OFFLINE.name, api_url: str = DEFAULT_API_URL) -> Json:
    """An item of ``devices``."""
    return {**device_object(device, state_name, api_url), **_address(f"/devices/{device.device_id}", api_url)}


def device_settings(settings: Mapping[str, str] | None = None) -> Json:
    """Content of ``/me/devices/<id>/settings/tserver``."""
    return {"settings": _pairs(settings or {}), "key": "tserver"}


def feature_resource(feature: str, api_url: str = DEFAULT_API_URL) -> Json:
    """An item of ``features``. A feature that this server does not know is shown by its id."""
    known = FEATURES.get(feature)
    return {
        "id": feature,
        "displayName": known.display_name if known else feature,
        "description": known.description if known else "",
        "autoAssignOnContactCenterCreate": feature in (Feature.VOICE, Feature.VOICE_OUTBOUND),
        **_address(f"/features/{feature}", api_url),
    }


def channel_resource(channel: str, state_name: str = OFFLINE.name, api_url: str = DEFAULT_API_URL) -> Json:
    """An item of ``channels``: the agent's state on one channel."""
    state = user_state(AGENT_STATES[state_name])
    return {"id": channel, "channel": channel, "userState": state, **_address(f"/me/channels/{channel}", api_url)}


# --- campaigns and records ---------------------------------------------------------------------------------------


def campaign_state(*, is_loaded: bool, is_running: bool) -> str:
    """``state`` of a campaign: ``Started`` is running (decisions 11); one name for one state everywhere."""
    if not is_loaded:
        return "Unloaded"
    return "Started" if is_running else "Loaded"


def campaign_resource(campaign: Campaign) -> Json:
    """An item of ``campaigns`` of ``GET /me/outbound-campaigns``."""
    return {
        "name": campaign.name,
        "description": campaign.description,
        "groupName": campaign.group_name,
        "groupDescription": campaign.group_description,
        "applicationId": campaign.application_id,
        "dialingMode": DIAL_MODE_NAMES[campaign.dial_mode],
        "state": campaign_state(is_loaded=campaign.status.is_loaded, is_running=campaign.status is GroupStatus.RUNNING),
    }


def record_resource(
    entry: DeskEntry, record: Record, campaign: Campaign, calling_list: CallingList, *, is_open: bool
) -> Json:
    """``record`` of ``GET /me/outbound-records/<handle>`` and item of ``records`` (decisions 5).

    ``leaseUntil`` is Unix seconds, null for an entry that never expires; ``isPermitted`` is true when every rule let
    this number go to this desk, its hours ``is_open`` now, and the record's fate is not decided; ``otherFields`` are
    those that the list sends to agents.
    """
    return {
        "recordHandle": entry.handle,
        "campaignName": campaign.name,
        "callingList": calling_list.name,
        "applicationId": campaign.application_id,
        "devicePath": f"/devices/{entry.device_id}",
        "phoneNumber": record.phone_number,
        "phoneType": PHONE_TYPE_NAMES[record.phone_type],
        "timeZone": record.time_zone,
        "from": record.from_s,
        "until": record.until_s,
        "callResult": CALL_RESULT_NAMES[record.call_result],
        "chainId": record.chain_id,
        "leaseUntil": None if entry.lease_until_ms is None else entry.lease_until_ms // 1000,
        "isPermitted": is_open and entry.permitted_at_ms > 0 and not entry.is_settled,
        "otherFields": calling_list.sent_fields(record.other_fields),
    }


# --- start-up reads of the desktop -------------------------------------------------------------------------------

_PRIVILEGES = (
    "can-use",
    "can-cancel-record",
    "can-dial-alternative-chained-record",
    "can-get-next-preview-record",
    "can-mark-do-not-call",
    "can-reject-record",
    "can-reschedule",
    "can-reschedule-before-call",
)
OUTBOUND_OPTIONS: dict[str, str] = {
    "outbound.call-result-values": "Answered,NoAnswer,AnsweringMachine,Busy,WrongNumber",
    "outbound.call-result-automatically-selected": "",
    "outbound.preview.max-simultaneous-preview-record": "-1",
    "outbound.treatment-mode": "none",
    "outbound.timed-preview-auto-dial": "-1",
    "outbound-callback.ringing-bell": "",
}
"""Options of the desktop with the values served unless others are given; all are texts."""


def agent_state_resource(state: AgentState) -> Json:
    """An item of ``agentStates`` in the desktop's settings."""
    shown = {
        "id": state.state_id,
        "operationName": state.name,
        "displayName": state.display_name,
        "state": state.state,
    }
    return shown if state.work_mode is None else {**shown, "workMode": state.work_mode}


def settings_resources(
    features: Iterable[str], api_url: str = DEFAULT_API_URL, options: Mapping[str, str] | None = None
) -> Json:
    """``resources`` of ``/internal-api/me/settings``: the agent states, and the desktop's privileges and options.

    All privileges follow the feature ``api-voice-outbound``. ``options`` replace or extend ``OUTBOUND_OPTIONS``.
    """
    may_use = "true" if Feature.VOICE_OUTBOUND in set(features) else "false"
    pairs = {f"privilege.outbound.{name}": may_use for name in _PRIVILEGES} | OUTBOUND_OPTIONS | dict(options or {})
    group = {
        "name": "interaction-workspace",
        "displayName": "Workspace",
        "key": "interaction-workspace",
        **_address("/settings/interaction-workspace", api_url),
        "settings": _pairs(pairs),
    }
    states = [agent_state_resource(state) for state in AGENT_STATES.values()]
    return {"agentStates": states, "user": {"settings": [group]}}


def service_resource(service_id: str, name: str, kind: str, *, is_active: bool, api_url: str = DEFAULT_API_URL) -> Json:
    """An item of ``services``: a part of the server and whether it works now."""
    return {
        "id": service_id,
        "name": name,
        "type": kind,
        "state": "Active" if is_active else "Inactive",
        **_address(f"/services/{service_id}", api_url),
    }


def _pairs(settings: Mapping[str, str]) -> list[Json]:
    return [{"name": name, "value": value} for name, value in settings.items()]
