"""How many inputs, from which seed."""

from __future__ import annotations

import pytest

from tests.fuzz.running import INPUTS_LONG, INPUTS_SHORT, SEED


def of_run(config: pytest.Config, share: float) -> tuple[int, int]:
    """A target's share of the inputs of this run, and the seed."""
    inputs = config.getoption("--inputs") or (INPUTS_LONG if config.getoption("--long") else INPUTS_SHORT)
    return int(inputs * share), config.getoption("--seed") or SEED
