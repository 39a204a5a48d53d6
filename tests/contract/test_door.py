"""The door of third parties: paths and bodies to commands, and what is refused."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.test_requests import JSON
from trunkline.contract.door import ACTIONS, acknowledgement, parse_door
from trunkline.contract.messages import Timing, messages_of
from trunkline.domain import commands
from trunkline.domain.enums import CallbackType, CallResult, ChainAttribute, Door, PhoneType, RecordType, RequestType
from trunkline.domain.events import Acknowledgement, RecordAcknowledged
from trunkline.domain.records import FieldChanges
from trunkline.errors import InvalidState, MissingParameter, NotFound, OutOfRange, Refused

BARE: dict[str, Any] = {"campaign_name": "", "application_id": 0, "device_id": ""}


def test_a_record_is_added_to_the_list_of_the_path() -> None:
    """Numbers may be texts, custom fields ride along, the campaign is optional."""
    body = {
        "GSW_PHONE": "+1 212 555 0100",
        "GSW_PHONE_TYPE": "4",
        "GSW_RECORD_TYPE": 5,
        "GSW_AGENT_ID": "ann",
        "GSW_FROM": "28800",
        "GSW_TZ_NAME": "Europe/Paris",
        "GSW_DATE_TIME": "12/01/2026 10:00",
        "GSW_REFERENCE_ID": "r1",
        "account": "77",
    }
    parsed = parse_door("lists", "Erste Liste", "AddRecord", body)
    assert parsed.request_type is RequestType.ADD_RECORD
    assert parsed.reference == "r1"
    assert parsed.command == commands.AddRecord(
        **BARE,
        list_name="Erste Liste",
        phone_number="+1 212 555 0100",
        phone_type=PhoneType.MOBILE,
        record_type=RecordType.PERSONAL_CALL_BACK,
        agent_name="ann",
        from_s=28_800,
        time_zone="Europe/Paris",
        local_time="12/01/2026 10:00",
        other_fields={"account": "77"},
    )


def test_records_are_updated_processed_and_rescheduled() -> None:
    """Each action is the desktop's request of that kind."""
    on_record = {**BARE, "handle": 7}
    changes = FieldChanges(call_result=CallResult.BUSY, other_fields={"note": "x"})
    body = {"GSW_CALL_RESULT": "6", "note": "x"}
    assert parse_door("records", "7", "UpdateCallCompletionStats", body).command == commands.UpdateRecord(
        **on_record, changes=changes
    )
    assert parse_door("records", "7", "RecordProcessed", body).command == commands.CompleteRecord(
        **on_record, changes=changes
    )
    assert parse_door("records", "7", "RecordReschedule", {"GSW_DATE_TIME": "12/01/2026 10:00"}).command == (
        commands.RescheduleRecord(
            **on_record, callback_type=CallbackType.CAMPAIGN, local_time="12/01/2026 10:00", is_scheduled=False
        )
    )


def test_what_is_named_besides_is_kept() -> None:
    """Campaign and application of the body go with the command."""
    body = {
        "GSW_CAMPAIGN_NAME": "C",
        "GSW_APPLICATION_ID": "134",
        "GSW_RECORD_HANDLE": "7",
        "GSW_CHAIN_ATTR": "AllChain",
    }
    parsed = parse_door("records", "7", "RecordCancel", body)
    assert parsed.request_type is RequestType.REQUEST_RECORD_CANCEL
    assert parsed.command == commands.CancelRecord(
        application_id=134, campaign_name="C", device_id="", handle=7, chain_attribute=ChainAttribute.ALL_CHAIN
    )


def test_contacts_are_named_by_number_or_customer() -> None:
    """The path says whom; a number in the body may be spelled otherwise."""
    found = parse_door("phones", "+12125550100", "DoNotCall", {"GSW_PHONE": "+1 (212) 555-0100"})
    assert found.command == commands.SuppressContact(**BARE, phone_number="+12125550100")
    found = parse_door("customer_ids", "c/1", "RecordCancel", {"GSW_CALLING_LIST": "L"})
    assert found.command == commands.CancelRecord(**BARE, customer_id="c/1", list_name="L")


