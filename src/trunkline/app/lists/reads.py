"""What is asked of a store about whole lists and all desks: a part of ``app.ports``."""

from __future__ import annotations

from typing import Protocol

from trunkline.app.stored import DeskKey, Held, RecordQuery, RecycleRun, Undo
from trunkline.domain.records import Record


class ListReads(Protocol):
    """Pages of a list, and what was done to it, in a unit."""

    async def records_where(self, query: RecordQuery) -> list[Record]:
        """A page of the records that a condition selects, by chain and place. Cost: the rows that are passed over."""

    async def recycle_runs(self, contact_centre_id: int, list_id: int, limit: int) -> list[RecycleRun]:
        """The newest recyclings of a list, newest first."""

    async def undo_of(self, contact_centre_id: int, list_id: int, run_id: int, limit: int) -> list[Undo]:
        """What a recycling can be undone with, by chain and place."""


class DeskPages(Protocol):
    """All desks, a page after the other, in a store."""

    async def desk_page(self, after: DeskKey, limit: int) -> list[Held]:
        """Entries behind a key whose fate is open, by contact centre and handle. Cost: the entries passed over."""


class ListCounts(Protocol):
    """Counts over a list, in a store."""

    async def count_records(self, query: RecordQuery) -> int:
        """How many records the condition selects, without regard to ``after`` and ``limit``. Cost: the whole list."""

    async def count_chains(self, query: RecordQuery) -> int:
        """How many chains have a record that the condition selects. Cost: the whole list."""
