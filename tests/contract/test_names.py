"""The tables of numbers and names equal the documented enumerations."""

from __future__ import annotations

from enum import IntEnum

import pytest

from tests.support.shapes import table
from trunkline.contract.audit import REQUEST_TYPE_NAMES
from trunkline.contract.names import (
    AGENT_STATES,
    CALL_RESULT_NAMES,
    CALL_RESULTS,
    CHAIN_ATTRIBUTES,
    CHANNELS,
    DEVICES,
    DIAL_MODE_NAMES,
    FEATURES,
    INTERNAL,
    OUTBOUND,
    PHONE_TYPE_NAMES,
    PHONE_TYPES,
    ROLE_NAMES,
    TREATMENTS,
    is_custom_field,
)
from trunkline.domain.enums import (
    CallAction,
    CallbackType,
    CallResult,
    DialMode,
    GroupStatus,
    PhoneType,
    RecordAction,
    RecordStatus,
    RecordType,
    RequestType,
    Treatment,
)
from trunkline.domain.people import Feature, Role

ENUMS = table("outbound-enums")
API = table("web-services-operations")

NUMBERED: dict[str, type[IntEnum]] = {
    "call_result": CallResult,
    "record_type": RecordType,
    "record_status": RecordStatus,
    "contact_info_type": PhoneType,
    "dial_mode": DialMode,
    "group_campaign_status": GroupStatus,
    "treatment_record_action": RecordAction,
    "treatment_call_action": CallAction,
}


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


@pytest.mark.parametrize("key", NUMBERED)
def test_numbers_and_names(key: str) -> None:
    """Every member has the documented number and name, and none is missing or added."""
    documented = {entry["value"]: _plain(entry["name"]) for entry in ENUMS[key]["values"]}
    assert {member.value: _plain(member.name) for member in NUMBERED[key]} == documented


def test_defaults_of_the_columns() -> None:
    """The documented defaults are members: Unknown, General, Ready, HomePhone."""
    assert CallResult(ENUMS["call_result"]["default"]) is CallResult.UNKNOWN
    assert RecordType(ENUMS["record_type"]["default"]) is RecordType.GENERAL
    assert RecordStatus(ENUMS["record_status"]["default"]) is RecordStatus.READY
    assert PhoneType(ENUMS["contact_info_type"]["default"]) is PhoneType.HOME_PHONE


def test_phone_type_names() -> None:
    """PhoneType names are the documented ones in both directions."""
    documented = {entry["value"]: entry["name"] for entry in ENUMS["contact_info_type"]["values"]}
    assert {kind.value: name for kind, name in PHONE_TYPE_NAMES.items()} == documented
    assert {name: kind.value for name, kind in PHONE_TYPES.items()} == {n: v for v, n in documented.items()}


def test_call_result_names() -> None:
    """CallResult takes every documented name, number and number as a string, and "Answered"."""
    documented = {entry["value"]: entry["name"] for entry in ENUMS["call_result"]["values"]}
    assert {result.value: name for result, name in CALL_RESULT_NAMES.items()} == documented
    for number, name in documented.items():
        assert CALL_RESULTS[name] is CALL_RESULTS[number] is CALL_RESULTS[str(number)] is CallResult(number)
    assert CALL_RESULTS["Answered"] is CallResult.ANSWER
    assert len(CALL_RESULTS) == 3 * 54 + 1


def test_dial_modes_of_the_desktop() -> None:
    """Every real dial mode has a desktop name, all different, and all documented names are used."""
    names = [name for mode, name in DIAL_MODE_NAMES.items() if mode is not DialMode.NO_DIAL_MODE]
    assert sorted(names) == sorted(ENUMS["campaign_mode_desktop"]["values"])
    assert len(DIAL_MODE_NAMES) == len(DialMode)
    for entry in ENUMS["dial_mode"]["values"][1:]:
        spelled = entry["display"].replace(" ", "")
        if "withseizing" not in spelled:
            assert DIAL_MODE_NAMES[DialMode(entry["value"])] == spelled
        else:
            assert DIAL_MODE_NAMES[DialMode(entry["value"])] == "Engaged" + spelled.removesuffix("withseizing")


def test_words_of_the_protocol() -> None:
    """Chain attributes, callback types and treatments are the documented words; treatments have two spellings."""
    assert list(CHAIN_ATTRIBUTES) == ENUMS["chain_attribute"]["values"]
    assert [kind.value for kind in CallbackType] == ENUMS["callback_type"]["values"]
    assert [kind.value for kind in Treatment] == ENUMS["treatment_override"]["values"]
    for kind in Treatment:
        assert TREATMENTS[kind.value] is TREATMENTS[f"RecordTreat{kind.value}"] is kind


def test_numbers_of_the_request_audit() -> None:
    """The audit's numbers are the documented ones; ours begin at 100."""
    documented = {_plain(name): number for name, number in API["desktopRequestTypes"].items()}
    ours = {_plain(kind.name): kind.value for kind in RequestType}
    assert {name: number for name, number in ours.items() if 0 < number < 100} == documented
    assert {e["value"]: _plain(e["name"]) for e in ENUMS["request_log_type"]["values"]} == {
        number: name for name, number in documented.items()
    }


def test_names_of_the_request_audit() -> None:
    """People see the documented name of every number; each of ours has a name of its own."""
    for name, number in API["desktopRequestTypes"].items():
        assert REQUEST_TYPE_NAMES[RequestType(number)] == name
    assert len(set(REQUEST_TYPE_NAMES.values())) == len(REQUEST_TYPE_NAMES) == len(RequestType)


def test_agent_states() -> None:
    """The five fixed states have the documented ids, names, states and work modes, in the documented order."""
    shown = [
        {
            "id": state.state_id,
            "operationName": state.name,
            "displayName": state.display_name,
            "state": state.state,
            **({} if state.work_mode is None else {"workMode": state.work_mode}),
            **({} if state.device_state == state.state else {"stateInDeviceMessages": state.device_state}),
        }
        for state in AGENT_STATES.values()
    ]
    assert shown == API["agentStates"]
    assert all(name == state.name for name, state in AGENT_STATES.items())


def test_channels() -> None:
    """The channels are the documented ones."""
    assert list(CHANNELS) == list(API["channels"])
    assert {OUTBOUND, INTERNAL, DEVICES} < set(CHANNELS)


def test_features_and_roles_have_texts() -> None:
    """Each feature and each role of the domain has its words, that of outbound the documented ones."""
    assert set(FEATURES) == set(Feature)
    assert set(ROLE_NAMES) == set(Role)
    outbound = FEATURES["api-voice-outbound"]
    assert (outbound.display_name, outbound.description) == ("Voice API Outbound", "API for Outbound")


@pytest.mark.parametrize("name", ["GSW_PHONE", "GSW_ANYTHING", "InteractionType", "InteractionSubtype", "contact_info"])
def test_keys_of_the_protocol_are_no_custom_fields(name: str) -> None:
    """A list's column cannot carry a name of the protocol's."""
    assert not is_custom_field(name)
    assert is_custom_field(name + "x") is not name.startswith("GSW_")
