"""Every request of the desktop's own door against a running server, on each store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.http.desks import APPLICATION, CAMPAIGN, LIST, Demo, Desktop, Json, accept, kinds, refuse, user_data
from tests.http.findings import OPERATIONS, REQUESTS, finding, request_row

A, C, L, H = "GSW_APPLICATION_ID", "GSW_CAMPAIGN_NAME", "GSW_CALLING_LIST", "GSW_RECORD_HANDLE"
TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%m/%d/%Y %H:%M}"
SHOWN = frozenset(
    key
    for operation in OPERATIONS
    if operation["name"] == "GetPreviewRecord"
    for key in operation["cometd"][0]["userDataKeys"]
)
ADDED = frozenset(
    key
    for operation in OPERATIONS
    if operation["name"] == "AddRecord"
    for key in operation["cometd"][1]["userDataKeys"]
)
RECORD = frozenset({A, C, L, H})
AGENT = frozenset({A, C})
LEAVING = AGENT | {"GSW_LOGOUT_TIME"}
STATUS = AGENT | {
    "GSW_CAMPAIGN_DESCRIPTION",
    "GSW_CAMPAIGN_GROUP_NAME",
    "GSW_CAMPAIGN_GROUP_DESCRIPTION",
    "GSW_CAMPAIGN_MODE",
}
CALLBACK = RECORD | {"GSW_DATE_TIME", "GSW_CALLBACK_TYPE"}
ANSWERS: dict[str, list[tuple[str, frozenset[str]]]] = {
    "CampaignStatusRequest": [("CampaignStarted", STATUS)],
    "PreviewDialingModeStart": [("PreviewDialingModeStartAcknowledge", AGENT)],
    "PreviewDialingModeOver": [("PreviewDialingModeOverAcknowledge", AGENT)],
    "PreviewRecordRequest": [("PreviewRecord", SHOWN)],
    "ChainedRecordRequest": [("ChainedRecord", SHOWN), ("ChainedRecordsDataEnd", RECORD | {"GSW_CHAIN_ID"})],
    "UpdateCallCompletionStats": [("UpdateCallCompletionStatsAcknowledge", RECORD | {"GSW_CALL_RESULT"})],
    "RecordProcessed": [("RecordProcessedAcknowledge", RECORD)],
    "RecordReject": [("RecordRejectAcknowledge", RECORD)],
    "RequestRecordCancel": [("RecordCancelAcknowledge", RECORD)],
    "DoNotCall": [("DoNotCallAcknowledge", RECORD)],
    "RecordReschedule": [("RecordRescheduleAcknowledge", CALLBACK)],
    "ScheduledRecordReschedule": [("ScheduledRecordRescheduleAcknowledge", CALLBACK)],
    "AddRecord": [("AddRecordAcknowledge", ADDED)],
    "LogOut": [("LogOutAcknowledge", AGENT), ("LogOutTime", LEAVING)],
    "Logout": [("LogOutAcknowledge", AGENT), ("LogOutTime", LEAVING)],
    "ReadyTime": [("ReadyTimeAcknowledge", AGENT)],
    "ContinueProcessing": [("ContinueProcessingAcknowledge", AGENT)],
}
"""Request -> its answers, each with the keys it has at least."""
WHEN_GIVEN = frozenset({"GSW_TREATMENT", "GSW_CHAIN_ATTR"})
"""Keys that an answer repeats when the request has them."""


def values_of(desk: Desktop) -> Json:
    """A good value of every key for this agent."""
    return {
        A: APPLICATION,
        C: CAMPAIGN,
        L: LIST,
        H: desk.handle,
        "GSW_PHONE": f"+1415557{desk.handle % 10_000:04d}",
        "GSW_TZ_NAME": "PST",
        "GSW_PHONE_TYPE": 4,
        "GSW_RECORD_TYPE": 2,
        "GSW_RECORD_STATUS": 1,
        "GSW_CALL_RESULT": 7,
        "GSW_ATTEMPTS": 2,
        "GSW_DATE_TIME": TOMORROW,
        "GSW_CALL_TIME": 1433917552,
        "GSW_FROM": 60,
        "GSW_UNTIL": 86_339,
        "GSW_AGENT_ID": desk.name,
        "GSW_CHAIN_ATTR": "AllChain",
        "GSW_CALLBACK_TYPE": "Personal",
        "GSW_TREATMENT": "Personal",
    }


def user_data_of(request: str, desk: Desktop, *, with_optional: bool) -> Json:
    """Good user data with the mandatory keys, or with all."""
    message = REQUESTS[request]
    fields = message["fields"] or [{"key": A, "mandatory": True}, {"key": C, "mandatory": True}]
    keys = {field["key"]: field.get("mandatory", False) for field in fields}
    if "identify_by" in message:
        keys[H] = True
    values = values_of(desk)
    given = {
        key: values[key] for key, is_mandatory in keys.items() if key in values and (is_mandatory or with_optional)
    }
    if request == "CampaignStatusRequest" and not with_optional:
        given = {}
    if with_optional and "(any other keys)" in keys:
        given["account_note"] = "called back"
    return {"GSW_AGENT_REQ_TYPE": request, **given}


def prepare(request: str, desk: Desktop) -> None:
    """Bring the agent to where the request makes sense."""
    desk.listen()
    if request == "ChainedRecordRequest":
        desk.add("+1 415 555 0198", chainId=desk.record()["chainId"])
    if request in ("PreviewRecordRequest", "PreviewDialingModeOver"):
        accept(desk.on_campaign("StartPreviewSession"))
    desk.heard()


def check_answers(request: str, messages: list[Json], desk: Desktop, sent: Json) -> None:
    """Exactly the documented events, on the internal channel alone, with the documented keys and the reference."""
    assert [message["channel"] for message in messages] == ["/me/internal"] * len(ANSWERS[request])
    for message, (event, keys) in zip(messages, ANSWERS[request], strict=True):
        assert list(message["data"]) == ["metrics", "userData", "deviceId", "messageType"]
        assert message["data"]["deviceId"] == desk.device_id
        heard = user_data(message)
        assert heard["GSW_USER_EVENT"] == event
        wanted = keys | {"GSW_USER_EVENT"} | (WHEN_GIVEN & sent.keys())
        if sent.get("GSW_REFERENCE_ID") is not None:
            wanted |= {"GSW_REFERENCE_ID"}
            assert type(heard["GSW_REFERENCE_ID"]) is type(sent["GSW_REFERENCE_ID"])
        assert heard.get("GSW_REFERENCE_ID") == sent.get("GSW_REFERENCE_ID")
        custom = {key for key in heard if not key.startswith("GSW_")} - wanted
        if "GSW_PHONE" in keys:  # a record on the screen, or a new one: with its custom fields
            wanted |= custom
        assert set(heard) == wanted
        echoed = (keys | WHEN_GIVEN) & sent.keys() & heard.keys() - {"GSW_CALL_RESULT", H, "GSW_RECORD_STATUS"}
        assert {key: heard[key] for key in echoed} == {key: sent[key] for key in echoed}


@pytest.mark.parametrize("reference", [None, 1, "r-1"], ids=["no reference", "number", "text"])
@pytest.mark.parametrize("with_optional", [False, True], ids=["minimal", "full"])
@pytest.mark.parametrize("request_type", REQUESTS)
def test_a_request_is_answered_as_documented(
    contract: Demo,
    store: str,
    request_type: str,
    with_optional: bool,  # noqa: FBT001
    reference: Any,
) -> None:
    """The answer event comes with its exact keys, and the reference is echoed with its JSON type."""
    with finding(request_row(request_type), store):
        desk = contract.desk()
        prepare(request_type, desk)
        sent = user_data_of(request_type, desk, with_optional=with_optional)
        if reference is not None:
            sent["GSW_REFERENCE_ID"] = reference
        accept(desk.send_raw(sent))
        check_answers(request_type, desk.heard(), desk, sent)


def test_every_request_type_is_tested() -> None:
    """No request of the contract's files is missing here."""
    assert set(ANSWERS) == set(REQUESTS)


