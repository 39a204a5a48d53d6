"""What campaign groups ask, on SQLite."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from trunkline.adapters.storage import rows
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.app.groups.reads import FOREVER_MS, AttemptCount
from trunkline.app.stored import SCHEDULE_RUNS_KEPT_S, Changes, Conflict, ScheduleRun
from trunkline.domain.statistics import RecordCounts

P = ParamSpec("P")
T = TypeVar("T")

_pairs = msgspec.json.Decoder(list[tuple[int, int]]).decode
_integers = msgspec.json.Decoder(list[int]).decode
_counts = msgspec.json.Decoder(list[AttemptCount]).decode
_runs = msgspec.json.Decoder(list[ScheduleRun]).decode
_totals = msgspec.json.Decoder(tuple[int, int, int]).decode


def desk_users(statements: Statements, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
    """See ``WorkReads.desk_users``."""
    names = {"contact_centre_id": contact_centre_id, "campaign_id": campaign_id}
    return dict(statements.read("desk_users", _pairs, names))


def preview_users(statements: Statements, contact_centre_id: int, campaign_id: int) -> list[int]:
    """See ``WorkReads.preview_users``."""
    names = {"contact_centre_id": contact_centre_id, "campaign_id": campaign_id}
    return sorted(statements.read("preview_users", _integers, names))


def buffer_levels(statements: Statements, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
    """See ``Counting.buffer_levels``."""
    names = {"contact_centre_id": contact_centre_id, "campaign_group_id": campaign_group_id}
    return dict(statements.read("buffer_levels", _pairs, names))


def logged_in(statements: Statements, contact_centre_id: int) -> list[int]:
    """See ``Counting.logged_in``."""
    return sorted(statements.read("logged_in", _integers, {"contact_centre_id": contact_centre_id}))


def record_counts(statements: Statements, contact_centre_id: int, list_id: int, max_attempts: int) -> RecordCounts:
    """See ``Counting.record_counts``."""
    names: dict[str, int | str] = {"contact_centre_id": contact_centre_id, "list_id": list_id}
    names["max_attempts"] = max_attempts
    by_status = dict(statements.read("records_by_status", _pairs, names))
    callbacks, chains, open_chains = statements.read("chain_counts", _totals, names)
    return RecordCounts(by_status=by_status, callbacks=callbacks, chains=chains, open_chains=open_chains)


def attempt_counts(
    statements: Statements,
    contact_centre_id: int,
    campaign_group_id: int,
    since_ms: int,
    after_seq: int,
    until_ms: int = FOREVER_MS,
) -> list[AttemptCount]:
    """See ``Counting.attempt_counts``."""
    names = {
        "contact_centre_id": contact_centre_id,
        "campaign_group_id": campaign_group_id,
        "since_ms": since_ms,
        "until_ms": until_ms,
        "after_seq": after_seq,
    }
    return statements.read("attempt_counts", _counts, names)


def schedule_runs(statements: Statements, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
    """See ``Counting.schedule_runs``."""
    found = statements.read("schedule_runs", _runs, {"contact_centre_id": contact_centre_id, "since_s": since_s})
    return sorted(found, key=lambda run: (run.due_at_s, run.schedule_id, run.item_n))


def write(statements: Statements, changes: Changes) -> None:
    """Write what a batch changed about groups."""
    gone = sorted(changes.off_buffer)
    if gone and statements.write("take_off_buffer", gone) != len(gone):
        raise Conflict("a chain left the buffer meanwhile")
    if changes.schedule_runs:
        statements.write("note_schedule_runs", [rows.schedule_run_row(run) for run in changes.schedule_runs])
        for run in changes.schedule_runs:
            names = {"contact_centre_id": run.contact_centre_id, "before_s": run.due_at_s - SCHEDULE_RUNS_KEPT_S}
            statements.run("forget_schedule_runs", names)


class UnitGroups(ABC):
    """The part of a unit that is about groups."""

    @abstractmethod
    async def _ask(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with the statements, in their thread; of the class with this part."""

    async def desk_users(self, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
        """See ``WorkReads.desk_users``."""
        return await self._ask(desk_users, contact_centre_id, campaign_id)

    async def preview_users(self, contact_centre_id: int, campaign_id: int) -> list[int]:
        """See ``WorkReads.preview_users``."""
        return await self._ask(preview_users, contact_centre_id, campaign_id)


class StoreGroups(UnitGroups):
    """The part of a store that is about groups. What counts rows has a connection of its own (``_count``)."""

    @abstractmethod
    async def _count(self, function: Callable[Concatenate[Statements, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with the statements of the counting connection; of the class with this part."""

    async def buffer_levels(self, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
        """See ``Counting.buffer_levels``."""
        return await self._ask(buffer_levels, contact_centre_id, campaign_group_id)

    async def logged_in(self, contact_centre_id: int) -> list[int]:
        """See ``Counting.logged_in``."""
        return await self._ask(logged_in, contact_centre_id)

    async def record_counts(self, contact_centre_id: int, list_id: int, max_attempts: int) -> RecordCounts:
        """See ``Counting.record_counts``."""
        return await self._count(record_counts, contact_centre_id, list_id, max_attempts)

    async def attempt_counts(
        self, contact_centre_id: int, campaign_group_id: int, since_ms: int, after_seq: int, until_ms: int = FOREVER_MS
    ) -> list[AttemptCount]:
        """See ``Counting.attempt_counts``."""
        return await self._count(attempt_counts, contact_centre_id, campaign_group_id, since_ms, after_seq, until_ms)

    async def schedule_runs(self, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
        """See ``Counting.schedule_runs``."""
        return await self._ask(schedule_runs, contact_centre_id, since_s)
