"""The figures of a run, what is asked of them, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bench.slow.readers import Readers
from bench.slow.senders import Senders
from bench.slow.slowhttp import SlowHttp

GROWTH_MIB = 1.0
"""Asked: the server's memory grows by at most so much for each client that does not read."""
CUT_OFF_S = 10.0
"""Asked: a client that does not read is cut off so long after its limit at the latest."""
RISE = 1.25
"""Asked: clients that do not read make a delivery to one that does at most so many times as dear."""
WORST_MS = 2_000.0
"""Asked: no client that reads waits longer."""
CLOSED_AFTER_S = {"head": 10.0, "body": 30.0}
"""Asked: whoever sends drop by drop is cut off after so long."""
SLACK_S = 1.0
"""The deadlines are the server's, and it counts from when it sees the client: what lies between is not asked."""


class Run(msgspec.Struct, kw_only=True):
    """Everything that one run measured. ``machine`` is in words."""

    at: str
    machine: dict[str, str]
    readers: list[Readers] = []
    senders: list[Senders] = []
    slowhttptest: list[SlowHttp] = []


class Demand(msgspec.Struct, frozen=True):
    """One thing that is asked, in words, with what was found."""

    sentence: str
    is_met: bool


def demands(run: Run) -> list[Demand]:
    """What is asked of the figures at hand."""
    found: list[Demand] = []
    for readers in run.readers:
        found += _demands_of_readers(readers)
    for senders in run.senders:
        asked_s = CLOSED_AFTER_S[senders.part]
        is_met = senders.closed_after_s is not None and senders.closed_after_s <= asked_s + SLACK_S
        lived = _or_never(senders.closed_after_s)
        found.append(Demand(f"slow {senders.part}: closed after {lived} (asked <= {asked_s:.0f} s)", is_met))
        sentence = f"slow {senders.part}: the API answers within {senders.probe_ms:.0f} ms (asked <= {WORST_MS:.0f})"
        found.append(Demand(sentence, senders.probe_ms <= WORST_MS))
    for attack in run.slowhttptest:
        said = "available all the time" if attack.is_available else "not available"
        found.append(Demand(f"slowhttptest, {attack.name}: {said}", attack.is_available))
    return found


def _demands_of_readers(readers: Readers) -> Iterator[Demand]:
    name = f"stuck by {readers.transport}"
    mib = readers.growth_bytes / 1024**2
    yield Demand(f"{name}: {mib:.2f} MiB each (asked <= {GROWTH_MIB:.0f})", mib <= GROWTH_MIB)
    is_cut = readers.cut_off_s is not None and readers.cut_off_s <= CUT_OFF_S + SLACK_S
    yield Demand(f"{name}: cut off after {_or_never(readers.cut_off_s)} (asked <= {CUT_OFF_S:.0f} s)", is_cut)
    yield Demand(f"{name}: CPU of others x {readers.rise:.2f} (asked <= {RISE})", readers.rise <= RISE)
    sentence = f"{name}: others wait {readers.worst_ms:.0f} ms (asked <= {WORST_MS:.0f})"
    yield Demand(sentence, readers.worst_ms <= WORST_MS)


def verdict(run: Run) -> tuple[bool, str]:
    """Tell whether all that is asked was measured and reached, and say so in one line, the missed ones marked."""
    found = demands(run)
    parts = [demand.sentence if demand.is_met else f"MISSED {demand.sentence}" for demand in found]
    is_whole = len(run.readers) == 2 and len(run.senders) == len(CLOSED_AFTER_S)
    if not is_whole:
        parts.append("not everything that is asked was measured")
    is_reached = is_whole and all(demand.is_met for demand in found)
    return is_reached, ("ok: " if is_reached else "FAILED: ") + "; ".join(parts)


def tables(run: Run) -> str:
    """The figures as Markdown tables."""
    columns = ["readers, stuck", "CPU µs a delivery without / with", "rise", "MiB a stuck client", "cut off"]
    columns += ["others wait ms", "others"]
    lines = [f"| {' | '.join(columns)} |", "|---" + "|---:" * (len(columns) - 1) + "|"]
    lines += [
        f"| {r.readers} by {r.transport}, {r.stuck} | {r.cpu_us:.0f} / {r.stuck_cpu_us:.0f} | {r.rise:.2f} "
        f"| {r.growth_bytes / 1024**2:.2f} | {_or_never(r.cut_off_s)} | {r.worst_ms:.0f} "
        f"| {max(r.others_cores, 0):.2f} |"
        for r in run.readers
    ]
    lines += ["", "| slow senders | closed after | others wait ms |", "|---|---:|---:|"]
    lines += [
        f"| {s.connections} of a {s.part} | {_or_never(s.closed_after_s)} | {s.probe_ms:.0f} |" for s in run.senders
    ]
    lines += [
        f"| slowhttptest, {s.name}, {s.connections} | {s.ended} | {'never' if s.is_available else 'not served'} |"
        for s in run.slowhttptest
    ]
    return "\n".join(lines)


def _or_never(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"
