"""Lists of resources: addresses or items, filters, order, pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.contract.listings import MAX_LIMIT, filtered, listing, paged, selected, sorted_by
from trunkline.errors import OutOfRange

ITEMS: list[dict[str, Any]] = [
    {"id": "b", "phoneNumber": "5002", "enabled": True, "size": 10, "channels": ["voice"], "uri": "/b"},
    {"id": "a", "phoneNumber": "5001", "enabled": False, "size": 9, "channels": [], "uri": "/a"},
    {"id": "C", "phoneNumber": None, "enabled": True, "size": 10, "channels": ["voice", "chat"], "uri": "/c"},
]


def ids(items: list[dict[str, Any]]) -> str:
    """The items by their ids."""
    return "".join(item["id"] for item in items)


def test_without_fields_a_list_is_addresses() -> None:
    """No ``fields``: ``uris``; with it the named array, of whole items or of the chosen fields."""
    assert listing("devices", ITEMS, {}) == {"uris": ["/b", "/a", "/c"]}
    assert listing("devices", ITEMS, {"fields": "*"}) == {"devices": ITEMS}
    assert listing("devices", ITEMS[:1], {"fields": "size, id,nothing"}) == {"devices": [{"id": "b", "size": 10}]}
    assert listing("devices", [{"id": "x"}], {}) == {"uris": []}
    assert listing("groups", [], {"fields": "*", "type": "BusinessUnit"}) == {"groups": []}


def test_selected() -> None:
    """Fields keep the item's own order; a star among them means all."""
    assert list(selected(ITEMS[0], "size,id")) == ["id", "size"]
    assert selected(ITEMS[0], "id,*") is ITEMS[0]
    assert selected(ITEMS[0], "") == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "baC"),
        ({"id": "a"}, "a"),
        ({"enabled": "true"}, "bC"),
        ({"enabled": "True"}, ""),
        ({"size": "10", "enabled": "true"}, "bC"),
        ({"size": "9", "enabled": "true"}, ""),
        ({"channels": "chat"}, "C"),
        ({"phoneNumber": ""}, "C"),
        ({"nothing": "1", "_": "123"}, "baC"),
        ({"fields": "id", "limit": "1"}, "baC"),
    ],
)
def test_filters(query: dict[str, str], expected: str) -> None:
    """Attributes equal their query parameters, all of them; what is no attribute does not filter."""
    assert ids(filtered(ITEMS, query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "baC"),
        ({"order": "Descending"}, "baC"),
        ({"sortBy": "id"}, "abC"),
        ({"sortBy": "id", "order": "Descending"}, "Cba"),
        ({"sortBy": "size"}, "abC"),
        ({"sortBy": "size", "order": "Descending"}, "bCa"),
        ({"sortBy": "phoneNumber"}, "Cab"),
        ({"sortBy": "enabled"}, "abC"),
    ],
)
def test_order(query: dict[str, str], expected: str) -> None:
    """Texts without regard to case, numbers by size, nothing first; equal ones keep their places."""
    assert ids(sorted_by(ITEMS, query)) == expected


def test_pages() -> None:
    """``limit`` items from ``offset`` on; past the end there is nothing; a page has an end of its own."""
    assert ids(paged(ITEMS, {"limit": "1"})) == "b"
    assert ids(paged(ITEMS, {"limit": "2", "offset": "1"})) == "aC"
    assert paged(ITEMS, {"offset": "3"}) == []
    assert len(paged([{"id": "x"}] * (MAX_LIMIT + 1), {})) == MAX_LIMIT
    assert listing("x", ITEMS, {"sortBy": "id", "limit": "1", "offset": "1", "fields": "id"}) == {"x": [{"id": "b"}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", "0"), ("limit", "-1"), ("limit", "x"), ("limit", ""), ("limit", "1001"), ("limit", "1" * 11)),
        *(("offset", "-1"), ("offset", "1.5"), ("offset", "٣"), ("offset", "9999999999")),
        *(("order", "ascending"), ("order", ""), ("sortBy", "nothing")),
    ],
)
def test_impossible_controls(name: str, value: str) -> None:
    """A control that makes no sense is refused and named."""
    with pytest.raises(OutOfRange, match=name):
        listing("devices", ITEMS, {name: value})


def test_an_empty_list_has_no_fields_to_sort_by() -> None:
    """Where nothing is, any field will do."""
    assert listing("workbins", [], {"fields": "*", "sortBy": "name"}) == {"workbins": []}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)


@given(
    items=st.lists(st.dictionaries(st.sampled_from("abc"), SCALARS), max_size=5),
    query=st.dictionaries(st.sampled_from(["a", "b", "fields", "limit", "offset", "sortBy", "order"]), st.text()),
)
def test_any_query_is_answered_or_refused(items: list[dict[str, Any]], query: dict[str, str]) -> None:
    """Whatever stands in the query string, the outcome is a list or a refusal; paging never makes items up."""
    try:
        found = listing("items", items, {"fields": "*", **query})
    except OutOfRange:
        return
    assert len(found["items"]) <= len(items)
