"""JSON of an operation on records and campaigns to a command, in the documented order of checks.

operationName -> feature -> required parameters -> types and ranges; existence, ownership and state are decided
by the use cases (decisions 1). Keys that the operation does not know are ignored: real clients send them.
Source: Outbound API, one page per operation; ``data/web-services-operations.json``.

Everything here runs for every request, so it is plain code.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trunkline.contract import values
from trunkline.contract.agent_requests import ON_ME, parse_channel_operation, parse_me_operation
from trunkline.contract.names import CHAIN_ATTRIBUTES, PHONE_TYPES, is_custom_field
from trunkline.contract.operations import OUTBOUND_FEATURES, Operation, known_operation, optional_text, reference_of
from trunkline.contract.parsed import Parsed
from trunkline.contract.values import INT32_MAX, INT64_MAX, MAX_NAME, MAX_TIME_S, Body
from trunkline.domain import commands
from trunkline.domain.eligibility import SECONDS_A_DAY
from trunkline.domain.enums import CallbackType, ChainAttribute, PhoneType, RequestType
from trunkline.domain.records import FieldChanges, FieldValue
from trunkline.errors import OutOfRange

__all__ = [
    "Parsed",
    "features_of",
    "parse_campaign_operation",
    "parse_channel_operation",
    "parse_me_operation",
    "parse_record_operation",
]

_COMMON = ("applicationId", "campaignName", "devicePath")
_CALLBACK_TYPES: dict[str, CallbackType] = {kind.value: kind for kind in CallbackType}
_NO_CHANGES = FieldChanges()

# --- records -----------------------------------------------------------------------------------------------------


def parse_record_operation(handle: int | None, body: Body, features: Collection[str] | None = None) -> Parsed:
    """An operation on ``/me/outbound-records/<handle>``, or on ``/me/outbound-records`` when ``handle`` is None.

    ``features`` are the caller's; None leaves that check to others. Raises ``Refused``.
    """
    name, operation = known_operation(body, _ON_RECORD if handle is not None else _ON_RECORDS, features)
    command = operation.read(handle, body)
    return Parsed(command, name, reference_of(body), operation.request_type)


def _update(handle: int, body: Body) -> commands.UpdateRecord:
    return commands.UpdateRecord(
        application_id=values.integer(body["applicationId"], "applicationId", 1, INT32_MAX),
        campaign_name=values.text(body["campaignName"], "campaignName", MAX_NAME),
        list_name=optional_text(body, "callingList"),
        changes=_changes(body),
        device_id=values.device_path(body["devicePath"]),
        handle=handle,
    )


def _changes(body: Body) -> FieldChanges:
    """The fields that UpdateRecord may write."""
    get = body.get
    number, zone, kind = get("phoneNumber"), get("timeZone"), get("phoneType")
    from_s, until_s = get("from"), get("until")
    if number is zone is kind is from_s is until_s is None:
        return _NO_CHANGES
    phone_type = None if kind is None else values.choice(kind, "phoneType", PHONE_TYPES)
    return FieldChanges(
        phone_number=None if number is None else values.phone_number(number, "phoneNumber", phone_type),
        phone_type=phone_type,
        time_zone=None if zone is None else values.time_zone(zone, "timeZone"),
        from_s=None if from_s is None else _from(from_s),
        until_s=None if until_s is None else _until(until_s),
    )


def _complete(handle: int, body: Body) -> commands.CompleteRecord:
    common = _common(body)
    result, number = body.get("callResult"), body.get("phoneNumber")
    changes = FieldChanges(
        call_result=None if result is None else values.call_result(result, "callResult"),
        phone_number=None if number is None else values.phone_number(number, "phoneNumber", None),
    )
    return commands.CompleteRecord(**common, handle=handle, list_name=_list_name(body), changes=changes)


def _reject(handle: int, body: Body) -> commands.RejectRecord:
    return commands.RejectRecord(**_common(body), handle=handle, list_name=_list_name(body))


def _reschedule(handle: int, body: Body) -> commands.RescheduleRecord:
    return commands.RescheduleRecord(
        **_common(body),
        handle=handle,
        callback_type=values.choice(body["callbackType"], "callbackType", _CALLBACK_TYPES),
        due_at_s=values.integer(body["timestamp"], "timestamp", 0, MAX_TIME_S - 1),
        changes=FieldChanges(phone_number=_optional_number(body)),
    )


def _read_chain(handle: int, body: Body) -> commands.ReadChain:
    return commands.ReadChain(**_common(body), handle=handle)


def _suppress(handle: int, body: Body) -> commands.SuppressContact:
    return commands.SuppressContact(
        **_common(body),
        handle=handle,
        list_name=_list_name(body),
        phone_number=_optional_number(body),
        chain_attribute=_chain_attribute(body),
    )


def _suppress_number(_: None, body: Body) -> commands.SuppressContact:
    return commands.SuppressContact(
        **_common(body),
        list_name=optional_text(body, "callingList"),
        phone_number=values.phone_number(body["phoneNumber"], "phoneNumber", None),
        chain_attribute=_chain_attribute(body),
    )


def _cancel(handle: int, body: Body) -> commands.CancelRecord:
    return commands.CancelRecord(
        **_common(body), handle=handle, list_name=_list_name(body), chain_attribute=_chain_attribute(body)
    )


def _add(_: None, body: Body) -> commands.AddRecord:
    common = _common(body)
    chain_id = body.get("chainId")
    phone_type: PhoneType = values.choice(body["phoneType"], "phoneType", PHONE_TYPES)
    return commands.AddRecord(
        **common,
        chain_id=None if chain_id is None else values.integer(chain_id, "chainId", 0, INT64_MAX),
        list_name=_list_name(body),
        phone_number=values.phone_number(body["phoneNumber"], "phoneNumber", phone_type),
        time_zone=values.time_zone(body["timeZone"], "timeZone"),
        phone_type=phone_type,
        from_s=_from(body["from"]),
        until_s=_until(body["until"]),
        other_fields=_other_fields(body),
    )


def _other_fields(body: Body) -> dict[str, FieldValue]:
    """Custom fields of a new record; the protocol's own keys, which clients copy from a record, are dropped."""
    given = body.get("otherFields")
    if given is None:
        return {}
    if type(given) is not dict:
        raise OutOfRange("otherFields must be an object")
    fields = {
        name: values.custom_field(name, value, "otherFields") for name, value in given.items() if is_custom_field(name)
    }
    values.check_field_count(len(fields), "otherFields")
    return fields


