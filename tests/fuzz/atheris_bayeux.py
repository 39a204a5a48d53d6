"""Parsing and the CometD core under atheris, which keeps what reaches code that nothing reached before.

Run by ``scripts/fuzz``; the checks are those of ``core``. An input is a conversation: steps divided by ``DIVIDER``, the
first byte of each says how it comes.
"""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

KINDS = ("json", "frame1", "frame2", "form", "query", "odd", "deliver", "tick", "lost", "gone1", "stuck1")
DIVIDER = b"\xff\xfe"  # nothing that JSON could hold
MAX_STEPS = 8
"""Steps that are looked at: most of what can go wrong needs a few."""
FIRST_INPUTS = 300
"""Conversations of the mutator to begin with; more are found by mutation."""

REPORT_EVERY = 10_000
"""Conversations between two lines about how far it is."""


def case_of(given: bytes) -> tuple[Any, ...]:
    """The conversation that an input stands for."""
    from tests.fuzz.running import Step

    steps = []
    for part in given.split(DIVIDER)[:MAX_STEPS]:
        kind = KINDS[part[0] % len(KINDS)] if part else "json"
        is_number = KINDS.index(kind) >= KINDS.index("deliver")
        steps.append(Step(kind, b"%d" % (sum(part[1:]) % 40) if is_number else part[1:]))
    return tuple(steps)


def written(case: tuple[Any, ...]) -> bytes:
    """An input that stands for a conversation."""
    return DIVIDER.join(bytes([KINDS.index(step.kind)]) + step.sent for step in case if step.kind in KINDS)


def main() -> None:
    """Fuzz as libFuzzer's options in the command line say; its exit code tells of a finding."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["trunkline"]):
        from tests.fuzz.core import Core

    core = Core()
    conversations = inputs = 0

    def check(given: bytes) -> None:
        nonlocal conversations, inputs
        case = case_of(given)
        inputs += len(case)
        core.check(case)
        conversations += 1
        if conversations % REPORT_EVERY == 0:  # libFuzzer ends the process without a last word
            sys.stderr.write(f"{inputs} inputs in {conversations} conversations: {dict(core.outcomes)}\n")

    with tempfile.TemporaryDirectory() as corpus:
        for number in range(FIRST_INPUTS):
            first = written(core.make(random.Random(number)))
            Path(corpus, str(number)).write_bytes(first)
        atheris.Setup([*sys.argv, "-max_len=4096", "-print_final_stats=1", corpus], check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
