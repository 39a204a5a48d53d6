"""Checks of single values of a request: type, form, range, length. Each names the parameter at fault.

Numbers arrive as JSON integers; booleans and floats are none (decisions 1). Over the desktop's door they may
also be texts (decisions 2): those checks are in ``user_events``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, TypeVar

from trunkline.contract.names import CALL_RESULTS
from trunkline.domain.eligibility import MAX_ZONE_NAME, zone
from trunkline.domain.enums import CallResult, PhoneType
from trunkline.domain.records import (
    MAX_FIELD_NAME,
    MAX_FIELD_TEXT,
    MAX_FIELDS,
    MAX_PHONE_NUMBER,
    FieldValue,
    check_phone_number,
)
from trunkline.errors import MissingParameter, OutOfRange, TooLarge

Body = dict[str, Any]
"""A decoded JSON object: whatever the caller wrote."""

INT32_MAX = 2**31 - 1
"""Ids, handles and counters are 32-bit integers in the original's protocol."""
INT64_MAX = 2**63 - 1
MAX_NAME = 255
"""Names of campaigns, lists and places: the longest the original's configuration holds."""
MAX_REFERENCE = 255
"""A reference is a uuid or a counter; it is stored with every request and sent back with every answer."""
MAX_DEVICE_ID = 64
"""A uuid has 36 characters."""
MAX_CUSTOMER_ID = 64
"""Column customer_id of the original's do-not-call table."""
MAX_CHANNELS = 16
"""There are five kinds of media; more than a few names are a mistake."""
MAX_TIME_S = 4_102_444_800
"""2100-01-01 as Unix seconds, exclusive: what lies beyond was given in milliseconds (decisions 1)."""

_Choice = TypeVar("_Choice")
_DEVICE_PREFIX = "/devices/"
_DATE_TIME = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})")


def require(body: Body, names: tuple[str, ...]) -> None:
    """Raise ``MissingParameter`` naming the first of ``names`` that is absent or null."""
    for name in names:
        if body.get(name) is None:
            raise MissingParameter(f"{name} is required")


def integer(value: Any, name: str, low: int, high: int) -> int:
    """``value`` when it is an integer from ``low`` to ``high``."""
    if type(value) is not int:
        raise OutOfRange(f"{name} must be an integer")
    if not low <= value <= high:
        raise OutOfRange(f"{name} must lie between {low} and {high}")
    return value


def text(value: Any, name: str, limit: int) -> str:
    """``value`` when it is a string of at most ``limit`` characters; ``TooLarge`` when it is longer."""
    if type(value) is not str:
        raise OutOfRange(f"{name} must be a string")
    if len(value) > limit:
        raise TooLarge(f"{name} is longer than {limit} characters")
    return value


def choice(value: Any, name: str, choices: dict[str, _Choice]) -> _Choice:
    """What the text ``value`` stands for."""
    found = choices.get(value) if type(value) is str else None
    if found is None:
        raise OutOfRange(f"{name} must be one of {', '.join(choices)}")
    return found


def call_result(value: Any, name: str) -> CallResult:
    """An outcome by name, number, or number as a string (decisions 5)."""
    found = CALL_RESULTS.get(value) if type(value) in (str, int) else None
    if found is None:
        raise OutOfRange(f"{name} must be the name or the number of a call result")
    return found


def device_path(value: Any) -> str:
    """The bare device id of ``/devices/<id>``; whether the device exists is decided later."""
    if type(value) is not str:
        raise OutOfRange("devicePath must be a string")
    if not value.startswith(_DEVICE_PREFIX):
        raise OutOfRange("devicePath must have the form /devices/<id>")
    return device_id(value[len(_DEVICE_PREFIX) :], "devicePath")


def device_id(value: Any, name: str) -> str:
    """A bare device id."""
    found = text(value, name, MAX_DEVICE_ID)
    if not found or "/" in found:
        raise OutOfRange(f"{name} must name a device")
    return found


def phone_number(value: Any, name: str, phone_type: PhoneType | None) -> str:
    """A number that can be dialed, or an address where the type says so or is not known."""
    found = text(value, name, MAX_PHONE_NUMBER)
    try:
        check_phone_number(found, phone_type)
    except OutOfRange as error:
        raise type(error)(str(error).replace("phoneNumber", name)) from None
    return found


def time_zone(value: Any, name: str) -> str:
    """A time zone's name as given (decisions 6). Cost: a file is read the first time a name is seen."""
    found = text(value, name, MAX_ZONE_NAME)
    try:
        zone(found)
    except OutOfRange as error:
        raise type(error)(str(error).replace("timeZone", name)) from None
    return found


def date_time(value: Any, name: str) -> str:
    """A local time ``mm/dd/yyyy hh:mm`` that exists in the calendar and lies before the year 2100."""
    found = text(value, name, MAX_NAME)
    matched = _DATE_TIME.fullmatch(found)
    if matched is not None:
        month, day, year, hour, minute = (int(part) for part in matched.groups())
        try:
            moment = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - a wall clock; the record's zone comes later
        except ValueError:
            moment = None
        if moment is not None and moment.year < 2100:
            return found
    raise OutOfRange(f"{name} must be a time before the year 2100 in the form mm/dd/yyyy hh:mm")


def custom_field(name: str, value: Any, parameter: str) -> FieldValue:
    """The value of a custom field: a string, a number, a boolean or null."""
    if not name:
        raise OutOfRange(f"{parameter} holds a field without a name")
    if len(name) > MAX_FIELD_NAME:
        raise TooLarge(f"{parameter} holds a field name of more than {MAX_FIELD_NAME} characters")
    kind = type(value)
    if kind is str:
        if len(value) > MAX_FIELD_TEXT:
            raise TooLarge(f"{parameter} holds a text of more than {MAX_FIELD_TEXT} characters")
    elif kind not in _SCALARS:
        raise OutOfRange(f"{parameter} may hold strings, numbers, booleans and null only")
    checked: FieldValue = value
    return checked


_SCALARS = frozenset({int, float, bool, type(None)})


def check_field_count(count: int, parameter: str) -> None:
    """Raise ``TooLarge`` for more custom fields than a record may carry."""
    if count > MAX_FIELDS:
        raise TooLarge(f"{parameter} holds more than {MAX_FIELDS} custom fields")
