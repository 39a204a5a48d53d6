"""Durable storage: one port, three stores (PostgreSQL, SQLite, memory), one conformance suite."""

from __future__ import annotations

from trunkline.app.ports import Store
from trunkline.errors import Refused

MEMORY_URL = "memory:"


def make_store(database_url: str, *, exclusive: bool = False) -> Store:
    """A store, not yet opened, for ``sqlite:////absolute/path``, ``postgresql://...`` or ``memory:``.

    ``exclusive`` is for the server: no second one may serve the same database (tools may work beside it).
    Only the driver that the address asks for is loaded. Raises ``Refused`` for any other address.
    """
    if database_url == MEMORY_URL:
        from trunkline.adapters.storage.memory import MemoryStore  # noqa: PLC0415 - only what is needed is loaded

        return MemoryStore()
    if database_url.startswith(("postgresql://", "postgres://")):
        from trunkline.adapters.storage.postgres import PostgresStore  # noqa: PLC0415 - as above

        return PostgresStore(database_url, exclusive=exclusive)
    if database_url.startswith("sqlite:"):
        from trunkline.adapters.storage.sqlite import SqliteStore  # noqa: PLC0415 - as above

        return SqliteStore(database_url, exclusive=exclusive)
    raise Refused("the database address must be sqlite:////absolute/path, postgresql://... or memory:")
