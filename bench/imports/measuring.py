"""One run: imports into PostgreSQL and SQLite, and right beside each the same rows, ready made, into the same table."""

from __future__ import annotations

import asyncio
import csv
import itertools
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from bench import cpu
from bench.imports import files
from bench.imports.figures import Ceiling, Imported, Run
from bench.imports.runner import CALLER, Outcome, calling_list
from bench.machine import facts, undisturbed
from tests.support.postgres import PostgresServer, find_programs
from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.storage.queries import ROWS_AT_ONCE, sqlite_queries
from trunkline.adapters.storage.sqlite_connection import connect
from trunkline.app.ports import Provision

SMALL_ROWS = 100_000
"""Beside which the memory of the large import is looked at."""
LIST_ID = 101
SQLITE_ROWS_A_COMMIT = 1000
_COLUMNS = (
    "contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s, campaign_id, "
    "treatments, other_fields, version, record_id, phone_number, number_key, record_type, priority, status, due_at_s, "
    "window_id, agent_id, customer_id, hold"
)
_POSTGRES_COLUMNS = f"{_COLUMNS}, is_alone"

M = TypeVar("M", Imported, Ceiling)


class Plan(NamedTuple):
    """What to measure. ``say`` is told what is being done."""

    databases: tuple[str, ...]
    rows: int
    attempts: int
    say: Callable[[str], None]

    def undisturbed(self, measure: Callable[[], M]) -> M:
        """Measure; see ``machine.undisturbed``."""
        return undisturbed(measure, self.attempts, self.say)


def measure(plan: Plan) -> Run:
    """Measure everything that is planned."""
    with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as name:
        folder = Path(name)
        small = min(SMALL_ROWS, plan.rows)
        for rows in {plan.rows, small}:
            files.write(folder / f"{rows}.csv", rows)
        run = Run(at=time.strftime("%Y-%m-%d %H:%M %z"), machine=facts(), rows=plan.rows)
        if "postgres" in plan.databases:
            _measure_postgres(plan, run, folder)
        if "sqlite" in plan.databases:
            _measure_sqlite(plan, run, folder)
    return run


