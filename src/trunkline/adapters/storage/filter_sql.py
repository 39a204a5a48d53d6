"""Filters as SQL: a tree becomes text, and its constants become parameters.

No text of a filter ever gets into a statement, apart from the names of columns in ``_COLUMNS``. The statement that
takes the text names the record ``r`` and its calling window ``w``. What each comparison means is in
``domain.filter_evaluation``; both databases must answer the same.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

from trunkline.domain.filter_evaluation import NUMBER_PATTERN
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
    OrderTerm,
)

_COLUMNS = {
    "record_id": "r.record_id",
    "phone_number": "r.phone_number",
    "phone_type": "r.phone_type",
    "record_type": "r.record_type",
    "record_status": "r.status",
    "call_result": "r.call_result",
    "attempts": "r.attempts",
    "due_at": "r.due_at_s",
    "called_at": "r.called_at_s",
    "daily_from": "w.from_s",
    "daily_until": "w.until_s",
    "time_zone": "w.time_zone",
    "region": "w.region",
    "campaign_id": "r.campaign_id",
    "agent_id": "r.agent_id",
    "chain_id": "r.chain_id",
    "chain_n": "r.chain_n",
    "customer_id": "r.customer_id",
    "treatments": "r.treatments",
}


_NUMBER = re.compile(NUMBER_PATTERN, re.ASCII)


class Compiler:
    """Compiles conditions and orders into one text; ``parameters`` grow with it."""

    def __init__(self, now_s: int) -> None:
        self._now_s = now_s

    def condition(self, condition: Condition | None) -> str:
        """A boolean expression; ``1 = 1`` selects everything."""
        match condition:
            case None:
                return "1 = 1"
            case Not(inner):
                return f"(NOT {self.condition(inner)})"
            case Both(conditions):
                return f"({' AND '.join(self.condition(one) for one in conditions)})"
            case Either(conditions):
                return f"({' OR '.join(self.condition(one) for one in conditions)})"
            case IsNull(column):
                return f"({self.value(column)} IS NULL)"
            case Like(column, pattern):
                return self.like(column, pattern)
            case Compared(column, operator, operand):
                return self._comparison(column, operator.value, operand)
            case OneOf(column, operands):
                return f"({' OR '.join(self._comparison(column, '=', operand) for operand in operands)})"
            case Between(column, low, high):
                return f"({self._comparison(column, '>=', low)} AND {self._comparison(column, '<=', high)})"

    def order(self, terms: tuple[OrderTerm, ...]) -> str:
        """Columns to sort by, each with a comma behind it; empty for none. Missing values come last."""
        parts = []
        for term in terms:
            direction = "DESC" if term.is_descending else "ASC"
            number, text = self.number(term.column), self.ordered_text(term.column)
            if term.column.column_type is ColumnType.FIELD:
                # Numbers before texts, so that a field with both has an order at all.
                parts += [f"{number} {direction} NULLS LAST", f"{text} {direction} NULLS LAST"]
            else:
                value = number if term.column.column_type.is_number else text
                parts.append(f"{value} {direction} NULLS LAST")
        return "".join(f"{part}, " for part in parts)

    def _comparison(self, column: FilterColumn, operator: str, operand: Operand) -> str:
        value = self._now_s - operand.seconds if isinstance(operand, Ago) else operand
        if isinstance(value, str):
            return f"({self.ordered_text(column)} {operator} {self.parameter(value)})"
        return f"({self.number(column)} {operator} {self.parameter(value)})"

    def value(self, column: FilterColumn) -> str:
        """The value, whatever it is."""
        return self.text(column) if column.column_type is ColumnType.FIELD else _COLUMNS[column.name]

    def number(self, column: FilterColumn) -> str:
        """The value as a number, NULL when it is none."""
        return self.field_number(column.name) if column.column_type is ColumnType.FIELD else _COLUMNS[column.name]

    def text(self, column: FilterColumn) -> str:
        """The value as text."""
        return self.field_text(column.name) if column.column_type is ColumnType.FIELD else _COLUMNS[column.name]

    def ordered_text(self, column: FilterColumn) -> str:
        """The value as text that is compared character by character."""
        return self.text(column)

    @abstractmethod
    def parameter(self, value: float | str) -> str:
        """How the text names a new parameter."""

    @abstractmethod
    def field_text(self, name: str) -> str:
        """A custom field as text."""

    @abstractmethod
    def field_number(self, name: str) -> str:
        """A custom field as a number, NULL when it is none."""

    @abstractmethod
    def like(self, column: FilterColumn, pattern: str) -> str:
        """A text that fits a pattern, with regard to case."""


class SqliteCompiler(Compiler):
    """SQLite's dialect. ``parameters`` are named ``f0``, ``f1``, ...; ``is_number`` is a function of the connection."""

    def __init__(self, now_s: int) -> None:
        super().__init__(now_s)
        self.parameters: dict[str, Any] = {}

    def parameter(self, value: float | str) -> str:
        """See ``Compiler.parameter``."""
        name = f"f{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def _field(self, name: str, expression: str) -> str:
        # Not a path: a name may hold any sign, and paths have no way to write a quote.
        return (
            f"(SELECT {expression} FROM json_each(coalesce(r.other_fields, '{{}}')) e "  # noqa: S608 - a parameter
            f"WHERE e.key = {self.parameter(name)})"
        )

    def field_text(self, name: str) -> str:
        """See ``Compiler.field_text``."""
        truths = "WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'"
        return self._field(name, f"CASE e.type {truths} ELSE CAST(e.atom AS TEXT) END")

    def field_number(self, name: str) -> str:
        """See ``Compiler.field_number``."""
        return self._field(
            name,
            "CASE WHEN e.type IN ('integer', 'real') THEN e.atom "
            "WHEN e.type = 'text' AND is_number(e.atom) THEN CAST(e.atom AS REAL) END",
        )

    def like(self, column: FilterColumn, pattern: str) -> str:
        """See ``Compiler.like``. GLOB, because LIKE has no regard to case here."""
        signs = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
        glob = "".join(signs.get(sign, sign) for sign in pattern)
        return f"({self.text(column)} GLOB {self.parameter(glob)})"


