"""Pages of administered things: complete, in order, and steady while the list changes between them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.contract.admin_listing import MAX_CURSOR, page
from trunkline.errors import OutOfRange

FIELDS = ["id", "name", "size", "isEnabled"]

items = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(1, 60),
            "name": st.sampled_from(["a", "B", "b", "c", "\u00e4"]),
            "size": st.none() | st.integers(-5, 5) | st.floats(0, 1),
            "isEnabled": st.booleans(),
        }
    ),
    max_size=30,
    unique_by=lambda item: item["id"],
)
orders = st.tuples(st.sampled_from(FIELDS), st.sampled_from(["Ascending", "Descending"]))


def walked(pages: list[list[dict[str, Any]]], order: tuple[str, str], limit: int) -> list[int]:
    """Ids of all pages; the list is ``pages[n]`` when page n is asked for, the last one from then on."""
    found: list[int] = []
    cursor: str | None = None
    for n in range(100):
        query = {"sortBy": order[0], "order": order[1], "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        got = page(pages[min(n, len(pages) - 1)], query, FIELDS)
        assert len(got.items) <= limit
        found += [item["id"] for item in got.items]
        cursor = got.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the pages never end")


@given(items, orders, st.integers(1, 7))
def test_pages_are_the_list(all_items: list[dict[str, Any]], order: tuple[str, str], limit: int) -> None:
    """Page after page gives every item once, in the order of one large page."""
    whole = page(all_items, {"sortBy": order[0], "order": order[1], "limit": "1000"}, FIELDS)
    assert (whole.total, whole.next_cursor) == (len(all_items), None)
    assert walked([all_items], order, limit) == [item["id"] for item in whole.items]
    assert sorted(item["id"] for item in whole.items) == sorted(item["id"] for item in all_items)


@given(items, items, orders, st.integers(1, 7))
def test_what_stays_is_shown_once(
    before: list[dict[str, Any]], after: list[dict[str, Any]], order: tuple[str, str], limit: int
) -> None:
    """However the list changes behind the first page, what is the same before and after comes exactly once."""
    stays = [item for item in before if item in after]
    found = walked([before, after], order, limit)
    for item in stays:
        assert found.count(item["id"]) == 1, item


@given(items, st.booleans(), st.sampled_from(["a", "b", "x"]))
def test_filters_agree_with_a_look_at_each(all_items: list[dict[str, Any]], is_enabled: bool, name: str) -> None:  # noqa: FBT001
    """Several fields must all agree; texts are compared exactly."""
    query = {"isEnabled": "true" if is_enabled else "false", "name": name, "limit": "1000"}
    found = page(all_items, query, FIELDS)
    wanted = [item for item in all_items if item["isEnabled"] is is_enabled and item["name"] == name]
    assert found.total == len(wanted)
    assert [item["id"] for item in found.items] == sorted(item["id"] for item in wanted)


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: raw.hex()))
def test_cursors_that_nobody_gave_are_refused(text: str) -> None:
    """Any text for a cursor is refused with its name, or is a place in this very order."""
    try:
        page([{"id": 1}], {"cursor": text}, FIELDS)
    except OutOfRange as error:
        assert "cursor" in str(error)  # noqa: PT017 - either outcome is right


def test_a_cursor_has_a_limit() -> None:
    """A long text is not even decoded."""
    with pytest.raises(OutOfRange, match="cursor"):
        page([], {"cursor": "A" * (MAX_CURSOR + 1)}, FIELDS)
