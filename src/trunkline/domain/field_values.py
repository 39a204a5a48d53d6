"""Values of declared custom fields: type, length, and whether they may be empty.

Desktops and files send texts, so a text that reads as a number is one in a numeric field; what it is in the answer is
what was understood. A text field takes any plain value as it comes, as it always did: only its length is checked.
Fields that no format declares are not looked at.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from trunkline.domain.campaigns import ListField
from trunkline.domain.enums import FieldType
from trunkline.domain.records import FieldValue
from trunkline.errors import MissingParameter, OutOfRange, Refused, TooLarge

READ_ONLY = 11
"""Status code of a refusal to change what may only be read."""
MAX_INTEGER = 2**63 - 1
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_MOMENT = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})")


def checked_value(field: ListField, value: FieldValue, place: str) -> FieldValue:
    """The value as it is kept. Raises ``OutOfRange`` or ``TooLarge`` naming ``place``.

    An empty text in a numeric or date field is no value. Raises ``MissingParameter`` for nothing in a field that must
    have something.
    """
    is_text = field.field_type in (FieldType.CHAR, FieldType.VARCHAR)
    if value is None or (type(value) is str and not value.strip() and (not is_text or field.is_mandatory)):
        if field.is_mandatory or not field.is_nullable:
            raise MissingParameter(f"{place} must have a value")
        return None
    if is_text:
        length = len(value if type(value) is str else str(value))
        if field.max_length is not None and length > field.max_length:
            raise TooLarge(f"{place} is longer than {field.max_length} characters")
        return value
    if field.field_type is FieldType.INT:
        return _whole(value, place)
    if field.field_type is FieldType.FLOAT:
        return _number(value, place)
    return _moment(value, place)


def _whole(value: FieldValue, place: str) -> int:
    found = int(value) if type(value) is str and _WHOLE.fullmatch(value.strip()) else value
    if type(found) is float and found.is_integer():
        found = int(found)
    if type(found) is not int or abs(found) > MAX_INTEGER:
        raise OutOfRange(f"{place} must be an integer")
    return found


def _number(value: FieldValue, place: str) -> float | int:
    found = float(value) if type(value) is str and _FLOAT.fullmatch(value.strip()) else value
    if isinstance(found, int | float) and type(found) is not bool and math.isfinite(found):
        return found
    raise OutOfRange(f"{place} must be a number")


def _moment(value: FieldValue, place: str) -> FieldValue:
    """Unix seconds, ``2031-05-01T09:30`` in one of the forms of ISO 8601, or ``mm/dd/yyyy hh:mm`` as desktops write."""
    if type(value) is int and abs(value) <= MAX_INTEGER:
        return value
    if type(value) is str:
        text = value.strip()
        if _WHOLE.fullmatch(text):
            return text
        american = _MOMENT.fullmatch(text)
        try:
            if american is not None:
                month, day, year, hour, minute = map(int, american.groups())
                datetime(year, month, day, hour, minute)  # noqa: DTZ001 - whether there is such a day
            else:
                datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            return value
    raise OutOfRange(f"{place} must be a date and time such as 2031-05-01T09:30")


def checked_fields(
    fields: Iterable[ListField],
    given: Mapping[str, FieldValue],
    before: Mapping[str, FieldValue] | None,
    *,
    by_agent: bool,
) -> dict[str, FieldValue]:
    """Custom fields to write, as they are kept.

    ``before`` are those that the record has; None for a new record, which gets the defaults. What is mandatory may not
    be emptied; that it is filled in at all is the form's business, as records come from many sides. An agent may send
    a read-only field back as it is, and not change it.
    """
    kept = dict(given)
    for field in fields:
        if field.name in given:
            value = checked_value(field, given[field.name], field.name)
            if by_agent and field.is_read_only and before is not None and value != before.get(field.name):
                raise Refused(f"{field.name} may only be read", READ_ONLY)
            kept[field.name] = value
        elif before is None and field.default is not None:
            kept[field.name] = field.default
    return kept