def test_numbers_may_be_texts(contract: Demo, store: str) -> None:
    """A desktop that sends the handle and other integers as strings is understood; the answer has integers."""
    desk = contract.desk().listen()
    texts = {A: str(APPLICATION), H: str(desk.handle), "GSW_CALL_RESULT": "7"}
    accept(desk.send("UpdateCallCompletionStats", **texts))
    heard = user_data(desk.heard()[0])
    assert (heard[A], heard[H], heard["GSW_CALL_RESULT"]) == (APPLICATION, desk.handle, "7")
    assert desk.record()["callResult"] == "NoAnswer"


@pytest.mark.parametrize("request_type", ["DoNotCall", "RequestRecordCancel"])
def test_contacts_may_be_named_by_number(contract: Demo, store: str, request_type: str) -> None:
    """A request at a number is answered with the number instead of a handle, and a list only when it was named."""
    desk = contract.desk().listen()
    number = f"+1 415 558 {desk.handle % 10_000:04d}"
    for named in ({}, {L: LIST}):
        desk.add(number)
        accept(desk.send(request_type, GSW_PHONE=number, GSW_REFERENCE_ID=7, **named))
        heard = user_data(desk.heard()[0])
        assert set(heard) == {A, C, "GSW_PHONE", "GSW_USER_EVENT", "GSW_REFERENCE_ID", *named}
        assert heard["GSW_PHONE"] == number


