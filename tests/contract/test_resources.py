"""Shapes of the reads: exact keys, types, and the words of the five states."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.contract.samples import CALLER, DEVICE_ID, DEVICE_PATH, RECORD, Json
from tests.support.shapes import check_types, table
from trunkline.contract import resources
from trunkline.contract.answers import answer
from trunkline.contract.names import AGENT_STATES
from trunkline.domain.campaigns import CallingList, Campaign, ListField
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, DialMode, GroupStatus
from trunkline.domain.people import Device, Feature
from trunkline.domain.records import Record

OPERATIONS = table("web-services-operations")["operations"]
API_URL = "http://localhost:8090/api/v2"

CAMPAIGN = Campaign(
    contact_centre_id=1,
    campaign_id=11,
    name="Campaign1",
    application_id=134,
    description="First campaign",
    group_id=201,
    group_name="Campaign1@AgentGroup1",
    group_description="First group",
    status=GroupStatus.RUNNING,
)
CALLING_LIST = CallingList(
    contact_centre_id=1,
    list_id=101,
    name="CallingList1",
    fields=(ListField(name="balance", is_sent=False), ListField(name="first_name")),
)
ENTRY = DeskEntry(
    contact_centre_id=1,
    handle=6,
    list_id=101,
    chain_id=17,
    chain_n=0,
    user_id=7,
    device_id=DEVICE_ID,
    campaign_id=11,
    attempt_guid="9f1c",
    lease_until_ms=1433915511662,
)


def read(path: str) -> Json:
    """The description of a documented read."""
    found: Json = next(op for op in OPERATIONS if op["method"] == "GET" and op["path"] == path)
    return found


def check(**content: Any) -> None:
    """The content of an answer has the types of the table."""
    check_types(json.loads(answer(**content)))


def test_user() -> None:
    """A user has the documented keys in their order, ids of 32 digits, and its address."""
    user = resources.user_resource(CALLER, API_URL)
    documented = [key for key in read("/api/v2/me")["userKeys"] if "(subresource)" not in key]
    assert list(user) == documented
    assert (user["id"], user["userName"]) == (CALLER.public_id, "agent1")
    assert user["roles"] == ["ROLE_AGENT", "ROLE_ADMIN"]
    assert user["contactCenterId"] == "0" * 31 + "1"
    assert user["uri"] == API_URL + user["path"] == f"{API_URL}/users/{CALLER.public_id}"
    assert user["enabled"] is True
    assert resources.user_resource(CALLER, is_enabled=False)["enabled"] is False
    check(user={**user, "devices": [], "features": [], "channels": []})


@pytest.mark.parametrize("state", AGENT_STATES.values(), ids=lambda state: state.name)
def test_devices(state: Any) -> None:
    """A device has the documented keys in their order and says the state in the words of device messages."""
    documented = next(op for op in OPERATIONS if op["name"] == "Ready")["cometd"][0]["deviceKeys"]
    device = resources.device_object(Device(DEVICE_ID, "5001"), state.name, API_URL)
    assert list(device) == documented
    assert device["userState"]["id"] == state.state_id
    assert device["userState"]["state"] == state.device_state
    assert device["userState"].get("workMode") == state.work_mode
    whole = resources.device_resource(Device(DEVICE_ID, "5001"), state.name, API_URL)
    assert whole == {**device, "uri": f"{API_URL}{DEVICE_PATH}", "path": DEVICE_PATH}
    check(devices=[device, whole])


def test_nobody_is_logged_in_unless_said() -> None:
    """Without a state a device is LoggedOut."""
    assert resources.device_object(Device("d", "1"))["userState"]["state"] == "LoggedOut"
    assert resources.channel_resource("voice")["userState"]["displayName"] == "Offline"


def test_features() -> None:
    """Features have their texts; an unknown one is shown by its id."""
    feature = resources.feature_resource(Feature.VOICE_OUTBOUND, API_URL)
    assert feature == {
        "id": "api-voice-outbound",
        "displayName": "Voice API Outbound",
        "description": "API for Outbound",
        "autoAssignOnContactCenterCreate": True,
        "uri": f"{API_URL}/features/api-voice-outbound",
        "path": "/features/api-voice-outbound",
    }
    unknown = resources.feature_resource("api-new")
    assert (unknown["displayName"], unknown["autoAssignOnContactCenterCreate"]) == ("api-new", False)
    check(features=[feature, unknown], channels=[resources.channel_resource("voice", "AuxWork", API_URL)])


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (GroupStatus.RUNNING, "Started"),
        (GroupStatus.ACTIVE, "Loaded"),
        (GroupStatus.IN_ACTIVE, "Loaded"),
        (GroupStatus.NOT_LOADED, "Unloaded"),
        (GroupStatus.WAITING_UNLOAD, "Unloaded"),
    ],
)
def test_campaigns(status: GroupStatus, state: str) -> None:
    """A campaign has exactly the documented keys; running is Started."""
    campaign = msgspec.structs.replace(CAMPAIGN, status=status, dial_mode=DialMode.PROGRESS)
    shown = resources.campaign_resource(campaign)
    assert list(shown) == read("/api/v2/me/outbound-campaigns")["itemKeys"]
    assert (shown["state"], shown["dialingMode"], shown["groupName"]) == (state, "Progressive", CAMPAIGN.group_name)
    check(campaigns=[shown])


def test_records() -> None:
    """A record on the desk has exactly the documented keys, the lease in seconds, and only fields that are sent."""
    record = msgspec.structs.replace(RECORD, call_result=CallResult.NO_ANSWER)
    shown = resources.record_resource(ENTRY, record, CAMPAIGN, CALLING_LIST, is_open=True)
    assert list(shown) == read("/api/v2/me/outbound-records")["itemKeys"]
    assert list(shown) == read("/api/v2/me/outbound-records/{recordHandle}")["itemKeys"]
    assert (shown["recordHandle"], shown["callResult"], shown["phoneType"]) == (6, "NoAnswer", "Mobile")
    assert (shown["leaseUntil"], shown["devicePath"], shown["chainId"]) == (1433915511, DEVICE_PATH, 17)
    assert shown["otherFields"] == {"first_name": "Zoë", "vip": True, "note": None}
    for_ever = resources.record_resource(
        msgspec.structs.replace(ENTRY, lease_until_ms=None), _plain_record(), CAMPAIGN, CALLING_LIST, is_open=True
    )
    assert for_ever["leaseUntil"] is None
    cases = [(1_433_912_000_000, False, True), (0, False, True), (1, True, True), (1, False, False)]
    told = [
        resources.record_resource(
            msgspec.structs.replace(ENTRY, permitted_at_ms=at_ms, is_settled=is_settled),
            record,
            CAMPAIGN,
            CALLING_LIST,
            is_open=is_open,
        )["isPermitted"]
        for at_ms, is_settled, is_open in cases
    ]
    assert told == [True, False, False, False]
    check(records=[shown, for_ever], record=shown)


def _plain_record() -> Record:
    return Record(contact_centre_id=1, list_id=101, chain_id=17, chain_n=0, record_id=1, phone_number="5551212")


def test_settings() -> None:
    """The desktop's settings: the five states as documented, the privileges of who may use outbound, the options."""
    settings = resources.settings_resources(CALLER.features, API_URL, {"outbound.treatment-mode": "campaign"})
    documented = [
        {key: value for key, value in state.items() if key != "stateInDeviceMessages"}
        for state in table("web-services-operations")["agentStates"]
    ]
    assert settings["agentStates"] == documented
    (group,) = settings["user"]["settings"]
    assert set(group) == {"name", "displayName", "key", "uri", "path", "settings"}
    values = {pair["name"]: pair["value"] for pair in group["settings"]}
    assert values["privilege.outbound.can-use"] == values["privilege.outbound.can-reschedule-before-call"] == "true"
    assert values["outbound.call-result-values"] == "Answered,NoAnswer,AnsweringMachine,Busy,WrongNumber"
    assert values["outbound.preview.max-simultaneous-preview-record"] == "-1"
    assert values["outbound.treatment-mode"] == "campaign"
    assert len(values) == len(group["settings"]) == 14
    (poor,) = resources.settings_resources(())["user"]["settings"]
    privileges = [pair["value"] for pair in poor["settings"] if pair["name"].startswith("privilege.")]
    assert privileges == ["false"] * 8
    check(resources=settings)


