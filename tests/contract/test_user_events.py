"""The desktop's door: every request type, its keys from ``outbound-enums.json``, and what a fault becomes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.samples import DEVICE_ID, Json, decoded
from tests.contract.test_requests import JSON
from tests.support.shapes import table
from trunkline.contract.parsed import Parsed, ParsedFailure, failure_event
from trunkline.contract.user_events import parse_user_event
from trunkline.domain import commands
from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    ChainAttribute,
    Door,
    PhoneType,
    RecordStatus,
    RecordType,
    RequestType,
    Treatment,
)
from trunkline.domain.records import FieldChanges
from trunkline.errors import MissingParameter, NoPermission, OutOfRange, Refused, TooLarge

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


# --- requests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_request_is_understood(kind: str) -> None:
    """The mandatory keys suffice, all documented ones together are fine, and the audit's number is the documented."""
    numbers = table("web-services-operations")["desktopRequestTypes"]
    for with_optional in (False, True):
        parsed = send(kind, **user_data_of(kind, with_optional=with_optional))
        assert isinstance(parsed, Parsed)
        assert parsed.reference == 1
        assert parsed.operation_name == kind
        audited = {"LogOut": "Logout", "CampaignStatusRequest": "CampaignStatus"}.get(kind, kind)
        assert parsed.request_type.value == numbers[audited]
        assert getattr(parsed.command, "device_id", None) == DEVICE_ID


@pytest.mark.parametrize("kind", [kind for kind in ALL_KINDS if kind != "CampaignStatusRequest"])
def test_mandatory_keys(kind: str) -> None:
    """A mandatory key that is absent or null makes a failure with code 1 that names it."""
    given = user_data_of(kind)
    for key in user_data_of(kind, with_optional=False):
        if "identify_by" in REQUESTS.get(kind, {}) and key in TARGETS:
            continue
        for faulty in ({k: v for k, v in given.items() if k != key}, {**given, key: None}):
            failure = failed(kind, **faulty)
            assert isinstance(failure.error, MissingParameter)
            assert key in str(failure.error)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_numbers_may_be_texts(kind: str) -> None:
    """Every number may come as a string of digits and means the same."""
    given = user_data_of(kind)
    as_texts = {key: str(value) if type(value) is int else value for key, value in given.items()}
    assert accepted(kind, **as_texts) == accepted(kind, **given)


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_wrong_types(kind: str) -> None:
    """Another type than the documented one makes a failure with code 10 that names the key."""
    given = user_data_of(kind)
    for key, value in given.items():
        wrong: list[Any] = [True, 1.5, [], {}, *([6] if type(value) is str else ["x", "1.0", "", "٦", -1, 2**33])]
        for faulty in wrong:
            failure = failed(kind, **{**given, key: faulty})
            assert isinstance(failure.error, OutOfRange), (key, faulty)
            assert key in str(failure.error)


def test_a_request_names_its_record() -> None:
    """Handle, list and common keys arrive in commands about a record."""
    expected: Json = {
        "application_id": 134,
        "campaign_name": "Campaign1",
        "device_id": DEVICE_ID,
        "handle": 6,
        "list_name": "CallingList1",
    }
    given = {key: VALUES[key] for key in list(VALUES)[:4]}
    assert accepted("ChainedRecordRequest", **given) == commands.ReadChain(**expected)
    assert accepted("RecordReject", **given) == commands.RejectRecord(**expected)
    assert accepted("UpdateCallCompletionStats", **given) == commands.UpdateRecord(**expected, changes=FieldChanges())


def test_fields_ride_along() -> None:
    """Any field of the record and any custom field may come with an update or the final result."""
    given = {**user_data_of("UpdateCallCompletionStats"), **VALUES, "first_name": "Zoë", "score": 1.5, "note": None}
    changes = FieldChanges(
        phone_number="+14155550100",
        phone_type=PhoneType.MOBILE,
        time_zone="PST",
        from_s=28800,
        until_s=64800,
        call_result=CallResult.ABANDONED,
        attempts=2,
        other_fields={"first_name": "Zoë", "score": 1.5, "note": None},
    )
    given.update(GSW_ANYTHING="ignored", InteractionType="Outbound", contact_info="x")
    assert accepted("UpdateCallCompletionStats", **given).changes == changes
    complete = accepted("RecordProcessed", **given)
    assert complete.changes == changes
    assert complete.treatment is Treatment.PERSONAL


