"""A filter inside a claim: its condition and order as SQL text with parameters, never with pasted values.

The statements of claims carry marks where a filter is put in; without one they are complete as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trunkline.adapters.storage.filter_sql import Compiler, PostgresCompiler, SqliteCompiler
from trunkline.domain.filters import Condition, ParsedFilter

_CONDITION = ("/* condition */ true", "/* condition */ 1")
_ORDER = "/* order */"
_WINDOW = "/* window */"
_JOIN = (
    "JOIN calling_window AS w ON w.contact_centre_id = r.contact_centre_id AND w.list_id = r.list_id "
    "AND w.window_id = r.window_id"
)


def _put_in(text: str, condition: str, order: str) -> str:
    for mark in _CONDITION:
        text = text.replace(mark, condition)
    return text.replace(_ORDER, order).replace(_WINDOW, _JOIN)


def _of_filter(text: str, selection: ParsedFilter, compiler: Compiler) -> str:
    condition = compiler.condition(selection.condition)
    # A statement without the mark must not get the parameters of an order.
    return _put_in(text, condition, compiler.order(selection.order) if _ORDER in text else "")


def _of_lists(text: str, conditions: Mapping[int, Condition | None], compiler: Compiler) -> str:
    cases = " ".join(
        f"WHEN {int(list_id)} THEN {compiler.condition(condition)}"
        for list_id, condition in conditions.items()
        if condition is not None
    )
    return _put_in(text, f"CASE r.list_id {cases} ELSE 1 = 1 END", "")


def postgres_filter(text: str, selection: ParsedFilter, now_s: int, first: int) -> tuple[str, list[Any]]:
    """A statement with a filter put in, and the parameters that follow its own; the first of these is ``$first``."""
    if selection == ParsedFilter():
        return text, []
    compiler = PostgresCompiler(now_s, first)
    return _of_filter(text, selection, compiler), compiler.parameters


def postgres_conditions(
    text: str, conditions: Mapping[int, Condition | None], now_s: int, first: int
) -> tuple[str, list[Any]]:
    """The same with a condition for each list."""
    if not any(conditions.values()):
        return text, []
    compiler = PostgresCompiler(now_s, first)
    return _of_lists(text, conditions, compiler), compiler.parameters


def sqlite_filter(text: str, selection: ParsedFilter, now_s: int) -> tuple[str, dict[str, Any]]:
    """A statement with a filter put in, and the parameters that join its own."""
    if selection == ParsedFilter():
        return text, {}
    compiler = SqliteCompiler(now_s)
    return _of_filter(text, selection, compiler), compiler.parameters


def sqlite_conditions(text: str, conditions: Mapping[int, Condition | None], now_s: int) -> tuple[str, dict[str, Any]]:
    """The same with a condition for each list."""
    if not any(conditions.values()):
        return text, {}
    compiler = SqliteCompiler(now_s)
    return _of_lists(text, conditions, compiler), compiler.parameters
