"""SendUserEvent, the desktop's door: ``GSW_*`` user data to a command.

Two kinds of fault. Those of the envelope (operationName, deviceId, userData, feature) are refused over HTTP and
raised here. Everything inside the request comes back as a ``ParsedFailure``, because the desktop waits for an
event, not for an HTTP status. Numbers may come as texts. Source: outbound domain 3.1; decisions 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

import msgspec

from trunkline.contract import values
from trunkline.contract.names import CHAIN_ATTRIBUTES, TREATMENTS, is_custom_field
from trunkline.contract.operations import OUTBOUND_FEATURES, check_features, operation_name_of
from trunkline.contract.parsed import Parsed, ParsedFailure
from trunkline.contract.refusals import UnknownOperation
from trunkline.contract.values import INT32_MAX, INT64_MAX, MAX_CUSTOMER_ID, MAX_NAME, MAX_REFERENCE, MAX_TIME_S, Body
from trunkline.domain import commands
from trunkline.domain.commands import AnyCommand, Reference
from trunkline.domain.eligibility import SECONDS_A_DAY
from trunkline.domain.enums import CallbackType, CallResult, ChainAttribute, PhoneType, RecordStatus, RecordType
from trunkline.domain.enums import RequestType as Kind
from trunkline.domain.records import FieldChanges, FieldValue
from trunkline.errors import MissingParameter, OutOfRange, Refused, TooLarge

OPERATION_NAME = "SendUserEvent"
REQUEST_KEY = "GSW_AGENT_REQ_TYPE"

_A, _C, _L, _H = "GSW_APPLICATION_ID", "GSW_CAMPAIGN_NAME", "GSW_CALLING_LIST", "GSW_RECORD_HANDLE"
_TARGETS = (_H, "GSW_PHONE", "GSW_CUSTOMER_ID")
_CALLBACK_TYPES: dict[str, CallbackType] = {kind.value: kind for kind in CallbackType}
_NUMBER = re.compile(r"-?[0-9]{1,19}")


class _Request(msgspec.Struct, frozen=True):
    """How a request is read from the user data of a device."""

    read: Callable[[Body, str], AnyCommand]
    kind: Kind
    required: tuple[str, ...] = (_A, _C)


def parse_user_event(body: Body, features: Collection[str] | None = None) -> Parsed | ParsedFailure | None:
    """A request of ``/internal-api/operations``; None for user data that asks for nothing.

    ``features`` are the caller's; None leaves that check to others. Raises ``Refused`` for faults of the
    envelope only.
    """
    if operation_name_of(body) != OPERATION_NAME:
        raise UnknownOperation("operationName names no operation of this resource")
    user_data = body.get("userData")
    name = user_data.get(REQUEST_KEY) if type(user_data) is dict else None
    if name is not None:
        check_features(OUTBOUND_FEATURES, features)
    values.require(body, ("deviceId", "userData"))
    device_id = values.device_id(body["deviceId"], "deviceId")
    if type(user_data) is not dict:
        raise OutOfRange("userData must be an object")
    if name is None:
        return None
    return parse_request(name, user_data, device_id)


def parse_request(name: Any, user_data: Body, device_id: str) -> Parsed | ParsedFailure:
    """The request ``name`` with its user data, whichever door it came through."""
    request = _REQUESTS.get(name) if type(name) is str else None
    reference: Reference = None
    try:
        reference = reference_of(user_data)
        if request is None:
            raise _unknown(name)
        values.require(user_data, request.required)
        return Parsed(request.read(user_data, device_id), name, reference, request.kind)
    except Refused as error:
        return ParsedFailure(
            error=error,
            operation_name=name if request is not None else OPERATION_NAME,
            device_id=device_id,
            reference=reference,
            request_type=request.kind if request is not None else Kind.UNSOLICITED,
            application_id=_named_number(user_data, _A),
            campaign_name=_named_text(user_data, _C),
            list_name=_named_text(user_data, _L),
            handle=_named_number(user_data, _H),
        )


def _unknown(name: Any) -> Refused:
    if type(name) is not str:
        return OutOfRange(f"{REQUEST_KEY} must be a string")
    return UnknownOperation(f"{REQUEST_KEY} names no request")


# --- requests ----------------------------------------------------------------------------------------------------


def _plain(kind: type[commands.Command]) -> Callable[[Body, str], AnyCommand]:
    """Reads a request that names a campaign and nothing else."""

    def read(user_data: Body, device_id: str) -> AnyCommand:
        command: Any = kind(**_common(user_data, device_id))
        return command  # type: ignore[no-any-return]  # the table below names kinds of AnyCommand only

    return read


def _read_campaigns(user_data: Body, device_id: str) -> commands.ReadCampaigns:
    return commands.ReadCampaigns(
        device_id=device_id,
        application_id=optional_number(user_data, _A, 1, INT32_MAX),
        campaign_name=_optional_text(user_data, _C),
    )


def _read_chain(user_data: Body, device_id: str) -> commands.ReadChain:
    return commands.ReadChain(**_on_record(user_data, device_id))


def _update(user_data: Body, device_id: str) -> commands.UpdateRecord:
    return commands.UpdateRecord(**_on_record(user_data, device_id), changes=_changes(user_data))


def _complete(user_data: Body, device_id: str) -> commands.CompleteRecord:
    treatment = user_data.get("GSW_TREATMENT")
    return commands.CompleteRecord(
        **_on_record(user_data, device_id),
        changes=_changes(user_data),
        treatment=None if treatment is None else values.choice(treatment, "GSW_TREATMENT", TREATMENTS),
    )


def _reject(user_data: Body, device_id: str) -> commands.RejectRecord:
    return commands.RejectRecord(**_on_record(user_data, device_id))


def _reschedule(user_data: Body, device_id: str) -> commands.RescheduleRecord:
    return _callback(user_data, device_id, is_scheduled=False)


def _reschedule_scheduled(user_data: Body, device_id: str) -> commands.RescheduleRecord:
    return _callback(user_data, device_id, is_scheduled=True)


def _callback(user_data: Body, device_id: str, *, is_scheduled: bool) -> commands.RescheduleRecord:
    """A callback; without GSW_CALLBACK_TYPE anyone of the campaign takes it, as with a treatment (inferred)."""
    who = user_data.get("GSW_CALLBACK_TYPE")
    return commands.RescheduleRecord(
        **_on_record(user_data, device_id),
        callback_type=CallbackType.CAMPAIGN
        if who is None
        else values.choice(who, "GSW_CALLBACK_TYPE", _CALLBACK_TYPES),
        local_time=values.date_time(user_data["GSW_DATE_TIME"], "GSW_DATE_TIME"),
        is_scheduled=is_scheduled,
        changes=_changes(user_data),
    )


def _suppress(user_data: Body, device_id: str) -> commands.SuppressContact:
    return commands.SuppressContact(**_aimed(user_data, device_id))


def _cancel(user_data: Body, device_id: str) -> commands.CancelRecord:
    return commands.CancelRecord(**_aimed(user_data, device_id))


def _add(user_data: Body, device_id: str) -> commands.AddRecord:
    get = user_data.get
    kind = _enumerated(user_data, "GSW_PHONE_TYPE", PhoneType)
    given = {
        "phone_type": kind,
        "from_s": optional_number(user_data, "GSW_FROM", 0, SECONDS_A_DAY - 1),
        "until_s": optional_number(user_data, "GSW_UNTIL", 1, SECONDS_A_DAY),
        "record_type": _enumerated(user_data, "GSW_RECORD_TYPE", RecordType),
        "status": _enumerated(user_data, "GSW_RECORD_STATUS", RecordStatus),
        "call_result": _call_result(user_data),
        "attempts": optional_number(user_data, "GSW_ATTEMPTS", 0, INT32_MAX),
    }
    when = get("GSW_DATE_TIME")
    return commands.AddRecord(
        **_common(user_data, device_id),
        **{name: value for name, value in given.items() if value is not None},
        list_name=_optional_text(user_data, _L),
        phone_number=values.phone_number(user_data["GSW_PHONE"], "GSW_PHONE", kind),
        time_zone=None if get("GSW_TZ_NAME") is None else values.time_zone(get("GSW_TZ_NAME"), "GSW_TZ_NAME"),
        chain_id=optional_number(user_data, "GSW_CHAIN_ID", 0, INT64_MAX),
        local_time=None if when is None else values.date_time(when, "GSW_DATE_TIME"),
        called_at_s=optional_number(user_data, "GSW_CALL_TIME", 0, MAX_TIME_S - 1),
        agent_name=_optional_text(user_data, "GSW_AGENT_ID"),
        customer_id=_optional_text(user_data, "GSW_CUSTOMER_ID", MAX_CUSTOMER_ID),
        other_fields=_custom_fields(user_data) or {},
    )


# --- parts of requests -------------------------------------------------------------------------------------------


def _common(user_data: Body, device_id: str) -> dict[str, Any]:
    return {
        "application_id": _number(user_data[_A], _A, 1, INT32_MAX),
        "campaign_name": values.text(user_data[_C], _C, MAX_NAME),
        "device_id": device_id,
    }


def _on_record(user_data: Body, device_id: str) -> dict[str, Any]:
    return {
        **_common(user_data, device_id),
        "handle": _number(user_data[_H], _H, 0, INT32_MAX),
        "list_name": _optional_text(user_data, _L),
    }


def _aimed(user_data: Body, device_id: str) -> dict[str, Any]:
    """A request at a record, a number or a customer; a handle comes first when several are given."""
    if all(user_data.get(name) is None for name in _TARGETS):
        raise MissingParameter(f"one of {', '.join(_TARGETS)} is required")
    number, attribute = user_data.get("GSW_PHONE"), user_data.get("GSW_CHAIN_ATTR")
    chain_attribute: ChainAttribute | None = (
        None if attribute is None else values.choice(attribute, "GSW_CHAIN_ATTR", CHAIN_ATTRIBUTES)
    )
    handle = optional_number(user_data, _H, 0, INT32_MAX)
    phone_number = None if number is None else values.phone_number(number, "GSW_PHONE", None)
    customer_id = _optional_text(user_data, "GSW_CUSTOMER_ID", MAX_CUSTOMER_ID)
    return {
        **_common(user_data, device_id),
        "handle": handle,
        "phone_number": phone_number,
        "customer_id": customer_id if handle is None and phone_number is None else None,
        "list_name": _optional_text(user_data, _L),
        "chain_attribute": chain_attribute,
    }


def _changes(user_data: Body) -> FieldChanges:
    """Fields that ride along with a request about a record."""
    number, zone = user_data.get("GSW_PHONE"), user_data.get("GSW_TZ_NAME")
    phone_type = _enumerated(user_data, "GSW_PHONE_TYPE", PhoneType)
    return FieldChanges(
        phone_number=None if number is None else values.phone_number(number, "GSW_PHONE", phone_type),
        phone_type=phone_type,
        time_zone=None if zone is None else values.time_zone(zone, "GSW_TZ_NAME"),
        from_s=optional_number(user_data, "GSW_FROM", 0, SECONDS_A_DAY - 1),
        until_s=optional_number(user_data, "GSW_UNTIL", 1, SECONDS_A_DAY),
        call_result=_call_result(user_data),
        attempts=optional_number(user_data, "GSW_ATTEMPTS", 0, INT32_MAX),
        other_fields=_custom_fields(user_data),
    )


def _custom_fields(user_data: Body) -> dict[str, FieldValue] | None:
    """All keys that are not the protocol's own, None when there are none."""
    fields = {
        name: values.custom_field(name, value, "userData") for name, value in user_data.items() if is_custom_field(name)
    }
    values.check_field_count(len(fields), "userData")
    return fields or None