@pytest.mark.parametrize(
    ("spelled", "treatment"),
    [
        ("Personal", Treatment.PERSONAL),
        ("RecordTreatPersonal", Treatment.PERSONAL),
        ("Campaign", Treatment.CAMPAIGN),
        ("RecordTreatCampaign", Treatment.CAMPAIGN),
        (None, None),
    ],
)
def test_treatments(spelled: str | None, treatment: Treatment | None) -> None:
    """Both spellings of both treatments."""
    given = {**user_data_of("RecordProcessed"), "GSW_TREATMENT": spelled}
    assert accepted("RecordProcessed", **given).treatment is treatment


@pytest.mark.parametrize("result", [33, "33", "Answer", "Answered"])
def test_call_results(result: Any) -> None:
    """A result is a number, a number as text, or a name."""
    given = {**user_data_of("RecordProcessed"), "GSW_CALL_RESULT": result}
    assert accepted("RecordProcessed", **given).changes.call_result is CallResult.ANSWER


@pytest.mark.parametrize(("kind", "is_scheduled"), [("RecordReschedule", False), ("ScheduledRecordReschedule", True)])
def test_callbacks(kind: str, is_scheduled: bool) -> None:  # noqa: FBT001
    """The two requests are told apart; the time stays a local time; a new number may come along."""
    command = accepted(kind, **user_data_of(kind), GSW_PHONE="555-0101")
    assert isinstance(command, commands.RescheduleRecord)
    assert command.is_scheduled is is_scheduled
    assert (command.local_time, command.due_at_s) == ("12/31/2030 09:30", None)
    assert command.callback_type is CallbackType.PERSONAL
    assert command.changes.phone_number == "555-0101"
    without = {**user_data_of(kind), "GSW_CALLBACK_TYPE": None}
    assert accepted(kind, **without).callback_type is CallbackType.CAMPAIGN


@pytest.mark.parametrize(
    "time",
    [
        *("31/12/2030 09:30", "12/31/2030", "12/31/30 09:30", "2030-12-31 09:30", "12/31/2030 24:00", ""),
        *("02/30/2030 09:30", "12/31/2030 09:60", "12/31/2030 09:30:00", " 12/31/2030 09:30", "01/01/2100 00:00"),
        *("00/01/2030 00:00", "01/01/0000 00:00", "١٢/31/2030 09:30"),
    ],
)
def test_times_that_are_none(time: str) -> None:
    """Another form, a day that does not exist, or the year 2100."""
    failure = failed("RecordReschedule", **{**user_data_of("RecordReschedule"), "GSW_DATE_TIME": time})
    assert isinstance(failure.error, OutOfRange)
    assert "GSW_DATE_TIME" in str(failure.error)


@pytest.mark.parametrize("time", ["12/31/2099 23:59", "2/29/2028 9:05"])
def test_times_at_the_edge(time: str) -> None:
    """The last minute before 2100, a leap day, and days without a leading zero."""
    given = {**user_data_of("RecordReschedule"), "GSW_DATE_TIME": time}
    assert accepted("RecordReschedule", **given).local_time == time


@pytest.mark.parametrize(("kind", "made"), [("DoNotCall", "SuppressContact"), ("RequestRecordCancel", "CancelRecord")])
def test_targets(kind: str, made: str) -> None:
    """A record, a number or a customer; the record comes first; none at all is a missing parameter."""
    base = {key: VALUES[key] for key in ("GSW_APPLICATION_ID", "GSW_CAMPAIGN_NAME")}
    targets = {"handle": "GSW_RECORD_HANDLE", "phone_number": "GSW_PHONE", "customer_id": "GSW_CUSTOMER_ID"}
    for name, key in targets.items():
        command = accepted(kind, **base, **{key: VALUES[key]})
        assert type(command).__name__ == made
        assert {n for n in targets if getattr(command, n) is not None} == {name}
        assert command.chain_attribute is command.list_name is None
    everything = accepted(kind, **base, **{key: VALUES[key] for key in targets.values()}, GSW_CHAIN_ATTR="RecordOnly")
    assert (everything.handle, everything.customer_id) == (6, None)
    assert everything.chain_attribute is ChainAttribute.RECORD_ONLY
    failure = failed(kind, **base)
    assert isinstance(failure.error, MissingParameter)
    assert all(key in str(failure.error) for key in targets.values())


