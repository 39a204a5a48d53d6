"""The figures of a run, what is asked of them, and how they are shown."""

from __future__ import annotations

import msgspec

SHARE_OF_COPY = 0.5
"""Asked: at least this part of the rate of ``\\copy`` of ready-made rows into the same table, every check on."""
FULL_CPU_US = 10.0
"""Asked: at most so much of our own processor time for a row with every check on: 100,000 rows a second."""
BARE_CPU_US = 5.0
"""Asked: without checks; 200,000 rows a second."""
GROWTH_MIB = 16
"""Asked: memory grows by at most so much from 100,000 rows to all."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """An import. ``kind`` is full (every check) or bare; processor time is for each row of the file.

    ``cpu_us`` holds SQLite's work too, which the program does itself; ``database_cpu_us`` is 0 then. ``others_cores``
    is how many processors other programs kept busy meanwhile.
    """

    database: str
    kind: str
    rows: int
    added: int
    refused: int
    rate: float
    cpu_us: float
    database_cpu_us: float
    peak_mib: float
    others_cores: float


class Ceiling(msgspec.Struct, frozen=True):
    """Ready-made rows into the same table: rows a second, and the database's processor time for each."""

    rate: float
    cpu_us: float
    others_cores: float


class Run(msgspec.Struct, kw_only=True):
    """Everything that one run measured. ``machine`` is in words."""

    at: str
    machine: dict[str, str]
    rows: int
    imported: list[Imported] = []
    ceilings: dict[str, Ceiling] = {}
    small_peak_mib: float = 0

    def find(self, database: str, kind: str) -> Imported | None:
        """One of the imports, None when it was not measured."""
        return next((one for one in self.imported if (one.database, one.kind) == (database, kind)), None)


class Demand(msgspec.Struct, frozen=True):
    """One thing that is asked, in words, with what was found."""

    sentence: str
    is_met: bool


def demands(run: Run) -> list[Demand]:
    """What is asked of the figures at hand."""
    full, bare = run.find("postgres", "full"), run.find("postgres", "bare")
    if full is None or bare is None:
        return []
    asked = run.ceilings["postgres"].rate * SHARE_OF_COPY
    growth = full.peak_mib - run.small_peak_mib
    return [
        Demand(f"{full.rate:.0f} rows/s with every check (asked >= {asked:.0f})", full.rate >= asked),
        Demand(f"own CPU {full.cpu_us:.1f} us, every check (asked <= {FULL_CPU_US:.0f})", full.cpu_us <= FULL_CPU_US),
        Demand(f"own CPU {bare.cpu_us:.1f} us bare (asked <= {BARE_CPU_US:.0f})", bare.cpu_us <= BARE_CPU_US),
        Demand(f"memory grew by {growth:.0f} MiB (asked <= {GROWTH_MIB})", growth <= GROWTH_MIB),
    ]


def verdict(run: Run) -> str:
    """All demands in one line, the missed ones marked."""
    found = demands(run)
    if not found:
        return "nothing to check: PostgreSQL was not measured"
    parts = [demand.sentence if demand.is_met else f"MISSED {demand.sentence}" for demand in found]
    return ("FAILED: " if not all(demand.is_met for demand in found) else "ok: ") + "; ".join(parts)


def tables(run: Run) -> str:
    """The figures as Markdown tables."""
    lines = [
        "| database | checks | rows | added | rows/s | own us | database us | peak MiB | others |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {one.database} | {one.kind} | {one.rows} | {one.added} | {one.rate:.0f} | {one.cpu_us:.1f} "
        f"| {_or_dash(one.database_cpu_us)} | {one.peak_mib:.0f} | {max(one.others_cores, 0):.2f} |"
        for one in run.imported
    ]
    lines += ["", "| ready-made rows | rows/s | database us | others |", "|---|---:|---:|---:|"]
    names = {"postgres": "`\\copy` on PostgreSQL", "sqlite": "plain loop on SQLite"}
    lines += [
        f"| {names[name]} | {one.rate:.0f} | {one.cpu_us:.1f} | {max(one.others_cores, 0):.2f} |"
        for name, one in run.ceilings.items()
    ]
    return "\n".join(lines)


def _or_dash(figure: float) -> str:
    return f"{figure:.1f}" if figure else "-"
