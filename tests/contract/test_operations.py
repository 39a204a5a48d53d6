"""Every documented operation, generated from ``web-services-operations.json``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.samples import EVENTS_OF, VALUES, Json, decoded
from tests.support.shapes import table
from trunkline.contract.parsed import Parsed
from trunkline.contract.requests import (
    features_of,
    parse_campaign_operation,
    parse_channel_operation,
    parse_me_operation,
    parse_record_operation,
)
from trunkline.errors import MissingParameter, NoPermission, OutOfRange, Refused

OPERATIONS: list[Json] = [
    operation
    for operation in table("web-services-operations")["operations"]
    if operation["method"] == "POST" and operation["path"].startswith("/api/v2/me") and "calls" not in operation["path"]
]
WRONG: dict[str, list[Any]] = {
    "Integer": ["134", 1.5, 134.0, True, [], {}, -1, 2**40],
    "Long": ["1433917552", 1.5, False, [], -1, 1433917552000, 4_102_444_800],
    "String": [6, 1.5, True, [], {}, ["x"]],
    "Map": ["x", 6, [], {"field": {}}, {"field": [1]}, {"": 1}],
    "Array<String>": ["voice", 6, {}, [], [6], ["chat"]],
}


def _name(operation: Json) -> str:
    return f"{operation['name']} {operation['path'].rpartition('/me')[2]}"


def _parameters() -> list[Any]:
    return [
        pytest.param(operation, parameter, id=f"{_name(operation)} {parameter['name']}")
        for operation in OPERATIONS
        for parameter in operation["parameters"]
        if parameter["name"] != "operationName"
    ]


def parse(operation: Json, body: Json, features: frozenset[str] | None = None) -> Parsed:
    """Go through the door that the operation's address belongs to."""
    path = operation["path"]
    if "outbound-records" in path:
        return parse_record_operation(6 if path.endswith("{recordHandle}") else None, body, features)
    if "outbound-campaigns" in path:
        return parse_campaign_operation("Campaign1", body, features)
    if "channels" in path:
        return parse_channel_operation("voice", body, features)
    return parse_me_operation(body, features)


def body_of(operation: Json, *, with_optional: bool) -> Json:
    """A body with good values for the required parameters, or for all."""
    body = {"operationName": operation["name"]}
    for parameter in operation["parameters"]:
        if parameter["name"] in VALUES and (parameter["required"] or with_optional):
            body[parameter["name"]] = VALUES[parameter["name"]]
    return body


def test_the_file_describes_what_is_tested() -> None:
    """No operation of the outbound and agent pages is left out of these tests."""
    assert {operation["name"] for operation in OPERATIONS} == {name for name, _ in EVENTS_OF}


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
@pytest.mark.parametrize("with_optional", [False, True], ids=["minimal", "full"])
def test_good_bodies_are_accepted(operation: Json, with_optional: bool) -> None:  # noqa: FBT001
    """Required parameters suffice, and all documented ones together are fine, unknown ones beside them too."""
    body = body_of(operation, with_optional=with_optional)
    parsed = parse(operation, {**body, "somethingElse": {"deep": [1]}})
    assert parsed.operation_name == operation["name"]
    assert parsed.reference == body.get("referenceId")
    assert parsed.command == parse(operation, {**body, **dict.fromkeys(_optional(operation, body))}).command


def _optional(operation: Json, body: Json) -> list[str]:
    """Optional parameters that are not given: null must mean the same as absent."""
    return [parameter["name"] for parameter in operation["parameters"] if parameter["name"] not in body]


@pytest.mark.parametrize(("operation", "parameter"), _parameters())
def test_required_parameters_are_required(operation: Json, parameter: Json) -> None:
    """A required parameter that is absent or null is refused with code 1 and named; an optional one may be."""
    name = parameter["name"]
    body = body_of(operation, with_optional=True)
    without = {key: value for key, value in body.items() if key != name}
    for faulty in (without, {**body, name: None}):
        if parameter["required"]:
            with pytest.raises(MissingParameter, match=name) as caught:
                parse(operation, faulty)
            assert caught.value.code == 1
        else:
            parse(operation, faulty)


@pytest.mark.parametrize(("operation", "parameter"), _parameters())
def test_wrong_types_are_refused(operation: Json, parameter: Json) -> None:
    """A value of another type, or outside the documented set, is refused with code 10 and named."""
    name = parameter["name"]
    wrong = [value for value in WRONG[parameter["type"]] if not _is_right_after_all(name, value)]
    for value in wrong + ([f"{name}?", ""] if "allowedValues" in parameter and name != "channels" else []):
        with pytest.raises(OutOfRange, match=name) as caught:
            parse(operation, {**body_of(operation, with_optional=True), name: value})
        assert caught.value.code == 10


