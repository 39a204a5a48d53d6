"""What the databases reach alone with the rows of an UpdateRecord: the ceilings beside which the server stands."""

from __future__ import annotations

import itertools
import re
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench import cpu
from bench.generator import AGENTS, FOLDER
from trunkline.adapters.storage.queries import sqlite_queries
from trunkline.adapters.storage.sqlite_connection import connect

PGBENCH_SCRIPT = FOLDER / "pgbench_update.sql"
_PROGRESS = re.compile(r"progress: ([\d.]+) s, ([\d.]+) tps, lat ([\d.]+|NaN) ms")

Row = tuple[Any, ...]


class Ceiling(msgspec.Struct, frozen=True):
    """Updates a second, and the database's processor time for each. ``mean_us`` is the mean latency.

    ``others_cores`` is how many processors other programs kept busy meanwhile.
    """

    rate: float
    cpu_us: float
    mean_us: float
    others_cores: float


class _Mark(msgspec.Struct, frozen=True):
    """A line of pgbench's progress, and the processor time until then."""

    at_s: float
    rate: float
    latency_ms: float
    database_cpu_s: float
    pgbench_cpu_s: float
    machine_cpu_s: float


def pgbench(program: Path, url: str, clients: int, duration_s: float, cpu_s: Callable[[], float]) -> Ceiling:
    """Run the script with prepared statements; the processor time is read at its lines of progress.

    Connecting and preparing are before the first line and thus not counted.
    """
    command: list[str | Path] = [
        program,
        "-n",
        "-M",
        "prepared",
        "-D",
        f"agents={AGENTS}",
        "-f",
        PGBENCH_SCRIPT,
        "-P",
        "1",
    ]
    command += ["-c", str(clients), "-j", str(min(clients, 2)), "-T", str(round(duration_s) + 2), url]
    process = subprocess.Popen(  # noqa: S603 - a program of PostgreSQL
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    marks: list[_Mark] = []
    said = []
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if found := _PROGRESS.match(line):
                at_s, rate, latency_ms = map(float, found.groups())
                own_s = cpu.process_cpu_s(process.pid)
                marks.append(_Mark(at_s, rate, latency_ms, cpu_s(), own_s, cpu.machine_cpu_s()))
    marks = marks[:-1]  # the clients disconnect while the last line is being written
    if process.returncode or len(marks) < 2:
        raise RuntimeError(f"pgbench failed:\n{''.join(said)[-2000:]}")
    return _ceiling(marks)


def _ceiling(marks: Sequence[_Mark]) -> Ceiling:
    first, last = marks[0], marks[-1]
    transactions = sum((after.at_s - before.at_s) * after.rate for before, after in itertools.pairwise(marks))
    spent_s = last.database_cpu_s - first.database_cpu_s
    ours_s = spent_s + last.pgbench_cpu_s - first.pgbench_cpu_s
    return Ceiling(
        rate=transactions / (last.at_s - first.at_s),
        cpu_us=spent_s / transactions * 1e6,
        mean_us=sum(mark.latency_ms for mark in marks[1:]) / (len(marks) - 1) * 1000,
        others_cores=(last.machine_cpu_s - first.machine_cpu_s - ours_s) / (last.at_s - first.at_s),
    )


def sqlite(database: Path, scratch: Path, rows_a_commit: int, duration_s: float) -> Ceiling:
    """A plain loop over a copy of the server's database: its two statements, then a flushed commit."""
    copy = scratch / "ceiling.db"
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    target.execute("PRAGMA journal_mode = WAL")
    source.close()
    target.close()
    connection = connect(copy)
    try:
        return _sqlite_loop(connection, rows_a_commit, duration_s)
    finally:
        connection.close()
        for path in scratch.glob("ceiling.db*"):
            path.unlink()


def _sqlite_loop(connection: sqlite3.Connection, rows_a_commit: int, duration_s: float) -> Ceiling:
    records, journal_row = _rows(connection)
    change = sqlite_queries().bulk("change_results", rows_a_commit)
    append = sqlite_queries().bulk("write_journal", rows_a_commit)
    seq: int = connection.execute(sqlite_queries()["first_seq"]).fetchone()[0]
    done = at = 0
    begun_s, begun_cpu_s, begun_machine_s = time.monotonic(), _own_cpu_s(), cpu.machine_cpu_s()
    while time.monotonic() < begun_s + duration_s:
        values: list[Any] = []
        entries: list[Any] = []
        for place in range(rows_a_commit):
            at = (at + 1) % len(records)
            records[at] = changed = _changed(records[at])
            values += changed
            entries += [seq + place, *journal_row[1:11], seq + place, *journal_row[12:]]
        seq += rows_a_commit
        connection.execute("BEGIN IMMEDIATE")
        before = connection.total_changes
        connection.execute(change, values)
        written = connection.total_changes - before
        connection.execute(append, entries)
        connection.execute("COMMIT")
        if written != rows_a_commit:
            raise RuntimeError(f"{written} of {rows_a_commit} records were written")
        done += rows_a_commit
    took_s, spent_s = time.monotonic() - begun_s, _own_cpu_s() - begun_cpu_s
    return Ceiling(
        rate=done / took_s,
        cpu_us=spent_s / done * 1e6,
        mean_us=took_s / done * rows_a_commit * 1e6,
        others_cores=(cpu.machine_cpu_s() - begun_machine_s - spent_s) / took_s,
    )


def _rows(connection: sqlite3.Connection) -> tuple[list[Row], Row]:
    """The records that the load changed, as the statement takes them, and a journal row that it made."""
    records = connection.execute(
        "SELECT contact_centre_id, list_id, chain_id, chain_n, phone_type, call_result, attempts, called_at_s,"
        " campaign_id, treatments, other_fields, version FROM record WHERE version > 1"
    ).fetchall()
    journal_row = connection.execute("SELECT * FROM journal WHERE request_key IS NOT NULL LIMIT 1").fetchone()
    if not records or journal_row is None:
        raise RuntimeError("the load has left no rows to repeat")
    return records, journal_row


def _changed(record: Sequence[Any]) -> Row:
    phone_type, version = record[4], record[11]
    return (*record[:4], 5 - phone_type if phone_type in (1, 4) else 4, *record[5:11], version + 1)


def _own_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def find_pgbench(programs: Path) -> Path:
    """The program beside the server's programs, else from PATH."""
    beside = programs / "pgbench"
    found = beside if beside.exists() else shutil.which("pgbench")
    if found is None:
        raise RuntimeError("pgbench was not found; on Debian and Ubuntu it comes with apt-get install postgresql")
    return Path(found)
