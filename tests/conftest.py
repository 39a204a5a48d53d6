"""Fixtures and options that all tests share. The programs behind the fixtures are in ``tests/support``."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import hypothesis
import pytest

from tests.support import conformance, nodes
from tests.support.postgres import PostgresServer
from tests.support.server import RunningServer

# No deadline per example: the machine is shared with the servers under test, and a slow moment is no finding.
# The short profile is the same on every run, so that a red build is red for the next person too.
hypothesis.settings.register_profile("short", max_examples=50, deadline=None, derandomize=True)
hypothesis.settings.register_profile("long", max_examples=2000, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add options of our own."""
    parser.addoption("--long", action="store_true", help="run what takes minutes too, and more examples of properties")
    parser.addoption("--browser", action="store_true", help="run what needs Chromium too")
    parser.addoption("--inputs", type=int, help="how many inputs tests/fuzz makes")
    parser.addoption("--seed", type=int, help="where tests/fuzz begins")
    parser.addoption("--write-docs", action="store_true", help="remake the manual's pages that tests fill")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number of examples; make SIGTERM end the run as Ctrl-C does, so that servers are stopped."""
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "short")
    signal.signal(signal.SIGTERM, _interrupt)
    if not hasattr(config, "workerinput"):  # of several processes, the one that hears of all tests
        config.pluginmanager.register(conformance.Judge(config))


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures they use; leave out what was not asked for; note which items they prove."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "postgres_server" in fixtures:
            item.add_marker("postgres")
        if "node_modules" in fixtures:
            item.add_marker("interop")
        for name in ("long", "browser"):
            if item.get_closest_marker(name) and not config.getoption(f"--{name}"):
                item.add_marker(pytest.mark.skip(reason=f"runs with --{name}"))
        conformance.label(item)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One private PostgreSQL server for the whole run."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database of this test alone."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Where the JavaScript clients are, installed."""
    return nodes.install()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A running server with demo data on SQLite, of this test alone."""
    with RunningServer("--demo", folder=tmp_path) as running:
        yield running
