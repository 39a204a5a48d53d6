"""Wire names and numbers: the tables that translate the domain's vocabulary.

Source: Outbound API, Update Record (phoneType); outbound domain 1.3, 1.6, 3.2, 4.4; Web Services API 5, 7, 8.
Tests compare the tables with ``data/outbound-enums.json`` and ``data/web-services-operations.json``.
"""

from __future__ import annotations

import msgspec

from trunkline.domain.enums import CallResult, ChainAttribute, DialMode, PhoneType, Treatment
from trunkline.domain.people import Feature, Role

# --- records -----------------------------------------------------------------------------------------------------

_PHONE_TYPES = (
    "NoContactType",
    "HomePhone",
    "DirectBusinessPhone",
    "BusinessWithExt",
    "Mobile",
    "VacationPhone",
    "Pager",
    "Modem",
    "VoiceMail",
    "PinPager",
    "EmailAddress",
    "InstantMessaging",
)
PHONE_TYPE_NAMES: dict[PhoneType, str] = dict(zip(PhoneType, _PHONE_TYPES, strict=True))
"""Number of a kind of contact -> its name as ``phoneType``."""
PHONE_TYPES: dict[str, PhoneType] = {name: kind for kind, name in PHONE_TYPE_NAMES.items()}

_CALL_RESULTS = (
    *("Ok", "Transferred", "Conferenced", "GeneralError", "SystemError", "RemoteRelease", "Busy", "NoAnswer"),
    *("SITDetected", "AnsweringMachine", "AllTrunksBusy", "SITInvalidNum", "SITVacant", "SITOperIntercept"),
    *("SITUnknown", "SITNoCircuit", "SITReorder", "FaxDetected", "QueueFull", "Cleared", "Overflowed", "Abandoned"),
    *("Redirected", "Forwarded", "Consult", "Pickedup", "Dropped", "DroppedNoAnswer", "Unknown", "Covered"),
    *("ConverseOn", "Bridged", "Silence", "Answer", "NuTone", "NoDialTone", "NoProgress", "NoRingBack"),
    *("NoEstablishedDetected", "PagerDetected", "WrongParty", "DialError", "CallDropError", "SwitchError"),
    *("NoFreePortError", "TransferError", "Stale", "AgentCallBackError", "GroupCallBackError", "Deafened", "Held"),
    *("DoNotCall", "CancelRecord", "WrongNumber"),
)
CALL_RESULT_NAMES: dict[CallResult, str] = dict(zip(CallResult, _CALL_RESULTS, strict=True))
"""Number of an outcome -> its name as ``callResult``."""
CALL_RESULTS: dict[str | int, CallResult] = {
    **{name: result for result, name in CALL_RESULT_NAMES.items()},
    "Answered": CallResult.ANSWER,
    **{str(result.value): result for result in CallResult},
    **{result.value: result for result in CallResult},
}
"""Every spelling that a request may use -> the outcome (decisions 5)."""

CHAIN_ATTRIBUTES: dict[str, ChainAttribute] = {attribute.value: attribute for attribute in ChainAttribute}
TREATMENTS: dict[str, Treatment] = {
    "Personal": Treatment.PERSONAL,
    "Campaign": Treatment.CAMPAIGN,
    "RecordTreatPersonal": Treatment.PERSONAL,
    "RecordTreatCampaign": Treatment.CAMPAIGN,
}
"""Both spellings of GSW_TREATMENT (outbound domain 3.1)."""

DIAL_MODE_NAMES: dict[DialMode, str] = {
    DialMode.NO_DIAL_MODE: "NoDialMode",
    DialMode.PREDICT: "Predictive",
    DialMode.PROGRESS: "Progressive",
    DialMode.PREVIEW: "Preview",
    DialMode.PROGRESS_AND_SEIZE: "EngagedProgressive",
    DialMode.PREDICT_AND_SEIZE: "EngagedPredictive",
    DialMode.POWER: "Power",
    DialMode.POWER_AND_SEIZE: "EngagedPower",
    DialMode.PUSH_PREVIEW: "PushPreview",
    DialMode.PROGRESS_GVP: "ProgressiveGVP",
    DialMode.PREDICT_GVP: "PredictiveGVP",
    DialMode.POWER_GVP: "PowerGVP",
}
"""What desktops call a dial mode (``dialingMode``, GSW_CAMPAIGN_MODE). Desktops know no name for "none"; ours is
the enumeration's own."""

