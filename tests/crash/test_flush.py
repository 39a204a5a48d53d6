"""No answer leaves before the disk has confirmed what it answers: seen in the servers' system calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash import tracing
from tests.crash.tracing import Call, TracedProgram
from tests.support import postgres as postgres_support
from tests.support import server as server_support
from tests.support.postgres import PostgresServer
from tests.support.processes import NotReadyError
from tests.support.server import RunningServer
from trunkline.client import Client

CLIENTS = 5
REQUESTS_EACH = 12
FLAGS = ("--demo", "--demo-agents", str(CLIENTS), "--log-level", "warning")
_REFERENCE = re.compile(r"flush-\d{5}")
_WRITES = ("write", "writev", "pwrite64", "pwritev")
_RECEIVES = ("read", "recvfrom", "recvmsg")
_SENDS = ("write", "writev", "sendto", "sendmsg")


@pytest.fixture(autouse=True)
def _traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the trunkline servers of this module under strace."""
    monkeypatch.setattr(server_support, "Program", TracedProgram)


@pytest.fixture(scope="module")
def traced_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of its own, under strace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_support, "Program", TracedProgram)
        server = PostgresServer()
        yield server
        server.stop()


def _send_updates(url: str, first: int = 0) -> None:
    """Several agents at once, so that batches hold several requests and overlap with answers."""

    def work(n: int) -> None:
        with closing(Client(url, f"agent{n}", "demo")) as client:
            for number in range(REQUESTS_EACH):
                answer = client.record_operation(
                    1_000_000 + n,
                    "UpdateRecord",
                    applicationId=134,
                    campaignName="Campaign1",
                    devicePath=f"/devices/demo-device-{n}",
                    phoneType=("Mobile", "Pager")[number % 2],
                    referenceId=f"flush-{first + n * 100 + number:05d}",
                )
                if answer.status_code != 0:
                    failures.append(str(answer))

    failures: list[str] = []
    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, CLIENTS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def _answers(calls: Sequence[Call]) -> dict[str, Call]:
    """The system call that began the HTTP answer of each reference."""
    asked: dict[str, str] = {}
    answers: dict[str, Call] = {}
    for call in calls:
        if not call.file.startswith("TCP"):
            continue
        if call.name in _RECEIVES and (reference := _REFERENCE.search(call.text)):
            asked[call.file] = reference[0]
        elif call.name in _SENDS and '"HTTP/1.1 200 ' in call.text and call.file in asked:
            answers[asked.pop(call.file)] = call
    return answers


def _check(answers: dict[str, Call], calls: Sequence[Call], is_log: re.Pattern[str]) -> int:
    """Each answer comes after a flush of the log that began after the log had its row; returns the flushes."""
    written: dict[str, Call] = {}
    flushes: list[Call] = []
    for call in calls:
        if not is_log.search(call.file):
            continue
        if call.name in _WRITES:
            for reference in _REFERENCE.findall(call.text):
                written.setdefault(reference, call)
        elif call.name in ("fdatasync", "fsync"):
            assert call.result == 0
            flushes.append(call)
    assert len(answers) == CLIENTS * REQUESTS_EACH
    for reference, answer in answers.items():
        write = written[reference]
        assert any(
            flush.file == write.file and write.ended_s <= flush.begun_s and flush.ended_s <= answer.begun_s
            for flush in flushes
        ), f"{reference} was answered before it was flushed"
    return len(flushes)


def test_sqlite_flushes_before_it_answers(tmp_path: Path) -> None:
    """Between the write of a request's row into the write-ahead log and its answer lies a completed flush."""
    with RunningServer(*FLAGS, folder=tmp_path) as server:
        _send_updates(server.url)
    calls = tracing.calls(tmp_path / tracing.TRACE)
    flushes = _check(_answers(calls), calls, re.compile(r"/trunkline\.db-wal$"))
    assert flushes >= REQUESTS_EACH


@pytest.mark.parametrize(("synchronous_commit", "first"), [("on", 10_000), ("off", 20_000)])
def test_postgres_flushes_before_we_answer(
    traced_postgres: PostgresServer, synchronous_commit: str, first: int, tmp_path: Path
) -> None:
    """The same in two processes; a database whose own default is not to wait for the flush changes nothing."""
    url = traced_postgres.create()
    name = url.rpartition("/")[2]
    traced_postgres.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {synchronous_commit}')
    environment = _migrated(url)
    with RunningServer(*FLAGS, folder=tmp_path, environment=environment) as server:
        _send_updates(server.url, first)
        assert ("synchronous_commit = off" in server.log) == (synchronous_commit == "off")
    answers = _answers(tracing.calls(tmp_path / tracing.TRACE))
    calls = tracing.calls(traced_postgres.folder / tracing.TRACE)
    flushes = _check(answers, calls, re.compile(r"/pg_wal/[0-9A-F]{24}$"))
    assert flushes >= REQUESTS_EACH


def test_a_database_that_does_not_flush_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not start on PostgreSQL with fsync = off, and says why."""
    monkeypatch.setitem(postgres_support._SETTINGS, "fsync", "off")
    database = PostgresServer()
    try:
        environment = _migrated(database.create())
        with pytest.raises(NotReadyError, match="PostgreSQL runs with fsync = off: a crash would lose answered"):
            RunningServer(*FLAGS, environment=environment).close()
    finally:
        database.stop()


def _migrated(url: str) -> dict[str, str]:
    """Bring the database to our schema; the environment for a server on it."""
    environment = {"TRUNKLINE_DATABASE_URL": url}
    trunkline = Path(sys.executable).with_name("trunkline")
    subprocess.run([trunkline, "migrate"], env={**os.environ, **environment}, check=True)
    return environment
