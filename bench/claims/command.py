"""The command line of ``bench/claim``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from statistics import median

import msgspec

from bench import cpu
from bench.claims import lists, measuring
from bench.claims.measuring import Figure
from bench.machine import ATTEMPTS, facts
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import migrate
from trunkline.adapters.storage.postgres_server import QUERIES

SMALL, DEFAULT, LARGE = 100_000, 1_000_000, 10_000_000
ASKED_US, ASKED_RATIO = 35.0, 1.3
DISPATCHERS = (1, 4)
CHAINS = 10_000
"""Chains claimed in one measurement: some seconds, and a fraction of the smallest list."""
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "8GB"}
"""Of a small server that was set up for its task; the rest is PostgreSQL's own."""

_ABOUT = """
Measures what it costs PostgreSQL to claim chains of calling lists: processor time of all the server's processes for a
record claimed, with one and with four dispatchers, on lists of 100,000 and 1,000,000 records (10,000,000 with --large).
Claims are those of the hand-out: 100 chains in one transaction, due ones first, flushed. Prints the plan.
"""


class Run(msgspec.Struct):
    """All figures of a run."""

    at: str
    machine: dict[str, str]
    figures: list[Figure]
    plan: str


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when ``--check`` was given and a figure misses what is asked."""
    parser = argparse.ArgumentParser(prog="bench/claim", description=_ABOUT)
    parser.add_argument("--large", action="store_true", help="a list of 10,000,000 records too: 10 GB of disk")
    parser.add_argument("--sizes", type=int, nargs="+", help="lists of other lengths, 100,000 records at least")
    parser.add_argument("--chains", type=int, default=CHAINS, help="claimed in each measurement (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of a table")
    parser.add_argument("--check", action="store_true", help="exit 1 unless the figures reach what is asked")
    parser.add_argument(
        "--attempts",
        type=int,
        default=ATTEMPTS,
        help="at each figure; the best one counts, for what disturbs a measurement only adds to it (%(default)s)",
    )
    given = parser.parse_args(arguments)
    sizes = given.sizes or [SMALL, DEFAULT, *([LARGE] if given.large else [])]
    run = _measure(sizes, given.chains, given.attempts)
    sys.stdout.write((_as_json(run) if given.json else _as_text(run)) + "\n")
    if not given.check:
        return 0
    lines, is_met = verdict(run.figures)
    sys.stdout.write(lines + "\n")
    return 0 if is_met else 1


def _measure(sizes: Sequence[int], chains: int, attempts: int) -> Run:
    server = PostgresServer(**SETTINGS)
    figures: list[Figure] = []
    plan = ""
    try:
        pid = int((server.folder / "data" / "postmaster.pid").read_text(encoding="ascii").split("\n", 1)[0])
        for size in sizes:
            made = _Made(server, size)
            for dispatchers in DISPATCHERS:
                _say(f"{dispatchers} dispatchers claim from {size:,} records")

                def work(made: _Made = made, size: int = size, dispatchers: int = dispatchers) -> Figure:
                    url = made.url(dispatchers * measuring.WARM_CLAIMS * measuring.PORTION + chains)
                    spent_s = partial(cpu.family_cpu_s, pid)
                    return asyncio.run(measuring.measure(url, spent_s, 1, size, dispatchers, chains))

                figures.append(_best([work() for _ in range(attempts)]))
            plan = asyncio.run(lists.plan_of(made.url(0), QUERIES["claim_fresh"], _values()))
            made.drop()
    finally:
        server.stop()
    return Run(datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"), facts(), figures, plan)


def _best(attempts: Sequence[Figure]) -> Figure:
    """The attempt that needed least, with the median of all."""
    best = min(attempts, key=lambda figure: figure.cpu_us)
    return msgspec.structs.replace(best, median_us=median(figure.cpu_us for figure in attempts))


class _Made:
    """A list of ``size`` records in a database of its own, made anew before too many are claimed."""

    def __init__(self, server: PostgresServer, size: int) -> None:
        self._server = server
        self._size = size
        self._left = 0
        self._url = ""

    def url(self, chains: int) -> str:
        """The address of the database, for claiming so many chains."""
        if not self._url or self._left < chains:
            self.drop()
            _say(f"a list of {self._size:,} records is made")
            self._url = self._server.create()
            migrate.upgrade(self._url)
            asyncio.run(lists.load(self._url, 1, self._size))
            self._left = self._size // 3  # so that claims are those of a list with plenty left
        self._left -= chains
        return self._url

    def drop(self) -> None:
        """Remove the database."""
        if self._url:
            self._server.drop(self._url)
            self._url = ""


def _values() -> str:
    """The parameters of ``claim_fresh`` for all open windows."""
    windows = ", ".join(str(n) for n in range(1, lists.OPEN_WINDOWS + 1))
    alike = [f"array_fill({value}, ARRAY[{lists.OPEN_WINDOWS}])" for value in ("4::smallint", "0::bigint")]
    return f"1, 1, ARRAY[{windows}], {alike[0]}, 10, '{{}}', 100, 1, 1, 0, 1, 0, 0, {alike[1]}"


def verdict(figures: Sequence[Figure]) -> tuple[str, bool]:
    """What is asked beside what was measured, and whether all of it was reached."""
    lines: list[str] = []
    is_met = True
    for dispatchers in DISPATCHERS:
        mine = sorted((f for f in figures if f.dispatchers == dispatchers), key=lambda figure: figure.size)
        first, last = mine[0], mine[-1]
        ratio = last.cpu_us / first.cpu_us
        is_met = is_met and last.cpu_us <= ASKED_US and ratio <= ASKED_RATIO
        lines.append(
            f"{dispatchers} dispatchers: {last.cpu_us:.1f} us a record at {last.size:,} (asked <= {ASKED_US:.0f}), "
            f"{ratio:.2f} times that at {first.size:,} (asked <= {ASKED_RATIO})"
        )
    return "\n".join([*lines, "reached" if is_met else "missed"]), is_met


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _as_json(run: Run) -> str:
    return msgspec.json.format(msgspec.json.encode(run), indent=2).decode()


def _as_text(run: Run) -> str:
    lines = [f"measured {run.at}", *(f"{name}: {value}" for name, value in run.machine.items()), ""]
    lines.append("| records | dispatchers | claimed | PostgreSQL CPU a record | median | records/s | others' cores |")
    lines.append("|---|---|---|---|---|---|---|")
    lines += [
        f"| {f.size:,} | {f.dispatchers} | {f.records:,} | {f.cpu_us:.1f} us | {f.median_us:.1f} us | {f.rate:,.0f} "
        f"| {f.others_cores:.2f} |"
        for f in run.figures
    ]
    return "\n".join([*lines, "", run.plan])
