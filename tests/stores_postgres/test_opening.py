"""What the store checks when it opens: settings, version, schema, and that it serves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from tests.support import postgres
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import postgres_server as server_side
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.errors import Defect, Refused, Unavailable

pytestmark = pytest.mark.postgres


def open_and_close(url: str, *, exclusive: bool = False) -> list[str]:
    """Open a store and close it again; its warnings."""

    async def main() -> list[str]:
        store = PostgresStore(url, exclusive=exclusive)
        await store.open()
        await store.close()
        return store.warnings

    return asyncio.run(main())


def run_sql(url: str, sql: str) -> None:
    """Run a statement as the operator."""

    async def main() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    asyncio.run(main())


def test_a_durable_server_is_taken_without_a_word(url: str) -> None:
    """With PostgreSQL's own defaults there is nothing to warn of."""
    assert open_and_close(url, exclusive=True) == []


@pytest.fixture
def careless_server(own_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    """The server with fsync off."""
    own_server.crash()
    monkeypatch.setitem(postgres._SETTINGS, "fsync", "off")
    own_server.start()
    yield own_server
    own_server.crash()
    monkeypatch.undo()
    own_server.start()


def test_a_server_that_does_not_flush_is_refused(own_url: str, careless_server: PostgresServer) -> None:
    """Without fsync a crash would lose answered requests, so the store does not open, and says why."""
    with pytest.raises(Refused, match="fsync = off"):
        open_and_close(own_url)


def test_torn_pages_are_warned_of(own_server: PostgresServer, own_url: str) -> None:
    """full_page_writes = off is the operator's decision, with a warning."""
    own_server.execute("ALTER SYSTEM SET full_page_writes = off")
    own_server.crash()
    own_server.start()
    try:
        (warning,) = open_and_close(own_url)
        assert "full_page_writes" in warning
    finally:
        own_server.execute("ALTER SYSTEM RESET full_page_writes")
        own_server.crash()
        own_server.start()


def test_late_commits_are_warned_of_and_not_used(url: str) -> None:
    """Where synchronous_commit is off by default, the writer turns it on for itself and the operator is told."""
    run_sql(url, f'ALTER DATABASE "{url.rpartition("/")[2]}" SET synchronous_commit = off')

    async def main() -> None:
        store = PostgresStore(url)
        await store.open()
        assert store._writer is not None
        assert await store._writer.fetchval("SHOW synchronous_commit") == "on"
        await store.close()
        assert [warning for warning in store.warnings if "synchronous_commit" in warning]

    asyncio.run(main())


def test_a_database_without_the_schema_is_refused(postgres_url: str) -> None:
    """An empty database is not served; the sentence names the command that helps."""
    with pytest.raises(Refused, match=r"version none.*trunkline migrate"):
        open_and_close(postgres_url)


def test_a_database_of_another_version_is_refused(url: str) -> None:
    """Neither an older nor a newer schema is served."""
    run_sql(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match=r"version 9999"):
        open_and_close(url)


def test_an_old_server_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A major version below the oldest supported one is refused; proven by raising that one."""
    monkeypatch.setattr(server_side, "OLDEST", 1000)
    with pytest.raises(Refused, match="too old: 1000"):
        open_and_close(url)


def test_other_encodings_are_refused(postgres_server: PostgresServer) -> None:
    """A database that cannot hold every name is refused."""
    postgres_server.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        with pytest.raises(Refused, match="LATIN1"):
            open_and_close(postgres_server.url("latin"))
    finally:
        postgres_server.drop(postgres_server.url("latin"))


def test_an_absent_server_is_unavailable() -> None:
    """No server, no database, wrong password: the store cannot open now."""
    with pytest.raises(Unavailable, match="cannot be reached"):
        open_and_close("postgresql://nobody@127.0.0.1:1/nothing")


def test_two_servers_never_serve_one_database(url: str) -> None:
    """The second exclusive store is refused while the first is open; a tool's store is not."""

    async def main() -> None:
        first, second, tool = (
            PostgresStore(url, exclusive=True),
            PostgresStore(url, exclusive=True),
            PostgresStore(url),
        )
        await first.open()
        with pytest.raises(Refused, match="another trunkline server"):
            await second.open()
        await tool.open()
        await tool.close()
        await first.close()
        await second.open()
        await second.close()

    asyncio.run(main())


def test_opening_twice_is_a_defect(url: str) -> None:
    """A store that is open is not opened again."""

    async def main() -> None:
        store = PostgresStore(url)
        await store.open()
        try:
            with pytest.raises(Defect):
                await store.open()
        finally:
            await store.close()

    asyncio.run(main())
