"""What the documented operations do not say by themselves: limits, values in detail, and anything at all as a body."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.samples import DEVICE_ID, DEVICE_PATH, VALUES, Json
from trunkline.contract.parsed import Parsed
from trunkline.contract.requests import (
    features_of,
    parse_campaign_operation,
    parse_channel_operation,
    parse_me_operation,
    parse_record_operation,
)
from trunkline.domain import commands
from trunkline.domain.enums import (
    CallbackType,
    CallResult,
    ChainAttribute,
    PhoneType,
    RequestType,
)
from trunkline.domain.records import FieldChanges
from trunkline.errors import MissingParameter, NotFound, OutOfRange, Refused, TooLarge

COMMON = {name: VALUES[name] for name in ("applicationId", "campaignName", "devicePath", "callingList")}


def on_record(name: str, **parameters: Any) -> Parsed:
    """An operation on record 6 with the common parameters."""
    return parse_record_operation(6, {"operationName": name, **COMMON, **_from_python(parameters)})


def on_records(name: str, **parameters: Any) -> Parsed:
    """An operation without a record."""
    return parse_record_operation(None, {"operationName": name, **COMMON, **_from_python(parameters)})


def _from_python(parameters: Json) -> Json:
    return {name.rstrip("_"): value for name, value in parameters.items()}


def test_update() -> None:
    """All fields of UpdateRecord arrive in the command."""
    parsed = on_record("UpdateRecord", phoneNumber="555-0100", timeZone="PST", phoneType="Mobile", from_=0, until=86400)
    assert parsed.command == commands.UpdateRecord(
        application_id=134,
        campaign_name="Campaign1",
        device_id=DEVICE_ID,
        handle=6,
        list_name="CallingList1",
        changes=FieldChanges(
            phone_number="555-0100", time_zone="PST", phone_type=PhoneType.MOBILE, from_s=0, until_s=86400
        ),
    )


@pytest.mark.parametrize("field", ["phoneNumber", "timeZone", "phoneType", "from", "until"])
def test_update_of_one_field(field: str) -> None:
    """One field alone is a change of that field and of nothing else."""
    parsed = on_record("UpdateRecord", **{field: VALUES[field]})
    assert isinstance(parsed.command, commands.UpdateRecord)
    changes = parsed.command.changes
    assert [name for name in changes.__struct_fields__ if getattr(changes, name) is not None] == [
        {"phoneNumber": "phone_number", "timeZone": "time_zone", "phoneType": "phone_type"}.get(field, f"{field}_s")
    ]


def test_complete() -> None:
    """CompleteRecord takes a result by name, number and number as a string, and the number that was dialed."""
    for result in ("Abandoned", 21, "21"):
        parsed = on_record("CompleteRecord", callResult=result, phoneNumber="555-0100")
        assert isinstance(parsed.command, commands.CompleteRecord)
        assert parsed.command.changes == FieldChanges(call_result=CallResult.ABANDONED, phone_number="555-0100")
        assert parsed.command.treatment is None
        assert parsed.request_type is RequestType.RECORD_PROCESSED


@pytest.mark.parametrize("value", [-1, 54, "54", "-1", "٢١", " 21", "021", "21.0", "answered", "", 21.0, True])
def test_call_results_that_are_none(value: Any) -> None:
    """No number outside 0 to 53, no other digits, no other spelling."""
    with pytest.raises(OutOfRange, match="callResult"):
        on_record("CompleteRecord", callResult=value)


def test_reschedule() -> None:
    """RescheduleRecord is the scheduled kind, in Unix seconds."""
    parsed = on_record("RescheduleRecord", callbackType="Campaign", timestamp=1433917552)
    assert isinstance(parsed.command, commands.RescheduleRecord)
    assert parsed.command.callback_type is CallbackType.CAMPAIGN
    assert parsed.command.due_at_s == 1433917552
    assert parsed.command.is_scheduled
    assert parsed.command.local_time is None
    assert parsed.request_type is RequestType.SCHEDULED_RECORD_RESCHEDULE


def test_do_not_call() -> None:
    """By record a further number may be given; by number there is no record and no list is needed."""
    by_record = on_record("DoNotCallRecord", phoneNumber="555-0100", chainAttribute="AllChain").command
    assert isinstance(by_record, commands.SuppressContact)
    assert (by_record.handle, by_record.phone_number, by_record.list_name) == (6, "555-0100", "CallingList1")
    assert by_record.chain_attribute is ChainAttribute.ALL_CHAIN
    by_number = on_records("DoNotCallRecord", phoneNumber="555-0100", callingList=None).command
    assert isinstance(by_number, commands.SuppressContact)
    assert (by_number.handle, by_number.phone_number, by_number.list_name) == (None, "555-0100", None)
    assert by_number.chain_attribute is by_number.customer_id is None


def test_cancel_reject_and_read_chain() -> None:
    """The three that name a record and little else."""
    cancel = on_record("CancelRecord", chainAttribute="RecordOnly").command
    assert isinstance(cancel, commands.CancelRecord)
    assert (cancel.handle, cancel.chain_attribute) == (6, ChainAttribute.RECORD_ONLY)
    assert isinstance(on_record("RejectRecord").command, commands.RejectRecord)
    assert isinstance(on_record("GetChainedRecord").command, commands.ReadChain)


ADD = {name: VALUES[name] for name in ("phoneNumber", "timeZone", "phoneType", "from", "until")}


def test_add() -> None:
    """AddRecord's fields arrive; the protocol's own keys among the other fields are dropped."""
    fields = {"first_name": "Zoë", "n": 1, "x": 1.5, "b": True, "none": None, "GSW_PHONE": "1", "contact_info": "2"}
    parsed = on_records("AddRecord", **ADD, chainId=17, otherFields=fields)
    command = parsed.command
    assert isinstance(command, commands.AddRecord)
    assert (command.chain_id, command.list_name, command.phone_type) == (17, "CallingList1", PhoneType.MOBILE)
    assert (command.time_zone, command.from_s, command.until_s) == ("GMT", 0, 86339)
    assert command.other_fields == {"first_name": "Zoë", "n": 1, "x": 1.5, "b": True, "none": None}
    without = on_records("AddRecord", **ADD).command
    assert isinstance(without, commands.AddRecord)
    assert without.chain_id is None
    assert without.other_fields == {}


@pytest.mark.parametrize(
    ("phone_type", "number", "is_good"),
    [
        ("Mobile", "+1 (415) 555-0100", True),
        ("Mobile", "ann@example.org", False),
        ("EmailAddress", "ann@example.org", True),
        ("Mobile", "abc", False),
        ("Mobile", "   ", False),
        ("Mobile", "", False),
        ("Mobile", "1\n2", False),
    ],
)
def test_phone_numbers(phone_type: str, number: str, is_good: bool) -> None:  # noqa: FBT001
    """A number must be dialable, an address an address, in the same body as its type."""
    empty: Json = {}
    for parse, parameters in ((on_record, empty), (on_records, ADD)):
        name = "UpdateRecord" if parse is on_record else "AddRecord"
        given = {**parameters, "phoneNumber": number, "phoneType": phone_type}
        if is_good:
            parse(name, **given)
        else:
            with pytest.raises(OutOfRange, match="phoneNumber"):
                parse(name, **given)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("campaignName", "x" * 256),
        ("callingList", "x" * 256),
        ("referenceId", "x" * 256),
        ("phoneNumber", "1" * 129),
        ("timeZone", "x" * 65),
        ("devicePath", "/devices/" + "x" * 65),
        ("otherFields", {str(number): 1 for number in range(101)}),
        ("otherFields", {"x" * 65: 1}),
        ("otherFields", {"x": "y" * 4097}),
    ],
)
def test_limits(parameter: str, value: Any) -> None:
    """Over its limit a text or a list is TooLarge, which is 413; at the limit it is not."""
    with pytest.raises(TooLarge, match=parameter):
        on_records("AddRecord", **{**ADD, parameter: value})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("campaignName", "x" * 255),
        ("referenceId", "x" * 255),
        ("phoneNumber", "1" * 128),
        ("devicePath", "/devices/" + "x" * 64),
        ("otherFields", {str(number): 1 for number in range(100)}),
        ("otherFields", {"x" * 64: "y" * 4096}),
        ("from", 86399),
        ("until", 1),
        ("until", 86400),
        ("timeZone", "Europe/Paris"),
        ("timeZone", "PST"),
        ("chainId", 2**63 - 1),
        ("applicationId", 2**31 - 1),
    ],
)
def test_just_within_limits(parameter: str, value: Any) -> None:
    """The largest and the smallest allowed values are accepted."""
    on_records("AddRecord", **{**ADD, parameter: value})


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("from", 86400),
        ("from", -1),
        ("until", 0),
        ("until", 86401),
        ("chainId", 2**63),
        ("chainId", -1),
        ("applicationId", 0),
        ("applicationId", 2**31),
        ("timeZone", "Mars/Olympus"),
        ("timeZone", ""),
        ("timeZone", "../etc/passwd"),
        ("devicePath", "devices/1"),
        ("devicePath", "/devices/"),
        ("devicePath", "/devices/1/calls"),
        ("devicePath", ""),
        ("phoneType", "mobile"),
        ("phoneType", "4"),
    ],
)
def test_out_of_range(parameter: str, value: Any) -> None:
    """One beyond the edge, the wrong form, another spelling: code 10, the parameter named."""
    with pytest.raises(OutOfRange, match=parameter):
        on_records("AddRecord", **{**ADD, parameter: value})


def test_a_missing_parameter_comes_before_a_wrong_one() -> None:
    """What is missing is told before what is wrong, in the order of the operation's page."""
    with pytest.raises(MissingParameter, match="applicationId"):
        parse_record_operation(6, {"operationName": "UpdateRecord", "from": "x"})
    with pytest.raises(MissingParameter, match="devicePath"):
        parse_record_operation(6, {"operationName": "UpdateRecord", "applicationId": "x", "campaignName": 1})


