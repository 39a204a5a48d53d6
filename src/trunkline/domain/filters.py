"""Which records of a list are called, and in what order: filters as trees.

A filter is written in a small language (``filter_parsing``): comparisons of columns and custom fields with constants,
joined by AND, OR and NOT. It can say nothing else, so there is nothing to guard against: a tree becomes SQL with
parameters (``adapters.storage.filter_sql``), or is judged here (``filter_evaluation``). Source: outbound domain 2.6,
dialing filter with ``criteria`` and ``order_by``.

NULL behaves as in SQL: a comparison with it is neither true nor false, and what is not true is not selected.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

MAX_CRITERIA = 4_000
"""Characters of a filter: the original splits at 255 and joins as many pieces as somebody has patience for."""
MAX_TERMS = 200
"""Comparisons and constants in one filter: each is judged for each record looked at."""
MAX_DEPTH = 20
"""Nesting: more parentheses than anybody reads."""
MAX_ORDER = 8
"""Columns to sort by."""


class ColumnType(StrEnum):
    """What a column holds; it decides which constants may stand beside it."""

    INTEGER = "integer"
    TEXT = "text"
    TIME = "time"
    """Unix seconds; written as a date, or as so long ago."""
    CALL_RESULT = "call result"
    RECORD_TYPE = "record type"
    RECORD_STATUS = "record status"
    PHONE_TYPE = "phone type"
    FIELD = "custom field"
    """A text or a number, as the constant beside it is."""

    @property
    def is_number(self) -> bool:
        """True when the column is compared as a number."""
        return self not in (ColumnType.TEXT, ColumnType.FIELD)


class FilterColumn(msgspec.Struct, frozen=True):
    """A column of a record, or a custom field of that name."""

    name: str
    column_type: ColumnType


COLUMNS: dict[str, FilterColumn] = {
    name: FilterColumn(name, column_type)
    for name, column_type in (
        ("record_id", ColumnType.INTEGER),
        ("phone_number", ColumnType.TEXT),
        ("phone_type", ColumnType.PHONE_TYPE),
        ("record_type", ColumnType.RECORD_TYPE),
        ("record_status", ColumnType.RECORD_STATUS),
        ("call_result", ColumnType.CALL_RESULT),
        ("attempts", ColumnType.INTEGER),
        ("due_at", ColumnType.TIME),
        ("called_at", ColumnType.TIME),
        ("daily_from", ColumnType.INTEGER),
        ("daily_until", ColumnType.INTEGER),
        ("time_zone", ColumnType.TEXT),
        ("region", ColumnType.TEXT),
        ("campaign_id", ColumnType.INTEGER),
        ("agent_id", ColumnType.INTEGER),
        ("chain_id", ColumnType.INTEGER),
        ("chain_n", ColumnType.INTEGER),
        ("customer_id", ColumnType.TEXT),
        ("treatments", ColumnType.TEXT),
    )
}
"""What a filter can name, by name."""

OTHER_NAMES: dict[str, str] = {
    "contact_info": "phone_number",
    "contact_info_type": "phone_type",
    "attempt": "attempts",
    "dial_sched_time": "due_at",
    "call_time": "called_at",
    "daily_till": "daily_until",
    "tz_name": "time_zone",
    "status": "record_status",
}
"""Names of the calling-list table (outbound domain 1.1) for the same columns, so that filters can be taken over."""

Constant = int | float | str


class Ago(msgspec.Struct, frozen=True, tag="ago"):
    """A moment that moves: so many seconds before the filter is asked."""

    seconds: int


Operand = int | float | str | Ago


class Operator(StrEnum):
    """How two values are compared."""

    EQUAL = "="
    NOT_EQUAL = "<>"
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


class Compared(msgspec.Struct, frozen=True, tag="compared"):
    """A column beside a constant."""

    column: FilterColumn
    operator: Operator
    operand: Operand


class OneOf(msgspec.Struct, frozen=True, tag="one of"):
    """A column that has one of the values."""

    column: FilterColumn
    operands: tuple[Operand, ...]


class Between(msgspec.Struct, frozen=True, tag="between"):
    """A column between two values, both included."""

    column: FilterColumn
    low: Operand
    high: Operand


class Like(msgspec.Struct, frozen=True, tag="like"):
    """A text that fits a pattern: ``%`` stands for any text, ``_`` for one character; case matters."""

    column: FilterColumn
    pattern: str


class IsNull(msgspec.Struct, frozen=True, tag="is null"):
    """A column without a value; an empty text is a value."""

    column: FilterColumn


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The contrary."""

    condition: Condition


class Both(msgspec.Struct, frozen=True, tag="and"):
    """All of them."""

    conditions: tuple[Condition, ...]


class Either(msgspec.Struct, frozen=True, tag="or"):
    """At least one of them."""

    conditions: tuple[Condition, ...]


Condition = Compared | OneOf | Between | Like | IsNull | Not | Both | Either


class OrderTerm(msgspec.Struct, frozen=True):
    """A column to sort by; records without a value come last either way."""

    column: FilterColumn
    is_descending: bool = False


class ParsedFilter(msgspec.Struct, frozen=True):
    """A filter as a tree; ``condition`` None selects everything, an empty ``order`` is the list's own."""

    condition: Condition | None = None
    order: tuple[OrderTerm, ...] = ()


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A filter as a supervisor writes it. Source: outbound domain 2.6.

    ``criteria`` is a condition, empty for all records; ``order_by`` is ``column [ASC|DESC], ...``.
    """

    contact_centre_id: int
    filter_id: int
    name: str
    description: str = ""
    criteria: str = ""
    order_by: str = ""
    is_enabled: bool = True
