"""The command line of ``bench/update_record``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from bench import figures
from bench.machine import ATTEMPTS
from bench.measuring import Plan, measure

CONNECTIONS = (1, 16, 64)
DURATION_S = 10.0

_ABOUT = """
Measures UpdateRecord: requests a second, processor time of server and database for one request, and latency, over
keep-alive HTTP/1.1 with Basic credentials on each request and no CometD client, on SQLite and on PostgreSQL; and
right beside it what the databases reach alone with the same rows (pgbench with prepared statements; a plain loop
over SQLite). Starts everything it needs on free ports and temporary folders. Every answer is checked.
"""


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when ``--check`` was given and a figure misses what is asked."""
    parser = argparse.ArgumentParser(prog="bench/update_record", description=_ABOUT)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of tables")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless the figures reach what is asked; they are on the last line"
    )
    parser.add_argument("--seconds", type=float, default=DURATION_S, help="of each measurement (%(default)s)")
    parser.add_argument(
        "--connections",
        type=int,
        nargs="+",
        default=CONNECTIONS,
        help=f"numbers of connections to measure with (1 16 64); the check needs {figures.ASKED_CONNECTIONS}",
    )
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both", help="(%(default)s)")
    parser.add_argument(
        "--attempts",
        type=int,
        default=ATTEMPTS,
        help="at each figure while other programs disturb it; the least disturbed counts (%(default)s)",
    )
    given = parser.parse_args(arguments)
    databases = ("sqlite", "postgres") if given.database == "both" else (given.database,)
    run = measure(Plan(databases, given.connections, given.seconds, given.attempts, _say))
    sys.stdout.write((_as_json(run) if given.json else _as_text(run)) + "\n")
    if not given.check:
        return 0
    sys.stdout.write(figures.verdict(run) + "\n")
    return 0 if all(demand.is_met for demand in figures.demands(run)) and run.at_asked() else 1


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _as_json(run: figures.Run) -> str:
    return msgspec.json.format(msgspec.json.encode(run), indent=2).decode()


def _as_text(run: figures.Run) -> str:
    facts = [f"{name}: {value}" for name, value in run.machine.items()]
    return "\n".join([f"measured {run.at}", *facts, f"load generator in {run.generator}", "", figures.tables(run)])
