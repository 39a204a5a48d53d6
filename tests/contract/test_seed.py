"""The sample of Outbound API, Update Record, key for key and value for value."""

from __future__ import annotations

import json

from tests.contract.samples import DEVICE_ID, DEVICE_PATH, TIMING, acknowledged, order_of
from tests.support.shapes import check_types
from trunkline.contract.answers import SUCCESS
from trunkline.contract.messages import messages_of
from trunkline.contract.requests import parse_record_operation
from trunkline.domain.commands import UpdateRecord
from trunkline.domain.enums import CallResult, RequestType
from trunkline.domain.events import Acknowledgement
from trunkline.domain.records import FieldChanges

REQUEST = {
    "devicePath": DEVICE_PATH,
    "operationName": "UpdateRecord",
    "applicationId": 134,
    "campaignName": "Campaign1",
    "referenceId": "123456789",
}
OUTBOUND = {
    "record": {
        "campaignName": "Campaign1",
        "devicePath": DEVICE_PATH,
        "callingList": "CallingList1",
        "applicationId": 134,
        "recordHandle": 6,
    },
    "notificationType": "UpdateCallCompletionStatsAcknowledge",
    "messageType": "OutboundRecordMessage",
    "referenceId": "123456789",
}
INTERNAL = {
    "metrics": {
        "eventProcessing": {
            "serverGenerationTimestamp": 1433915511662,
            "nodeProcessingTimeNanos": 6964042,
            "serverProcessingTimeTotalMs": 8,
        }
    },
    "userData": {
        "GSW_CALLING_LIST": "CallingList1",
        "GSW_APPLICATION_ID": 134,
        "GSW_RECORD_HANDLE": 6,
        "GSW_USER_EVENT": "UpdateCallCompletionStatsAcknowledge",
        "GSW_CALL_RESULT": "21",
        "GSW_CAMPAIGN_NAME": "Campaign1",
    },
    "deviceId": DEVICE_ID,
    "messageType": "DeviceUserEventMessage",
}


def test_the_request_becomes_a_command() -> None:
    """The sample's request is understood in full."""
    parsed = parse_record_operation(6, REQUEST)
    assert parsed.command == UpdateRecord(
        handle=6, application_id=134, campaign_name="Campaign1", device_id=DEVICE_ID, changes=FieldChanges()
    )
    assert parsed.operation_name == "UpdateRecord"
    assert parsed.reference == "123456789"
    assert parsed.request_type is RequestType.UPDATE_CALL_COMPLETION_STATS


def test_the_answer_is_the_samples() -> None:
    """The HTTP answer has statusCode 0 and nothing else."""
    assert json.loads(SUCCESS) == {"statusCode": 0}


def test_the_messages_are_the_samples() -> None:
    """Both messages equal the sample's in channels, order, keys, order of keys, types and values."""
    event = acknowledged(Acknowledgement.UPDATED, call_result=CallResult.ABANDONED)
    messages = [(channel, json.loads(body)) for channel, body in messages_of(event, TIMING)]
    assert messages == [("/v2/me/outbound", OUTBOUND), ("/me/internal", INTERNAL)]
    assert [order_of(message) for _, message in messages] == [order_of(OUTBOUND), order_of(INTERNAL)]
    for channel, message in messages:
        check_types({"channel": channel, "data": message})


def test_without_a_reference_the_key_is_left_out() -> None:
    """A request without referenceId is acknowledged without that key, not with null."""
    event = acknowledged(Acknowledgement.UPDATED, call_result=CallResult.ABANDONED, reference=None)
    outbound = json.loads(messages_of(event, TIMING)[0][1])
    assert "referenceId" not in outbound
    assert outbound == {key: value for key, value in OUTBOUND.items() if key != "referenceId"}