@pytest.mark.parametrize(
    ("resource", "resource_id", "action", "body", "error", "words"),
    [
        ("lists", "L", None, {}, MissingParameter, "req"),
        ("lists", "L", "addrecord", {}, Refused, "one of AddRecord"),
        ("lists", "L", "DoNotCall", {}, Refused, "one of AddRecord"),
        ("phones", "+1212", "RecordProcessed", {}, Refused, "one of DoNotCall, RecordCancel"),
        ("lists", "L", "AddRecord", {}, MissingParameter, "GSW_PHONE"),
        ("lists", "L", "AddRecord", {"GSW_PHONE": "1", "GSW_CALLING_LIST": "M"}, InvalidState, "GSW_CALLING_LIST"),
        ("lists", "L", "AddRecord", {"GSW_PHONE": "1", "GSW_PHONE_TYPE": "x"}, OutOfRange, "GSW_PHONE_TYPE"),
        ("lists", "L", "AddRecord", {"GSW_PHONE": "1", "GSW_TZ_NAME": "Mars"}, OutOfRange, "GSW_TZ_NAME"),
        ("lists", "", "AddRecord", {"GSW_PHONE": "1"}, NotFound, "list"),
        ("lists", "x" * 256, "AddRecord", {"GSW_PHONE": "1"}, NotFound, "list"),
        ("records", "x", "DoNotCall", {}, NotFound, "handle"),
        ("records", "-1", "DoNotCall", {}, NotFound, "handle"),
        ("records", "2147483648", "DoNotCall", {}, NotFound, "handle"),
        ("records", "\u0661", "DoNotCall", {}, NotFound, "handle"),
        ("records", "7", "DoNotCall", {"GSW_RECORD_HANDLE": 8}, InvalidState, "GSW_RECORD_HANDLE"),
        ("records", "7", "RecordReschedule", {}, MissingParameter, "GSW_DATE_TIME"),
        ("records", "7", "RecordReschedule", {"GSW_DATE_TIME": "tomorrow"}, OutOfRange, "GSW_DATE_TIME"),
        ("records", "7", "RecordProcessed", {"GSW_CALL_RESULT": "99"}, OutOfRange, "GSW_CALL_RESULT"),
        ("records", "7", "RecordProcessed", {"GSW_CAMPAIGN_NAME": 5}, OutOfRange, "GSW_CAMPAIGN_NAME"),
        ("records", "7", "RecordProcessed", {"GSW_APPLICATION_ID": 0}, OutOfRange, "GSW_APPLICATION_ID"),
        ("records", "7", "RecordProcessed", {"note": [1]}, OutOfRange, "userData"),
        ("phones", "nonsense", "DoNotCall", {}, NotFound, "no number"),
        ("phones", "+1212", "DoNotCall", {"GSW_PHONE": "+1213"}, InvalidState, "GSW_PHONE"),
        ("phones", "+1212", "DoNotCall", {"GSW_RECORD_HANDLE": 1}, InvalidState, "GSW_RECORD_HANDLE"),
        ("phones", "+1212", "DoNotCall", {"GSW_CHAIN_ATTR": "All"}, OutOfRange, "GSW_CHAIN_ATTR"),
        ("customer_ids", "x" * 65, "DoNotCall", {}, NotFound, "64"),
        ("customer_ids", "c1", "DoNotCall", {"GSW_PHONE": "+1212"}, InvalidState, "GSW_PHONE"),
    ],
)
def test_bad_requests(
    resource: str, resource_id: str, action: str | None, body: dict[str, Any], error: type[Refused], words: str
) -> None:
    """Each is refused with its kind of error and a sentence that names the place."""
    with pytest.raises(error) as caught:
        parse_door(resource, resource_id, action, body)
    assert words in str(caught.value)


@given(
    st.sampled_from(sorted(ACTIONS)),
    st.text(max_size=20),
    st.one_of(
        st.none(), st.sampled_from(sorted({a for actions in ACTIONS.values() for a in actions})), st.text(max_size=9)
    ),
    st.dictionaries(
        st.one_of(
            st.sampled_from(["GSW_PHONE", "GSW_RECORD_HANDLE", "GSW_CAMPAIGN_NAME", "GSW_FROM"]), st.text(max_size=9)
        ),
        JSON,
        max_size=6,
    ),
)
def test_anything_at_all(resource: str, resource_id: str, action: str | None, body: dict[str, Any]) -> None:
    """Parsed, or refused: nothing else, and the body stays as it was."""
    before = dict(body)
    with contextlib.suppress(Refused):
        parse_door(resource, resource_id, action, body)
    assert body == before


def test_the_acknowledgement_is_the_desktops() -> None:
    """The user data of the event; what was not named is left out, the reference is echoed with its type."""
    event = RecordAcknowledged(
        device_id="d1",
        door=Door.HTTP,
        reference=5,
        what=Acknowledgement.RESCHEDULED,
        application_id=134,
        campaign_name="C",
        list_name="L",
        handle=7,
        callback_type=CallbackType.PERSONAL,
        local_time="12/01/2026 10:00",
    )
    assert msgspec.json.decode(acknowledgement(event)) == {
        "GSW_CALLING_LIST": "L",
        "GSW_APPLICATION_ID": 134,
        "GSW_RECORD_HANDLE": 7,
        "GSW_USER_EVENT": "RecordRescheduleAcknowledge",
        "GSW_CAMPAIGN_NAME": "C",
        "GSW_DATE_TIME": "12/01/2026 10:00",
        "GSW_CALLBACK_TYPE": "Personal",
        "GSW_REFERENCE_ID": 5,
    }
    bare = RecordAcknowledged(
        device_id="",
        door=Door.HTTP,
        what=Acknowledgement.SUPPRESSED,
        application_id=0,
        campaign_name="",
        phone_number="+1",
    )
    assert msgspec.json.decode(acknowledgement(bare)) == {"GSW_USER_EVENT": "DoNotCallAcknowledge", "GSW_PHONE": "+1"}


def test_the_acknowledgement_goes_out_on_no_channel() -> None:
    """The HTTP answer is all that a third party gets; what agents are told are events of their own."""
    event = RecordAcknowledged(
        device_id="d1", door=Door.HTTP, what=Acknowledgement.REJECTED, application_id=1, campaign_name="C"
    )
    assert messages_of(event, Timing(generated_at_ms=1, processing_ns=1, total_ms=1)) == []
