"""The command line of ``bench/fanout``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from bench.delivery import figures
from bench.delivery.measuring import Plan, measure
from bench.machine import ATTEMPTS

CLIENTS = (100, figures.ASKED_CLIENTS, figures.IDLE_CLIENTS)
SERVERS = ("trunkline", "faye")
TRANSPORTS = ("long-polling", "websocket")
DURATION_S = 5.0
TIMEOUT_MS = 30_000
WAKES = 11
QUICK_CLIENTS, QUICK_DURATION_S, QUICK_TIMEOUT_MS, QUICK_WAKES = 100, 0.15, 1_000, 1

_ABOUT = """
Measures CometD delivery: processor time of the server for 100,000 deliveries, deliveries a second, latency and memory
for each waiting client; events of one's own and events for all, by long-polling and websocket, with and without the
ack extension; and right beside it the same load on faye (Node). Then held polls that are woken at once, and idle
clients. Every delivery is checked: to whom, which one, in which order, none lost, none twice. Starts everything it
needs on free ports.
"""


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when ``--check`` was given and a figure misses what is asked."""
    given = _parser().parse_args(arguments)
    plan = _quick(given) if given.quick else _plan(given)
    try:
        run = measure(plan)
    except RuntimeError as error:
        _say(f"bench/fanout: {error}")
        return 2
    sys.stdout.write((_as_json(run) if given.json else _as_text(run)) + "\n")
    if not given.check:
        return 0
    is_reached, sentence = figures.verdict(run)
    sys.stdout.write(sentence + "\n")
    return 0 if is_reached else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/fanout", description=_ABOUT)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of tables")
    parser.add_argument(
        "--check", action="store_true", help="exit 1 unless the figures reach what is asked; they are on the last line"
    )
    parser.add_argument(
        "--quick", action="store_true", help="100 clients for moments, without faye: shows that the benchmark works"
    )
    parser.add_argument("--seconds", type=float, default=DURATION_S, help="of each row (%(default)s)")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS, help="numbers of clients (100 1000 5000)")
    parser.add_argument("--transport", choices=TRANSPORTS, nargs="+", default=TRANSPORTS, help="(both)")
    parser.add_argument("--ack", choices=("off", "on"), nargs="+", default=("off", "on"), help="(off and on)")
    parser.add_argument("--server", choices=SERVERS, nargs="+", default=SERVERS, help="(both)")
    parser.add_argument(
        "--attempts",
        type=int,
        default=ATTEMPTS,
        help="at each figure while other programs disturb it; the least disturbed counts (%(default)s)",
    )
    return parser


def _plan(given: argparse.Namespace) -> Plan:
    return Plan(
        clients=given.clients,
        transports=given.transport,
        acks=[word == "on" for word in given.ack],
        wake_clients=figures.ASKED_CLIENTS,
        idle_clients=figures.IDLE_CLIENTS,
        timeout_ms=TIMEOUT_MS,
        duration_s=given.seconds,
        wakes=WAKES,
        attempts=given.attempts,
        servers=given.server,
        say=_say,
    )


def _quick(given: argparse.Namespace) -> Plan:
    return _plan(given)._replace(
        clients=[QUICK_CLIENTS],
        wake_clients=QUICK_CLIENTS,
        idle_clients=QUICK_CLIENTS,
        timeout_ms=QUICK_TIMEOUT_MS,
        duration_s=QUICK_DURATION_S,
        wakes=QUICK_WAKES,
        attempts=1,
        servers=["trunkline"],
    )


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def _as_json(run: figures.Run) -> str:
    return msgspec.json.format(msgspec.json.encode(run), indent=2).decode()


def _as_text(run: figures.Run) -> str:
    facts = [f"{name}: {value}" for name, value in run.machine.items()]
    return "\n".join([f"measured {run.at}", *facts, "", figures.tables(run)])
