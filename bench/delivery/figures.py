"""The figures of a run, what is asked of them, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

ASKED_CLIENTS = 1_000
"""Clients for which processor time, memory and the waking of held polls are asked."""
IDLE_CLIENTS = 5_000
"""Idle clients for which a share of a processor is asked."""
ASKED_CPU_S = {"long-polling": 20.0, "websocket": 10.0}
"""Asked: at most so much of the server for 100,000 deliveries."""
ASKED_CLIENT_KIB = {"long-polling": 16.0, "websocket": 32.0}
"""Asked: at most so much of the server's memory for a waiting client."""
ASKED_WAKE_MS = 60.0
"""Asked: at most so much processor time of the server to answer all held polls at once."""
ASKED_IDLE_SHARE = {"long-polling": 0.03, "websocket": 0.01}
"""Asked: at most this part of one processor for all idle clients."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries of one kind to the clients of one scenario.

    Processor times are for 100,000 deliveries. ``client_bytes`` is what the server's memory grew by for each client
    that waits, before the first delivery; ``client_bytes_after`` the same after this row. Latency is from the call
    that delivers to the receipt by the client, while all clients get their event at once. ``others_cores`` is how many
    processors other programs kept busy meanwhile.
    """

    server: str
    clients: int
    transport: str
    has_ack: bool
    kind: str
    rate: float
    server_cpu_s: float
    load_cpu_s: float
    p50_us: float
    p99_us: float
    max_us: float
    client_bytes: float
    client_bytes_after: float
    others_cores: float


class Wake(msgspec.Struct, frozen=True, kw_only=True):
    """Processor time of the server to answer held polls that an event wakes at once: the median of some times."""

    clients: int
    server_cpu_ms: float
    times: int
    others_cores: float


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """Part of one processor that the server needs for clients to whom nothing happens."""

    clients: int
    transport: str
    server_share: float
    seconds: float
    others_cores: float


class Run(msgspec.Struct, kw_only=True):
    """Everything that one run measured. ``machine`` is in words."""

    at: str
    machine: dict[str, str]
    rows: list[Row] = []
    wakes: list[Wake] = []
    idles: list[Idle] = []


class Demand(msgspec.Struct, frozen=True):
    """One thing that is asked, in words, with what was found."""

    sentence: str
    is_met: bool


def demands(run: Run) -> list[Demand]:
    """What is asked of the figures at hand."""
    return [*_demands_of_rows(run), *_demands_of_waiting(run)]


def _demands_of_rows(run: Run) -> Iterator[Demand]:
    rows = [row for row in run.rows if row.server == "trunkline" and row.clients == ASKED_CLIENTS]
    for row in rows:
        asked_s = ASKED_CPU_S[row.transport]
        sentence = f"{_name(row)} {row.kind}: {row.server_cpu_s:.1f} CPU s for 100,000 (asked <= {asked_s:.0f})"
        yield Demand(sentence, row.server_cpu_s <= asked_s)
    for row in rows:
        # Both kinds of event meet the same clients, so one of them tells how much each occupies.
        if row.kind == "own" and not row.has_ack:
            kib, asked_kib = row.client_bytes / 1024, ASKED_CLIENT_KIB[row.transport]
            yield Demand(f"{_name(row)}: {kib:.1f} KiB a client (asked <= {asked_kib:.0f})", kib <= asked_kib)


def _demands_of_waiting(run: Run) -> Iterator[Demand]:
    for wake in run.wakes:
        if wake.clients == ASKED_CLIENTS:
            sentence = f"{wake.clients} polls woken: {wake.server_cpu_ms:.0f} CPU ms (asked <= {ASKED_WAKE_MS:.0f})"
            yield Demand(sentence, wake.server_cpu_ms <= ASKED_WAKE_MS)
    for idle in run.idles:
        if idle.clients == IDLE_CLIENTS:
            asked = ASKED_IDLE_SHARE[idle.transport]
            found = f"{idle.clients} idle by {idle.transport}: {idle.server_share:.1%} of a processor"
            yield Demand(f"{found} (asked <= {asked:.0%})", idle.server_share <= asked)


def verdict(run: Run) -> tuple[bool, str]:
    """Tell whether all that is asked was measured and reached, and say so in one line, the missed ones marked."""
    found = demands(run)
    is_whole = len(found) == len(ASKED_CPU_S) * 4 + len(ASKED_CLIENT_KIB) + 1 + len(ASKED_IDLE_SHARE)
    parts = [demand.sentence if demand.is_met else f"MISSED {demand.sentence}" for demand in found]
    if not is_whole:
        parts.append("not everything that is asked was measured")
    is_reached = is_whole and all(demand.is_met for demand in found)
    return is_reached, ("ok: " if is_reached else "FAILED: ") + "; ".join(parts)


def tables(run: Run) -> str:
    """The figures as Markdown tables."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---|---:|---|---|" + "---:|" * (len(_COLUMNS) - 4)]
    lines += [f"| {' | '.join(_cells(row))} |" for row in run.rows]
    lines += ["", "| what | figure | others |", "|---|---:|---:|"]
    lines += [
        f"| {wake.clients} held polls woken at once, server CPU (median of {wake.times}) | {wake.server_cpu_ms:.1f} ms "
        f"| {_cores(wake.others_cores)} |"
        for wake in run.wakes
    ]
    lines += [
        f"| {idle.clients} idle clients by {idle.transport}, over {idle.seconds:.0f} s | {idle.server_share:.2%} of a "
        f"processor | {_cores(idle.others_cores)} |"
        for idle in run.idles
    ]
    return "\n".join(lines)


_COLUMNS = (
    "server",
    "clients",
    "transport",
    "event",
    "server CPU s / 100,000",
    "deliveries/s",
    "p50 ms",
    "p99 ms",
    "max ms",
    "KiB a client",
    "load CPU s",
    "others",
)


def _cells(row: Row) -> list[str]:
    return [
        row.server,
        str(row.clients),
        row.transport + (", ack" if row.has_ack else ""),
        row.kind,
        f"{row.server_cpu_s:.1f}",
        f"{row.rate:.0f}",
        f"{row.p50_us / 1000:.2f}",
        f"{row.p99_us / 1000:.1f}",
        f"{row.max_us / 1000:.0f}",
        f"{row.client_bytes / 1024:.1f}",
        f"{row.load_cpu_s:.1f}",
        _cores(row.others_cores),
    ]


def _name(row: Row) -> str:
    return f"{row.transport}{' with ack' if row.has_ack else ''}"


def _cores(cores: float) -> str:
    # Two ways of counting are subtracted from each other: a little below nothing is nothing.
    return f"{max(cores, 0):.2f}"
