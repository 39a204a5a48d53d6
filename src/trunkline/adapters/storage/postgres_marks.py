"""From where a claim begins to look: behind the index entries of records that were taken.

PostgreSQL keeps the index entries of taken records until a vacuum comes by, at the very end of the index where claims
begin. Walking over them would cost more with each claim. So it is remembered, for each slot (window and priority) of a
list, where its first READY record was: whatever lies before is not READY, unless somebody wrote it since. Writes of
this program lower the mark; those of others are found within ``MARKS_S``, and before a list is said to be empty.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MARKS_S = 20.0
"""Seconds after which the marks of a list are forgotten: how late a chain that another program gave back to the front
of a list is seen at most, while there are others. Walking over what was taken meanwhile costs milliseconds."""

MAX_LISTS = 1_000
"""Lists with marks, each some hundred numbers: more than are worked at once."""

EMPTY = 2**62
"""The mark of a slot without a READY record."""

Slot = tuple[bool, int, int]
"""Whether it is one of due records, window, priority."""


class Marks:
    """Marks of lists, by contact centre and list. ``now_s`` never jumps back."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lists: dict[tuple[int, int], tuple[float, dict[Slot, int]]] = {}

    def of(self, contact_centre_id: int, list_id: int) -> dict[Slot, int]:
        """The marks of a list: the chain of the first fresh record, the due time of the first due one."""
        key = (contact_centre_id, list_id)
        known = self._lists.get(key)
        if known is None or self._now_s() - known[0] > MARKS_S:
            if len(self._lists) >= MAX_LISTS:
                self._lists.clear()
            known = self._lists[key] = (self._now_s(), {})
        return known[1]

    def forget(self, contact_centre_id: int, list_id: int, *, is_due: bool) -> bool:
        """Look at all of a list's due, or fresh, records again; False when there was no mark."""
        known = self._lists.get((contact_centre_id, list_id))
        gone = [] if known is None else [slot for slot in known[1] if slot[0] is is_due]
        for slot in gone:
            assert known is not None
            del known[1][slot]
        return bool(gone)

    def clear(self) -> None:
        """Forget everything: what was seen was rolled back."""
        self._lists.clear()

    def written(
        self, contact_centre_id: int, list_id: int, window_id: int, priority: int, due_at_s: int | None, chain_id: int
    ) -> None:
        """A record was written that is READY now."""
        known = self._lists.get((contact_centre_id, list_id))
        if known is None:
            return
        slot = (due_at_s is not None, window_id, priority)
        place = chain_id if due_at_s is None else due_at_s
        if place < known[1].get(slot, place):
            known[1][slot] = place
