"""What a desktop sends, for the tests of its door."""

from __future__ import annotations

from typing import Any

from tests.contract.samples import DEVICE_ID, Json
from tests.support.shapes import table
from trunkline.contract.parsed import Parsed, ParsedFailure
from trunkline.contract.user_events import parse_user_event

ENUMS = table("outbound-enums")
REQUESTS: dict[str, Json] = {
    name: message
    for name, message in ENUMS["desktop_messages"].items()
    if message.get("type_key") == "GSW_AGENT_REQ_TYPE"
}
VALUES: Json = {
    "GSW_APPLICATION_ID": 134,
    "GSW_CAMPAIGN_NAME": "Campaign1",
    "GSW_CALLING_LIST": "CallingList1",
    "GSW_RECORD_HANDLE": 6,
    "GSW_PHONE": "+14155550100",
    "GSW_CUSTOMER_ID": "C-1",
    "GSW_TZ_NAME": "PST",
    "GSW_PHONE_TYPE": 4,
    "GSW_RECORD_TYPE": 2,
    "GSW_RECORD_STATUS": 1,
    "GSW_CALL_RESULT": 21,
    "GSW_ATTEMPTS": 2,
    "GSW_DATE_TIME": "12/31/2030 09:30",
    "GSW_CALL_TIME": 1433917552,
    "GSW_FROM": 28800,
    "GSW_UNTIL": 64800,
    "GSW_AGENT_ID": "agent1",
    "GSW_CHAIN_ATTR": "AllChain",
    "GSW_CALLBACK_TYPE": "Personal",
    "GSW_TREATMENT": "Personal",
    "GSW_CHAIN_ID": 17,
}
TARGETS = ("GSW_RECORD_HANDLE", "GSW_PHONE", "GSW_CUSTOMER_ID")
ALL_KINDS = [*REQUESTS, *ENUMS["extra_desktop_requests"], "Logout"]


def send(kind: Any, **user_data: Any) -> Parsed | ParsedFailure | None:
    """A SendUserEvent with a reference of 1."""
    body = {"GSW_AGENT_REQ_TYPE": kind, "GSW_REFERENCE_ID": 1, **user_data}
    return parse_user_event({"operationName": "SendUserEvent", "deviceId": DEVICE_ID, "userData": body})


def accepted(kind: str, **user_data: Any) -> Any:
    """The command of a request that must be understood."""
    parsed = send(kind, **user_data)
    assert isinstance(parsed, Parsed), parsed
    return parsed.command


def failed(kind: Any, **user_data: Any) -> ParsedFailure:
    """The failure of a request that must not be."""
    failure = send(kind, **user_data)
    assert isinstance(failure, ParsedFailure), failure
    return failure


def user_data_of(kind: str, *, with_optional: bool = True) -> Json:
    """Good values of a request's documented keys, or of those it must have."""
    message = REQUESTS.get(kind, REQUESTS["LogOut"])
    keys = {field["key"]: field.get("mandatory", False) for field in message["fields"]}
    if "identify_by" in message:
        keys["GSW_RECORD_HANDLE"] = True
    return {key: VALUES[key] for key, mandatory in keys.items() if key in VALUES and (mandatory or with_optional)}
