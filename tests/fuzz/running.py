"""Cases drawn from a seed, checked one by one; a failure names its seed and the shortest input that still fails."""

from __future__ import annotations

import random
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import pytest

SEED = 20_261_125
"""Any number; ``--seed`` takes another."""
INPUTS_SHORT, INPUTS_LONG = 20_000, 400_000
"""Inputs of one run over all targets, without and with ``--long``; ``--inputs`` takes another number."""
MAX_SECONDS = 10
"""How long a failing case is made shorter."""

MAX_SHOWN = 4_000
"""Characters of a step in a report: what is longer is found again by its seed."""


class Step(NamedTuple):
    """One input: how it comes, and its bytes."""

    kind: str
    sent: bytes


Case = tuple[Step, ...]


class Target(Protocol):
    """What is fuzzed."""

    name: str
    outcomes: Counter[str]
    """How often what happened: a fuzzer that is only ever refused tests nothing."""

    def make(self, chance: random.Random) -> Case:
        """Draw a case."""

    def check(self, case: Case) -> None:
        """Raise whatever is wrong with what happens."""


class Tally(NamedTuple):
    """What one run did."""

    name: str
    seed: int
    cases: int
    inputs: int
    seconds: float
    outcomes: Counter[str]


TALLIES: list[Tally] = []
"""Runs of this process, for the end of the report."""


def run(target: Target, inputs: int, seed: int) -> Tally:
    """Check cases until they hold ``inputs`` inputs."""
    begin, done, number = time.monotonic(), 0, 0
    while done < inputs:
        case = target.make(random.Random(f"{seed}/{target.name}/{number}"))
        found = failure(target, case)
        if found is not None:
            shortest = shortened(target, case, type(found))
            at = traceback.extract_tb(found.__traceback__)[-1]
            lines = [
                f"{target.name}: seed {seed}, case {number}: {found!r} at {at.filename}:{at.lineno}",
                *(repr(step)[:MAX_SHOWN] for step in shortest),
            ]
            pytest.fail("\n".join(lines), pytrace=False)
        done += len(case)
        number += 1
    tally = Tally(target.name, seed, number, done, time.monotonic() - begin, target.outcomes)
    TALLIES.append(tally)
    return tally


def failure(target: Target, case: Case) -> Exception | None:
    """What is wrong with a case, ``None`` when nothing is."""
    try:
        target.check(case)
    except Exception as error:  # noqa: BLE001 - any exception is a finding
        return error
    return None


def shortened(target: Target, case: Case, kind: type[Exception]) -> Case:
    """A case that fails alike, without the steps and bytes that do not matter."""
    until, is_shorter = time.monotonic() + MAX_SECONDS, True
    while is_shorter:
        is_shorter = False
        for shorter in _shorter(case):
            if time.monotonic() > until:
                return case
            if type(failure(target, shorter)) is kind:
                case, is_shorter = shorter, True
                break
    return case


def _shorter(case: Case) -> Iterator[Case]:
    for at in range(len(case)):
        yield (*case[:at], *case[at + 1 :])
    for at, step in enumerate(case):
        size = len(step.sent)
        piece = size
        while piece:
            for begin in range(0, size, piece):
                sent = step.sent[:begin] + step.sent[begin + piece :]
                yield (*case[:at], Step(step.kind, sent), *case[at + 1 :])
            piece //= 2
