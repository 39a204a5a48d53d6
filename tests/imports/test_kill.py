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
from pathlib import Path

import pytest

from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.storage.sqlite_bulk import ROWS_AT_ONCE
from trunkline.app.ports import Provision
from trunkline.domain.campaigns import CallingList

ROWS = 12 * ROWS_AT_ONCE
BAD_EVERY = 500
TRUNKLINE = Path(sys.executable).with_name("trunkline")
DEADLINE_S = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A database with an empty list, and a file with chains and some bad rows."""
    url = f"sqlite:///{tmp_path / 'trunkline.db'}"
    migrate.upgrade(url)

    async def provision() -> None:
        store = make_store(url)
        await store.open()
        await store.provision(
            Provision(contact_centres={1: "demo"}, lists=[CallingList(contact_centre_id=1, list_id=5, name="L")])
        )
        await store.close()

    asyncio.run(provision())
    lines = (f"bad,k{n // 3}\n" if n % BAD_EVERY == 7 else f"+1646{2_000_000 + n},k{n // 3}\n" for n in range(ROWS))
    (tmp_path / "list.csv").write_text("phone,chain\n" + "".join(lines))
    return tmp_path


def begin(folder: Path) -> subprocess.Popen[bytes]:
    """Start the import."""
    arguments = ["import", "L", str(folder / "list.csv"), "--mode", "good", "--json", "--data-dir", str(folder)]
    return subprocess.Popen([TRUNKLINE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows_of(folder: Path, statement: str) -> list[tuple[int, ...]]:
    """What a statement finds."""
    connection = sqlite3.connect(folder / "trunkline.db")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def added(folder: Path) -> int:
    """Records that are committed."""
    ((count,),) = rows_of(folder, "SELECT count(*) FROM record")
    return count


def test_an_import_that_was_killed_goes_on(folder: Path) -> None:
    """Killed whenever there is more than before, and started again: nothing is missing, nothing is there twice."""
    kills = 0
    for _ in range(2):
        program = begin(folder)
        before = added(folder)
        until = time.monotonic() + DEADLINE_S
        while program.poll() is None and added(folder) == before:
            assert time.monotonic() < until
        if program.poll() is None:
            os.kill(program.pid, signal.SIGKILL)
            kills += 1
        program.communicate()
    program = begin(folder)
    output, errors = program.communicate(timeout=DEADLINE_S)
    assert program.returncode == 0, errors
    report = json.loads(output)
    bad = ROWS // BAD_EVERY
    assert kills >= 1
    assert report["recordsAdded"] + report["recordsAddedBefore"] == added(folder) == ROWS - bad
    assert report["rowsRefused"] == bad
    assert rows_of(folder, "SELECT count(DISTINCT number_key), count(DISTINCT record_id) FROM record") == [
        (ROWS - bad, ROWS - bad)
    ]
    # A chain is in one block: none was cut where a run ended.
    assert rows_of(folder, "SELECT count(DISTINCT chain_id) FROM record") == [(ROWS // 3,)]
    assert rows_of(folder, "SELECT state = 'done', rows_refused, records_added, source_rows FROM import_run") == [
        (1, bad, ROWS - bad, ROWS + 1)
    ]