RECORD_KEYS = frozenset({"InteractionType", "InteractionSubtype", "contact_info"})
"""Keys of a record's userData that are no custom fields though they do not begin with ``GSW_``."""


def is_custom_field(name: str) -> bool:
    """True when a key of userData or otherFields is a custom field of the list, not one of the protocol's own."""
    return not name.startswith("GSW_") and name not in RECORD_KEYS


# --- agents ------------------------------------------------------------------------------------------------------


class AgentState(msgspec.Struct, frozen=True, kw_only=True):
    """One of the five fixed agent states.

    ``state`` stands in settings, ``device_state`` in device messages (they differ for Offline);
    ``work_mode`` is None for states without one. Source: Web Services API 7.
    """

    state_id: str
    name: str
    display_name: str
    state: str
    device_state: str
    work_mode: str | None = None


AGENT_STATES: dict[str, AgentState] = {
    state.name: state
    for state in (
        AgentState(
            state_id="9430250E-0A1B-421F-B372-F29E69366DED",
            name="Ready",
            display_name="Ready",
            state="Ready",
            device_state="Ready",
        ),
        AgentState(
            state_id="900D55CC-2BB0-431F-8BF9-D3525B383BE6",
            name="NotReady",
            display_name="Not Ready",
            state="NotReady",
            device_state="NotReady",
        ),
        AgentState(
            state_id="D3663509-3D82-4DD3-A82E-2EA8EFA02AEF",
            name="AfterCallWork",
            display_name="AfterCallWork",
            state="NotReady",
            device_state="NotReady",
            work_mode="AfterCallWork",
        ),
        AgentState(
            state_id="2B36138D-C564-4562-A8CB-3C32D564F296",
            name="AuxWork",
            display_name="AuxWork",
            state="NotReady",
            device_state="NotReady",
            work_mode="AuxWork",
        ),
        AgentState(
            state_id="0F7F5003-EF26-4D13-A6Ef-D0C7EC819BEB",  # the one small letter is the original's
            name="Offline",
            display_name="Offline",
            state="Logout",
            device_state="LoggedOut",
        ),
    )
}
"""Operation name -> state, in the documented order."""

OFFLINE = AGENT_STATES["Offline"]

ROLE_NAMES: dict[Role, str] = {
    Role.AGENT: "ROLE_AGENT",
    Role.SUPERVISOR: "ROLE_SUPERVISOR",
    Role.ADMINISTRATOR: "ROLE_ADMIN",
}


class FeatureText(msgspec.Struct, frozen=True):
    """How a feature is shown to people."""

    display_name: str
    description: str


FEATURES: dict[str, FeatureText] = {
    Feature.VOICE: FeatureText("Voice API", "API for Voice"),
    Feature.VOICE_OUTBOUND: FeatureText("Voice API Outbound", "API for Outbound"),
    Feature.VOICE_PREDICTIVE_CALLS: FeatureText("Voice API Predictive Calls", "API for Predictive Calls"),
    Feature.SUPERVISOR_MONITORING: FeatureText("Supervisor API Monitoring", "API for Monitoring of Agents"),
    Feature.SUPERVISOR_AGENT_CONTROL: FeatureText("Supervisor API Agent Control", "API for Control of Agents"),
    Feature.PROVISIONING_READ: FeatureText("Provisioning API Read", "API for Reading Provisioned Objects"),
    Feature.PROVISIONING_WRITE: FeatureText("Provisioning API Write", "API for Changing Provisioned Objects"),
}

# --- channels ----------------------------------------------------------------------------------------------------

OUTBOUND = "/v2/me/outbound"
INTERNAL = "/me/internal"
DEVICES = "/v2/me/devices"
CHANNELS = (
    OUTBOUND,
    INTERNAL,
    DEVICES,
    "/v2/me/calls",
    "/v2/me/channels",
    "/v2/me/interactions",
    "/v2/me/chats",
    "/v2/me/emails",
    "/v2/me/workitems",
    "/v2/me/workbins",
    "/v2/me",
    "/notifications/services",
)
"""Every CometD channel that clients subscribe to (Web Services API 8); events of ours go out on the first three."""
