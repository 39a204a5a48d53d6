"""One measurement: dispatchers claim portions of a list, each with a connection of its own, and commit each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from bench import cpu
from bench.claims.lists import CENTRE, NOW_S, retrieved
from trunkline.adapters.storage.postgres import PostgresStore
from trunkline.app.ports import Claim, ClaimKind, Unit
from trunkline.domain.eligibility import Window

PORTION = 100
"""Chains of one claim: what the hand-out takes at least."""
WARM_CLAIMS = 20
"""Claims before the measurement: plans are made after five executions, caches filled."""


class Figure(msgspec.Struct, frozen=True):
    """Microseconds of PostgreSQL's processors for a record claimed, and how many a second.

    ``others_cores`` is how many processors other programs kept busy meanwhile, ``median_us`` the median of attempts.
    """

    size: int
    dispatchers: int
    records: int
    cpu_us: float
    rate: float
    others_cores: float
    median_us: float = 0


def opens(window: Window) -> bool:
    """By the window's own hours."""
    return window.is_open(NOW_S)


async def claim(unit: Unit, list_id: int, group: int, after_ms: int) -> list[int]:
    """Claim a portion as the hand-out does, due chains before fresh ones; the chains that were taken."""
    taken: list[int] = []
    now_ms = NOW_S * 1000 + after_ms
    for kind in (ClaimKind.DUE, ClaimKind.FRESH):
        found = await unit.claim(
            Claim(
                contact_centre_id=CENTRE,
                campaign_group_id=group,
                campaign_id=1,
                list_id=list_id,
                max_attempts=10,
                kind=kind,
                limit=PORTION - len(taken),
                now_s=now_ms // 1000,
                taken_at_ms=now_ms,
                lease_until_ms=now_ms + 600_000,
                opens=opens,
            )
        )
        taken += [chain_id for *_, chain_id in found.chains]
        if len(taken) == PORTION:
            break
    return taken


async def measure(
    url: str, server_cpu_s: Callable[[], float], list_id: int, size: int, dispatchers: int, chains: int
) -> Figure:
    """Claim ``chains`` chains together; the figure counts the records that became RETRIEVED."""
    stores = [PostgresStore(url) for _ in range(dispatchers)]
    for store in stores:
        await store.open()
    begun_s = time.monotonic()
    left = 0
    taken: list[int] = []

    async def dispatch(store: PostgresStore, group: int) -> None:
        nonlocal left
        while left > 0:
            left -= PORTION
            async with store.begin() as unit:
                claimed = await claim(unit, list_id, group, int((time.monotonic() - begun_s) * 1000))
            if not claimed:
                raise RuntimeError("the list is empty before the measurement is over")
            taken.extend(claimed)

    try:
        left = WARM_CLAIMS * PORTION * dispatchers
        await asyncio.gather(*(dispatch(store, 1 + n) for n, store in enumerate(stores)))
        taken.clear()
        own_s, machine_s, server_s, at_s = time.process_time(), cpu.machine_cpu_s(), server_cpu_s(), time.monotonic()
        left = chains
        await asyncio.gather(*(dispatch(store, 1 + n) for n, store in enumerate(stores)))
        spent_s, took_s = server_cpu_s() - server_s, time.monotonic() - at_s
        others_s = cpu.machine_cpu_s() - machine_s - spent_s - (time.process_time() - own_s)
        records = await retrieved(url, list_id, taken)
    finally:
        for store in stores:
            await store.close()
    return Figure(
        size=size,
        dispatchers=dispatchers,
        records=records,
        cpu_us=spent_s / records * 1e6,
        rate=records / took_s,
        others_cores=others_s / took_s,
    )
