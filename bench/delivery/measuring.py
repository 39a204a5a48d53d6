"""One run: each scenario on a server of its own, on faye right after, so that both see the same machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from bench import cpu
from bench.delivery import programs
from bench.delivery.events import EVENT_BYTES
from bench.delivery.figures import Idle, Row, Run, Wake
from bench.delivery.programs import FAYE, Clients, Program, Report, Scenario, Site
from bench.machine import Disturbable, facts, undisturbed
from tests.support import nodes

KINDS = ("own", "shared")
WARM_ROUNDS = 3
"""Before a measurement: caches are filled, buffers have grown."""
IDLE_TURNS = 1.03
"""An idle measurement lasts this many timeouts: each client connects anew at least once."""

M = TypeVar("M", bound=Disturbable)


class Plan(NamedTuple):
    """What to measure: each row over ``duration_s``; ``say`` is told what is being done."""

    clients: Sequence[int]
    transports: Sequence[str]
    acks: Sequence[bool]
    wake_clients: int
    idle_clients: int
    timeout_ms: int
    duration_s: float
    wakes: int
    attempts: int
    servers: Sequence[str]
    say: Callable[[str], None]

    def scenarios(self) -> list[Scenario]:
        """The scenarios in the order in which they are measured."""
        return [
            Scenario(clients=count, transport=transport, has_ack=has_ack, timeout_ms=self.timeout_ms)
            for count in self.clients
            for transport in self.transports
            for has_ack in self.acks
        ]

    def undisturbed(self, measure: Callable[[], M]) -> M:
        """Measure; see ``machine.undisturbed``."""
        return undisturbed(measure, self.attempts, self.say)


class Pair(NamedTuple):
    """A server and its clients under measurement, with the server's memory before and after these had come."""

    server: Site
    clients: Clients
    scenario: Scenario
    empty_bytes: int
    waiting_bytes: int

    def client_bytes(self, rss_bytes: int) -> float:
        """What each client adds to the server's memory."""
        return (rss_bytes - self.empty_bytes) / self.scenario.clients


def measure(plan: Plan) -> Run:
    """Measure everything that is planned."""
    run = Run(at=time.strftime("%Y-%m-%d %H:%M %z"), machine=facts())
    programs.allow_files(max(plan.clients))
    if "faye" in plan.servers:
        nodes.install(FAYE)
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as folder:
        program = programs.build_clients(Path(folder))
        for scenario in plan.scenarios():
            for name in plan.servers:
                if name == "faye" and scenario.has_ack:
                    continue  # it does not know the extension
                with programs.START[name](scenario) as server:
                    _measure_pair(plan, run, name, server, program, scenario)
    return run


def _measure_pair(plan: Plan, run: Run, name: str, server: Site, program: Path, scenario: Scenario) -> None:
    server.settle()
    empty_bytes = server.rss_bytes()
    with Clients(program, server.port, scenario) as clients:
        server.settle()
        pair = Pair(server, clients, scenario, empty_bytes, server.rss_bytes())
        for kind in KINDS:
            plan.say(f"{name}: {scenario.name}, {kind} events")
            run.rows.append(plan.undisturbed(partial(_row, pair, name, kind, plan.duration_s)))
        if name == "faye" or scenario.has_ack:
            return
        if scenario.transport == "long-polling" and scenario.clients == plan.wake_clients:
            plan.say(f"{name}: {scenario.name}, woken at once")
            run.wakes.append(plan.undisturbed(partial(_wake, pair, plan.wakes)))
        if scenario.clients == plan.idle_clients:
            plan.say(f"{name}: {scenario.name}, idle")
            run.idles.append(plan.undisturbed(partial(_idle, pair)))


class Spent:
    """Processor time and time since it was made: of the server, the clients, and everybody else."""

    def __init__(self, server: Program, clients: Program) -> None:
        self._programs = (server, clients)
        self._before = self._read()

    def _read(self) -> tuple[float, ...]:
        server, clients = self._programs
        return server.cpu_s(), clients.cpu_s(), time.process_time(), cpu.machine_cpu_s(), time.monotonic()

    def stop(self) -> Spent:
        """Take the second reading."""
        now = self._read()
        server_s, clients_s, own_s, machine_s, seconds = (b - a for a, b in zip(self._before, now, strict=True))
        self.server_s, self.clients_s, self.seconds = server_s, clients_s, seconds
        self.others_cores = (machine_s - server_s - clients_s - own_s) / seconds
        return self


def _row(pair: Pair, name: str, kind: str, duration_s: float) -> Row:
    """Rounds without a pause between them: each client gets its next event once all have the last."""
    server, clients, scenario = pair.server, pair.clients, pair.scenario
    command = f"{kind} {EVENT_BYTES}"
    for _ in range(WARM_ROUNDS):
        clients.round(server, command)
    server.settle()
    clients.tell("reset")
    spent, begun_s = Spent(server, clients), time.monotonic()
    while (ended_s := time.monotonic()) < begun_s + duration_s:
        clients.round(server, command)
    # The connects of the last round are part of its cost.
    server.settle()
    spent.stop()
    report = clients.report()
    return Row(
        server=name,
        clients=scenario.clients,
        transport=scenario.transport,
        has_ack=scenario.has_ack,
        kind=kind,
        rate=report.deliveries / (ended_s - begun_s),
        server_cpu_s=_for_100_000(spent.server_s, report),
        load_cpu_s=_for_100_000(spent.clients_s, report),
        p50_us=report.p50_us,
        p99_us=report.p99_us,
        max_us=report.max_us,
        client_bytes=pair.client_bytes(pair.waiting_bytes),
        client_bytes_after=pair.client_bytes(server.rss_bytes()),
        others_cores=spent.others_cores,
    )


def _for_100_000(spent_s: float, report: Report) -> float:
    return spent_s / report.deliveries * 100_000


def _wake(pair: Pair, times: int) -> Wake:
    """Wake all held polls with an event each, while no client connects anew; then let them."""
    server, clients = pair.server, pair.clients
    whole = Spent(server, clients)
    spent_s = []
    for _ in range(times):
        clients.tell("pause")
        server.settle()
        before_s = server.cpu_s()
        clients.round(server, f"own {EVENT_BYTES}")
        server.settle()
        spent_s.append(server.cpu_s() - before_s)
        clients.tell("resume")
        server.settle()
    return Wake(
        clients=pair.scenario.clients,
        server_cpu_ms=statistics.median(spent_s) * 1000,
        times=times,
        others_cores=whole.stop().others_cores,
    )


def _idle(pair: Pair) -> Idle:
    pair.server.settle()
    spent = Spent(pair.server, pair.clients)
    time.sleep(pair.scenario.timeout_ms / 1000 * IDLE_TURNS)
    spent.stop()
    return Idle(
        clients=pair.scenario.clients,
        transport=pair.scenario.transport,
        server_share=spent.server_s / spent.seconds,
        seconds=spent.seconds,
        others_cores=spent.others_cores,
    )
