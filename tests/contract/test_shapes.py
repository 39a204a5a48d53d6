"""The table of types: complete, understandable, and its check really goes red."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.contract.samples import TIMING, acknowledged, decoded
from tests.support.shapes import check_types, table
from trunkline.contract.names import CHANNELS
from trunkline.domain.enums import CallResult
from trunkline.domain.events import Acknowledgement

PRIMITIVES = {"string", "integer", "boolean", "scalar", "nothing"}


def test_the_table_is_closed() -> None:
    """Every type that the table names is a primitive one or an object of the table; every channel is known."""
    objects = table()["objects"]
    for name, keys in objects.items():
        for key, kind in keys.items():
            plain = re.sub(r"[\[\]?]", "", kind)
            assert plain in PRIMITIVES or plain in objects, f"{name}.{key}"
    assert set(table()["channels"]) <= set(CHANNELS)
    assert all(kind in objects for kinds in table()["channels"].values() for kind in kinds)


def test_the_documented_keys_are_in_the_table() -> None:
    """Every key of the outbound operations' messages and answers stands in the table."""
    objects = table()["objects"]
    parts = {"recordKeys": "messageRecord", "campaignKeys": "messageCampaign", "userDataKeys": "userData"}
    for operation in table("web-services-operations")["operations"]:
        if operation["section"] != "Outbound" or operation["name"].startswith(("Dial", "PreviewRecord push")):
            continue
        for message in operation["cometd"]:
            assert set(message["dataKeys"]) <= set(objects[message["messageType"]])
            for part, kind in parts.items():
                assert {key for key in message.get(part, ()) if not key.startswith("<")} <= set(objects[kind])
        item_kind = "campaign" if "campaigns" in operation["responseKeys"] else "deskRecord"
        assert set(operation.get("itemKeys", ())) <= set(objects[item_kind])


ACKNOWLEDGED = acknowledged(Acknowledgement.UPDATED, call_result=CallResult.OK)


@pytest.mark.parametrize(
    "faulty",
    [
        [],
        {},
        {"statusCode": "0"},
        {"statusCode": True},
        {"statusCode": 0, "unknown": 1},
        {"statusCode": 0, "groups": [{}]},
        {"statusCode": 0, "uris": "x"},
        {"statusCode": 0, "user": []},
        {"statusCode": 0, "record": {"leaseUntil": "x"}},
        {"messageType": 6},
        {"messageType": "Nothing"},
        {"channel": "/v2/me/outbound", "data": {"messageType": "DeviceUserEventMessage"}},
        {"messageType": "OutboundRecordMessage", "metrics": {}},
        {"messageType": "OutboundRecordMessage", "referenceId": None},
        {"messageType": "DeviceUserEventMessage", "userData": {"GSW_UNKNOWN": 1}},
        {"messageType": "DeviceUserEventMessage", "userData": {"field": {}}},
        {"messageType": "DeviceUserEventMessage", "userData": {"GSW_CALL_RESULT": "21"}},
    ],
)
def test_the_check_goes_red(faulty: Any) -> None:
    """A wrong type, an unknown key, a message on another channel: each is found."""
    with pytest.raises(AssertionError):
        check_types(faulty)


def test_the_one_result_that_is_a_string() -> None:
    """GSW_CALL_RESULT is a string in the acknowledgement of an update and nowhere else."""
    (_, message) = decoded(ACKNOWLEDGED)[-1]
    check_types(message)
    message["userData"]["GSW_CALL_RESULT"] = 21
    with pytest.raises(AssertionError, match="GSW_CALL_RESULT"):
        check_types(message)
    assert TIMING.total_ms == message["metrics"]["eventProcessing"]["serverProcessingTimeTotalMs"]
