"""The command line of ``bench/slow_clients``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.delivery import programs
from bench.delivery.command import TRANSPORTS
from bench.machine import ATTEMPTS, facts
from bench.slow import figures, readers, senders, slowhttp
from bench.slow.figures import Run
from bench.slow.readers import Shape
from tests.support.server import RunningServer

FLAGS = ("--demo", "--demo-agents", "5", "--log-level", "warning")
READERS = Shape(readers=1_000, stuck=500, watch_s=20, pairs=5, attempts=ATTEMPTS)
QUICK_READERS = Shape(readers=20, stuck=10, watch_s=1, pairs=1, attempts=1)
SENDERS = 1_000
"""Connections that send a head drop by drop, and as many that send a body so."""
WATCH_S = {"head": 15.0, "body": 40.0}
"""Longer than the deadlines that are asked."""
ATTACK_CONNECTIONS, ATTACK_S = 1_000, 20
PARTS = ("readers", "senders", "slowhttptest")

_ABOUT = """
Measures what slow clients cost the server and everybody else: 1,000 readers of which 500 stop reading, in pairs of
runs with and without them; 2,000 connections that send heads or bodies drop by drop, while the API is asked for
something; and slowhttptest, when that is installed. Starts everything it needs on free ports and temporary folders.
"""


class Plan(NamedTuple):
    """What to measure; ``say`` is told what is being done."""

    parts: Sequence[str]
    transports: Sequence[str]
    shape: Shape
    senders: int
    watch_s: dict[str, float]
    say: Callable[[str], None]


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when ``--check`` was given and a figure misses what is asked."""
    given = _parser().parse_args(arguments)
    plan = Plan(
        given.part,
        given.transport,
        READERS._replace(pairs=given.pairs, attempts=given.attempts),
        SENDERS,
        WATCH_S,
        _say,
    )
    if given.quick:
        quick_s = dict.fromkeys(WATCH_S, 1.5)
        parts = [part for part in given.part if part != "slowhttptest"]
        plan = plan._replace(parts=parts, shape=QUICK_READERS, senders=20, watch_s=quick_s)
    try:
        run = _measure(plan)
    except RuntimeError as error:
        _say(f"bench/slow_clients: {error}")
        return 2
    sys.stdout.write((_as_json(run) if given.json else _as_text(run)) + "\n")
    if not given.check:
        return 0
    is_reached, sentence = figures.verdict(run)
    sys.stdout.write(sentence + "\n")
    return 0 if is_reached else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/slow_clients", description=_ABOUT)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of tables")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless the figures reach what is asked; they are on the last line"
    )
    parser.add_argument("--quick", action="store_true", help="few clients for moments: shows that the benchmark works")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=PARTS, help="what to measure (everything)")
    parser.add_argument("--transport", choices=TRANSPORTS, nargs="+", default=TRANSPORTS, help="of the readers (both)")
    parser.add_argument(
        "--pairs", type=int, default=READERS.pairs, help="runs with and without stuck readers (%(default)s)"
    )
    parser.add_argument(
        "--attempts",
        type=int,
        default=ATTEMPTS,
        help="at each run with readers while other programs disturb it; the least disturbed counts (%(default)s)",
    )
    return parser


def _measure(plan: Plan) -> Run:
    run = Run(at=time.strftime("%Y-%m-%d %H:%M %z"), machine=facts())
    programs.allow_files(max(plan.shape.readers, 2 * plan.senders))
    if "readers" in plan.parts:
        with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as folder:
            clients = programs.build_clients(Path(folder))
            for transport in plan.transports:
                plan.say(f"{plan.shape.readers} readers by {transport}, {plan.shape.stuck} of them stuck")
                run.readers.append(readers.measure(clients, transport, plan.shape, plan.say))
    if "senders" in plan.parts or "slowhttptest" in plan.parts:
        with RunningServer(*FLAGS) as server:
            _measure_server(plan, run, server.port)
    return run


def _measure_server(plan: Plan, run: Run, port: int) -> None:
    if "senders" in plan.parts:
        plan.say(f"{plan.senders} slow heads and {plan.senders} slow bodies")
        run.senders += senders.measure(port, plan.senders, plan.watch_s)
    program = slowhttp.find()
    if "slowhttptest" in plan.parts and program is None:
        plan.say("slowhttptest is not installed; on Debian and Ubuntu: apt-get install slowhttptest")
    if "slowhttptest" in plan.parts and program is not None:
        for name in slowhttp.ATTACKS:
            plan.say(f"slowhttptest, {name}")
            run.slowhttptest.append(slowhttp.measure(program, port, name, ATTACK_CONNECTIONS, ATTACK_S))


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _as_json(run: Run) -> str:
    return msgspec.json.format(msgspec.json.encode(run), indent=2).decode()


def _as_text(run: Run) -> str:
    facts_ = [f"{name}: {value}" for name, value in run.machine.items()]
    return "\n".join([f"measured {run.at}", *facts_, "", figures.tables(run)])
