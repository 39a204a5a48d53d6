"""What campaign groups ask, answered by the reference model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING

from trunkline.app.groups.reads import FOREVER_MS, AttemptCount
from trunkline.app.stored import SCHEDULE_RUNS_KEPT_S, Changes, ScheduleRun
from trunkline.domain.attempts import AttemptStep, StoredAttempt
from trunkline.domain.enums import CallResult, RecordType
from trunkline.domain.records import is_open
from trunkline.domain.statistics import RecordCounts

if TYPE_CHECKING:
    from trunkline.adapters.storage.memory_unit import Tables

CALLBACKS = (RecordType.PERSONAL_CALL_BACK, RecordType.CAMPAIGN_CALL_BACK)


def desk_users(tables: Tables, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
    """See ``WorkReads.desk_users``."""
    wanted = (contact_centre_id, campaign_id)
    return dict(Counter(e.user_id for e in tables.desk.values() if (e.contact_centre_id, e.campaign_id) == wanted))


def preview_users(tables: Tables, contact_centre_id: int, campaign_id: int) -> list[int]:
    """See ``WorkReads.preview_users``."""
    wanted = (contact_centre_id, campaign_id)
    return sorted(s.user_id for s in tables.preview_sessions if (s.contact_centre_id, s.campaign_id) == wanted)


def buffer_levels(tables: Tables, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
    """See ``Counting.buffer_levels``."""
    group = (contact_centre_id, campaign_group_id)
    entries = tables.buffer.values()
    return dict(Counter(e.list_id for e in entries if (e.contact_centre_id, e.campaign_group_id) == group))


def record_counts(tables: Tables, contact_centre_id: int, list_id: int, max_attempts: int) -> RecordCounts:
    """See ``Counting.record_counts``."""
    records = [r for r in tables.records.values() if r.key[:2] == (contact_centre_id, list_id)]
    unfinished = [record for record in records if is_open(record.status)]
    return RecordCounts(
        by_status=dict(Counter(int(record.status) for record in records)),
        callbacks=sum(record.record_type in CALLBACKS for record in unfinished),
        chains=len({record.chain_id for record in records}),
        open_chains=len({record.chain_id for record in unfinished if record.attempts < max_attempts}),
    )


def attempt_counts(
    tables: Tables,
    contact_centre_id: int,
    campaign_group_id: int,
    since_ms: int,
    after_seq: int,
    until_ms: int = FOREVER_MS,
) -> list[AttemptCount]:
    """See ``Counting.attempt_counts``."""
    new = [
        stored
        for stored in tables.attempts
        if (stored.row.contact_centre_id, stored.row.campaign_group_id) == (contact_centre_id, campaign_group_id)
        and since_ms <= stored.row.at_ms < until_ms
        and stored.seq > after_seq
    ]
    alike: dict[tuple[int, int, int, bool], list[StoredAttempt]] = {}
    for stored in new:
        row = stored.row
        kind = (row.list_id, int(row.step), int(row.call_result), row.record_type in CALLBACKS)
        alike.setdefault(kind, []).append(stored)
    return [
        AttemptCount(
            list_id=list_id,
            step=AttemptStep(step),
            call_result=CallResult(result),
            is_callback=is_callback,
            rows=len(rows),
            leads=sum(stored.row.is_lead for stored in rows),
            newest_seq=max(stored.seq for stored in rows),
            newest_at_ms=max(stored.row.at_ms for stored in rows),
        )
        for (list_id, step, result, is_callback), rows in sorted(alike.items())
    ]


def schedule_runs(tables: Tables, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
    """See ``Counting.schedule_runs``."""
    mine = [
        run
        for run in tables.schedule_runs.values()
        if run.contact_centre_id == contact_centre_id and run.due_at_s >= since_s
    ]
    return sorted(mine, key=lambda run: (run.due_at_s, run.schedule_id, run.item_n))


class UnitGroups(ABC):
    """The part of a unit that is about groups."""

    @abstractmethod
    def _now(self) -> Tables:
        """The tables as they are now; of the class with this part."""

    async def desk_users(self, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
        """See ``WorkReads.desk_users``."""
        return desk_users(self._now(), contact_centre_id, campaign_id)

    async def preview_users(self, contact_centre_id: int, campaign_id: int) -> list[int]:
        """See ``WorkReads.preview_users``."""
        return preview_users(self._now(), contact_centre_id, campaign_id)


class StoreGroups(UnitGroups):
    """The part of a store that is about groups."""

    async def buffer_levels(self, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
        """See ``Counting.buffer_levels``."""
        return buffer_levels(self._now(), contact_centre_id, campaign_group_id)

    async def logged_in(self, contact_centre_id: int) -> list[int]:
        """See ``Counting.logged_in``."""
        return sorted(user_id for centre, user_id in self._now().agent_sessions if centre == contact_centre_id)

    async def record_counts(self, contact_centre_id: int, list_id: int, max_attempts: int) -> RecordCounts:
        """See ``Counting.record_counts``."""
        return record_counts(self._now(), contact_centre_id, list_id, max_attempts)

    async def attempt_counts(
        self, contact_centre_id: int, campaign_group_id: int, since_ms: int, after_seq: int, until_ms: int = FOREVER_MS
    ) -> list[AttemptCount]:
        """See ``Counting.attempt_counts``."""
        return attempt_counts(self._now(), contact_centre_id, campaign_group_id, since_ms, after_seq, until_ms)

    async def schedule_runs(self, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
        """See ``Counting.schedule_runs``."""
        return schedule_runs(self._now(), contact_centre_id, since_s)


def commit(tables: Tables, changes: Changes) -> None:
    """Make visible what a batch changed about groups."""
    for key in changes.off_buffer:
        tables.buffer.pop(key, None)
    for run in changes.schedule_runs:
        tables.schedule_runs.setdefault((run.contact_centre_id, run.schedule_id, run.item_n, run.due_at_s), run)
        old = [
            key
            for key, other in tables.schedule_runs.items()
            if key[0] == run.contact_centre_id and other.due_at_s < run.due_at_s - SCHEDULE_RUNS_KEPT_S
        ]
        for gone in old:
            del tables.schedule_runs[gone]
