"""The machine that a benchmark runs on: what it is, and whether it was left alone."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

CALM_CORES = 0.35
"""Processors that other programs may keep busy during a measurement: the kernel's own work for disk and network
shows up to 0.3 under a full load."""
ATTEMPTS = 5
"""Attempts at an undisturbed measurement, unless told otherwise; the least disturbed counts."""


class Disturbable(Protocol):
    """A measurement that knows how many processors other programs kept busy meanwhile."""

    @property
    def others_cores(self) -> float:
        """Processors, on average."""


M = TypeVar("M", bound=Disturbable)


def undisturbed(
    measure: Callable[[], M], attempts: int, say: Callable[[str], None], before: Callable[[], object] = lambda: None
) -> M:
    """Measure, again when other programs had much of the machine; the least disturbed of the attempts.

    ``before`` is called before each of them, ``say`` is told of each disturbed one.
    """
    made: list[M] = []
    for _ in range(attempts):
        before()
        made.append(measure())
        if made[-1].others_cores <= CALM_CORES:
            break
        say(f"  disturbed: other programs kept {made[-1].others_cores:.2f} processors busy")
    return min(made, key=lambda attempt: attempt.others_cores)


def facts() -> dict[str, str]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processors": str(os.cpu_count()),
        "model": model,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