def _call_result(user_data: Body) -> CallResult | None:
    value = user_data.get("GSW_CALL_RESULT")
    return None if value is None else values.call_result(value, "GSW_CALL_RESULT")


def _enumerated(user_data: Body, name: str, kind: Callable[[int], Any]) -> Any:
    """The member of a numbered enumeration, None when the key is absent."""
    value = user_data.get(name)
    if value is None:
        return None
    number = _number(value, name, 0, INT32_MAX)
    try:
        return kind(number)
    except ValueError:
        raise OutOfRange(f"{name} is no number of its enumeration") from None


def _number(value: Any, name: str, low: int, high: int) -> int:
    """An integer, or a text of digits."""
    if type(value) is str and _NUMBER.fullmatch(value):
        value = int(value)
    return values.integer(value, name, low, high)


def optional_number(user_data: Body, name: str, low: int, high: int) -> int | None:
    """An integer, or a text of digits, from ``low`` to ``high``; None when the key is absent or null."""
    value = user_data.get(name)
    return None if value is None else _number(value, name, low, high)


def _optional_text(user_data: Body, name: str, limit: int = MAX_NAME) -> str | None:
    value = user_data.get(name)
    return None if value is None else values.text(value, name, limit)


def reference_of(user_data: Body) -> Reference:
    """The desktop's mark for the request; it is echoed with its JSON type."""
    value = user_data.get("GSW_REFERENCE_ID")
    if type(value) in (list, dict):
        raise OutOfRange("GSW_REFERENCE_ID must be a string or a number")
    if type(value) is str and len(value) > MAX_REFERENCE:
        raise TooLarge(f"GSW_REFERENCE_ID is longer than {MAX_REFERENCE} characters")
    reference: Reference = value
    return reference


