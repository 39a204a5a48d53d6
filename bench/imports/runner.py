"""One import in a process of its own, measured from within: what it needs, and what it holds.

usage: python -m bench.imports.runner DATABASE_URL LIST_ID FILE (full | bare)
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

import msgspec

from trunkline.adapters.storage import make_store
from trunkline.adapters.system import SystemClock
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import import_alone
from trunkline.app.imports.orders import ImportOrder
from trunkline.domain.campaigns import CallingList
from trunkline.domain.import_specifications import DuplicateScope, ImportMode, NumberCheck
from trunkline.domain.people import Caller, Role

CALLER = Caller(1, "bench", 0, "f" * 32, "bench", roles=(Role.ADMINISTRATOR,))
FULL = ImportOrder(mode=ImportMode.GOOD, duplicate_numbers=DuplicateScope.LIST, duplicate_customers=DuplicateScope.LIST)
"""Every check: numbers that exist, zones and states, numbers and customers once, do-not-call."""
BARE = ImportOrder(
    mode=ImportMode.GOOD,
    numbers=NumberCheck.AS_GIVEN,
    duplicate_numbers=DuplicateScope.NONE,
    checks_suppression=False,
)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a run needed. ``peak_mib`` is the largest size of the process, its start with it."""

    rows: int
    added: int
    refused: int
    wall_s: float
    cpu_s: float
    peak_mib: float


def calling_list(list_id: int) -> CallingList:
    """The list that is filled."""
    return CallingList(contact_centre_id=1, list_id=list_id, name=f"L{list_id}", from_s=32_400, until_s=72_000)


async def run(url: str, list_id: int, path: Path, order: ImportOrder) -> Outcome:
    """Import the file."""
    store = make_store(url)
    await store.open()
    try:
        with path.open("rb") as file:
            begun_s, begun_cpu_s = time.monotonic(), time.process_time()
            report = await import_alone(
                store, SystemClock(), CALLER, calling_list(list_id), order, TextFile(file), None
            )
            wall_s, cpu_s = time.monotonic() - begun_s, time.process_time() - begun_cpu_s
    finally:
        await store.close()
    return Outcome(
        rows=report.rows_read,
        added=report.records_added,
        refused=report.rows_refused,
        wall_s=wall_s,
        cpu_s=cpu_s,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


if __name__ == "__main__":
    database_url, number, name, kind = sys.argv[1:]
    outcome = asyncio.run(run(database_url, int(number), Path(name), FULL if kind == "full" else BARE))
    sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
