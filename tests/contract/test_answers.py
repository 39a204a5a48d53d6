"""Status codes, HTTP statuses and bodies of answers; numbers of errors; failures as events."""

from __future__ import annotations

import json

import pytest

from tests.contract.samples import DEVICE_ID, VALUES
from tests.support.shapes import check_types, table
from trunkline import errors
from trunkline.contract.answers import (
    HTTP_STATUS,
    SUCCESS,
    StatusCode,
    answer,
    http_status,
    method_not_allowed,
    refusal,
    session_answer,
)
from trunkline.contract.parsed import Parsed, ParsedFailure, failure_event
from trunkline.contract.refusals import ErrorNumber, NoCampaignLoaded, UnknownOperation, error_number
from trunkline.contract.requests import parse_record_operation
from trunkline.domain.commands import ReadCampaigns
from trunkline.domain.enums import Door, RequestType
from trunkline.strict_json import Malformed

API = table("web-services-operations")

TABLE = [
    (errors.NotAuthenticated("x"), 403, 20, ErrorNumber.NOT_AUTHENTICATED),
    (errors.MissingParameter("x"), 400, 1, ErrorNumber.MISSING_PARAMETER),
    (errors.OutOfRange("x"), 400, 10, ErrorNumber.OUT_OF_RANGE),
    (Malformed("x"), 400, 10, ErrorNumber.OUT_OF_RANGE),
    (errors.TooLarge("x"), 413, 10, ErrorNumber.TOO_LARGE),
    (errors.InvalidState("x"), 400, 2, ErrorNumber.INVALID_STATE),
    (NoCampaignLoaded(), 400, 2, ErrorNumber.NO_CAMPAIGN_LOADED),
    (errors.Refused("x"), 400, 2, ErrorNumber.INVALID_STATE),
    (UnknownOperation("x"), 400, 3, ErrorNumber.UNKNOWN_REQUEST),
    (errors.NoPermission("x"), 403, 5, ErrorNumber.NO_PERMISSION),
    (errors.Forbidden("x"), 403, 3, ErrorNumber.FORBIDDEN),
    (errors.NotFound("x"), 404, 6, ErrorNumber.NOT_FOUND),
    (errors.AlreadyExists("x"), 409, 18, ErrorNumber.ALREADY_EXISTS),
    (errors.AlreadyInUse("x"), 409, 19, ErrorNumber.ALREADY_IN_USE),
    (errors.TooManyRequests("x", retry_after_s=7), 429, 4, ErrorNumber.TOO_MANY_REQUESTS),
    (errors.Unavailable("x", retry_after_s=7), 503, 4, ErrorNumber.UNAVAILABLE),
]


@pytest.mark.parametrize(("error", "status", "code", "number"), TABLE, ids=lambda value: type(value).__name__)
def test_refusals(error: errors.TrunklineError, status: int, code: int, number: ErrorNumber) -> None:
    """Each kind of error has its documented HTTP status, code and number; the body is code and message alone."""
    made = refusal(error, "incident-1")
    assert made.http_status == http_status(error) == status
    assert json.loads(made.body) == {"statusCode": code, "statusMessage": str(error)}
    assert made.headers == ({"Retry-After": "7"} if isinstance(error, errors.Unavailable) else {})
    assert error_number(error) is number
    check_types(json.loads(made.body))


@pytest.mark.parametrize("error", [errors.Defect("secret"), KeyError("secret"), errors.TrunklineError("secret")])
def test_defects_tell_nothing(error: Exception) -> None:
    """A defect is 500 with code 4 and an incident id; the cause stays inside."""
    made = refusal(error, "incident-1")
    assert made.http_status == 500
    assert json.loads(made.body) == {"statusCode": 4, "statusMessage": "internal error, incident incident-1"}
    assert error_number(error) is ErrorNumber.INTERNAL


