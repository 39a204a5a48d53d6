"""Records: the state machine against a model, field changes, and the numbers of the enumerations."""

from __future__ import annotations

import json
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trunkline.domain.enums import CallResult, GroupStatus, PhoneType, RecordStatus, RecordType
from trunkline.domain.records import (
    MAX_FIELDS,
    TRANSITIONS,
    FieldChanges,
    Happening,
    Record,
    check_phone_number,
    is_open,
    moved,
    next_status,
)
from trunkline.errors import InvalidState, OutOfRange, TooLarge

RECORD = Record(contact_centre_id=1, list_id=2, chain_id=3, chain_n=0, record_id=4, phone_number="+12125550100")
S, H = RecordStatus, Happening


class RecordLife(RuleBasedStateMachine):
    """A record against the smallest model: closed records only come back by a reset, refusals change nothing."""

    def __init__(self) -> None:
        """Begin with a fresh record."""
        super().__init__()
        self.record = RECORD
        self.is_closed = False
        self.is_in_hands = False
        self.is_missed = False

    @rule(happening=st.sampled_from(list(Happening)))
    def befall(self, happening: Happening) -> None:
        """Let anything happen; compare with what must follow."""
        before = self.record
        try:
            self.record = moved(before, happening)
        except InvalidState:
            assert self.record is before
            assert (before.status, happening) not in TRANSITIONS
            return
        if self.is_closed:
            assert happening is H.RESET
        ends = {H.FINISHED, H.CHAIN_ENDED, H.CANCELLED, H.DO_NOT_CALL, H.LEASE_ENDED, H.AGENT_FAILED, H.DELEGATED}
        self.is_closed = happening in ends
        if happening is H.RETURNED:
            assert self.is_in_hands or before.status is S.CHAIN_READY, "it was taken, or waited for one that is gone"
        if happening in {H.FINISHED, H.LEASE_ENDED, H.DELEGATED}:
            assert self.is_in_hands, "only a record in somebody's hands can be worked"
        if happening in {H.AGENT_FAILED, H.RETRY_SCHEDULED}:
            assert self.is_in_hands or self.is_missed, "a treatment follows a call, or a callback that was missed"
        self.is_in_hands = happening is H.TAKEN
        self.is_missed = happening is H.CALLBACK_MISSED

    @invariant()
    def agrees(self) -> None:
        """The model and the status tell the same."""
        assert is_open(self.record.status) is not self.is_closed
        assert (self.record.status is S.RETRIEVED) is self.is_in_hands


TestRecordLife = RecordLife.TestCase
TestRecordLife.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize(
    ("before", "happening", "after"),
    [
        (S.READY, H.TAKEN, S.RETRIEVED),
        (S.RETRIEVED, H.RETURNED, S.READY),
        (S.RETRIEVED, H.FINISHED, S.UPDATED),
        (S.RETRIEVED, H.CHAIN_ENDED, S.CHAIN_UPDATED),
        (S.RETRIEVED, H.RETRY_SCHEDULED, S.READY),
        (S.RETRIEVED, H.CALLBACK_SET, S.READY),
        (S.READY, H.CANCELLED, S.CANCELLED),
        (S.CHAIN_READY, H.CANCELLED, S.CANCELLED),
        (S.RETRIEVED, H.DO_NOT_CALL, S.UPDATED),
        (S.RETRIEVED, H.LEASE_ENDED, S.STALE),
        (S.RETRIEVED, H.AGENT_FAILED, S.AGENT_ERROR),
        (S.READY, H.CALLBACK_MISSED, S.MISSED_CALL_BACK),
        (S.RETRIEVED, H.DELEGATED, S.DELEGATED),
        (S.STALE, H.RESET, S.READY),
    ],
)
def test_documented_transitions(before: RecordStatus, happening: Happening, after: RecordStatus) -> None:
    """Each row of the documented machine (outbound domain 2.1) leads where it says."""
    assert next_status(before, happening) is after


@pytest.mark.parametrize("status", list(RecordStatus))
def test_a_closed_record_is_never_taken(status: RecordStatus) -> None:
    """Nothing but an open record waiting for it can be handed out."""
    if status not in (S.READY, S.CHAIN_READY, S.MISSED_CALL_BACK):
        with pytest.raises(InvalidState):
            next_status(status, H.TAKEN)


@pytest.mark.parametrize(
    ("table", "enumeration"),
    [
        ("call_result", CallResult),
        ("record_type", RecordType),
        ("record_status", RecordStatus),
        ("contact_info_type", PhoneType),
        ("group_campaign_status", GroupStatus),
    ],
)
def test_numbers_are_the_documented_ones(table: str, enumeration: type[RecordStatus]) -> None:
    """Every number and name of an enumeration is that of the data file, and none is missing."""
    source = json.loads(files("trunkline.contract").joinpath("data/outbound-enums.json").read_text())
    documented = {value["value"]: value["name"].lower() for value in source[table]["values"]}
    ours = {member.value: member.name.replace("_", "").lower() for member in enumeration}
    assert ours == documented


def test_changes_touch_only_what_they_name() -> None:
    """None leaves a field alone; custom fields are merged."""
    record = msgspec.structs.replace(RECORD, other_fields={"a": 1, "b": 2})
    changed = FieldChanges(until_s=100, other_fields={"b": 3, "c": 4}).apply(record)
    assert changed == msgspec.structs.replace(record, until_s=100, other_fields={"a": 1, "b": 3, "c": 4})
    assert FieldChanges().apply(record) is record


def test_custom_fields_have_a_limit() -> None:
    """A merge past the limit is refused."""
    record = msgspec.structs.replace(RECORD, other_fields={f"f{n}": n for n in range(MAX_FIELDS)})
    with pytest.raises(TooLarge):
        FieldChanges(other_fields={"one more": 1}).apply(record)


@pytest.mark.parametrize("number", ["+1 (212) 555-0100", "00442079460000", "5001", "*98#", "5550100 x12"])
def test_numbers_that_can_be_dialed(number: str) -> None:
    """Usual spellings pass."""
    check_phone_number(number, PhoneType.HOME_PHONE)


@pytest.mark.parametrize("number", ["", "   ", "call me", "555\n0100", "+", "5" * 129, "=HYPERLINK(1)"])
def test_numbers_that_cannot(number: str) -> None:
    """What cannot be dialed is refused."""
    with pytest.raises(OutOfRange):
        check_phone_number(number, PhoneType.MOBILE)


def test_addresses_are_kept_as_they_are() -> None:
    """E-mail and messaging contacts are addresses, not numbers."""
    check_phone_number("ann@example.org", PhoneType.EMAIL_ADDRESS)
    check_phone_number("ann", PhoneType.INSTANT_MESSAGING)


@given(st.text(max_size=140))
def test_checking_any_text_ends_in_the_documented_refusal(text: str) -> None:
    """Whatever the text, the answer is yes or ``OutOfRange``."""
    try:
        check_phone_number(text, None)
    except OutOfRange:
        return
    assert text.isprintable()
