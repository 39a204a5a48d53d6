"""Figures of campaign groups and calling lists, from counts. Source: outbound domain 4.7, 1.6, 1.7.

Counters of a group begin when it is loaded. Ratios are between 0 and 1; None says that nothing is known yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import CallResult, RecordStatus

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


COUNT_EVERY_MS = 10_000
"""The least age at which a list is counted anew."""
COUNT_SHARE = 50
"""A count is kept for so many times what it took."""


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
    """Agents of a group: all, logged in, in a preview session, with records on their desks.

    Taking part are those in a preview session, and those with records who are logged in; of them are ``busy`` those
    with records.
    """

    assigned: int = 0
    logged_in: int = 0
    in_preview: int = 0
    with_records: int = 0
    taking_part: int = 0
    busy: int = 0


class Sample(NamedTuple):
    """How a group stood at a moment: agents who took part and those of them with a record; leads so far by list."""

    at_ms: int
    available: int
    busy: int
    leads: Mapping[int, int]


class RecordCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A calling list counted: records by number of the status; callbacks that wait; chains, and those that are open.

    A chain is open while one of its records may still be called: not closed, and tried less than the list permits.
    """

    by_status: dict[int, int] = {}
    callbacks: int = 0
    chains: int = 0
    open_chains: int = 0


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """A count of a list, and when it was made."""

    counts: RecordCounts
    counted_at_ms: int
    took_ms: int

    def is_old(self, now_ms: int) -> bool:
        """True when it is time for the next one."""
        return now_ms - self.counted_at_ms >= max(COUNT_EVERY_MS, COUNT_SHARE * self.took_ms)


class ListStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a list, in one group or in all that are loaded. ``counted`` None: not counted yet."""

    calling_list: CallingList
    tally: Tally
    counted: Counted | None = None
    buffered: int = 0
    time_to_complete_s: int | None = None
    groups: tuple[Campaign, ...] = ()

    def records(self, status: RecordStatus) -> int | None:
        """Records in a status."""
        return None if self.counted is None else self.counted.counts.by_status.get(int(status), 0)


class GroupStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a group since it was loaded."""

    campaign: Campaign
    at_ms: int
    tally: Tally
    agents: AgentCounts
    waiting: tuple[Waiting, ...]
    busy_factor: float | None = None
    time_to_complete_s: int | None = None
    buffered: int = 0
    lists: tuple[ListStatistics, ...] = ()


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
