"""Which tests prove which items of ``tests.bayeux.items``, and the page of the manual that says so.

Tests bear ``@pytest.mark.item(number, ...)``. A run of all tests, or of all with the mark (``-m item``), is judged:
each item has a test that passed, or a reason why there is none; and the page is what the run would make.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest

from tests.bayeux.items import ITEMS, RULES, SECTIONS, Item, Number, Verdict
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "bayeux-conformance.md"
MARK = "item"
_PROPERTY = "conformance item"
_SELECTING = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "stepwise", "collectonly")
"""Options of pytest that leave tests out."""
_LEFT_OUT = ("long", "browser")
"""Tests that an ordinary run leaves out prove nothing here, so that the page does not depend on options."""

Proofs = Mapping[Number, set[str]]


def label(item: pytest.Item) -> None:
    """Note on a collected test which items it proves, where its report can show it. Raises for an unknown item."""
    numbers = [number for mark in item.iter_markers(MARK) for number in mark.args]
    unknown = set(numbers) - {each.number for each in ITEMS}
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: no items of tests/bayeux/items.py: {sorted(map(str, unknown))}")
    if not any(item.get_closest_marker(name) for name in _LEFT_OUT):
        item.user_properties.extend((_PROPERTY, number) for number in numbers)


class Judge:
    """Hears of every test that ran and judges a whole run at its end. Its methods are hooks of pytest."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._proofs: dict[Number, set[str]] = {}
        self._faults: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that passed. With several processes all of them report here."""
        if report.when == "call" and report.passed:
            for name, number in report.user_properties:
                if name == _PROPERTY:
                    self._proofs.setdefault(number, set()).add(report.nodeid.partition("[")[0])  # type: ignore[arg-type]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge a whole run in which no test failed; ``--write-docs`` remakes the page first."""
        if exitstatus != pytest.ExitCode.OK or not is_whole(self._config):
            return
        if self._config.getoption("--write-docs"):
            PAGE.write_text(page(self._proofs), encoding="utf-8")
        self._faults = faults(self._proofs, PAGE.read_text(encoding="utf-8") if PAGE.exists() else "")
        if self._faults:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what is wrong."""
        if self._faults:
            terminalreporter.section("Bayeux conformance: FAILED", red=True)
            for fault in self._faults:
                terminalreporter.write_line(fault)


def is_whole(config: pytest.Config) -> bool:
    """True when the run was asked for all tests, or for all that bear the mark."""
    where = {(config.invocation_params.dir / arg).resolve() for arg in config.args}
    return (
        where == {ROOT / "tests"}
        and config.option.markexpr in ("", MARK)
        and not any(getattr(config.option, name, None) for name in _SELECTING)
    )


def faults(proofs: Proofs, committed: str) -> list[str]:
    """What is wrong with a whole run: items without proof or reason, tests that are new to the page, or gone."""
    unproven = [item for item in ITEMS if item.number not in proofs and item.verdict is not Verdict.NOT_OFFERED]
    found = [f"item {item.number} has no test that passed: {item.title}" for item in unproven]
    if committed != page(proofs):
        found.append(f"{PAGE.relative_to(ROOT)} is not what this run found: pytest -m {MARK} --write-docs remakes it")
    return found


def page(proofs: Proofs) -> str:
    """The page, made from a whole run."""
    counts = Counter(item.verdict for items in SECTIONS.values() for item in items)
    return "\n".join(
        [
            "# Bayeux conformance",
            "",
            "What a Bayeux 1.0 server has to do, how Trunkline answers, and the tests that prove it. Remade from",
            "`tests/bayeux/items.py` and the tests that passed, by",
            f"`.venv/bin/python -m pytest -m {MARK} --write-docs`. A run of all tests fails when an item has neither",
            "a test nor a reason, or when this page says otherwise.",
            "",
            "The numbers are used in comments and tests. M, S, O: the specification says must, should, may;",
            "D: it does not say, or not firmly, but real clients depend on it.",
            "",
            f"Of {sum(counts.values())} items "
            + ", ".join(f"{counts[verdict]} are {verdict}" for verdict in Verdict)
            + ".",
            "",
            *_table("What breaks clients at once", RULES, proofs),
            *(line for title, items in SECTIONS.items() for line in _table(title, items, proofs)),
        ]
    )


def _table(title: str, items: Iterable[Item], proofs: Proofs) -> list[str]:
    return [
        f"## {title}",
        "",
        "| no. | | item | answer | proven by |",
        "|---|---|---|---|---|",
        *(_line(item, sorted(proofs.get(item.number, ()))) for item in items),
        "",
    ]


def _line(item: Item, tests: list[str]) -> str:
    answer = f"{item.verdict}: {item.said}" if item.said else str(item.verdict)
    return f"| {item.number} | {item.mark} | {item.title} | {answer} | {', '.join(map(_link, tests))} |"


def _link(test: str) -> str:
    """A test by what its name says, with a link to its file."""
    path, _, name = test.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{path})"