def test_add() -> None:
    """Everything a new record may say, and the column defaults when it says nothing."""
    command = accepted("AddRecord", **VALUES, first_name="Zoë")
    assert command == commands.AddRecord(
        application_id=134,
        campaign_name="Campaign1",
        device_id=DEVICE_ID,
        list_name="CallingList1",
        phone_number="+14155550100",
        phone_type=PhoneType.MOBILE,
        time_zone="PST",
        from_s=28800,
        until_s=64800,
        chain_id=17,
        record_type=RecordType.GENERAL,
        status=RecordStatus.READY,
        call_result=CallResult.ABANDONED,
        attempts=2,
        local_time="12/31/2030 09:30",
        called_at_s=1433917552,
        agent_name="agent1",
        customer_id="C-1",
        other_fields={"first_name": "Zoë"},
    )
    least = accepted("AddRecord", **user_data_of("AddRecord", with_optional=False))
    assert least == commands.AddRecord(
        application_id=134,
        campaign_name="Campaign1",
        device_id=DEVICE_ID,
        list_name=None,
        phone_number="+14155550100",
    )


def test_numbers_outside_their_enumeration() -> None:
    """A number that the enumeration does not have is out of range."""
    for key, number in (("GSW_PHONE_TYPE", 12), ("GSW_RECORD_TYPE", 8), ("GSW_RECORD_STATUS", 11)):
        failure = failed("AddRecord", **{**VALUES, key: number})
        assert isinstance(failure.error, OutOfRange)
        assert key in str(failure.error)


def test_campaigns() -> None:
    """CampaignStatusRequest needs nothing; it may name an application and a campaign."""
    assert accepted("CampaignStatusRequest") == commands.ReadCampaigns(device_id=DEVICE_ID)
    named = accepted("CampaignStatusRequest", GSW_APPLICATION_ID="134", GSW_CAMPAIGN_NAME="Campaign1")
    assert named == commands.ReadCampaigns(device_id=DEVICE_ID, application_id=134, campaign_name="Campaign1")


# --- failures ----------------------------------------------------------------------------------------------------


def test_a_failure_repeats_what_was_named() -> None:
    """A, C, L and H go back as far as they can be understood, the reference with its type."""
    given = {**VALUES, "GSW_RECORD_HANDLE": "6", "GSW_FROM": "x"}
    failure = failed("UpdateCallCompletionStats", **given)
    assert (failure.application_id, failure.campaign_name, failure.list_name, failure.handle) == (
        *(134, "Campaign1"),
        *("CallingList1", 6),
    )
    assert (failure.reference, failure.device_id) == (1, DEVICE_ID)
    assert failure.request_type is RequestType.UPDATE_CALL_COMPLETION_STATS
    channels = decoded(failure_event(failure, failure.error, Door.USER_EVENT))
    assert [channel for channel, _ in channels] == ["/me/internal"]
    user_data = channels[0][1]["userData"]
    assert user_data["GSW_USER_EVENT"] == "ErrorMessage"
    assert user_data["GSW_ERROR_NUMBER"] == 3
    assert user_data["GSW_REFERENCE_ID"] == 1
    confused = failed("UpdateCallCompletionStats", **{key: ["x"] for key in VALUES})
    assert (confused.application_id, confused.campaign_name, confused.list_name, confused.handle) == (None,) * 4


@pytest.mark.parametrize("kind", ["Nothing", "updatecallcompletionstats", "", 6, True, [], {}])
def test_unknown_requests(kind: Any) -> None:
    """A request that nobody knows is a failure, not an HTTP refusal: the desktop waits for an event."""
    failure = failed(kind)
    assert failure.error.code == (3 if type(kind) is str else 10)
    assert "GSW_AGENT_REQ_TYPE" in str(failure.error)
    assert failure.request_type is RequestType.UNSOLICITED
    assert failure.reference == 1


@pytest.mark.parametrize("reference", ["r-1", 1, -1, 1.5, True, False, 0, "", None])
def test_references_keep_their_type(reference: Any) -> None:
    """A reference comes back as it was given."""
    parsed = send("CampaignStatusRequest", GSW_REFERENCE_ID=reference)
    assert isinstance(parsed, Parsed)
    assert parsed.reference == reference
    assert type(parsed.reference) is type(reference)


