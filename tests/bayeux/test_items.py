"""The table of items, and the judgement of a run."""

from __future__ import annotations

from argparse import Namespace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.bayeux.items import ITEMS, RULES, SECTIONS, Verdict
from tests.support import conformance
from tests.support.paths import ROOT

PROVEN: dict[Any, set[str]] = {item.number: {"tests/bayeux/test_items.py::test_a_thing"} for item in ITEMS}


def test_the_table_is_complete() -> None:
    """99 items in order, each once; whatever is not simply met says why."""
    assert [item.number for items in SECTIONS.values() for item in items] == list(range(1, 100))
    assert [item.number for item in RULES] == [f"0.{number}" for number in range(1, 13)]
    assert all(item.said for item in ITEMS if item.verdict is not Verdict.MET)
    assert {item.mark for item in ITEMS} == {"M", "S", "O", "D"}


def test_a_run_without_faults_has_none() -> None:
    """Every item proven, and the page as the run would make it."""
    assert conformance.faults(PROVEN, conformance.page(PROVEN)) == []


def test_an_item_without_a_test_is_a_fault() -> None:
    """Unless it is not offered; an item that is met differently needs both the reason and a test."""
    for item in ITEMS:
        proofs = {number: tests for number, tests in PROVEN.items() if number != item.number}
        found = conformance.faults(proofs, conformance.page(proofs))
        assert bool(found) is (item.verdict is not Verdict.NOT_OFFERED), item


def test_a_page_that_says_otherwise_is_a_fault() -> None:
    """A test more or less, or another reason: the page must be remade."""
    more = PROVEN | {1: {*PROVEN[1], "tests/bayeux/test_items.py::test_another_thing"}}
    (fault,) = conformance.faults(more, conformance.page(PROVEN))
    assert "--write-docs" in fault


def test_an_unknown_item_stops_the_run(request: pytest.FixtureRequest) -> None:
    """A number that is not in the table is a typing error."""
    request.node.add_marker(pytest.mark.item(100))
    with pytest.raises(pytest.UsageError, match="100"):
        conformance.label(request.node)


@pytest.mark.parametrize(
    ("arguments", "options", "is_whole"),
    [
        (["tests"], {}, True),
        (["tests/"], {"markexpr": "item"}, True),
        (["tests"], {"markexpr": "not postgres"}, False),
        (["tests"], {"keyword": "connect"}, False),
        (["tests"], {"deselect": ["tests/unit"]}, False),
        (["tests/bayeux"], {}, False),
        (["tests", "src"], {}, False),
    ],
)
def test_only_whole_runs_are_judged(arguments: list[str], options: dict[str, Any], is_whole: bool) -> None:  # noqa: FBT001
    """All tests, or all with the mark: whoever runs a part is not bothered."""
    config = SimpleNamespace(
        args=arguments,
        option=Namespace(**{"markexpr": "", "keyword": "", **options}),
        invocation_params=SimpleNamespace(dir=ROOT),
    )
    assert conformance.is_whole(cast("pytest.Config", config)) is is_whole
