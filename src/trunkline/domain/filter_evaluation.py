"""A filter asked about a record: the reference for what databases make of the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from trunkline.domain.filters import (
    Ago,
    Between,
    Both,
    ColumnType,
    Compared,
    Condition,
    Either,
    FilterColumn,
    IsNull,
    Like,
    Not,
    OneOf,
    Operand,
    Operator,
    OrderTerm,
)
from trunkline.domain.records import FieldValue, Record

NUMBER_PATTERN = r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?"
"""What counts as a number in a custom field; the rest is text, and neither more nor less than any number."""

_NUMBER = re.compile(NUMBER_PATTERN, re.ASCII)
_RECORD_FIELDS = {
    "record_status": "status",
    "due_at": "due_at_s",
    "called_at": "called_at_s",
    "daily_from": "from_s",
    "daily_until": "until_s",
}
_encode = msgspec.json.Encoder().encode


def matches(condition: Condition | None, record: Record, now_s: int) -> bool:
    """True when the record is selected; ``now_s`` is Unix seconds."""
    return condition is None or judged(condition, record, now_s) is True


def ordered(records: Iterable[Record], terms: Sequence[OrderTerm]) -> list[Record]:
    """The records in the order of the terms; those that are alike stay as they are, missing values come last."""
    found = list(records)
    for term in reversed(terms):
        asked = [_as_text, _as_number] if term.column.column_type is ColumnType.FIELD else [_itself]
        for part in asked:
            values = [(part(_text_or_number(term.column, record)), record) for record in found]
            there = [pair for pair in values if pair[0] is not None]
            there.sort(key=_value_of, reverse=term.is_descending)
            found = [record for _, record in there] + [record for value, record in values if value is None]
    return found


def _value_of(pair: tuple[Any, Record]) -> Any:
    return pair[0]


def _itself(value: FieldValue) -> FieldValue:
    return value


def judged(condition: Condition, record: Record, now_s: int) -> bool | None:
    """True, False, or None where a missing value leaves it open."""
    match condition:
        case Not(inner):
            verdict = judged(inner, record, now_s)
            return None if verdict is None else not verdict
        case Both(conditions):
            return _all(judged(one, record, now_s) for one in conditions)
        case Either(conditions):
            verdict = _all(_negated(judged(one, record, now_s)) for one in conditions)
            return _negated(verdict)
        case IsNull(column):
            return _text_or_number(column, record) is None
        case Like(column, pattern):
            text = _as_text(_text_or_number(column, record))
            return None if text is None else _pattern(pattern).fullmatch(text) is not None
        case Compared(column, operator, operand):
            return _compared(column, operator, operand, record, now_s)
        case OneOf(column, operands):
            equal = [_compared(column, Operator.EQUAL, operand, record, now_s) for operand in operands]
            return _negated(_all(_negated(verdict) for verdict in equal))
        case Between(column, low, high):
            above = _compared(column, Operator.GREATER_OR_EQUAL, low, record, now_s)
            return _all((above, _compared(column, Operator.LESS_OR_EQUAL, high, record, now_s)))


def _negated(verdict: bool | None) -> bool | None:  # noqa: FBT001 - a truth value is what it is about
    return None if verdict is None else not verdict


def _all(verdicts: object) -> bool | None:
    result: bool | None = True
    for verdict in verdicts:  # type: ignore[attr-defined]
        if verdict is False:
            return False
        if verdict is None:
            result = None
    return result


def _compared(column: FilterColumn, operator: Operator, operand: Operand, record: Record, now_s: int) -> bool | None:
    value = _text_or_number(column, record)
    other: int | float | str = now_s - operand.seconds if isinstance(operand, Ago) else operand
    left: int | float | str | None = _as_text(value) if isinstance(other, str) else _as_number(value)
    if left is None:
        return None
    match operator:
        case Operator.EQUAL:
            return left == other
        case Operator.NOT_EQUAL:
            return left != other
        case Operator.LESS:
            return left < other  # type: ignore[operator]
        case Operator.LESS_OR_EQUAL:
            return left <= other  # type: ignore[operator]
        case Operator.GREATER:
            return left > other  # type: ignore[operator]
        case Operator.GREATER_OR_EQUAL:
            return left >= other  # type: ignore[operator]


def _text_or_number(column: FilterColumn, record: Record) -> FieldValue:
    if column.column_type.value == "custom field":
        return record.other_fields.get(column.name)
    value: FieldValue = getattr(record, _RECORD_FIELDS.get(column.name, column.name))
    return value


def _as_text(value: FieldValue) -> str | None:
    """A value as text: numbers and truth values as JSON writes them."""
    return value if value is None or isinstance(value, str) else _encode(value).decode()


def _as_number(value: FieldValue) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    return value


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> re.Pattern[str]:
    """An expression that never goes back over what it has read.

    What stands between two ``%`` is looked for once, as far left as it goes, and kept (an atomic group): a plain ``.*``
    for each would try all places of one with all of the others, and a text of some hundred signs would take hours.
    """
    first, *others = ("".join("." if sign == "_" else re.escape(sign) for sign in part) for part in pattern.split("%"))
    if others:
        *between, last = others
        first += "".join(f"(?>.*?{part})" for part in between) + f".*{last}"
    return re.compile(first, re.DOTALL)