@pytest.mark.parametrize(("reference", "kind"), [([], OutOfRange), ({}, OutOfRange), ("x" * 256, TooLarge)])
def test_references_that_are_none(reference: Any, kind: type[Refused]) -> None:
    """A list, an object, or a text without end is a failure without a reference."""
    failure = failed("CampaignStatusRequest", GSW_REFERENCE_ID=reference)
    assert type(failure.error) is kind
    assert "GSW_REFERENCE_ID" in str(failure.error)
    assert failure.reference is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("GSW_CAMPAIGN_NAME", "x" * 256), ("GSW_CALLING_LIST", "x" * 256), ("GSW_PHONE", "1" * 129)),
        *(("GSW_TZ_NAME", "x" * 65), ("GSW_CUSTOMER_ID", "x" * 65), ("field", "x" * 4097), ("f" * 65, 1)),
    ],
)
def test_limits(key: str, value: str) -> None:
    """Texts over their limits, and too many custom fields, are TooLarge inside the event."""
    assert type(failed("AddRecord", **{**VALUES, key: value}).error) is TooLarge
    many = {f"field{number}": number for number in range(101)}
    assert type(failed("AddRecord", **VALUES, **many).error) is TooLarge


def test_texts_are_named_by_their_own_keys() -> None:
    """The domain's checks of numbers and zones speak of the desktop's keys here, not of the API's parameters."""
    for key, value in (("GSW_PHONE", "abc"), ("GSW_TZ_NAME", "Mars/Olympus")):
        message = str(failed("AddRecord", **{**VALUES, key: value}).error)
        assert message.startswith(key)
        assert "phoneNumber" not in message
        assert "timeZone" not in message


# --- the envelope ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"operationName": None}, 1, "operationName"),
        ({"operationName": 6}, 10, "operationName"),
        ({"operationName": "UpdateRecord"}, 3, "operationName"),
        ({"deviceId": None}, 1, "deviceId"),
        ({"deviceId": 6}, 10, "deviceId"),
        ({"deviceId": ""}, 10, "deviceId"),
        ({"deviceId": "/devices/1"}, 10, "deviceId"),
        ({"deviceId": "x" * 65}, 10, "deviceId"),
        ({"userData": None}, 1, "userData"),
        ({"userData": []}, 10, "userData"),
        ({"userData": "x"}, 10, "userData"),
    ],
)
def test_faults_of_the_envelope(change: Json, code: int, named: str) -> None:
    """Faults around the request are refused over HTTP."""
    user_data = {"GSW_AGENT_REQ_TYPE": "CampaignStatusRequest"}
    body = {"operationName": "SendUserEvent", "deviceId": DEVICE_ID, "userData": user_data, **change}
    with pytest.raises(Refused, match=named) as caught:
        parse_user_event(body, frozenset({"api-voice-outbound"}))
    assert caught.value.code == code


def test_the_feature_is_needed_for_requests_only() -> None:
    """A request needs api-voice-outbound, before its parameters are looked at; other user data needs nothing."""
    request = {"operationName": "SendUserEvent", "userData": {"GSW_AGENT_REQ_TYPE": "x"}}
    with pytest.raises(NoPermission):
        parse_user_event(request, frozenset())
    other = {"operationName": "SendUserEvent", "deviceId": DEVICE_ID, "userData": {"Note": "hello"}}
    assert parse_user_event(other, frozenset()) is None


KEYS = {key: st.just(value) | JSON for key, value in VALUES.items()}
USER_DATA = st.fixed_dictionaries(
    {"GSW_AGENT_REQ_TYPE": st.sampled_from(ALL_KINDS) | JSON},
    optional={**KEYS, "GSW_REFERENCE_ID": JSON, "field": JSON, "": JSON},
)


@settings(max_examples=300, deadline=None)
@given(user_data=USER_DATA | JSON)
def test_any_user_data_is_parsed_or_a_failure(user_data: Any) -> None:
    """Whatever is in the user data, the outcome is a command, a failure that can be told, or an envelope refused."""
    body = {"operationName": "SendUserEvent", "deviceId": DEVICE_ID, "userData": user_data}
    if type(user_data) is not dict:
        with pytest.raises(Refused, match="userData"):
            parse_user_event(body)
        return
    parsed = parse_user_event(body)
    if isinstance(parsed, ParsedFailure):
        decoded(failure_event(parsed, parsed.error, Door.USER_EVENT))
    else:
        assert parsed is None or isinstance(parsed, Parsed)