def _named_number(user_data: Body, name: str) -> int | None:
    """What a faulty request named, as far as it can be repeated."""
    try:
        return optional_number(user_data, name, -INT64_MAX, INT64_MAX)
    except Refused:
        return None


def _named_text(user_data: Body, name: str) -> str | None:
    try:
        return _optional_text(user_data, name)
    except Refused:
        return None


_ACH = (_A, _C, _H)
_REQUESTS: dict[str, _Request] = {
    "PreviewRecordRequest": _Request(_plain(commands.NextPreview), Kind.PREVIEW_RECORD_REQUEST),
    "ChainedRecordRequest": _Request(_read_chain, Kind.CHAINED_RECORD_REQUEST, _ACH),
    "AddRecord": _Request(_add, Kind.ADD_RECORD, (_A, _C, "GSW_PHONE")),
    "PreviewDialingModeStart": _Request(_plain(commands.StartPreview), Kind.PREVIEW_DIALING_MODE_START),
    "PreviewDialingModeOver": _Request(_plain(commands.EndPreview), Kind.PREVIEW_DIALING_MODE_OVER),
    "UpdateCallCompletionStats": _Request(_update, Kind.UPDATE_CALL_COMPLETION_STATS, _ACH),
    "RecordProcessed": _Request(_complete, Kind.RECORD_PROCESSED, _ACH),
    "RecordReject": _Request(_reject, Kind.RECORD_REJECT, _ACH),
    "RequestRecordCancel": _Request(_cancel, Kind.REQUEST_RECORD_CANCEL),
    "RecordReschedule": _Request(_reschedule, Kind.RECORD_RESCHEDULE, (*_ACH, "GSW_DATE_TIME")),
    "ScheduledRecordReschedule": _Request(
        _reschedule_scheduled, Kind.SCHEDULED_RECORD_RESCHEDULE, (*_ACH, "GSW_DATE_TIME")
    ),
    "DoNotCall": _Request(_suppress, Kind.DO_NOT_CALL),
    "ContinueProcessing": _Request(_plain(commands.ContinueProcessing), Kind.CONTINUE_PROCESSING),
    "LogOut": _Request(_plain(commands.LogOut), Kind.LOGOUT),
    "Logout": _Request(_plain(commands.LogOut), Kind.LOGOUT),
    "ReadyTime": _Request(_plain(commands.ReadyTime), Kind.READY_TIME),
    "CampaignStatusRequest": _Request(_read_campaigns, Kind.CAMPAIGN_STATUS, ()),
}
