"""Filters of lists at work: parsed against the list's fields, explained, counted."""

from __future__ import annotations

from trunkline.app.ports import RecordQuery, Store
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.filter_parsing import parse_filter
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
    ParsedFilter,
)

_ENUMS: dict[ColumnType, type[CallResult | RecordType | RecordStatus | PhoneType]] = {
    ColumnType.CALL_RESULT: CallResult,
    ColumnType.RECORD_TYPE: RecordType,
    ColumnType.RECORD_STATUS: RecordStatus,
    ColumnType.PHONE_TYPE: PhoneType,
}
_WORDS = {"=": "is", "<>": "is not", "<": "is below", "<=": "is at most", ">": "is above", ">=": "is at least"}


def parsed_for(calling_list: CallingList | None, criteria: str, order_by: str = "") -> ParsedFilter:
    """A filter read for a list: it may name the list's fields; any field when the list declares none.

    Raises ``OutOfRange`` with the place of what is wrong.
    """
    fields = {field.name for field in calling_list.fields} if calling_list and calling_list.fields else None
    return parse_filter(criteria, order_by, fields)


async def counted(store: Store, calling_list: CallingList, parsed: ParsedFilter, now_s: int) -> int:
    """How many records of the list the filter selects now. Cost: the whole list."""
    return await store.count_records(
        RecordQuery(
            contact_centre_id=calling_list.contact_centre_id,
            list_id=calling_list.list_id,
            condition=parsed.condition,
            now_s=now_s,
        )
    )


def explained(parsed: ParsedFilter) -> str:
    """The filter in words, as it was understood."""
    what = "every record" if parsed.condition is None else f"records where {_said(parsed.condition)}"
    if not parsed.order:
        return what
    terms = [f"{term.column.name}{', greatest first' if term.is_descending else ''}" for term in parsed.order]
    return f"{what}; ordered by {', then by '.join(terms)}"


def _said(condition: Condition) -> str:
    match condition:
        case Not(IsNull(column)):
            return f"{column.name} has a value"
        case Not(inner):
            return f"not ({_said(inner)})"
        case Both(conditions):
            return " and ".join(f"({_said(one)})" if isinstance(one, Either) else _said(one) for one in conditions)
        case Either(conditions):
            return " or ".join(_said(one) for one in conditions)
        case IsNull(column):
            return f"{column.name} has no value"
        case Like(column, pattern):
            return f"{column.name} looks like {pattern!r}"
        case Compared(column, operator, operand):
            return f"{column.name} {_WORDS[operator.value]} {_shown(column, operand)}"
        case OneOf(column, operands):
            return f"{column.name} is one of {', '.join(_shown(column, operand) for operand in operands)}"
        case Between(column, low, high):
            return f"{column.name} is between {_shown(column, low)} and {_shown(column, high)}"


def _shown(column: FilterColumn, operand: Operand) -> str:
    if isinstance(operand, Ago):
        return _ago(operand.seconds)
    members = _ENUMS.get(column.column_type)
    if members is not None and isinstance(operand, int):
        return members(operand).name.replace("_", " ").lower()
    return repr(operand)


def _ago(seconds: int) -> str:
    if seconds == 0:
        return "now"
    for unit, name in ((86_400, "days"), (3_600, "hours")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name} ago"
    return f"{seconds // 60} minutes ago"
