"""The benchmarks of CometD delivery work, and their clients notice when a server delivers wrongly."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bench.delivery import figures, programs
from bench.delivery.programs import Clients, Scenario, Site
from bench.imports import figures as import_figures
from bench.slow import figures as slow_figures
from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None and shutil.which("gcc") is None, reason="the clients of the benchmarks need a C compiler"
)
TRANSPORTS = ("long-polling", "websocket")


def run(name: str, *arguments: str) -> str:
    """What a benchmark prints, run as people run it."""
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / name, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_fanout_measures_every_scenario() -> None:
    """The quick run has a row for each transport, with and without ack, and for held polls and idle clients."""
    found = msgspec.json.decode(run("fanout", "--quick", "--json"), type=figures.Run)
    scenarios = [(row.transport, row.has_ack, row.kind) for row in found.rows]
    assert scenarios == [(t, a, k) for t in TRANSPORTS for a in (False, True) for k in ("own", "shared")]
    assert all(row.rate > 0 and row.server_cpu_s > 0 and row.p50_us > 0 for row in found.rows)
    assert [wake.clients for wake in found.wakes] == [100]
    assert found.wakes[0].server_cpu_ms > 0
    assert [idle.transport for idle in found.idles] == list(TRANSPORTS)


def test_slow_clients_measures_readers_and_senders() -> None:
    """The quick run has figures of stuck readers by both transports and of slow senders."""
    found = msgspec.json.decode(run("slow_clients", "--quick", "--json"), type=slow_figures.Run)
    assert [readers.transport for readers in found.readers] == list(TRANSPORTS)
    assert all(readers.cpu_us > 0 and readers.worst_ms > 0 for readers in found.readers)
    assert [(senders.part, senders.connections) for senders in found.senders] == [("head", 20), ("body", 20)]
    assert all(senders.probes > 0 for senders in found.senders)


@pytest.mark.postgres
def test_import_measures_both_databases() -> None:
    """A small run has each import, the ready-made rows beside it, and what was refused of the file's rows."""
    found = msgspec.json.decode(run("import", "--rows", "2000", "--attempts", "1", "--json"), type=import_figures.Run)
    assert [(one.database, one.kind) for one in found.imported] == [
        (database, kind) for database in ("postgres", "sqlite") for kind in ("bare", "full")
    ]
    assert [(one.added, one.refused) for one in found.imported] == [(2000, 0), (1970, 30)] * 2
    assert all(one.rate > 0 and one.cpu_us > 0 and one.peak_mib > 0 for one in found.imported)
    assert all(found.ceilings[name].rate > 0 for name in ("postgres", "sqlite"))
    assert import_figures.verdict(found).startswith(("ok", "FAILED"))


@pytest.fixture(scope="module")
def clients_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled clients."""
    return programs.build_clients(tmp_path_factory.mktemp("clients"))


@pytest.fixture
def pair(clients_program: Path) -> Iterator[tuple[Site, Clients]]:
    """A server with two clients that have got one event each."""
    scenario = Scenario(clients=2, transport="long-polling")
    with programs.trunkline(scenario) as server, Clients(clients_program, server.port, scenario) as clients:
        clients.round(server, "own 10")
        yield server, clients


@pytest.mark.parametrize(
    ("owner", "seq", "said"),
    [
        (0, 1, "an event came again, or too late"),
        (0, 3, "events are missing before this one"),
        (1, 2, "a misdirected event"),
    ],
)
def test_clients_notice_a_wrong_event(pair: tuple[Site, Clients], owner: int, seq: int, said: str) -> None:
    """An event twice, a gap, and an event of somebody else end the run with words that say so."""
    server, clients = pair
    clients.tell("round")
    server.tell(f"event 0 {owner} {seq}")
    with pytest.raises(RuntimeError, match=said):
        clients.expect("done")


def test_clients_notice_one_event_too_many(pair: tuple[Site, Clients]) -> None:
    """An event that is in order but that no round has announced ends the run."""
    server, clients = pair
    server.tell("event 0 0 2")
    with pytest.raises(RuntimeError, match="an event that nobody sent"):
        clients.expect("done")
