"""The three stores as one fixture: every test of the conformance suite runs on each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.storage import Storage
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import MEMORY_URL, make_store, migrate


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy: running the migrations for each test would take longer than the test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of an empty, migrated SQLite database."""
    path = tmp_path / "trunkline.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


def durable(request: pytest.FixtureRequest, kind: str) -> Iterator[Storage]:
    """An empty database of one of the two kinds that outlive the program."""
    if kind == "sqlite":
        url = request.getfixturevalue("sqlite_url")
        yield Storage(kind, url, lambda: make_store(url))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(server.template("stores", migrate.upgrade))
    yield Storage(kind, url, lambda: make_store(url))
    server.drop(url)


_POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture(params=["memory", "sqlite", _POSTGRES])
def storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    """An empty database of each kind."""
    if request.param == "memory":
        store = make_store(MEMORY_URL)
        yield Storage("memory", MEMORY_URL, lambda: store)
    else:
        yield from durable(request, request.param)


@pytest.fixture(params=["sqlite", _POSTGRES])
def durable_storage(request: pytest.FixtureRequest) -> Iterator[Storage]:
    """An empty database of each kind that several programs can use at once."""
    yield from durable(request, request.param)
