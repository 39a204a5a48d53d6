"""The command line of ``bench/import``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from bench.imports import figures
from bench.imports.measuring import Plan, measure

ROWS = 1_000_000
ATTEMPTS = 2

_ABOUT = """
Measures imports of a CSV file into an empty list, with all indexes in place: rows a second, our own processor time and
the database's for a row, and the size of the process; with every check on (numbers, zones and states, duplicate numbers
and customers, do-not-call) and bare. Right beside it the same rows, ready made, into the same emptied table: psql's
\\copy on PostgreSQL, a plain loop on SQLite. Starts everything it needs on free ports and temporary folders.
"""


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when ``--check`` was given and a figure misses what is asked."""
    parser = argparse.ArgumentParser(prog="bench/import", description=_ABOUT)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of tables")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless the figures reach what is asked; they are on the last line"
    )
    parser.add_argument("--rows", type=int, default=ROWS, help="of the file (%(default)s); 10000000 for the memory")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both", help="(%(default)s)")
    parser.add_argument(
        "--attempts",
        type=int,
        default=ATTEMPTS,
        help="at each figure while other programs disturb it; the least disturbed counts (%(default)s)",
    )
    given = parser.parse_args(arguments)
    databases = ("postgres", "sqlite") if given.database == "both" else (given.database,)
    run = measure(Plan(databases, given.rows, given.attempts, _say))
    sys.stdout.write((_as_json(run) if given.json else _as_text(run)) + "\n")
    if not given.check:
        return 0
    sys.stdout.write(figures.verdict(run) + "\n")
    found = figures.demands(run)
    return 0 if found and all(demand.is_met for demand in found) else 1


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _as_json(run: figures.Run) -> str:
    return msgspec.json.format(msgspec.json.encode(run), indent=2).decode()


def _as_text(run: figures.Run) -> str:
    facts = [f"{name}: {value}" for name, value in run.machine.items()]
    return "\n".join([f"measured {run.at}", *facts, "", figures.tables(run)])