def _is_right_after_all(name: str, value: Any) -> bool:
    # callResult takes numbers too; a chain id is a 64-bit number.
    return (name == "callResult" and type(value) is int) or (name == "chainId" and value == 2**40)


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_allowed_values_are_accepted(operation: Json) -> None:
    """Each documented value of an enumeration is understood."""
    for parameter in operation["parameters"]:
        for value in parameter.get("allowedValues", ()):
            if parameter["name"] not in ("operationName", "channels"):
                body = {**body_of(operation, with_optional=True), parameter["name"]: value}
                if value in ("EmailAddress", "InstantMessaging"):
                    body["phoneNumber"] = "ann@example.org"
                parse(operation, body)


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_features_come_before_parameters(operation: Json) -> None:
    """Whoever lacks a documented feature hears that (code 5), not which parameter is missing; having it suffices."""
    needed = frozenset(operation["feature"])
    assert frozenset(features_of(operation["name"])) == needed
    with pytest.raises(NoPermission, match=operation["feature"][0]) as caught:
        parse(operation, {"operationName": operation["name"]}, frozenset({"api-something"}))
    assert caught.value.code == 5
    parse(operation, body_of(operation, with_optional=False), needed)


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
@pytest.mark.parametrize("name", ["Nothing", "updaterecord", "", "SendUserEvent", "Dial"])
def test_unknown_operations_are_refused_first(operation: Json, name: str) -> None:
    """An operation that the resource does not have is refused with code 3 before features are looked at."""
    with pytest.raises(Refused, match="operationName") as caught:
        parse(operation, {"operationName": name}, frozenset())
    assert caught.value.code == 3


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_the_operation_must_be_named(operation: Json) -> None:
    """A body without operationName is refused with code 1, one with another type with code 10."""
    with pytest.raises(MissingParameter, match="operationName"):
        parse(operation, {}, frozenset())
    wrong: list[Any] = [6, True, [], {}]
    for value in wrong:
        with pytest.raises(OutOfRange, match="operationName"):
            parse(operation, {"operationName": value}, frozenset())


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_messages_have_the_documented_keys(operation: Json) -> None:
    """Channels, kinds and key sets of everything that an accepted request causes equal the file's, in order."""
    has_handle = operation["path"].endswith("{recordHandle}")
    events = EVENTS_OF[operation["name"], has_handle]
    messages = [message for event in events for message in decoded(event)]
    assert [channel for channel, _ in messages] == [expected["channel"] for expected in operation["cometd"]]
    for (_, message), expected in zip(messages, operation["cometd"], strict=True):
        _check_message(message, expected)


def _check_message(message: Json, expected: Json) -> None:
    assert message["messageType"] == expected["messageType"]
    assert message.get("notificationType") == expected["notificationType"]
    assert list(message) == expected["dataKeys"]
    for part in ("record", "campaign"):
        if f"{part}Keys" in expected:
            assert set(message[part]) == set(expected[f"{part}Keys"])
    if "deviceKeys" in expected:
        assert [list(device) for device in message["devices"]] == [expected["deviceKeys"]]
    user_data = message.get("record", message).get("userData")
    if "userDataKeys" in expected and user_data is not None:
        assert user_data["GSW_USER_EVENT"] == expected.get("GSW_USER_EVENT", expected["notificationType"])
        documented = {key for key in expected["userDataKeys"] if not key.startswith("<")}
        further = set(user_data) - documented
        assert documented <= set(user_data)
        assert {key for key in further if key.startswith("GSW_")} <= set(expected.get("optionalUserDataKeys", ()))


@pytest.mark.parametrize("operation", OPERATIONS, ids=_name)
def test_states_in_device_messages(operation: Json) -> None:
    """Device messages say the documented state: LoggedOut after the end, a work mode only where there is one."""
    for expected in operation["cometd"]:
        if "userState" in expected:
            for event in EVENTS_OF[operation["name"], False]:
                state = decoded(event)[0][1]["devices"][0]["userState"]
                spelled = " + workMode ".join(filter(None, (state["state"], state.get("workMode"))))
                assert spelled in expected["userState"]
                assert set(state) - {"workMode"} == {"id", "displayName", "state"}
