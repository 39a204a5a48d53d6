"""The same import from two programs at once on one database: every record is there once."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import msgspec
import pytest

from tests.imports.harness import LIST, ORDER, SUPERVISOR, StandingClock
from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.storage.sqlite_bulk import SqliteBulk
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import import_alone
from trunkline.app.imports.report import ImportReport
from trunkline.app.imports.run import read_progress
from trunkline.app.ports import ImportState, Provision, Store
from trunkline.domain.enums import DoNotCallKind
from trunkline.errors import AlreadyInUse

CHUNK_RECORDS = SqliteBulk.rows_at_once
ROWS = CHUNK_RECORDS * 2 + 10
SAMPLE = 400
TIMES = 3
"""Two runs collide by chance; unguarded, most rounds fail."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An empty database of the newest schema."""
    address = f"sqlite:///{tmp_path / 'trunkline.db'}"
    migrate.upgrade(address)
    return address


async def run_twice(stores: list[Store], import_id: str, text: bytes) -> list[ImportReport | BaseException]:
    """Both runs at once, each with a writer of its own."""
    order = msgspec.structs.replace(ORDER, import_id=import_id)
    runs = [
        import_alone(store, StandingClock(), SUPERVISOR, LIST, order, TextFile(io.BytesIO(text))) for store in stores
    ]
    return await asyncio.gather(*runs, return_exceptions=True)


async def collide(url: str) -> None:
    """Import some files twice at once and count."""
    stores = [make_store(url), make_store(url)]
    for store in stores:
        await store.open()
    try:
        await stores[0].provision(Provision(contact_centres={1: "demo"}, lists=[LIST]))
        for turn in range(TIMES):
            text = b"phone\n" + b"".join(b"+1%03d%07d\n" % (turn, n) for n in range(ROWS))
            outcomes = await run_twice(stores, f"turn-{turn}", text)
            reports = [outcome for outcome in outcomes if isinstance(outcome, ImportReport)]
            others = [outcome for outcome in outcomes if not isinstance(outcome, ImportReport)]
            assert all(isinstance(error, AlreadyInUse) for error in others), others
            progress = await read_progress(stores[0], LIST, f"turn-{turn}")
            assert progress is not None
            if progress.state is ImportState.RUNNING:
                # Each stopped for the other: whoever asks again finishes it.
                reports += [r for r in await run_twice(stores[:1], f"turn-{turn}", text) if isinstance(r, ImportReport)]
            assert any(report.finished for report in reports)
            async with stores[0].begin() as unit:
                for n in range(0, ROWS, ROWS // SAMPLE):
                    number = f"+1{turn:03d}{n:07d}"
                    found = await unit.records_of_contact(1, [LIST.list_id], DoNotCallKind.NUMBER, number, 9)
                    assert len(found) == 1, (number, len(found), outcomes)
    finally:
        for store in stores:
            await store.close()


def test_two_runs_add_every_record_once(url: str) -> None:
    """One run goes on, the other is refused or finds it done; nothing is there twice, nothing is missing."""
    asyncio.run(collide(url))
