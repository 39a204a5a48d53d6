"""Servers that the HTTP tests share, and the table of findings at the end of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http import findings, stored
from tests.http.desks import Demo, demo_server
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import migrate

CONTRACT_AGENTS = 300
"""Every variant of every operation takes a fresh agent."""


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest) -> str:
    """The name of a store."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def contract(request: pytest.FixtureRequest, store: str) -> Iterator[Demo]:
    """A demo server on each store."""
    if store == "sqlite":
        with demo_server(agents=CONTRACT_AGENTS) as demo:
            yield demo
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(server.template("stores", migrate.upgrade))
    with demo_server(agents=CONTRACT_AGENTS, database_url=url) as demo:
        yield demo
    server.drop(url)


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """A demo server for tests of behaviour: what an agent leaves behind becomes stale at once."""
    with demo_server("--logout-grace-s", "0", agents=100) as made:
        yield made


@pytest.fixture(scope="session")
def abused() -> Iterator[Demo]:
    """A demo server for bad input, with campaigns of odd names."""
    with demo_server(agents=20) as made:
        made.server.terminate()
        stored.provision_odd_names(made)
        made.server.restart()
        yield made


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print operation x store x result."""
    found = findings.lines()
    if found:
        terminalreporter.section("operations on SQLite | PostgreSQL")
        for line in found:
            terminalreporter.write_line(line)