def test_every_code_has_a_status() -> None:
    """The codes are the documented 21; each has an HTTP status, the documented or proposed one where there is one."""
    assert [code.value for code in StatusCode] == [int(code) for code in API["statusCodes"]]
    assert set(HTTP_STATUS) == set(StatusCode)
    for table_name in ("httpStatusSeen", "httpStatusProposed"):
        for status, codes in API[table_name].items():
            for code in codes:
                if isinstance(code, int):
                    assert HTTP_STATUS[StatusCode(code)] == int(status)


def test_success() -> None:
    """Success is statusCode 0, and what else there is follows it in the order given."""
    assert json.loads(SUCCESS) == json.loads(answer()) == {"statusCode": 0}
    assert answer(version="1", uris=[]) == b'{"statusCode":0,"version":"1","uris":[]}'


def test_method_not_allowed() -> None:
    """405 says with code 3 what is allowed."""
    made = method_not_allowed(("GET", "POST"))
    assert (made.http_status, made.headers) == (405, {"Allow": "GET, POST"})
    assert json.loads(made.body)["statusCode"] == 3


def test_partial_success() -> None:
    """A session with channels that are not served starts with code 7 and says which failed."""
    assert session_answer(("voice",)) == SUCCESS
    body = json.loads(session_answer(("chat", "voice")))
    check_types(body)
    assert list(body) == ["statusCode", "failed", "succeeded"]
    assert body["statusCode"] == 7
    assert [entry["channel"] for entry in body["failed"]] == ["chat"]
    assert body["succeeded"] == [{"statusCode": 0, "channel": "voice"}]


def test_error_numbers_are_stable() -> None:
    """The documented numbers never change their meaning; number 1 is fixed by the contract."""
    assert [number.name for number in ErrorNumber] == [
        *("NO_CAMPAIGN_LOADED", "MISSING_PARAMETER", "OUT_OF_RANGE", "TOO_LARGE", "UNKNOWN_REQUEST", "FORBIDDEN"),
        *("NO_PERMISSION", "NOT_FOUND", "INVALID_STATE", "ALREADY_EXISTS", "ALREADY_IN_USE", "NOT_AUTHENTICATED"),
        *("UNAVAILABLE", "TOO_MANY_REQUESTS", "INTERNAL"),
    ]
    assert [number.value for number in ErrorNumber] == list(range(1, 16))
    assert str(NoCampaignLoaded()) == "no campaign is loaded for this agent"


def test_failure_of_a_command() -> None:
    """A command that fails after its answer becomes an event that repeats what it named."""
    body = {
        name: VALUES[name] for name in ("applicationId", "campaignName", "callingList", "devicePath", "referenceId")
    }
    parsed = parse_record_operation(6, {"operationName": "RejectRecord", **body})
    event = failure_event(parsed, errors.NotFound("no such record"), Door.REST)
    assert (event.number, event.code, event.text, event.what) == (8, 6, "no such record", "RejectRecord")
    assert (event.application_id, event.campaign_name, event.list_name, event.handle) == (
        *(134, "Campaign1"),
        *("CallingList1", 6),
    )
    assert (event.device_id, event.door, event.reference) == (DEVICE_ID, Door.REST, "123456789")


def test_failure_of_a_command_that_names_little() -> None:
    """What the request did not name stays away; a defect's cause is not told."""
    command = ReadCampaigns(device_id="d1")
    parsed = Parsed(command, "CampaignStatusRequest", 1, RequestType.CAMPAIGN_STATUS)
    event = failure_event(parsed, ZeroDivisionError("secret"), Door.USER_EVENT)
    assert (event.number, event.code, event.text) == (15, 4, "internal error")
    assert (event.application_id, event.campaign_name, event.list_name, event.handle) == (None,) * 4
    assert event.reference == 1


def test_failure_of_a_request_that_was_not_understood() -> None:
    """A desktop's faulty request becomes an event just as well."""
    failure = ParsedFailure(
        error=errors.MissingParameter("GSW_PHONE is required"),
        operation_name="AddRecord",
        device_id="d1",
        reference="r",
        application_id=134,
    )
    event = failure_event(failure, failure.error, Door.USER_EVENT)
    assert (event.number, event.code, event.device_id, event.application_id) == (2, 1, "d1", 134)
