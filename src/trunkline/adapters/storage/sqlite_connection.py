"""Connections to a SQLite file, with the settings without which an answered request could be lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from trunkline.adapters.storage import migrate
from trunkline.adapters.storage.filter_sql import is_number
from trunkline.adapters.storage.queries import ROWS_AT_ONCE, Queries, sqlite_queries
from trunkline.adapters.storage.rows import Row
from trunkline.errors import Unavailable

OLDEST_SQLITE = (3, 38, 0)
"""The first version that has JSON functions and ``->>`` in every build."""

BUSY_TIMEOUT_MS = 5_000
"""How long to wait for another process that writes (a command beside the server). Its transactions are short."""

CACHE_KIB = 64 * 1024
"""Pages kept in memory: the upper levels of the indexes of some ten million records."""

CHECKPOINT_PAGES = 4_000
"""16 MiB of log before pages are copied into the database: the same pages are then written once, not four times."""

STATEMENTS = 512
"""Compiled statements that are kept: all of ours, and those of every batch in every number of rows."""

T = TypeVar("T")
Decode = Callable[[str], T]


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, which must exist. Raises ``Unavailable`` when it cannot be opened."""
    try:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=True,
            cached_statements=STATEMENTS,
        )
    except sqlite3.Error as error:
        raise Unavailable(f"the database {path} cannot be opened: {error}") from error
    try:
        connection.create_function("is_number", 1, is_number, deterministic=True)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        connection.close()
        raise Unavailable(f"the database {path} cannot be used: {error}") from error
    return connection


def check(connection: sqlite3.Connection, database_url: str) -> None:
    """Raise ``Unavailable`` unless every commit is flushed and the schema is the program's."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise Unavailable(f"SQLite {sqlite3.sqlite_version} is too old; 3.38 or newer is needed")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        raise Unavailable(f"the database is in journal mode {mode}, not wal; run the migration")
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if level != 2:  # FULL: the log is flushed at each commit
        raise Unavailable("the database does not flush each commit")
    version = migrate.current(database_url)
    if version != migrate.head():
        raise Unavailable(f"the database has schema version {version}, the program needs {migrate.head()}; migrate it")


class Statements:
    """A connection with the named statements."""

    def __init__(self, connection: sqlite3.Connection, queries: Queries | None = None) -> None:
        self.connection = connection
        self._queries = queries or sqlite_queries()

    def read(self, name: str, decode: Decode[T], parameters: Mapping[str, Any]) -> T:
        """The one JSON text that the statement yields, decoded."""
        return decode(self.connection.execute(self._queries[name], parameters).fetchone()[0])

    def read_with(self, name: str, condition: str, decode: Decode[T], parameters: Mapping[str, Any]) -> T:
        """The same for a statement with ``$condition``, which ``filter_sql`` made."""
        text = self._queries[name].replace("$condition", condition)
        return decode(self.connection.execute(text, parameters).fetchone()[0])

    def value(self, name: str, parameters: Mapping[str, Any]) -> Any:
        """The first value of the first row, or None when there is no row."""
        row = self.connection.execute(self._queries[name], parameters).fetchone()
        return None if row is None else row[0]

    def run(self, name: str, parameters: Mapping[str, Any]) -> int:
        """Run a statement that changes rows; how many it changed."""
        return self.connection.execute(self._queries[name], parameters).rowcount

    def write(self, name: str, rows: Sequence[Row]) -> int:
        """Run a statement with ``$rows`` for all rows, many at once; how many it changed.

        One statement for many rows gives the interpreter away once: with a step for each row the
        thread would queue for it behind the event loop each time.
        """
        before = self.connection.total_changes
        for at in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[at : at + ROWS_AT_ONCE]
            self.connection.execute(self._queries.bulk(name, len(part)), tuple(chain.from_iterable(part)))
        return self.connection.total_changes - before
