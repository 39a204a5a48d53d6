"""One run: start the databases and the server, load it, and measure the ceilings on the same machine right after."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from bench import ceilings, cpu
from bench.figures import Measured, Run
from bench.generator import AGENTS, Generator
from bench.machine import facts, undisturbed
from tests.support.postgres import PostgresServer, find_programs
from tests.support.server import RunningServer

FLAGS = ("--demo", "--demo-agents", str(AGENTS), "--log-level", "warning")
SQLITE_ROWS_A_COMMIT = (1, 64)

M = TypeVar("M", Measured, ceilings.Ceiling)


class Plan(NamedTuple):
    """What to measure: each figure over ``duration_s``; ``say`` is told what is being done."""

    databases: Sequence[str]
    connections: Sequence[int]
    duration_s: float
    attempts: int
    say: Callable[[str], None]

    def undisturbed(self, measure: Callable[[], M], before: Callable[[], object] = lambda: None) -> M:
        """Measure; see ``machine.undisturbed``."""
        return undisturbed(measure, self.attempts, self.say, before)


def measure(plan: Plan) -> Run:
    """Measure everything that is planned."""
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as name:
        folder = Path(name)
        generator = Generator(folder)
        run = Run(at=time.strftime("%Y-%m-%d %H:%M %z"), machine=_facts(), generator=generator.language)
        if "sqlite" in plan.databases:
            _measure_sqlite(plan, run, generator, folder)
        if "postgres" in plan.databases:
            _measure_postgres(plan, run, generator)
    return run


def _measure_sqlite(plan: Plan, run: Run, generator: Generator, folder: Path) -> None:
    data = folder / "sqlite"
    data.mkdir()
    with RunningServer(*FLAGS, folder=data) as server:
        for count in plan.connections:
            plan.say(f"sqlite, {count} connections")
            load = partial(_load, generator, server, "sqlite", count, plan.duration_s, _no_cpu_s)
            run.measured.append(plan.undisturbed(load))
    for rows in SQLITE_ROWS_A_COMMIT:
        plan.say(f"sqlite, a plain loop, {rows} in a commit")
        loop = partial(ceilings.sqlite, data / "trunkline.db", folder, rows, plan.duration_s)
        run.ceilings.sqlite[rows] = plan.undisturbed(loop)


def _measure_postgres(plan: Plan, run: Run, generator: Generator) -> None:
    """The server on one database and pgbench on a copy of it, by turns, so that both see the same machine."""
    program = ceilings.find_pgbench(find_programs())
    database = PostgresServer()
    try:
        url = database.create()
        spent_s = partial(_cluster_cpu_s, database)
        checkpoint = partial(database.execute, "CHECKPOINT")
        environment = {"TRUNKLINE_DATABASE_URL": url}
        trunkline = Path(sys.executable).with_name("trunkline")
        subprocess.run([trunkline, "migrate"], env={**os.environ, **environment}, check=True, capture_output=True)  # noqa: S603
        with RunningServer(*FLAGS, environment=environment) as server:
            server.terminate()  # a database can be copied while nobody is connected
            copy = database.create(url.rpartition("/")[2])
            server.restart()
            for count in plan.connections:
                plan.say(f"postgres, {count} connections")
                load = partial(_load, generator, server, "postgres", count, plan.duration_s, spent_s)
                run.measured.append(plan.undisturbed(load, before=checkpoint))
                plan.say(f"postgres, {count} clients of pgbench")
                script = partial(ceilings.pgbench, program, copy, count, plan.duration_s, spent_s)
                run.ceilings.pgbench[count] = plan.undisturbed(script, before=checkpoint)
    finally:
        database.stop()


def _load(
    generator: Generator,
    server: RunningServer,
    name: str,
    connections: int,
    duration_s: float,
    database_cpu_s: Callable[[], float],
) -> Measured:
    marks: list[tuple[float, float, float]] = []
    pid = server.program.process.pid
    load = generator.run(
        server.port,
        connections,
        duration_s,
        lambda: marks.append((cpu.process_cpu_s(pid), database_cpu_s(), cpu.machine_cpu_s())),
    )
    server_s, database_s, machine_s = (end - begin for begin, end in zip(*marks, strict=True))
    return Measured(
        database=name,
        connections=connections,
        rate=load.rate,
        server_cpu_us=server_s / load.requests * 1e6,
        database_cpu_us=database_s / load.requests * 1e6,
        p50_us=load.p50_us,
        p99_us=load.p99_us,
        max_us=load.max_us,
        load_cpu_us=load.load_cpu_s / load.requests * 1e6,
        others_cores=(machine_s - server_s - database_s - load.load_cpu_s) / load.seconds,
    )


def _no_cpu_s() -> float:
    return 0  # SQLite works inside the server, where it is counted


def _cluster_cpu_s(database: PostgresServer) -> float:
    pid = (database.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]
    return cpu.family_cpu_s(int(pid))


def _facts() -> dict[str, str]:
    postgres = shutil.which("postgres") or str(find_programs() / "postgres")
    version = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    return {**facts(), "postgres": version.stdout.strip()}