def test_contacts_may_be_named_by_customer(contract: Demo, store: str) -> None:
    """A customer's records are cancelled by the customer's id; a second time there is none."""
    desk = contract.desk().listen()
    customer = f"C-{desk.handle}"
    accept(desk.send("AddRecord", GSW_PHONE="+1 415 559 0001", GSW_CUSTOMER_ID=customer))
    accept(desk.send("RequestRecordCancel", GSW_CUSTOMER_ID=customer))
    accept(desk.send("RequestRecordCancel", GSW_CUSTOMER_ID=customer))
    heard = desk.heard()
    assert kinds(heard) == ["AddRecordAcknowledge", "RecordCancelAcknowledge", "ErrorMessage"]
    assert set(user_data(heard[1])) == {A, C, "GSW_CUSTOMER_ID", "GSW_USER_EVENT"}


FAILURES: list[tuple[str, Json, int, str, str]] = [
    # what, user data beside the request's own (None takes a key away), error number, word of the text, request
    ("unknown request", {}, 5, "GSW_AGENT_REQ_TYPE", "MakeCoffee"),
    ("missing handle", {H: None}, 2, H, "RecordProcessed"),
    ("missing target", {H: None}, 2, H, "DoNotCall"),
    ("missing application", {A: None}, 2, A, "RecordReject"),
    ("wrong type", {H: [6]}, 3, H, "RecordReject"),
    ("no number", {H: "six"}, 3, H, "RecordReject"),
    ("wrong date", {"GSW_DATE_TIME": "31/12/2030 09:30"}, 3, "GSW_DATE_TIME", "RecordReschedule"),
    ("time zone", {"GSW_TZ_NAME": "Mars/Olympus"}, 3, "GSW_TZ_NAME", "UpdateCallCompletionStats"),
    ("call result", {"GSW_CALL_RESULT": 99}, 3, "GSW_CALL_RESULT", "UpdateCallCompletionStats"),
    ("attribute", {"GSW_CHAIN_ATTR": "Everything"}, 3, "GSW_CHAIN_ATTR", "DoNotCall"),
    ("long name", {C: "x" * 256}, 4, C, "RecordReject"),
    ("reference", {"GSW_REFERENCE_ID": [1]}, 3, "GSW_REFERENCE_ID", "RecordReject"),
    ("handle of nobody", {H: 999_999_999}, 8, "recordHandle", "RecordReject"),
    ("handle of another", {H: 1_000_001}, 8, "recordHandle", "RecordReject"),
    ("unknown campaign", {C: "Nothing"}, 8, "campaignName", "RecordReject"),
    ("unknown list", {L: "Nothing"}, 8, "callingList", "RecordReject"),
    ("wrong application", {A: 135}, 9, "applicationId", "RecordReject"),
    ("date in the past", {"GSW_DATE_TIME": "01/01/2020 09:30"}, 9, "timestamp", "RecordReschedule"),
    ("no preview session", {H: None}, 9, "StartPreviewSession", "PreviewRecordRequest"),
]


