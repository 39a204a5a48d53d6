"""A filter inside a claim: its condition and order as SQL text with parameters, never with pasted values.

How a kind of selection is translated is registered by whoever brings it (``compiled.register``). Its text speaks of the
table ``record`` as ``r``.
"""

from __future__ import annotations

from enum import StrEnum
from functools import singledispatch
from typing import Any, NamedTuple

from trunkline.app.ports import Selection
from trunkline.errors import Defect

_CONDITION = {"postgres": "/* condition */ true", "sqlite": "/* condition */ 1"}
_ORDER = "/* order */"


class Dialect(StrEnum):
    """Whose SQL."""

    POSTGRES = "postgres"
    SQLITE = "sqlite"


class Compiled(NamedTuple):
    """``condition`` is a SQL expression; ``order`` terms of an ORDER BY, each followed by a comma, or empty.

    ``values`` are the parameters: on PostgreSQL in the order of their numbers, which begin where the caller said; on
    SQLite the first is named ``:selection_0``.
    """

    condition: str
    order: str
    values: tuple[Any, ...]


@singledispatch
def compiled(selection: object, dialect: Dialect, first: int) -> Compiled:
    """The SQL of a selection; ``first`` is the number of its first parameter on PostgreSQL."""
    raise Defect(f"no store knows what {type(selection).__name__} selects")


def with_selection(text: str, selection: Selection | None, dialect: Dialect, first: int) -> tuple[str, tuple[Any, ...]]:
    """A statement with a selection put in, and the parameters that follow its own."""
    if selection is None:
        return text, ()
    found = compiled(selection, dialect, first)
    text = text.replace(_CONDITION[dialect], f"({found.condition})").replace(_ORDER, found.order)
    return text, found.values
