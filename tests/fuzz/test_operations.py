"""Parsing of operations under mutated bodies."""

from __future__ import annotations

import pytest

from tests.fuzz.rest import Operations
from tests.fuzz.running import run
from tests.fuzz.settings import of_run

pytestmark = pytest.mark.timeout(3600)  # as many inputs as were asked for


def test_bodies(pytestconfig: pytest.Config) -> None:
    """Every body is a command, or is refused with a documented status."""
    inputs, seed = of_run(pytestconfig, 0.4)
    tally = run(Operations(), inputs, seed)
    assert {"Parsed", "ParsedFailure", "400", "413"} <= tally.outcomes.keys()