@pytest.mark.parametrize(("what", "more", "number", "word", "request_type"), FAILURES, ids=[f[0] for f in FAILURES])
def test_a_refusal_is_an_event(
    contract: Demo, store: str, what: str, more: Json, number: int, word: str, request_type: str
) -> None:
    """A request that is refused is answered over HTTP with success and by one ErrorMessage that repeats its keys."""
    desk = contract.desk().listen()
    before = desk.records()
    sent: Json = {
        A: APPLICATION,
        C: CAMPAIGN,
        H: desk.handle,
        "GSW_DATE_TIME": TOMORROW,
        "GSW_REFERENCE_ID": "e",
        **more,
    }
    sent = {key: value for key, value in sent.items() if value is not None}
    accept(desk.send_raw({"GSW_AGENT_REQ_TYPE": request_type, **sent}))
    messages = desk.heard()
    assert kinds(messages) == ["ErrorMessage"]
    heard = user_data(messages[0])
    assert (heard["GSW_ERROR_NUMBER"], word in heard["GSW_ERROR"]) == (number, True), heard
    assert heard.get("GSW_REFERENCE_ID") == (None if what == "reference" else "e")
    # What was not understood is not repeated.
    understood = {key: sent[key] for key in (A, H) if type(sent.get(key)) is int}
    understood |= {key: sent[key] for key in (C, L) if key in sent and what != "long name"}
    assert {key: value for key, value in heard.items() if key in RECORD} == understood
    assert set(heard) - RECORD <= {"GSW_USER_EVENT", "GSW_ERROR_NUMBER", "GSW_ERROR", "GSW_REFERENCE_ID"}
    assert desk.records() == before


def test_an_agent_without_a_campaign_is_told(contract: Demo, store: str) -> None:
    """CampaignStatusRequest of somebody without a loaded campaign is answered with error 1, so that nothing waits."""
    desk = contract.desk().listen()
    accept(desk.send_raw({"GSW_AGENT_REQ_TYPE": "CampaignStatusRequest", C: "Elsewhere", "GSW_REFERENCE_ID": 1}))
    heard = user_data(desk.heard()[0])
    assert (heard["GSW_ERROR_NUMBER"], heard["GSW_REFERENCE_ID"]) == (1, 1)
    assert heard["GSW_ERROR"] == "no campaign is loaded for this agent"


def test_faults_of_the_envelope_are_refused_over_http(contract: Demo, store: str) -> None:
    """Unknown operation, missing or foreign device and user data of another kind get an HTTP refusal and no event."""
    desk = contract.desk().listen()
    good = {"operationName": "SendUserEvent", "deviceId": desk.device_id, "userData": {"GSW_AGENT_REQ_TYPE": "LogOut"}}
    cases: list[tuple[Json, int, int, str]] = [
        ({"operationName": "SendTreats"}, 400, 3, "operationName"),
        ({"operationName": None}, 400, 1, "operationName"),
        ({"deviceId": None}, 400, 1, "deviceId"),
        ({"userData": None}, 400, 1, "userData"),
        ({"deviceId": 7}, 400, 10, "deviceId"),
        ({"userData": ["GSW_AGENT_REQ_TYPE"]}, 400, 10, "userData"),
        ({"deviceId": "demo-device-1"}, 404, 6, "device"),
        ({"deviceId": "nothing"}, 404, 6, "device"),
    ]
    for faulty, http_status, code, word in cases:
        refuse(desk.client.post("/internal-api/operations", {**good, **faulty}), http_status, code, word)
    assert desk.heard() == []


def test_user_data_that_asks_for_nothing_is_accepted(contract: Demo, store: str) -> None:
    """A user event without GSW_AGENT_REQ_TYPE is accepted and has no effect."""
    desk = contract.desk().listen()
    accept(desk.send_raw({"anything": 1}))
    assert desk.heard() == []
