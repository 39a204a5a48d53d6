"""The desktop's door: what a fault becomes, inside the request and around it, and anything at all as user data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.desktop import ALL_KINDS, VALUES, failed, send
from tests.contract.samples import DEVICE_ID, Json, decoded
from tests.contract.test_requests import JSON
from trunkline.contract.parsed import Parsed, ParsedFailure, failure_event
from trunkline.contract.user_events import parse_user_event
from trunkline.domain.enums import (
    Door,
    RequestType,
)
from trunkline.errors import NoPermission, OutOfRange, Refused, TooLarge


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