def test_campaign_operations() -> None:
    """The campaign's name is that of the address, whatever the body says; it has a limit too."""
    body = {"operationName": "GetPreviewRecord", **COMMON, "campaignName": 6}
    parsed = parse_campaign_operation("Frühling 25%", body)
    assert parsed.command == commands.NextPreview(application_id=134, campaign_name="Frühling 25%", device_id=DEVICE_ID)
    assert isinstance(
        parse_campaign_operation("c", {**body, "operationName": "StartPreviewSession"}).command, commands.StartPreview
    )
    assert isinstance(
        parse_campaign_operation("c", {**body, "operationName": "EndPreviewSession"}).command, commands.EndPreview
    )
    with pytest.raises(TooLarge, match="campaignName"):
        parse_campaign_operation("x" * 256, body)


# --- the agent ---------------------------------------------------------------------------------------------------


def test_start_session() -> None:
    """Channels once each, the device named or the default one, the place if given."""
    body = {"operationName": "StartContactCenterSession", "channels": ["voice", "chat", "voice"], "place": "P1"}
    parsed = parse_me_operation(body, default_device_id="d0")
    assert parsed.command == commands.StartSession(device_id="d0", place="P1", state_name="NotReady")
    assert parsed.channels == ("voice", "chat")
    assert parsed.request_type is RequestType.SESSION_START
    named = parse_me_operation({**body, "devicePath": DEVICE_PATH}, default_device_id="d0").command
    assert isinstance(named, commands.StartSession)
    assert named.device_id == DEVICE_ID


