"""An import whose program is killed in the middle goes on where it was: every record is there once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import asyncpg
import pytest

from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import make_store, migrate, postgres_bulk, sqlite_bulk
from trunkline.app.ports import Provision
from trunkline.domain.campaigns import CallingList

BLOCKS = 6
"""Transactions of the whole import: enough that one is running when the program is killed."""
BAD_EVERY = 500
TRUNKLINE = Path(sys.executable).with_name("trunkline")
DEADLINE_S = 60


class Place:
    """A database with an empty list, read past the program, and a file with chains and some bad rows."""

    def __init__(self, folder: Path, url: str, rows: int) -> None:
        self.url = url
        self.rows = rows - rows % 3  # whole chains
        self.bad = len(range(7, self.rows, BAD_EVERY))
        self.file = folder / "list.csv"
        self._loop = asyncio.new_event_loop()
        self._sqlite: sqlite3.Connection | None = None
        self._postgres: asyncpg.Connection[asyncpg.Record] | None = None

    def __enter__(self) -> Self:
        self._loop.run_until_complete(self._provision())
        if self.url.startswith("sqlite"):
            self._sqlite = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        else:
            self._postgres = self._loop.run_until_complete(asyncpg.connect(self.url))
        lines = (f"bad,k{n // 3}\n" if n % BAD_EVERY == 7 else f"{number(n)},k{n // 3}\n" for n in range(self.rows))
        self.file.write_text("phone,chain\n" + "".join(lines))
        return self

    def __exit__(self, *_: object) -> None:
        if self._sqlite is not None:
            self._sqlite.close()
        if self._postgres is not None:
            self._loop.run_until_complete(self._postgres.close())
        self._loop.close()

    async def _provision(self) -> None:
        store = make_store(self.url)
        await store.open()
        calling_list = CallingList(contact_centre_id=1, list_id=5, name="L")
        await store.provision(Provision(contact_centres={1: "demo"}, lists=[calling_list]))
        await store.close()

    def rows_of(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement finds."""
        if self._sqlite is not None:
            return self._sqlite.execute(statement).fetchall()
        assert self._postgres is not None
        return [tuple(row) for row in self._loop.run_until_complete(self._postgres.fetch(statement))]

    def added(self) -> int:
        """Records of the list that are committed, by the note of the import: it moves with them."""
        found = self.rows_of("SELECT records_added FROM import_run")
        return int(found[0][0]) if found else 0

    def begin(self, *more: str) -> subprocess.Popen[bytes]:
        """Start the import."""
        where = ("--data-dir", self.file.parent) if self._sqlite is not None else ("--database-url", self.url)
        arguments = ["import", "L", self.file, "--mode", "good", "--numbers", "as-given", *where, *more]
        wide = {**os.environ, "COLUMNS": "300"}
        return subprocess.Popen([TRUNKLINE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=wide)

    def finish(self, *more: str) -> bytes:
        """Let the import run to its end; what it printed."""
        program = self.begin(*more)
        output, errors = program.communicate(timeout=DEADLINE_S)
        assert program.returncode == 0, errors
        return output

    def begin_and_kill(self) -> None:
        """Start the import and kill it as soon as it has added something."""
        program = self.begin()
        until = time.monotonic() + DEADLINE_S
        while program.poll() is None and not self.added():
            assert time.monotonic() < until
        program.kill()
        _, errors = program.communicate()
        assert program.returncode == -signal.SIGKILL, errors


def number(n: int) -> str:
    """The number of the n-th row."""
    return f"+1646{2_000_000 + n}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database of each kind that outlives the program."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'trunkline.db'}"
        migrate.upgrade(url)
        with Place(tmp_path, url, BLOCKS * 2 * sqlite_bulk.ROWS_AT_ONCE) as place:
            yield place
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.create(server.template("stores", migrate.upgrade))
    with Place(tmp_path, url, BLOCKS * postgres_bulk.ROWS_AT_ONCE) as place:
        yield place
    server.drop(url)


def test_an_import_that_was_killed_goes_on(place: Place) -> None:
    """Killed when the first records are there, and started again: nothing is missing, nothing is there twice."""
    place.begin_and_kill()
    good = place.rows - place.bad
    dry = place.finish("--dry-run").decode()
    assert f"{good} records in {place.rows // 3} chains are good" in dry
    before = place.added()
    assert before < good
    assert f"a run that was interrupted added {before}, doing it again adds what is missing" in dry
    report = json.loads(place.finish("--json"))
    assert report["recordsAddedBefore"] == before > 0
    assert report["recordsAdded"] + before == place.added() == good
    assert report["rowsRefused"] == place.bad
    # Row by row, not by counts: none is missing, none is there twice, none is another's.
    found = sorted(row[0] for row in place.rows_of("SELECT phone_number FROM record"))
    assert found == [number(n) for n in range(place.rows) if n % BAD_EVERY != 7]
    assert place.rows_of("SELECT count(DISTINCT number_key), count(DISTINCT record_id) FROM record") == [(good, good)]
    # A chain is in one block: none was cut where a run ended.
    assert place.rows_of("SELECT count(DISTINCT chain_id) FROM record") == [(place.rows // 3,)]
    assert place.rows_of("SELECT state, rows_refused, records_added, source_rows FROM import_run") == [
        ("done", place.bad, good, place.rows + 1)
    ]
