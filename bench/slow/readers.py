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

SEND_BUFFER_BYTES = 65_536
"""Of a connection in the server's kernel (which doubles it): an ordinary one would take megabytes before anything
waits in the server, and it is the server that is measured."""
LARGE_BYTES = 131_072
"""Of the events that fill the connections: one is more than both kernel buffers take."""
BELOW_LIMIT, BEYOND_LIMIT = 5, 3
"""Large events for each stuck client, one of which is being written: 512 KiB wait, the limit is 640 KiB. And for those
that are driven beyond it."""
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

    ``cut_off_s`` is the time from the large events until the last stuck connection was gone, ``None`` while there is
    one.
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
    """The same clients and the same events for all in both runs of a pair."""
    scenario = Scenario(clients=shape.readers, transport=transport, sticky=shape.stuck)
    with programs.trunkline(scenario, SEND_BUFFER_BYTES) as server, Clients(program, server.port, scenario) as clients:
        clients.round(server, f"shared {EVENT_BYTES}")
        server.settle()
        clients.tell("reset")
        begun_s, before_bytes = time.monotonic(), server.rss_bytes()
        with _Watch(server, gone=stuck) as watch:
            if stuck:
                clients.tell("stick")
                clients.expect("stuck")
                _flood(server, clients, shape)
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
        cut_off_s=None if watch.gone_at_s is None else watch.gone_at_s - begun_s if stuck else 0,
        others_cores=spent.others_cores,
    )


def _flood(server: Site, clients: Clients, shape: Shape) -> None:
    """Bring all stuck clients below the limit at the same time, then every other one beyond it."""
    first = shape.readers - shape.stuck
    for _ in range(BELOW_LIMIT):
        server.tell(f"flood {first} {shape.readers} 1 {LARGE_BYTES}")
        clients.round(server, f"shared {EVENT_BYTES}")
    time.sleep(_SEEN_S)
    server.tell(f"flood {first + shape.stuck // 2} {shape.readers} {BEYOND_LIMIT} {LARGE_BYTES}")


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
