"""The benchmark of the do-not-call check works."""

from __future__ import annotations

import json

from tests.bench.test_benchmarks import run


def test_it_measures_each_length() -> None:
    """A line for each length of the lists, in their order."""
    arguments = ("--entries", "500", "2000", "--questions", "60", "--store", "sqlite")
    _, short, long = map(json.loads, run("suppression", *arguments).splitlines())
    assert (short["entries"], long["entries"]) == (500, 2000)
    assert short["us_per_contact"] > 0