class PostgresCompiler(Compiler):
    """PostgreSQL's dialect. The first of ``parameters`` is ``$first``."""

    def __init__(self, now_s: int, first: int) -> None:
        super().__init__(now_s)
        self._first = first
        self.parameters: list[Any] = []

    def parameter(self, value: float | str) -> str:
        """See ``Compiler.parameter``."""
        self.parameters.append(value)
        kind = {str: "text", int: "bigint", float: "double precision"}[type(value)]
        return f"${self._first + len(self.parameters) - 1}::{kind}"

    def field_text(self, name: str) -> str:
        """See ``Compiler.field_text``."""
        return f"(r.other_fields::json ->> {self.parameter(name)})"

    def field_number(self, name: str) -> str:
        """See ``Compiler.field_number``. A truth value is no number, and its text does not look like one."""
        text, pattern = self.field_text(name), self.parameter(f"^{NUMBER_PATTERN}$")
        return f"(CASE WHEN {text} ~ {pattern} THEN {text}::double precision END)"

    def ordered_text(self, column: FilterColumn) -> str:
        """See ``Compiler.ordered_text``."""
        return f'{self.text(column)} COLLATE "C"'

    def like(self, column: FilterColumn, pattern: str) -> str:
        """See ``Compiler.like``."""
        escaped = pattern.replace("\\", "\\\\")
        return f"({self.text(column)} LIKE {self.parameter(escaped)})"


def is_number(text: object) -> bool:
    """The function that SQLite's connections know under this name."""
    return isinstance(text, str) and _NUMBER.fullmatch(text) is not None