def test_contact() -> None:
    """A user as a contact has the documented keys; without a name it is called by its user name."""
    contact = resources.contact_resource(CALLER, API_URL)
    assert list(contact) == [
        *("id", "name", "type", "phoneNumbers", "userName", "firstName", "lastName", "employeeId", "uri", "path")
    ]
    assert contact["name"] == "Ann Agent"
    assert contact["phoneNumbers"] == [{"phoneNumber": "5001", "description": "", "switchName": ""}]
    nameless = resources.contact_resource(type(CALLER)(1, "Demo", 7, CALLER.public_id, "agent1"))
    assert nameless["name"] == "agent1"
    check(contact=contact, contactCenter=resources.contact_centre_resource(CALLER, API_URL))


def test_services_and_device_settings() -> None:
    """Services say whether they work; the settings of a device have a key of their own."""
    service = resources.service_resource("outbound", "Outbound", "OUTBOUND", is_active=True, api_url=API_URL)
    assert list(service) == ["id", "name", "type", "state", "uri", "path"]
    assert service["state"] == "Active"
    assert resources.service_resource("x", "X", "X", is_active=False)["state"] == "Inactive"
    settings = resources.device_settings({"acw": "0"})
    assert settings == {"settings": [{"name": "acw", "value": "0"}], "key": "tserver"}
    assert resources.device_settings() == {"settings": [], "key": "tserver"}
    check(services=[service], **settings)
