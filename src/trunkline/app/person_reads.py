"""What is asked of a store when a person wants to know, or have erased, what is kept about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from trunkline.app.stored import StoredRow
from trunkline.domain.attempts import StoredAttempt

ChainKey = tuple[int, int, int]
"""Contact centre, list, chain."""


class PersonStore(Protocol):
    """Reads and changes about single persons, outside units: what they change is in no cache."""

    async def attempts_about(
        self,
        contact_centre_id: int,
        number_keys: Collection[str],
        person_keys: Collection[str],
        after_seq: int,
        limit: int,
    ) -> list[StoredAttempt]:
        """Rows of the attempt log of any of those numbers or persons behind a number, by number."""

    async def rename_attempts(
        self,
        contact_centre_id: int,
        about: Collection[str],
        numbers: Mapping[str, str],
        persons: Mapping[str, str],
        texts: Sequence[str],
    ) -> int:
        """Replace keys by others in rows about some numbers (``about``) or the persons; how many rows there were.

        Of those rows ``numbers`` and ``persons`` say which key becomes which. Details that hold one of the texts are
        dropped.
        """

    async def journal_about(
        self, contact_centre_id: int, texts: Sequence[str], after_seq: int, until_seq: int
    ) -> list[StoredRow]:
        """Rows of the journal behind ``after_seq`` up to ``until_seq`` whose events, as JSON, hold one of the texts.

        Cost: reads all rows in between.
        """

    async def rewrite_journal(self, rows: Sequence[StoredRow]) -> None:
        """Replace the events of rows, those that are there still, and forget their requests' keys and references."""

    async def forget_undo(self, chains: Collection[ChainKey]) -> int:
        """Delete what recyclings kept of those chains; how many records."""
