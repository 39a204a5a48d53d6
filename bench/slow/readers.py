"""Clients that stop reading: what they cost the server and everybody else, in pairs of runs with and without them."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from bench.delivery import programs
from bench.delivery.events import EVENT_BYTES
from bench.delivery.measuring import Spent
from bench.delivery.programs import Clients, Scenario, Site
from bench.machine import undisturbed

FIRST_BYTES = 327_680
"""Of the event that fills a connection: more than both kernel buffers take (the server bounds its own to 256 KiB)."""
LARGE_BYTES = 131_072
"""Of the events that wait behind it."""
BELOW_LIMIT, BEYOND_LIMIT = 2, 2
"""How many of these wait for each stuck client: 256 KiB, the limit is 384 KiB. And how many more come for those that
are driven beyond it."""
PACE_S = 0.2
"""Between the events for everybody: below what the server can do with a thousand clients on a slow machine."""
_SAMPLE_S = 0.05
_SEEN_S = 0.3
"""Long enough for the memory to be looked at."""


class Shape(NamedTuple):
    """How many readers, how many of them get stuck, and for how long they are watched."""

    readers: int
    stuck: int
    watch_s: float
    pairs: int
    attempts: int


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Processor time is for one delivery to a client that reads; the others are 0 where nobody was stuck.

    ``cut_off_s`` is the time from when the connections were full until the last stuck one was gone, ``None`` while
    there is one.
    """

    cpu_us: float
    worst_ms: float
    growth_bytes: float = 0
    cut_off_s: float | None = 0
    others_cores: float = 0


class Readers(msgspec.Struct, frozen=True, kw_only=True):
    """The medians of the pairs. ``rise`` is the processor time with stuck clients, as a multiple of that without.

    ``others_cores`` is how many processors other programs kept busy in the most disturbed run.
    """

    transport: str
    readers: int
    stuck: int
    rise: float
    cpu_us: float
    stuck_cpu_us: float
    worst_ms: float
    growth_bytes: float
    cut_off_s: float | None
    others_cores: float
    pairs: list[tuple[Reading, Reading]]


def measure(program: Path, transport: str, shape: Shape, say: Callable[[str], None]) -> Readers:
    """Run the pairs, each on fresh servers, and again what other programs disturbed; ``say`` is told of that."""

    def run(stuck: int) -> Reading:
        return undisturbed(partial(_run, program, transport, shape, stuck), shape.attempts, say)

    pairs = [(run(0), run(shape.stuck)) for _ in range(shape.pairs)]
    stuck = [each for _, each in pairs]
    cut_off = [each.cut_off_s for each in stuck if each.cut_off_s is not None]
    return Readers(
        transport=transport,
        readers=shape.readers,
        stuck=shape.stuck,
        rise=statistics.median(with_stuck.cpu_us / without.cpu_us for without, with_stuck in pairs),
        cpu_us=statistics.median(without.cpu_us for without, _ in pairs),
        stuck_cpu_us=statistics.median(each.cpu_us for each in stuck),
        worst_ms=statistics.median(each.worst_ms for each in stuck),
        growth_bytes=statistics.median(each.growth_bytes for each in stuck),
        cut_off_s=statistics.median(cut_off) if len(cut_off) == len(stuck) else None,
        others_cores=max(each.others_cores for pair in pairs for each in pair),
        pairs=pairs,
    )


def _run(program: Path, transport: str, shape: Shape, stuck: int) -> Reading:
    """As many clients read in both runs of a pair, and get the same: what the stuck ones get comes on top.

    With a thousand that read as the other run, a round's fixed cost would be shared by twice as many deliveries.
    """
    scenario = Scenario(clients=shape.readers - shape.stuck + stuck, transport=transport, sticky=stuck)
    with programs.trunkline(scenario) as server, Clients(program, server.port, scenario) as clients:
        clients.round(server, f"shared {EVENT_BYTES}")
        server.settle()
        clients.tell("reset")
        begun_s = full_at_s = time.monotonic()
        before_bytes = server.rss_bytes()
        with _Watch(server, gone=stuck) as watch:
            if stuck:
                clients.tell("stick")
                clients.expect("stuck")
                full_at_s = _flood(server, clients, shape)
            # The time that the large events take is not what stuck clients cost, but everybody waits for it.
            clients.round(server, f"shared {EVENT_BYTES}")
            flooded = clients.report()
            clients.tell("reset")
            spent = Spent(server, clients)
            _deliver(server, clients, until_s=begun_s + shape.watch_s)
            spent.stop()
        report = clients.report()
    return Reading(
        cpu_us=spent.server_s / report.deliveries * 1e6,
        worst_ms=max(flooded.max_us, report.max_us) / 1000,
        growth_bytes=(watch.most_bytes - before_bytes) / stuck if stuck else 0,
        cut_off_s=None if watch.gone_at_s is None else watch.gone_at_s - full_at_s if stuck else 0,
        others_cores=spent.others_cores,
    )


def _flood(server: Site, clients: Clients, shape: Shape) -> float:
    """Bring all stuck clients below the limit at the same time, then every other one beyond it.

    Returns when the connections of all were full.
    """
    first = shape.readers - shape.stuck
    full_at_s = 0.0
    for size in (FIRST_BYTES, *[LARGE_BYTES] * BELOW_LIMIT):
        server.tell(f"flood {first} {shape.readers} 1 {size}")
        clients.round(server, f"shared {EVENT_BYTES}")
        full_at_s = full_at_s or time.monotonic()
    time.sleep(_SEEN_S)
    server.tell(f"flood {first + shape.stuck // 2} {shape.readers} {BEYOND_LIMIT} {LARGE_BYTES}")
    return full_at_s


def _deliver(server: Site, clients: Clients, until_s: float) -> None:
    while time.monotonic() < until_s:
        next_s = time.monotonic() + PACE_S
        clients.round(server, f"shared {EVENT_BYTES}")
        time.sleep(max(0, next_s - time.monotonic()))


class _Watch:
    """Looks at the server's memory and connections all the time: the most it occupied, when the stuck were gone."""

    def __init__(self, server: Site, gone: int) -> None:
        self._server = server
        self._left = server.open_files() - gone
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most_bytes = server.rss_bytes()
        self.gone_at_s: float | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._is_over.wait(_SAMPLE_S):
            self.most_bytes = max(self.most_bytes, self._server.rss_bytes())
            if self.gone_at_s is None and self._server.open_files() <= self._left:
                self.gone_at_s = time.monotonic()
