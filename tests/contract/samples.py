"""Events, bodies and people that the tests of the contract share."""

from __future__ import annotations

import json
from typing import Any

from tests.support.shapes import check_types
from trunkline.contract.messages import Timing, messages_of
from trunkline.domain.enums import CallResult, ChainAttribute, Door, PhoneType, RequestType, Treatment
from trunkline.domain.events import (
    Acknowledgement,
    AnyEvent,
    Appearance,
    CampaignChanged,
    CampaignStep,
    DeviceStateChanged,
    NothingToPreview,
    RecordAcknowledged,
    RecordShown,
)
from trunkline.domain.people import Caller, Device, Role
from trunkline.domain.records import Record

Json = dict[str, Any]

DEVICE_ID = "68b39a39-dfb5-417d-9efe-93c03a1375af"
DEVICE_PATH = f"/devices/{DEVICE_ID}"
TIMING = Timing(generated_at_ms=1433915511662, processing_ns=6964042, total_ms=8)

CALLER = Caller(
    contact_centre_id=1,
    contact_centre_name="Demo",
    user_id=7,
    public_id="0123456789abcdef0123456789abcdef",
    user_name="agent1",
    first_name="Ann",
    last_name="Agent",
    email_address="ann@example.org",
    roles=(Role.AGENT, Role.ADMINISTRATOR),
    features=frozenset({"api-voice", "api-voice-outbound"}),
    devices=(Device(DEVICE_ID, "5001"),),
)

RECORD = Record(
    contact_centre_id=1,
    list_id=101,
    chain_id=17,
    chain_n=0,
    record_id=1001,
    phone_number="+14155550100",
    phone_type=PhoneType.MOBILE,
    call_result=CallResult.UNKNOWN,
    attempts=2,
    time_zone="PST",
    from_s=0,
    until_s=86339,
    other_fields={"first_name": "Zoë", "balance": 12.5, "vip": True, "note": None},
)

VALUES: Json = {
    "applicationId": 134,
    "campaignName": "Campaign1",
    "callingList": "CallingList1",
    "phoneNumber": "+14155550100",
    "timeZone": "GMT",
    "phoneType": "Mobile",
    "from": 0,
    "until": 86339,
    "devicePath": DEVICE_PATH,
    "referenceId": "123456789",
    "chainId": 17,
    "otherFields": {"first_name": "Zoë"},
    "callResult": "Answered",
    "chainAttribute": "AllChain",
    "callbackType": "Personal",
    "timestamp": 1433917552,
    "channels": ["voice"],
    "place": "Place1",
    "loginCode": "5001",
    "queue": "Queue1",
}
"""A good value of every documented parameter."""


def acknowledged(what: Acknowledgement, door: Door = Door.REST, **facts: Any) -> RecordAcknowledged:
    """An acknowledgement of a request about record 6."""
    base: Json = {"list_name": "CallingList1", "handle": 6, "reference": "123456789", **facts}
    return RecordAcknowledged(
        device_id=DEVICE_ID, door=door, what=what, application_id=134, campaign_name="Campaign1", **base
    )


def shown(what: Appearance, door: Door = Door.REST, **facts: Any) -> RecordShown:
    """A record on the agent's screen."""
    base: Json = {"record": RECORD, "reference": "123456789" if door is Door.REST else None, **facts}
    return RecordShown(
        device_id=DEVICE_ID,
        door=door,
        what=what,
        handle=6,
        list_name="CallingList1",
        campaign_name="Campaign1",
        application_id=134,
        group_id=201,
        group_name="Campaign1@AgentGroup1",
        group_description="First group",
        attempt_guid="9f1c",
        agent_name="agent1",
        offset_s=-25200,
        **base,
    )


def campaign_changed(what: CampaignStep, door: Door = Door.REST, **facts: Any) -> CampaignChanged:
    """Something befell Campaign1."""
    base: Json = {"reference": "123456789" if door is Door.REST else None, **facts}
    return CampaignChanged(
        device_id=DEVICE_ID,
        door=door,
        what=what,
        application_id=134,
        campaign_name="Campaign1",
        description="First campaign",
        group_name="Campaign1@AgentGroup1",
        group_description="First group",
        **base,
    )


def state_changed(state_name: str) -> DeviceStateChanged:
    """The agent's state became another."""
    return DeviceStateChanged(device_id=DEVICE_ID, state_name=state_name, phone_number="5001")


NOTHING = NothingToPreview(
    device_id=DEVICE_ID, door=Door.REST, reference="123456789", application_id=134, campaign_name="Campaign1"
)

_A = Acknowledgement
EVENTS_OF: dict[tuple[str, bool], list[AnyEvent]] = {
    ("UpdateRecord", True): [acknowledged(_A.UPDATED, call_result=CallResult.ABANDONED)],
    ("AddRecord", False): [acknowledged(_A.ADDED, record=RECORD)],
    ("CompleteRecord", True): [acknowledged(_A.PROCESSED, treatment=Treatment.PERSONAL)],
    ("RejectRecord", True): [acknowledged(_A.REJECTED)],
    ("DoNotCallRecord", True): [acknowledged(_A.SUPPRESSED, chain_attribute=ChainAttribute.ALL_CHAIN)],
    ("DoNotCallRecord", False): [
        acknowledged(
            _A.SUPPRESSED, handle=None, phone_number="+14155550100", chain_attribute=ChainAttribute.RECORD_ONLY
        )
    ],
    ("RescheduleRecord", True): [acknowledged(_A.CALLBACK_MOVED)],
    ("GetChainedRecord", True): [shown(Appearance.CHAINED), acknowledged(_A.CHAIN_END, chain_id=17)],
    ("CancelRecord", True): [acknowledged(_A.CANCELLED, chain_attribute=ChainAttribute.ALL_CHAIN)],
    ("GetPreviewRecord", False): [shown(Appearance.PREVIEW)],
    ("StartPreviewSession", False): [campaign_changed(CampaignStep.PREVIEW_STARTED)],
    ("EndPreviewSession", False): [campaign_changed(CampaignStep.PREVIEW_ENDED)],
    ("StartContactCenterSession", False): [state_changed("NotReady")],
    ("EndContactCenterSession", False): [state_changed("Offline")],
    ("Ready", False): [state_changed("Ready")],
    ("NotReady", False): [state_changed("NotReady")],
    ("AfterCallWork", False): [state_changed("AfterCallWork")],
}
"""(operation, whether its address names a record) -> what an accepted request causes."""

AGENT_REQUESTS = (RequestType.LOGOUT, RequestType.READY_TIME, RequestType.CONTINUE_PROCESSING)


def decoded(event: AnyEvent) -> list[tuple[str, Json]]:
    """The messages of an event as JSON, each checked against the table of types."""
    messages = [(channel, json.loads(body)) for channel, body in messages_of(event, TIMING)]
    for channel, message in messages:
        check_types({"channel": channel, "data": message})
    return messages


def order_of(value: Any) -> Any:
    """Keys in their order, at every depth."""
    return [(key, order_of(item)) for key, item in value.items()] if type(value) is dict else None
