"""A server that is killed again and again while agents work: nothing answered is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash.agents import Agent, Floor
from tests.crash.stock import Stock
from tests.support.postgres import PostgresServer
from tests.support.server import RunningServer
from trunkline.client import Client

AGENTS = 6
KILLS = 10
KILLS_LONG = 100
FINISH_S = 60
FLAGS = ("--demo", "--demo-agents", str(AGENTS), "--log-level", "warning")


def _work_through_crashes(server: RunningServer, kills: int, crash: Callable[[int], None]) -> tuple[Floor, list[Agent]]:
    """Let the agents work, ``crash(n)`` after a different number of answers each time, and let them finish."""
    chance = random.Random(kills)
    floor = Floor(server.url)
    agents = [Agent(floor, n) for n in range(1, AGENTS + 1)]
    for agent in agents:
        agent.start()
    try:
        for number in range(1, kills + 1):
            floor.wait_for_answers(chance.randint(20, 200))
            floor.is_up.clear()
            crash(number)
            floor.is_up.set()
        floor.wait_for_answers(50)
        floor.is_over.set()
        for agent in agents:
            agent.finish(FINISH_S)
    finally:
        floor.is_over.set()
        floor.is_up.set()
        for agent in agents:
            agent.dismiss(FINISH_S)
    return floor, agents


def _check(server: RunningServer, stock: Stock, agents: list[Agent]) -> None:
    """Compare what the agents were told with what there is, over the API and in the database."""
    for agent in agents:
        client = Client(server.url, f"agent{agent.n}", "demo")
        answer = client.get(f"/api/v2/me/outbound-records/{agent.handle}")
        client.close()
        assert answer.http_status == 200
        record = answer.body["record"]
        # The last answered update is what is read back: none after it, none before it instead.
        assert {name: record[name] for name in ("phoneType", "until")} == agent.updates[-1]
        # An agent sends one request at a time, so each accepted update is one version: one less is a loss, one more
        # a request that was done twice.
        assert stock.version_of(agent.n) == 1 + len(agent.updates)
    added = [number for agent in agents for number in agent.added]
    assert stock.copies() == dict.fromkeys(added, 1)
    assert _audited(server) >= {reference for agent in agents for reference in agent.references}


def _audited(server: RunningServer) -> set[Any]:
    """The references in the request audit, read page by page as a supervisor."""
    client = Client(server.url, "supervisor1", "demo")
    found: set[Any] = set()
    page = "/api/v2/admin/requests?limit=1000"
    rows = client.get(page).body["requests"]
    while rows:
        found.update(row["referenceId"] for row in rows)
        rows = client.get(f"{page}&before={rows[-1]['seq']}").body["requests"]
    client.close()
    return found


def _tell(database: str, crashes: str, floor: Floor, agents: list[Agent]) -> str:
    heard = sum(agent.heard.total() for agent in agents)
    return (
        f"\n{database}: {crashes}, {floor.answered} requests answered ({floor.repeated} of them asked again after a "
        f"crash), all there once; {heard} notifications for them, none missing"
    )


@pytest.fixture(params=[KILLS, pytest.param(KILLS_LONG, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def kills(request: pytest.FixtureRequest) -> int:
    """How often the server is killed."""
    count: int = request.param
    return count


def test_sqlite_survives_kills(kills: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every answered request is there once after SIGKILLs, and its notification arrives, on SQLite."""
    with RunningServer(*FLAGS, folder=tmp_path) as server:
        floor, agents = _work_through_crashes(server, kills, lambda _: _kill(server))
        _check(server, Stock(tmp_path), agents)
    with capsys.disabled():
        sys.stdout.write(_tell("SQLite", f"{kills} kills", floor, agents))


def test_postgres_survives_kills(
    kills: int, postgres_server: PostgresServer, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same on PostgreSQL, which itself crashes too at every fifth kill."""
    with RunningServer(*FLAGS, environment=_migrated(postgres_url)) as server:

        def crash(number: int) -> None:
            _kill(server, postgres_server if number % 5 == 0 else None)

        floor, agents = _work_through_crashes(server, kills, crash)
        _check(server, Stock(postgres_url), agents)
    with capsys.disabled():
        sys.stdout.write(_tell("PostgreSQL", f"{kills} kills", floor, agents))


def test_a_crash_of_postgres_under_a_running_server(
    kills: int, postgres_server: PostgresServer, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every answered request is there once when the database crashes and comes back while the server goes on."""

    def crash(number: int) -> None:
        postgres_server.crash()
        postgres_server.start()

    with RunningServer(*FLAGS, environment=_migrated(postgres_url)) as server:
        floor, agents = _work_through_crashes(server, kills, crash)
        _check(server, Stock(postgres_url), agents)
    with capsys.disabled():
        sys.stdout.write(_tell("PostgreSQL", f"{kills} crashes of the database", floor, agents))


def _kill(server: RunningServer, database: PostgresServer | None = None) -> None:
    """End the server with SIGKILL, the database too if given, and start them again."""
    assert server.kill() == -9
    if database is not None:
        database.crash()
        database.start()
    server.restart()


def _migrated(url: str) -> dict[str, str]:
    """Bring the database to our schema; the environment for a server on it."""
    environment = {"TRUNKLINE_DATABASE_URL": url}
    trunkline = Path(sys.executable).with_name("trunkline")
    subprocess.run([trunkline, "migrate"], env={**os.environ, **environment}, check=True)
    return environment