def _measure_postgres(plan: Plan, run: Run, folder: Path) -> None:
    server = PostgresServer()
    try:
        url = server.create()
        migrate.upgrade(url)
        _prepare(url, partial(_block_in_postgres, url, plan.rows))
        pid = int((server.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        spent_s = partial(cpu.family_cpu_s, pid)
        empty = partial(_empty_postgres, url)
        # The rows of the last one are the ready-made ones: with all their windows, and no more of them.
        for kind in ("bare", "full"):
            plan.say(f"postgres, {plan.rows} rows, {kind}")
            importing = partial(_import, "postgres", url, folder / f"{plan.rows}.csv", kind, empty, spent_s)
            run.imported.append(plan.undisturbed(importing))
        plan.say("postgres, \\copy of the same rows")
        ready = folder / "ready.txt"
        _psql(url, f"\\copy record ({_POSTGRES_COLUMNS}) TO '{ready}'")
        run.ceilings["postgres"] = plan.undisturbed(partial(_copy, url, ready, empty, spent_s))
        rows = min(SMALL_ROWS, plan.rows)
        plan.say(f"postgres, {rows} rows")
        run.small_peak_mib = _import("postgres", url, folder / f"{rows}.csv", "full", empty, spent_s).peak_mib
    finally:
        server.stop()


def _measure_sqlite(plan: Plan, run: Run, folder: Path) -> None:
    empty = folder / "empty.db"
    migrate.upgrade(f"sqlite:///{empty}")
    _prepare(f"sqlite:///{empty}", partial(_block_in_sqlite, empty, plan.rows))
    path = folder / "list.db"
    url = f"sqlite:///{path}"

    def renew() -> None:
        for old in folder.glob("list.db*"):
            old.unlink()
        with sqlite3.connect(empty) as source, sqlite3.connect(path) as target:
            source.backup(target)
        source.close()
        target.execute("PRAGMA journal_mode = WAL")
        target.close()

    for kind in ("bare", "full"):
        plan.say(f"sqlite, {plan.rows} rows, {kind}")
        importing = partial(_import, "sqlite", url, folder / f"{plan.rows}.csv", kind, renew, _nothing)
        run.imported.append(plan.undisturbed(importing))
    plan.say("sqlite, a plain loop over the same rows")
    ready = folder / "ready.csv"
    with sqlite3.connect(path) as source, ready.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(source.execute(f"SELECT {_COLUMNS} FROM record ORDER BY chain_id, chain_n"))  # noqa: S608
    source.close()
    run.ceilings["sqlite"] = plan.undisturbed(partial(_loop, path, ready, renew))


def _nothing() -> float:
    return 0  # SQLite works inside the program, where it is counted


def _in_loop(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def _prepare(url: str, block: Callable[[], None]) -> None:
    async def provision() -> None:
        store = make_store(url)
        await store.open()
        try:
            names = {CALLER.contact_centre_id: CALLER.contact_centre_name}
            await store.provision(Provision(contact_centres=names, lists=[calling_list(LIST_ID)]))
        finally:
            await store.close()

    _in_loop(provision())
    block()


def _block_in_postgres(url: str, rows: int) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.copy_records_to_table(
                "suppression",
                records=[(1, "number", key, 0, 0, key, 0, "bench", "") for key in files.blocked(rows)],
                columns=[
                    *("contact_centre_id", "kind", "value_key", "suppression_list_id", "campaign_id", "value"),
                    *("added_at_ms", "source", "reason"),
                ],
            )
            await connection.execute("ANALYZE")
        finally:
            await connection.close()

    _in_loop(work())


def _block_in_sqlite(path: Path, rows: int) -> None:
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO suppression (contact_centre_id, kind, value_key, suppression_list_id, campaign_id, value, "
            "added_at_ms, source, reason) VALUES (1, 'number', ?1, 0, 0, ?1, 0, 'bench', '')",
            [(key,) for key in files.blocked(rows)],
        )
    connection.close()


def _empty_postgres(url: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            for statement in ("TRUNCATE record, import_run, calling_window", "CHECKPOINT"):
                await connection.execute(statement)
        finally:
            await connection.close()

    _in_loop(work())


def _import(
    database: str, url: str, path: Path, kind: str, empty: Callable[[], None], spent_s: Callable[[], float]
) -> Imported:
    empty()
    before_s, machine_s, begun_s = spent_s(), cpu.machine_cpu_s(), time.monotonic()
    own_s = _children_cpu_s()
    done = subprocess.run(  # noqa: S603 - this package
        [sys.executable, "-m", "bench.imports.runner", url, str(LIST_ID), str(path), kind],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    database_s, took_s = spent_s() - before_s, time.monotonic() - begun_s
    others_s = cpu.machine_cpu_s() - machine_s - database_s - (_children_cpu_s() - own_s)
    found = msgspec.json.decode(done.stdout, type=Outcome)
    return Imported(
        database=database,
        kind=kind,
        rows=found.rows,
        added=found.added,
        refused=found.refused,
        rate=found.rows / found.wall_s,
        cpu_us=found.cpu_s / found.rows * 1e6,
        database_cpu_us=database_s / found.rows * 1e6,
        peak_mib=found.peak_mib,
        others_cores=others_s / took_s,
    )


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _psql(url: str, command: str) -> None:
    program = find_programs() / "psql"
    words: list[str | Path] = [program, url, "-q", "-v", "ON_ERROR_STOP=1", "-c", command]
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603 - a program of PostgreSQL


def _copy(url: str, ready: Path, empty: Callable[[], None], spent_s: Callable[[], float]) -> Ceiling:
    """Psql's copy of rows that are ready made, in one transaction."""
    empty()
    own_s, before_s, machine_s, begun_s = _children_cpu_s(), spent_s(), cpu.machine_cpu_s(), time.monotonic()
    _psql(url, f"\\copy record ({_POSTGRES_COLUMNS}) FROM '{ready}'")
    took_s, database_s = time.monotonic() - begun_s, spent_s() - before_s
    with ready.open("rb") as file:
        rows = sum(1 for _ in file)
    others_s = cpu.machine_cpu_s() - machine_s - database_s - (_children_cpu_s() - own_s)
    return Ceiling(rate=rows / took_s, cpu_us=database_s / rows * 1e6, others_cores=others_s / took_s)


def _loop(path: Path, ready: Path, renew: Callable[[], None]) -> Ceiling:
    """A plain loop over ready-made rows: the same statement and the same commits as an import."""
    renew()
    connection = connect(path)
    statement = sqlite_queries().bulk("add_records", ROWS_AT_ONCE)
    rows = 0
    spent_s = 0.0
    took_s = 0.0
    machine_s, all_s = cpu.machine_cpu_s(), time.process_time()
    begun_s = time.monotonic()
    with ready.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        while batch := [[cell or None for cell in row] for row in itertools.islice(reader, SQLITE_ROWS_A_COMMIT)]:
            for row in batch:
                row[9] = row[9] or ""  # treatments, which is never null
            began_s, began_cpu_s = time.monotonic(), time.process_time()
            connection.execute("BEGIN IMMEDIATE")
            for at in range(0, len(batch), ROWS_AT_ONCE):
                part = batch[at : at + ROWS_AT_ONCE]
                text = statement if len(part) == ROWS_AT_ONCE else sqlite_queries().bulk("add_records", len(part))
                connection.execute(text, list(itertools.chain.from_iterable(part)))
            connection.execute("COMMIT")
            took_s += time.monotonic() - began_s
            spent_s += time.process_time() - began_cpu_s
            rows += len(batch)
    all_took_s = time.monotonic() - begun_s
    others_s = cpu.machine_cpu_s() - machine_s - (time.process_time() - all_s)
    connection.close()
    return Ceiling(rate=rows / took_s, cpu_us=spent_s / rows * 1e6, others_cores=others_s / all_took_s)
