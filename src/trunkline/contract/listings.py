"""Lists of resources: filter, sort, page, and either addresses or whole items.

Without ``fields`` a list is the addresses of its items under ``uris``; with it, the items under the list's own
name. Source: Web Services API 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trunkline.errors import OutOfRange

Json = dict[str, Any]
Query = Mapping[str, str]
"""Query parameters of a request, each with one value."""

MAX_LIMIT = 1000
"""Items of one page: the answer stays under a megabyte."""

_CONTROLS = frozenset({"fields", "subresources", "limit", "offset", "sortBy", "order"})
ORDERS = {"Ascending": False, "Descending": True}
"""Values of ``order``, and whether the order is turned round."""


def listing(name: str, items: Sequence[Json], query: Query) -> Json:
    """Content of the answer to a read of a list, ready for ``answers.answer``.

    Parameters that are neither controls nor a field of the items are ignored; several filters combine with AND.
    Raises ``OutOfRange`` naming a control with an impossible value.
    """
    found = paged(sorted_by(filtered(items, query), query), query)
    fields = query.get("fields")
    if fields is None:
        return {"uris": [item["uri"] for item in found if "uri" in item]}
    return {name: [selected(item, fields) for item in found]}


def names_of(fields: str) -> frozenset[str]:
    """The names of a parameter ``fields``."""
    return frozenset(name.strip() for name in fields.split(","))


def selected(item: Json, fields: str) -> Json:
    """The named fields of an item in the item's own order; ``*`` is all. Unknown names are ignored."""
    names = names_of(fields)
    if "*" in names:
        return item
    return {name: value for name, value in item.items() if name in names}


def filtered(items: Sequence[Json], query: Query) -> list[Json]:
    """Items whose fields equal the query parameters of the same names."""
    known = {name for item in items for name in item}
    wanted = {name: value for name, value in query.items() if name in known and name not in _CONTROLS}
    return [item for item in items if all(matches(item.get(name), value) for name, value in wanted.items())]


def sorted_by(items: Sequence[Json], query: Query) -> list[Json]:
    """Items by the field ``sortBy``, ``order`` Ascending (the default) or Descending; equal ones keep their order."""
    order = query.get("order", "Ascending")
    if order not in ORDERS:
        raise OutOfRange("order must be Ascending or Descending")
    field = query.get("sortBy")
    if field is None:
        return list(items)
    if items and all(field not in item for item in items):
        raise OutOfRange("sortBy names no field of this list")
    return sorted(items, key=lambda item: rank(item.get(field)), reverse=ORDERS[order])


def paged(items: Sequence[Json], query: Query) -> list[Json]:
    """``limit`` items from ``offset`` on; without ``limit`` as many as a page holds."""
    offset = count(query, "offset", 0, 0, 2**31 - 1)
    limit = count(query, "limit", MAX_LIMIT, 1, MAX_LIMIT)
    return list(items[offset : offset + limit])


def count(query: Query, name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query; ``OutOfRange`` outside its bounds."""
    given = query.get(name)
    if given is None:
        return default
    if given.isascii() and given.isdigit() and len(given) <= 10 and low <= int(given) <= high:
        return int(given)
    raise OutOfRange(f"{name} must be an integer between {low} and {high}")


def matches(value: Any, wanted: str) -> bool:
    """A list matches when it holds the value."""
    if type(value) is list:
        return any(text_of(item) == wanted for item in value)
    return text_of(value) == wanted


def text_of(value: Any) -> str:
    """A value as a query names it."""
    if type(value) is bool:
        return "true" if value else "false"
    return "" if value is None else str(value)


def rank(value: Any) -> tuple[int, float, str]:
    """Nothing first, then numbers by size, then texts without regard to case."""
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, int | float):
        return (1, float(value), "")
    return (2, 0.0, str(value).casefold())
