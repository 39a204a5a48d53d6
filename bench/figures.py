"""The figures of a run, what is asked of them, and how they are shown."""

from __future__ import annotations

import msgspec

from bench.ceilings import Ceiling

ASKED_CONNECTIONS = 64
SERVER_CPU_US = 120
"""Asked: at most so much of the server for one update, on either database."""
DATABASE_SHARE = 1 / 3
"""Asked: at most this part of what PostgreSQL needs for one update of the pgbench script."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The server under load from so many connections.

    ``server_cpu_us`` holds SQLite's work too, which the server does itself; ``database_cpu_us`` is 0 then.
    ``others_cores`` is how many processors other programs kept busy meanwhile.
    """

    database: str
    connections: int
    rate: float
    server_cpu_us: float
    database_cpu_us: float
    p50_us: float
    p99_us: float
    max_us: float
    load_cpu_us: float
    others_cores: float


class Ceilings(msgspec.Struct, kw_only=True):
    """What the databases reached alone: pgbench by clients, the SQLite loop by updates in one commit."""

    pgbench: dict[int, Ceiling] = {}
    sqlite: dict[int, Ceiling] = {}


class Run(msgspec.Struct, kw_only=True):
    """Everything that one run measured. ``machine`` is in words."""

    at: str
    machine: dict[str, str]
    generator: str
    measured: list[Measured] = []
    ceilings: Ceilings = msgspec.field(default_factory=Ceilings)

    def at_asked(self) -> list[Measured]:
        """The figures at the number of connections for which something is asked."""
        return [m for m in self.measured if m.connections == ASKED_CONNECTIONS]


class Demand(msgspec.Struct, frozen=True):
    """One thing that is asked, in words, with what was found."""

    sentence: str
    is_met: bool


def demands(run: Run) -> list[Demand]:
    """What is asked of the figures at hand."""
    found = []
    for m in run.at_asked():
        sentence = f"{m.database}: server CPU {m.server_cpu_us:.0f} us (asked <= {SERVER_CPU_US})"
        found.append(Demand(sentence, m.server_cpu_us <= SERVER_CPU_US))
        if m.database == "postgres" and ASKED_CONNECTIONS in run.ceilings.pgbench:
            allowed_us = run.ceilings.pgbench[ASKED_CONNECTIONS].cpu_us * DATABASE_SHARE
            sentence = f"postgres: database CPU {m.database_cpu_us:.0f} us (asked <= {allowed_us:.0f})"
            found.append(Demand(sentence, m.database_cpu_us <= allowed_us))
            best = max(ceiling.rate for ceiling in run.ceilings.pgbench.values())
            sentence = f"postgres: {m.rate:.0f} updates/s (asked >= {best:.0f}, pgbench's best)"
            found.append(Demand(sentence, m.rate >= best))
    return found


def verdict(run: Run) -> str:
    """All demands in one line, the missed ones marked."""
    found = demands(run)
    if not found:
        return f"nothing to check: no figures at {ASKED_CONNECTIONS} connections"
    parts = [demand.sentence if demand.is_met else f"MISSED {demand.sentence}" for demand in found]
    return ("FAILED: " if not all(demand.is_met for demand in found) else "ok: ") + "; ".join(parts)


def tables(run: Run) -> str:
    """The figures as Markdown tables."""
    lines = [
        "| database | clients | updates/s | p50 ms | p99 ms | max ms | server us | database us | load us | others |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {m.database} | {m.connections} | {m.rate:.0f} | {m.p50_us / 1000:.2f} | {m.p99_us / 1000:.2f} "
        f"| {m.max_us / 1000:.1f} | {m.server_cpu_us:.0f} | {_or_dash(m.database_cpu_us)} | {m.load_cpu_us:.0f} "
        f"| {_share(m.others_cores)} |"
        for m in run.measured
    ]
    lines += [
        "",
        "| ceiling | updates/s | mean ms | database us | others |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [_ceiling(f"pgbench, {n} clients", c) for n, c in run.ceilings.pgbench.items()]
    lines += [_ceiling(f"SQLite loop, {n} in a commit", c) for n, c in run.ceilings.sqlite.items()]
    return "\n".join(lines)


def _ceiling(name: str, ceiling: Ceiling) -> str:
    figures = f"{ceiling.rate:.0f} | {ceiling.mean_us / 1000:.2f} | {ceiling.cpu_us:.0f}"
    return f"| {name} | {figures} | {_share(ceiling.others_cores)} |"


def _share(cores: float) -> str:
    # Two ways of counting are subtracted from each other: a little below nothing is nothing.
    return f"{max(cores, 0):.2f}"


def _or_dash(figure: float) -> str:
    return f"{figure:.0f}" if figure else "-"
