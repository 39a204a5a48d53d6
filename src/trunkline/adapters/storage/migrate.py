"""Schema versions: what the database has, what the program needs, and the way from one to the other.

Migrations are alembic modules that speak SQL only. They are first turned into text (``pending_sql`` shows the same
text) and then run inside one transaction that holds a lock and has just read the version: two processes
that start together migrate once, and a migration that fails leaves the database as it was.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from trunkline.errors import Refused, Unavailable

LOCK_KEY = 0x7472756E6B
"""Key of PostgreSQL's advisory lock for migrations ("trunk" in ASCII)."""

WAIT_S = 60
"""Seconds to wait for another process that migrates: building an index over millions of rows takes that long."""

T = TypeVar("T")

_MIGRATIONS = Path(__file__).parent / "migrations"
_NAMED = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)


def head() -> str:
    """The version that this program needs."""
    return _chain()[0]


def current(database_url: str) -> str | None:
    """The version the database has; None for an empty or absent one. Raises ``Unavailable``, ``Refused``."""
    path = sqlite_path(database_url)
    if path is None:
        return _in_loop(_postgres_current(database_url))
    if not path.exists():
        return None
    with _translated(), closing(_sqlite_connection(path)) as connection:
        return _sqlite_version(connection)


def pending_sql(database_url: str) -> str:
    """What ``upgrade`` would run, as SQL; empty when there is nothing to do. Changes nothing."""
    return _render(_dialect(database_url), current(database_url))


def upgrade(database_url: str, to: str = "head") -> None:
    """Bring the database to ``head()``, or to an older version on the way; nothing happens when it is there.

    ``database_url`` is ``sqlite:////absolute/path`` or ``postgresql://...``. Blocks; safe to call while an event
    loop runs, and from several processes at once. Raises ``Refused`` for a database that a newer program or
    somebody else made, ``Unavailable`` when it cannot be reached or stays locked.
    """
    path = sqlite_path(database_url)
    if path is None:
        _in_loop(_upgrade_postgres(database_url, to))
    else:
        _upgrade_sqlite(path, to)


def sqlite_path(database_url: str) -> Path | None:
    """The file of a SQLite address, None for PostgreSQL; ``Refused`` for anything else."""
    if database_url.startswith(("postgresql://", "postgres://")):
        return None
    name = database_url.removeprefix("sqlite:///")
    if name == database_url or not name.startswith("/"):
        raise Refused("the database address must be sqlite:////absolute/path or postgresql://...")
    return Path(name)


class _translated:  # noqa: N801 - used as a statement
    """Turns the drivers' errors into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, asyncpg.DuplicateTableError | asyncpg.DuplicateObjectError) or (
            isinstance(error, sqlite3.OperationalError) and "already exists" in str(error)
        ):
            raise Refused(f"the database holds tables that trunkline did not make ({error})") from error
        if isinstance(error, sqlite3.Error):
            raise Unavailable(f"the database cannot be used: {error}") from error
        if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | OSError | TimeoutError):
            raise Unavailable(f"the database cannot be used: {str(error) or type(error).__name__}") from error


def _dialect(database_url: str) -> str:
    return "postgresql" if sqlite_path(database_url) is None else "sqlite"


def _chain() -> list[str]:
    """The versions, newest first, as their files say: every command asks, and alembic takes half a second to load."""
    behind = {}
    for path in (_MIGRATIONS / "versions").glob("v*.py"):
        names = dict(_NAMED.findall(path.read_text(encoding="utf-8")))
        behind[names.get("down_revision", "")] = names["revision"]
    chain: list[str] = []
    while (version := behind.get(chain[0] if chain else "")) is not None:
        chain.insert(0, version)
    assert len(chain) == len(behind), "the migrations are not one chain"
    return chain


def _render(dialect_name: str, version: str | None, to: str = "head") -> str:
    """The SQL from a version to another, without BEGIN and COMMIT."""
    known = _chain()
    if version is not None and version not in known:
        raise Refused(f"the database has version {version}, which this program does not know; use a newer one")
    if version in (known[0], to):
        return ""
    from trunkline.adapters.storage.migration_sql import rendered  # noqa: PLC0415 - half a second, and mostly not needed

    return rendered(_MIGRATIONS, dialect_name, version, to)


# SQLite


def _sqlite_connection(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)


def _sqlite_version(connection: sqlite3.Connection) -> str | None:
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.execute(named).fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _upgrade_sqlite(path: Path, to: str) -> None:
    with _translated(), closing(_sqlite_connection(path)) as connection:
        _use_write_ahead_log(connection)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            for statement in _statements(_render("sqlite", _sqlite_version(connection), to)):
                connection.execute(statement)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL. SQLite does not wait for a lock here, so the waiting is ours."""
    ends_at = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > ends_at:
                raise
            time.sleep(0.02)
        else:
            return


def _statements(script: str) -> list[str]:
    """The statements of a script; ``executescript`` would commit the transaction that holds the lock."""
    found: list[str] = []
    gathered = ""
    for line in script.splitlines(keepends=True):
        gathered += line
        if sqlite3.complete_statement(gathered):
            found.append(gathered)
            gathered = ""
    return found


# PostgreSQL


def _in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own; the caller's thread may have one that runs."""
    with ThreadPoolExecutor(max_workers=1) as pool, _translated():
        return pool.submit(asyncio.run, work).result()


async def _connect(database_url: str) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(
        database_url, timeout=WAIT_S, server_settings={"application_name": "trunkline migrate"}
    )


async def _version(connection: asyncpg.Connection[asyncpg.Record]) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    return version


async def _postgres_current(database_url: str) -> str | None:
    connection = await _connect(database_url)
    try:
        return await _version(connection)
    finally:
        await connection.close()


async def _upgrade_postgres(database_url: str, to: str) -> None:
    connection = await _connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{WAIT_S}s'")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY)
            script = _render("postgresql", await _version(connection), to)
            if script:
                await connection.execute(script)
    finally:
        await connection.close()
