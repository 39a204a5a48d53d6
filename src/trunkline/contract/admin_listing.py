"""Lists of administered things: filter, sort, and pages with a cursor that stays put while others write.

A cursor holds the place of the last item in the order of the list, not a count of items: what is added or deleted
between two pages neither repeats nor hides another item.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from trunkline.contract.listings import ORDERS, count, matches, names_of, rank, selected
from trunkline.errors import OutOfRange

Json = dict[str, Any]

MAX_PAGE = 1000
"""Items of one page."""
DEFAULT_PAGE = 100
"""Items when nothing else is asked for: a screenful."""
MAX_CURSOR = 1000
"""Characters: an order, a name and a number."""
CONTROLS = ("sortBy", "order", "limit", "cursor", "fields")

_Place = tuple[tuple[int, float, str], int]


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The last item of a page: the field and direction of the order, its rank there, its id."""

    sort_by: str
    order: str
    rank: tuple[int, float, str]
    object_id: int


class Page(msgspec.Struct, frozen=True):
    """``total`` counts all items that the filter takes; ``next_cursor`` is None on the last page."""

    items: list[Json]
    total: int
    next_cursor: str | None


def page(items: Sequence[Json], query: Mapping[str, str], fields: Sequence[str]) -> Page:
    """The page that a query asks for, of items that all have an ``id``.

    ``fields`` may be filtered and sorted by. Raises ``OutOfRange`` naming a parameter that is unknown or impossible.
    """
    sort_by = query.get("sortBy", "id")
    if sort_by not in fields:
        raise OutOfRange(f"sortBy must be one of {', '.join(fields)}")
    order = query.get("order", "Ascending")
    if order not in ORDERS:
        raise OutOfRange("order must be Ascending or Descending")
    limit = count(query, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
    wanted = {name: value for name, value in query.items() if name not in CONTROLS}
    for name, value in wanted.items():
        if name not in fields:
            raise OutOfRange(f"{name[:64]} is no parameter of this list; there are {', '.join((*CONTROLS, *fields))}")
        if value not in ("true", "false") and any(isinstance(item.get(name), bool) for item in items):
            raise OutOfRange(f"{name} must be true or false")
    found = [item for item in items if all(matches(item.get(name), value) for name, value in wanted.items())]
    found.sort(key=lambda item: _place(item, sort_by), reverse=ORDERS[order])
    begin = _begin(found, query.get("cursor"), sort_by, order)
    shown = found[begin : begin + limit]
    is_last = begin + limit >= len(found)
    following = None if is_last else _text(Cursor(sort_by, order, *_place(shown[-1], sort_by)))
    chosen = query.get("fields")
    return Page(shown if chosen is None else [selected(item, chosen) for item in shown], len(found), following)


def check_fields(text: str | None, known: Collection[str]) -> None:
    """Raise ``OutOfRange`` when the parameter ``fields`` names one that objects of the kind do not show."""
    unknown = sorted(names_of(text) - {"*", *known}) if text is not None else []
    if unknown:
        raise OutOfRange(
            f"fields names {unknown[0][:64] or 'nothing'}, which is no field; there are {', '.join(known)}"
        )


def _place(item: Json, sort_by: str) -> _Place:
    return rank(item.get(sort_by)), item["id"]


def _begin(found: Sequence[Json], text: str | None, sort_by: str, order: str) -> int:
    """The index of the first item behind the cursor."""
    if text is None:
        return 0
    cursor = _cursor(text)
    if (cursor.sort_by, cursor.order) != (sort_by, order):
        raise OutOfRange("cursor belongs to a list in another order")
    last = (cursor.rank, cursor.object_id)
    if ORDERS[order]:
        return sum(1 for item in found if _place(item, sort_by) >= last)
    return sum(1 for item in found if _place(item, sort_by) <= last)


def _text(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def _cursor(text: str) -> Cursor:
    try:
        if len(text) > MAX_CURSOR:
            raise OutOfRange("cursor is not one that this server gave")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise OutOfRange("cursor is not one that this server gave") from None
