"""Parsing of bodies and frames, and the CometD core, under mutated conversations."""

from __future__ import annotations

import pytest

from tests.fuzz.core import Core
from tests.fuzz.running import run
from tests.fuzz.settings import of_run

pytestmark = pytest.mark.timeout(3600)  # as many inputs as were asked for


def test_conversations(pytestconfig: pytest.Config) -> None:
    """Bodies and frames are answered, message by message, or refused as documented; bystanders notice nothing."""
    inputs, seed = of_run(pytestconfig, 0.5)
    tally = run(Core(), inputs, seed)
    assert {"processed", "Malformed", "TooLarge"} <= tally.outcomes.keys()
