"""The command line of ``bench/suppression``: the check of do-not-call at hand-out, by the length of the lists.

Fills an empty database with entries, half of them in the contact centre's own list and half in another, asks about the
contacts of a batch of records (a number and a customer id each, 1 % of them suppressed) in one question, as the
hand-out does, and prints the plan of PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench.machine import facts
from tests.support.postgres import PostgresServer
from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.storage.postgres_server import QUERIES
from trunkline.app.ports import Changes, Store, Suppression
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.suppression import Contact

CENTRE, CAMPAIGN, LIST = 1, 100, 3
FIRST = 2_000_000_000
PORTION = 20_000
AT_MOST_US = 25
"""Microseconds a contact: two contacts of a record are then a twentieth of what handing it out costs."""


def main(arguments: Sequence[str]) -> int:
    """Run; the exit code is 1 when a contact costs more than ``AT_MOST_US`` in the longest lists."""
    parser = argparse.ArgumentParser(prog="bench/suppression", description=__doc__)
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 2_000_000])
    parser.add_argument("--batch", type=int, default=100, help="records in one question (%(default)s)")
    parser.add_argument("--questions", type=int, default=300, help="of each length (%(default)s)")
    parser.add_argument("--store", choices=["sqlite", "postgres"], nargs="+", default=["sqlite", "postgres"])
    given = parser.parse_args(arguments)
    sys.stdout.write(json.dumps(facts()) + "\n")
    return int(max(_of_store(kind, given) for kind in given.store) > AT_MOST_US)


def _of_store(kind: str, given: argparse.Namespace) -> float:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="trunkline-bench-") as folder:
            url = f"sqlite:///{Path(folder) / 'x.db'}"
            migrate.upgrade(url)
            return asyncio.run(_measure(kind, url, given))
    server = PostgresServer()
    try:
        url = server.create()
        migrate.upgrade(url)
        return asyncio.run(_measure(kind, url, given))
    finally:
        server.stop()


async def _measure(kind: str, url: str, given: argparse.Namespace) -> float:
    store = make_store(url)
    await store.open()
    try:
        costs, there = [], 0
        for entries in given.entries:
            began = time.monotonic()
            await _fill(store, there, entries)
            filled_s, there = time.monotonic() - began, entries
            costs.append(await _ask(store, entries, given.batch, given.questions))
            line: dict[str, Any] = {"store": kind, "entries": entries, "us_per_contact": round(costs[-1], 2)}
            sys.stdout.write(json.dumps({**line, "filled_s": round(filled_s, 1)}) + "\n")
        if kind == "postgres":
            sys.stdout.write(await _plan(url))
        return costs[-1]
    finally:
        await store.close()


async def _fill(store: Store, begin: int, end: int) -> None:
    for first in range(begin, end, PORTION):
        entries = [
            Suppression(
                contact_centre_id=CENTRE,
                kind=DoNotCallKind.NUMBER,
                value=f"+1{FIRST + 100 * n}",
                suppression_list_id=LIST if n % 2 else 0,
            )
            for n in range(first, min(first + PORTION, end))
        ]
        async with store.begin() as unit:
            await unit.save(Changes(suppressions=entries))


async def _ask(store: Store, entries: int, batch: int, questions: int) -> float:
    """Microseconds a contact, of the calmest tenth; each question about records all over the lists, 1 % in them.

    The lists are warm: what is measured is the work, not the disk, and not what else the machine does.
    """
    chance = random.Random(7)  # noqa: S311 - the same contacts each time
    took: list[float] = []
    for _ in range(questions):
        contacts: list[Contact] = []
        for n in range(batch):
            number = FIRST + 100 * chance.randrange(entries) + (n % 100 > 0)
            contacts += [(DoNotCallKind.NUMBER, f"1{number}"), (DoNotCallKind.CUSTOMER, f"c{number}")]
        async with store.begin() as unit:
            began = time.perf_counter()
            hits = await unit.suppressed(CENTRE, CAMPAIGN, [LIST], 1_800_000_000, contacts)
            took.append((time.perf_counter() - began) / len(contacts) * 1e6)
        assert len(hits) == -(-batch // 100)
    return statistics.quantiles(took[questions // 3 :], n=10)[0]


async def _plan(url: str) -> str:
    connection = await asyncpg.connect(url, server_settings={"enable_hashjoin": "off", "enable_mergejoin": "off"})
    try:
        await connection.execute("ANALYZE suppression")
        keys = [f"1{FIRST + 100 * n}" for n in range(200)]
        values = (CENTRE, ["number"] * 200, keys, CAMPAIGN, [0, LIST], 1_800_000_000)
        found = await connection.fetch("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + QUERIES["suppressed"], *values)
        return "".join(f"{row[0]}\n" for row in found)
    finally:
        await connection.close()
