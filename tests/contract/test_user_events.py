"""The desktop's door: every request type, its keys from ``outbound-enums.json``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.desktop import ALL_KINDS, REQUESTS, TARGETS, VALUES, accepted, failed, send, user_data_of
from tests.contract.samples import DEVICE_ID, Json
from tests.support.shapes import table
from trunkline.contract.parsed import Parsed
from trunkline.domain import commands
from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    ChainAttribute,
    PhoneType,
    RecordStatus,
    RecordType,
    Treatment,
)
from trunkline.domain.records import FieldChanges
from trunkline.errors import MissingParameter, OutOfRange

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
