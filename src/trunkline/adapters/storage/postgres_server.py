"""The connection to PostgreSQL: how it is made, what must be true of the server, what its errors mean."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from trunkline.adapters.storage import migrate
from trunkline.adapters.storage.queries import Queries
from trunkline.app.ports import Conflict
from trunkline.errors import AlreadyExists, Refused, TrunklineError, Unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

QUERIES = Queries(Path(__file__).with_name("queries_postgres"))

OLDEST = 13
"""The oldest major version that still gets fixes of its makers, or did until a short while ago."""

SERVER_LOCK = 0x7472756E6C01
"""Advisory lock of the one server of a database."""
COMMIT_LOCK = 0x7472756E6C02
"""Advisory lock from the first write of a transaction to its end: journal numbers grow in the order of commits, and
two processes that write cannot block each other crosswise."""
NUMBERS_LOCK = 0x7472756E6C03
"""Advisory lock while runs of numbers are drawn."""

CONNECT_S = 10
"""Seconds for a connection: a server of the same network that needs longer is not there."""
COMMAND_S = 60
"""Seconds for one statement: the longest, a page of the audit over millions of rows, takes a few."""

_SETTINGS = {
    "application_name": "trunkline",
    "jit": "off",  # compiling costs more than any of these statements
    "lock_timeout": "10s",  # longer than any transaction of ours holds rows
    # A process that hangs, or whose machine vanished, must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_LOOK_UP = {
    # Every statement looks up keys through an index. The planner's guesses for empty or fresh tables would read whole
    # tables, and a plan made so would stay until the next ANALYZE.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
_READER_SETTINGS = {**_SETTINGS, **_LOOK_UP, "default_transaction_read_only": "on"}
_WRITER_SETTINGS = {**_SETTINGS, **_LOOK_UP, "plan_cache_mode": "force_generic_plan"}


async def connect(database_url: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection for units; raises ``Unavailable``."""
    try:
        return await asyncpg.connect(
            database_url,
            timeout=CONNECT_S,
            command_timeout=COMMAND_S,
            server_settings=_WRITER_SETTINGS,
            statement_cache_size=200,  # more than there are statements
            max_cached_statement_lifetime=0,  # so none is compiled twice
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise Unavailable(f"the database cannot be reached: {str(error) or type(error).__name__}") from error


def make_pool(database_url: str, size: int) -> asyncpg.Pool[asyncpg.Record]:
    """Connections for reads, made when they are needed; not open yet."""
    return asyncpg.create_pool(
        database_url,
        min_size=0,  # so that a start does not fail halfway: the writer's connection has been made before
        max_size=size,
        timeout=CONNECT_S,
        command_timeout=COMMAND_S,
        server_settings=_READER_SETTINGS,
    )


async def check_server(connection: Connection) -> list[str]:
    """Warnings for the operator; ``Refused`` for a server that would lose answered requests or cannot serve."""
    version = connection.get_server_version()
    if version.major < OLDEST:
        raise Refused(f"PostgreSQL {version.major} is too old: {OLDEST} or newer is needed")
    found = await connection.fetchrow(QUERIES["settings"])
    assert found is not None
    if found["is_standby"]:
        raise Refused("this PostgreSQL server is a standby, which takes no writes; give the address of the primary")
    if found["server_encoding"] != "UTF8":
        raise Refused(f"the database has encoding {found['server_encoding']}; create it with encoding UTF8")
    if found["fsync"] == "off":
        raise Refused("PostgreSQL runs with fsync = off: a crash would lose answered requests; set it to on")
    version_found = await connection.fetchval(QUERIES["schema_version"]) if found["has_schema"] else None
    if version_found != migrate.head():
        raise Refused(
            f"the database has schema version {version_found or 'none'}, this program needs {migrate.head()}: "
            "run trunkline migrate"
        )
    return await _warnings(connection, found)


async def _warnings(connection: Connection, found: asyncpg.Record) -> list[str]:
    warnings = []
    if found["full_page_writes"] == "off":
        warnings.append(
            "PostgreSQL runs with full_page_writes = off: after a power failure pages may be torn, "
            "unless the file system writes them whole"
        )
    if found["synchronous_commit"] == "off":
        warnings.append(
            "PostgreSQL's default is synchronous_commit = off: trunkline turns it on for its own writes, "
            "but other programs' writes to this database may be lost in a crash"
        )
    return warnings


async def prepare_writer(connection: Connection, *, exclusive: bool) -> None:
    """Make commits durable and, if asked, take the lock of the one server; ``Refused`` when another has it.

    The lock lies on the writing connection itself: who lost the connection has lost the lock and cannot write.
    """
    if await connection.fetchval("SHOW synchronous_commit") == "off":
        await connection.execute(QUERIES["flush_commits"])
    if exclusive and not await connection.fetchval(QUERIES["serve_alone"], SERVER_LOCK):
        raise Refused(
            "another trunkline server serves this database; stop it first, or give this one a database of its own"
        )


async def end(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Close a connection politely, or at once when that fails."""
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.close(timeout=5)
    connection.terminate()


_CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_TRANSIENT = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.PostgresSystemError,
    OSError,
    TimeoutError,
)


def translated(error: BaseException) -> BaseException:
    """What a driver's error means to us; anything else as it is."""
    if isinstance(error, TrunklineError):
        return error
    if isinstance(error, _CONFLICTS):
        return Conflict()
    if isinstance(error, asyncpg.UniqueViolationError):
        if error.table_name in ("record", "calling_window", "desk"):
            return Conflict(f"another process wrote the same {error.table_name}")
        return AlreadyExists(f"{error.table_name} with these values exists already ({error.detail or error})")
    if isinstance(error, asyncpg.SequenceGeneratorLimitExceededError | asyncpg.NumericValueOutOfRangeError):
        return Unavailable("the database has no number left to give")
    # An InterfaceError that is a ValueError tells of a wrong argument: a defect.
    if isinstance(error, _TRANSIENT) or (
        isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError)
    ):
        return Unavailable(f"the database cannot be used: {str(error) or type(error).__name__}")
    return error
