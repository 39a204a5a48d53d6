"""Figures of campaign groups and calling lists, from counts. Source: outbound domain 4.7, 1.6, 1.7.

Counters of a group begin when it is loaded. Ratios are between 0 and 1; None says that nothing is known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from trunkline.domain.enums import CallResult

_R = CallResult
NOT_DIALED = frozenset(
    {_R.OK, _R.UNKNOWN, _R.STALE, _R.AGENT_CALL_BACK_ERROR, _R.GROUP_CALL_BACK_ERROR, _R.DO_NOT_CALL, _R.CANCEL_RECORD}
)
"""Results of attempts that ended without a call."""

LIVE = frozenset({_R.ANSWER, _R.ABANDONED, _R.DROPPED})
"""A person took the call (outbound domain 1.7)."""

NOT_SERVED = frozenset({_R.ABANDONED, _R.DROPPED})
"""A person took the call, and there was no agent."""

WINDOW_MS = 1_800_000
"""The time over which rates are taken: half an hour, short enough to follow the day, long enough to be calm."""


class Tally(msgspec.Struct, kw_only=True):
    """Attempts that ended, added up."""

    results: Counter[CallResult] = msgspec.field(default_factory=Counter)
    leads: int = 0
    callbacks_completed: int = 0
    callbacks_missed: int = 0

    @property
    def attempts(self) -> int:
        """Attempts with which a call was made."""
        return sum(count for result, count in self.results.items() if result not in NOT_DIALED)

    @property
    def hit_ratio(self) -> float | None:
        """Which part of the calls a person took."""
        return ratio(sum(self.results[result] for result in LIVE), self.attempts)

    @property
    def overdial_rate(self) -> float | None:
        """Which part of the persons found no agent: (abandoned + dropped) / live answers."""
        return ratio(sum(self.results[r] for r in NOT_SERVED), sum(self.results[r] for r in LIVE))

    def add(self, other: Tally) -> None:
        """Take in another tally."""
        self.results.update(other.results)
        self.leads += other.leads
        self.callbacks_completed += other.callbacks_completed
        self.callbacks_missed += other.callbacks_missed


class Waiting(StrEnum):
    """What a running group waits for."""

    RECORDS = "WaitingRecords"
    """The last agent who asked got no record."""
    AGENTS = "WaitingAgents"
    """No agent takes records."""
    SYSTEM_ERROR = "SystemError"
    """Something keeps the group from working at all."""


class AgentCounts(NamedTuple):
    """Agents of a group: all, logged in, in a preview session, with records on their desks."""

    assigned: int = 0
    logged_in: int = 0
    in_preview: int = 0
    with_records: int = 0


class Sample(NamedTuple):
    """How a group stood at a moment: agents who took part and those of them with a record; leads so far by list."""

    at_ms: int
    available: int
    busy: int
    leads: Mapping[int, int]


def ratio(part: int, whole: int) -> float | None:
    """A part of a whole; None when there is no whole."""
    return part / whole if whole else None


def busy_factor(samples: Iterable[Sample]) -> float | None:
    """Which part of their time the agents who took part had a record; None while nobody did."""
    present = [(sample.busy, sample.available) for sample in samples if sample.available]
    return ratio(sum(busy for busy, _ in present), sum(available for _, available in present))


def time_to_complete_s(
    open_chains: int | None, leads: int, samples: Sequence[Sample], list_id: int | None, now_ms: int
) -> int | None:
    """Seconds until the open chains are finished at the rate of the last half hour; None when unknown.

    ``leads`` are the chains finished so far, of one list, or of all when ``list_id`` is None. ``samples`` are in their
    order, the oldest being the beginning of the time that is looked at.
    """
    if open_chains == 0:
        return 0
    if open_chains is None or not samples:
        return None
    first = samples[0]
    before = sum(first.leads.values()) if list_id is None else first.leads.get(list_id, 0)
    finished, passed_ms = leads - before, now_ms - first.at_ms
    if finished <= 0 or passed_ms <= 0:
        return None
    return round(open_chains * passed_ms / finished / 1000)


def waiting(*, is_running: bool, has_obstacle: bool, in_preview: int, is_dry: bool) -> list[Waiting]:
    """What a group waits for; ``is_dry``: the last request for a record found none."""
    if has_obstacle:
        return [Waiting.SYSTEM_ERROR]
    if not is_running:
        return []
    return [*([Waiting.RECORDS] if is_dry else []), *([] if in_preview else [Waiting.AGENTS])]
