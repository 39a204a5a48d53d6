"""What campaign groups ask of the store: who works for them, what is in their buffers, and the figures of statistics.

The counting questions run beside everything else, on connections of their own; how often they are asked is decided in
``app.groups.statistics``. Times and ids as in ``app.ports``.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from trunkline.app.stored import ScheduleRun
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import CallResult
from trunkline.domain.statistics import RecordCounts

FOREVER_MS = 2**63 - 1
"""Later than anything."""


class AttemptCount(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the attempt log that are alike: how many, and the number and time of the newest.

    ``leads`` are the chains that were finished with them.
    """

    list_id: int
    step: AttemptStep
    call_result: CallResult
    is_callback: bool
    rows: int
    leads: int = 0
    newest_seq: int
    newest_at_ms: int


class WorkReads(Protocol):
    """Who works; a unit reads it to decide, a store to show it."""

    async def desk_users(self, contact_centre_id: int, campaign_id: int) -> dict[int, int]:
        """Agents with records of the campaign on their desks: user id -> entries."""

    async def preview_users(self, contact_centre_id: int, campaign_id: int) -> list[int]:
        """Agents in a preview session of the campaign, by user id."""


class Counting(Protocol):
    """Figures, outside units."""

    async def buffer_levels(self, contact_centre_id: int, campaign_group_id: int) -> dict[int, int]:
        """Chains in the buffer of a group by list."""

    async def logged_in(self, contact_centre_id: int) -> list[int]:
        """Users with a contact-centre session, by id."""

    async def record_counts(self, contact_centre_id: int, list_id: int, max_attempts: int) -> RecordCounts:
        """A calling list counted. Cost: reads the whole list, beside the work of others."""

    async def attempt_counts(
        self, contact_centre_id: int, campaign_group_id: int, since_ms: int, after_seq: int, until_ms: int = FOREVER_MS
    ) -> list[AttemptCount]:
        """What came to the group's attempt log behind that number, since and until (excluded). Cost: those rows."""

    async def schedule_runs(self, contact_centre_id: int, since_s: int) -> list[ScheduleRun]:
        """Items of schedules that had their turn, due since then, by time."""
