"""The figures of a run at its end."""

from __future__ import annotations

import pytest

from tests.fuzz.running import TALLIES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print target, seed, cases, inputs, time, outcomes."""
    if TALLIES:
        terminalreporter.section("fuzzing")
    for name, seed, cases, inputs, seconds, outcomes in TALLIES:
        most = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common(12))
        terminalreporter.write_line(f"{name}: seed {seed}, {inputs} inputs in {cases} cases, {seconds:.1f} s: {most}")