def test_too_many_channels() -> None:
    """A list of names without end is TooLarge."""
    body = {"operationName": "StartContactCenterSession", "channels": ["voice"] * 17}
    with pytest.raises(TooLarge, match="channels"):
        parse_me_operation(body)


@pytest.mark.parametrize("name", ["Ready", "NotReady", "AfterCallWork", "AuxWork"])
def test_states(name: str) -> None:
    """The four states of a logged-in agent, on the channel and on all channels."""
    body = {"operationName": name, "referenceId": "r"}
    expected = Parsed(commands.ChangeState(state_name=name), name, "r", RequestType.AGENT_STATE)
    assert parse_me_operation(body) == parse_channel_operation("voice", body) == expected


def test_to_go_offline_is_to_log_out() -> None:
    """Offline ends the session like EndContactCenterSession, but is told apart by its name."""
    offline = parse_channel_operation("voice", {"operationName": "Offline"})
    end = parse_me_operation({"operationName": "EndContactCenterSession"})
    assert offline.command == end.command == commands.EndSession()
    assert offline.request_type is end.request_type is RequestType.SESSION_END
    assert (offline.operation_name, end.operation_name) == ("Offline", "EndContactCenterSession")


def test_custom_states() -> None:
    """A contact centre's own state counts as the fixed one it was made for and keeps its name in the request."""
    states = {"Lunch": "AuxWork", "Gone": "Offline", "Ready": "NotReady"}
    for parse in (parse_me_operation, partial(parse_channel_operation, "voice")):
        assert parse({"operationName": "Lunch"}, custom_states=states) == Parsed(
            commands.ChangeState(state_name="AuxWork"), "Lunch", None, RequestType.AGENT_STATE
        )
        assert parse({"operationName": "Gone"}, custom_states=states).command == commands.EndSession()
        ready = parse({"operationName": "Ready"}, custom_states=states)
        assert ready.command == commands.ChangeState(state_name="Ready")
        with pytest.raises(Refused, match="operationName"):
            parse({"operationName": "Dinner"}, custom_states=states)


