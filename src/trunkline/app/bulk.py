"""The port for many records at once: what an import asks of a store and gives to it, and what an export reads."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from trunkline.app.record_columns import RecordBlock
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record

MAX_PAGE = 5_000
"""Records of one page of an export."""


class Bulk(Protocol):
    """A way into the store beside the units. One transaction a block; units wait for a block only where they must."""

    @property
    def rows_at_once(self) -> int:
        """Records in one block at most, apart from the rest of a chain."""

    async def known(
        self, contact_centre_id: int, list_id: int | None, kind: DoNotCallKind, keys: Sequence[str]
    ) -> set[str]:
        """Those of the canonical numbers or customer ids that the list, or any list of the contact centre, has."""

    async def all_suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, now_s: int, limit: int
    ) -> set[str] | None:
        """All keys that ``suppressed`` would find (list 0 is the contact centre's own); None above the limit."""

    async def suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, keys: Sequence[str], now_s: int
    ) -> set[str]:
        """Those of the keys that must not be called in the whole contact centre, according to these lists."""

    async def add(self, block: RecordBlock) -> None:
        """Write records and the note of the import. Raises ``Conflict`` when another run has gone on meanwhile."""

    async def page(
        self, contact_centre_id: int, list_id: int, after: tuple[int, int] | None, limit: int
    ) -> list[Record]:
        """Records of a list by chain and place, behind ``after``."""


class HasBulk(Protocol):
    """The part of a store that is about many records at once."""

    def bulk(self) -> AbstractAsyncContextManager[Bulk]:
        """The way in and out for many records at once, beside the units."""
