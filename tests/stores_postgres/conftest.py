"""Databases for what only PostgreSQL does; the generic behaviour is proven in ``tests/stores``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import migrate


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty, migrated database."""
    address = postgres_server.create(postgres_server.template("stores", migrate.upgrade))
    yield address
    postgres_server.drop(address)


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that tests may crash and set differently."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def own_url(own_server: PostgresServer) -> str:
    """The address of an empty, migrated database on the server that tests may crash."""
    return own_server.create(own_server.template("stores", migrate.upgrade))