def test_only_voice_is_a_channel() -> None:
    """Another channel's address is unknown."""
    with pytest.raises(NotFound):
        parse_channel_operation("chat", {"operationName": "Ready"})


def test_features() -> None:
    """Operations name their features; unknown ones need none."""
    assert features_of("UpdateRecord") == features_of("SendUserEvent") == ("api-voice-outbound",)
    assert features_of("Ready") == ("api-voice",)
    assert features_of("Nothing") == ()


# --- anything at all ---------------------------------------------------------------------------------------------

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NAMES = [
    *("UpdateRecord", "AddRecord", "CompleteRecord", "RejectRecord", "DoNotCallRecord", "RescheduleRecord"),
    *("GetChainedRecord", "CancelRecord", "StartPreviewSession", "EndPreviewSession", "GetPreviewRecord"),
    *("StartContactCenterSession", "EndContactCenterSession", "Ready", "AfterCallWork"),
]
BODIES = st.dictionaries(st.text(max_size=8), JSON, max_size=4) | st.fixed_dictionaries(
    {"operationName": st.sampled_from(NAMES) | JSON},
    optional={name: st.just(value) | JSON for name, value in VALUES.items()},
)


@settings(max_examples=300, deadline=None)
@given(body=BODIES, handle=st.none() | st.integers(0, 2**31 - 1), campaign_name=st.text(max_size=300))
def test_any_body_is_parsed_or_refused(body: Json, handle: int | None, campaign_name: str) -> None:
    """Whatever JSON object comes in, the outcome is a command or a Refused, never another exception."""
    for outcome in (
        _outcome(partial(parse_record_operation, handle, body)),
        _outcome(partial(parse_campaign_operation, campaign_name, body)),
        _outcome(partial(parse_me_operation, body)),
        _outcome(partial(parse_channel_operation, "voice", body)),
    ):
        assert isinstance(outcome, Parsed) or (outcome.code in (1, 3, 10) and str(outcome))


def _outcome(parse: Callable[[], Parsed]) -> Parsed | Refused:
    try:
        return parse()
    except Refused as error:
        return error
