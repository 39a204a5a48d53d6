"""What campaign groups ask, on PostgreSQL."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar

from trunkline.adapters.storage import rows
from trunkline.adapters.storage.postgres_rows import columns
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.app.groups.reads import FOREVER_MS, AttemptCount
from trunkline.app.stored import SCHEDULE_RUNS_KEPT_S, Changes, Conflict, ScheduleRun
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import CallResult, RecordStatus
from trunkline.domain.records import is_open
from trunkline.domain.statistics import RecordCounts

T = TypeVar("T")

OPEN_STATUSES = [int(status) for status in RecordStatus if is_open(status)]


async def desk_users(connection: Connection, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
    """See ``WorkReads.desk_users``."""
    found = await connection.fetch(QUERIES["desk_users"], contact_centre_id, campaign_id)
    return {user_id: entries for user_id, entries in found}  # noqa: C416 - rows are not pairs to ``dict``


async def preview_users(connection: Connection, contact_centre_id: int, campaign_id: int) -> list[int]:
    """See ``WorkReads.preview_users``."""
    return [row[0] for row in await connection.fetch(QUERIES["preview_users"], contact_centre_id, campaign_id)]


async def buffer_levels(connection: Connection, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
    """See ``Counting.buffer_levels``."""
    found = await connection.fetch(QUERIES["buffer_levels"], contact_centre_id, campaign_group_id)
    return {list_id: chains for list_id, chains in found}  # noqa: C416


async def logged_in(connection: Connection, contact_centre_id: int) -> list[int]:
    """See ``Counting.logged_in``."""
    return [row[0] for row in await connection.fetch(QUERIES["logged_in"], contact_centre_id)]


async def record_counts(
    connection: Connection, contact_centre_id: int, list_id: int, max_attempts: int
) -> RecordCounts:
    """See ``Counting.record_counts``."""
    by_status = await connection.fetch(QUERIES["records_by_status"], contact_centre_id, list_id)
    totals = await connection.fetchrow(QUERIES["chain_counts"], contact_centre_id, list_id, max_attempts, OPEN_STATUSES)
    assert totals is not None
    callbacks, chains, open_chains = totals
    return RecordCounts(
        by_status={status: records for status, records in by_status},  # noqa: C416
        callbacks=callbacks,
        chains=chains,
        open_chains=open_chains,
    )


async def attempt_counts(
    connection: Connection,
    contact_centre_id: int,
    campaign_group_id: int,
    since_ms: int,
    after_seq: int,
    until_ms: int = FOREVER_MS,
) -> list[AttemptCount]:
    """See ``Counting.attempt_counts``."""
    where = (contact_centre_id, campaign_group_id, since_ms, until_ms, after_seq)
    return [
        AttemptCount(
            list_id=list_id,
            step=AttemptStep(step),
            call_result=CallResult(result),
            is_callback=is_callback,
            rows=count,
            leads=leads,
            newest_seq=newest_seq,
            newest_at_ms=newest_at_ms,
        )
        for list_id, step, result, is_callback, count, leads, newest_seq, newest_at_ms in await connection.fetch(
            QUERIES["attempt_counts"], *where
        )
    ]


async def schedule_runs(connection: Connection, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
    """See ``Counting.schedule_runs``."""
    return [
        ScheduleRun(
            contact_centre_id=contact_centre_id,
            schedule_id=schedule_id,
            item_n=item_n,
            due_at_s=due_at_s,
            done_at_ms=done_at_ms,
            outcome=outcome,
        )
        for schedule_id, item_n, due_at_s, done_at_ms, outcome in await connection.fetch(
            QUERIES["schedule_runs"], contact_centre_id, since_s
        )
    ]


async def write(connection: Connection, changes: Changes) -> None:
    """Write what a batch changed about groups."""
    if changes.off_buffer:
        tag = await connection.execute(QUERIES["take_off_buffer"], *columns(sorted(changes.off_buffer)))
        if int(tag.rpartition(" ")[2]) != len(changes.off_buffer):
            raise Conflict("a chain left the buffer meanwhile")
    if changes.schedule_runs:
        new = sorted(map(rows.schedule_run_row, changes.schedule_runs))
        await connection.execute(QUERIES["note_schedule_runs"], *columns(new))
        for run in changes.schedule_runs:
            before_s = run.due_at_s - SCHEDULE_RUNS_KEPT_S
            await connection.execute(QUERIES["forget_schedule_runs"], run.contact_centre_id, before_s)


class UnitGroups(ABC):
    """The part of a unit that is about groups."""

    @abstractmethod
    def _usable(self) -> Connection:
        """The connection of the open transaction; of the class with this part."""

    async def desk_users(self, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
        """See ``WorkReads.desk_users``."""
        return await desk_users(self._usable(), contact_centre_id, campaign_id)

    async def preview_users(self, contact_centre_id: int, campaign_id: int) -> list[int]:
        """See ``WorkReads.preview_users``."""
        return await preview_users(self._usable(), contact_centre_id, campaign_id)


class StoreGroups(ABC):
    """The part of a store that is about groups."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work on a connection for reading; of the class with this part."""

    async def desk_users(self, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
        """See ``WorkReads.desk_users``."""
        return await self._read(lambda connection: desk_users(connection, contact_centre_id, campaign_id))

    async def preview_users(self, contact_centre_id: int, campaign_id: int) -> list[int]:
        """See ``WorkReads.preview_users``."""
        return await self._read(lambda connection: preview_users(connection, contact_centre_id, campaign_id))

    async def buffer_levels(self, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
        """See ``Counting.buffer_levels``."""
        return await self._read(lambda connection: buffer_levels(connection, contact_centre_id, campaign_group_id))

    async def logged_in(self, contact_centre_id: int) -> list[int]:
        """See ``Counting.logged_in``."""
        return await self._read(lambda connection: logged_in(connection, contact_centre_id))

    async def record_counts(self, contact_centre_id: int, list_id: int, max_attempts: int) -> RecordCounts:
        """See ``Counting.record_counts``."""
        return await self._read(lambda connection: record_counts(connection, contact_centre_id, list_id, max_attempts))

    async def attempt_counts(
        self, contact_centre_id: int, campaign_group_id: int, since_ms: int, after_seq: int, until_ms: int = FOREVER_MS
    ) -> list[AttemptCount]:
        """See ``Counting.attempt_counts``."""
        where = (contact_centre_id, campaign_group_id, since_ms, after_seq, until_ms)
        return await self._read(lambda connection: attempt_counts(connection, *where))

    async def schedule_runs(self, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
        """See ``Counting.schedule_runs``."""
        return await self._read(lambda connection: schedule_runs(connection, contact_centre_id, since_s))