# --- campaigns ---------------------------------------------------------------------------------------------------


def parse_campaign_operation(campaign_name: str, body: Body, features: Collection[str] | None = None) -> Parsed:
    """An operation on ``/me/outbound-campaigns/<campaign_name>``, the name percent-decoded. Raises ``Refused``."""
    name, operation = known_operation(body, _ON_CAMPAIGN, features)
    command = operation.read(
        application_id=values.integer(body["applicationId"], "applicationId", 1, INT32_MAX),
        campaign_name=values.text(campaign_name, "campaignName", MAX_NAME),
        device_id=values.device_path(body["devicePath"]),
    )
    return Parsed(command, name, reference_of(body), operation.request_type)


# --- what all have in common -------------------------------------------------------------------------------------


def features_of(operation_name: str) -> tuple[str, ...]:
    """Features that an operation needs, () for one that no resource has. Source: Required Features of its page."""
    for table in (_ON_RECORD, _ON_RECORDS, _ON_CAMPAIGN, ON_ME):
        operation = table.get(operation_name)
        if operation is not None:
            return operation.features
    return OUTBOUND_FEATURES if operation_name == "SendUserEvent" else ()


def _common(body: Body) -> dict[str, Any]:
    return {
        "application_id": values.integer(body["applicationId"], "applicationId", 1, INT32_MAX),
        "campaign_name": values.text(body["campaignName"], "campaignName", MAX_NAME),
        "device_id": values.device_path(body["devicePath"]),
    }


def _list_name(body: Body) -> str:
    return values.text(body["callingList"], "callingList", MAX_NAME)


def _optional_number(body: Body) -> str | None:
    value = body.get("phoneNumber")
    return None if value is None else values.phone_number(value, "phoneNumber", None)


def _chain_attribute(body: Body) -> ChainAttribute | None:
    value = body.get("chainAttribute")
    return None if value is None else values.choice(value, "chainAttribute", CHAIN_ATTRIBUTES)


def _from(value: Any) -> int:
    return values.integer(value, "from", 0, SECONDS_A_DAY - 1)


def _until(value: Any) -> int:
    return values.integer(value, "until", 1, SECONDS_A_DAY)


_WITH_LIST = ("applicationId", "campaignName", "callingList", "devicePath")

_ON_RECORD: dict[str, Operation] = {
    "UpdateRecord": Operation(_update, RequestType.UPDATE_CALL_COMPLETION_STATS, _COMMON),
    "CompleteRecord": Operation(_complete, RequestType.RECORD_PROCESSED, _WITH_LIST),
    "RejectRecord": Operation(_reject, RequestType.RECORD_REJECT, _WITH_LIST),
    "DoNotCallRecord": Operation(_suppress, RequestType.DO_NOT_CALL, _WITH_LIST),
    "RescheduleRecord": Operation(
        _reschedule,
        RequestType.SCHEDULED_RECORD_RESCHEDULE,
        ("applicationId", "campaignName", "callbackType", "timestamp", "devicePath"),
    ),
    "GetChainedRecord": Operation(_read_chain, RequestType.CHAINED_RECORD_REQUEST, _COMMON),
    "CancelRecord": Operation(_cancel, RequestType.REQUEST_RECORD_CANCEL, _WITH_LIST),
}
_ON_RECORDS: dict[str, Operation] = {
    "AddRecord": Operation(
        _add,
        RequestType.ADD_RECORD,
        (*_WITH_LIST[:3], "phoneNumber", "timeZone", "phoneType", "from", "until", "devicePath"),
    ),
    "DoNotCallRecord": Operation(
        _suppress_number, RequestType.DO_NOT_CALL, ("applicationId", "campaignName", "phoneNumber", "devicePath")
    ),
}
_ON_CAMPAIGN: dict[str, Operation] = {
    "StartPreviewSession": Operation(
        commands.StartPreview, RequestType.PREVIEW_DIALING_MODE_START, ("applicationId", "devicePath")
    ),
    "EndPreviewSession": Operation(
        commands.EndPreview, RequestType.PREVIEW_DIALING_MODE_OVER, ("applicationId", "devicePath")
    ),
    "GetPreviewRecord": Operation(
        commands.NextPreview, RequestType.PREVIEW_RECORD_REQUEST, ("applicationId", "devicePath")
    ),
}
