"""Where claims begin to look: what is known of the slots (window and priority) of a list.

A claim takes from the slot whose first READY record comes first, so it has to know the first of each. Those are asked
for in one statement, and again where this program took or wrote something, or after ``HEADS_S`` because another program
may have. The place of the first is also from where a slot is read: the index entries of taken records stand at its very
beginning, and walking over them would cost more with each claim. What lies before a slot's mark is not READY, unless
another program wrote it since: that is found within ``MARKS_S``, and before a list is said to be empty.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection

MARKS_S = 20.0
"""Seconds after which the marks of a list are forgotten: how late a chain that another program gave back to the front
of a list is seen at most, while there are others. Walking over what was taken meanwhile costs milliseconds."""

HEADS_S = 1.0
"""Seconds after which first records are asked for again: how late one is seen at most that another program added and
that goes before the others, or has just become due. Asking for those of a hundred slots costs a millisecond."""

SHARED_CHAINS = 16_384
"""While other programs claim from the same list, each goes its own way through the windows within so many chains: where
all begin with the same window, each walks over what the others have locked."""

MAX_LISTS = 1_000
"""Lists with marks, each some hundred numbers: more than are worked at once."""

EMPTY = 2**62
"""The mark of a slot without a READY record."""

Slot = tuple[bool, int, int]
"""Whether it is one of due records, window, priority."""

Head = tuple[int, int, int]
"""The first READY record of a slot: due time (0 for fresh ones), chain, place in it."""


class ListMarks:
    """What is known of one list's slots: ``places`` before which nothing is READY, ``heads``, and when there is none.

    A slot of due records fills by itself: none is due in it before ``none_before_s``. ``knows_windows`` says that no
    other program had added one.
    """

    def __init__(self, now_s: float, salt: int) -> None:
        self._salt = salt
        self._shared: set[Slot] = set()
        self.made_at_s = now_s
        self.asked_at_s = now_s
        self.places: dict[Slot, int] = {}
        self.heads: dict[Slot, Head] = {}
        self.none_before_s: dict[Slot, int] = {}
        self.knows_windows = False

    def unknown(self, slots: Collection[Slot], now_s: int) -> list[Slot]:
        """The slots whose first record must be asked for."""
        return [
            slot
            for slot in slots
            if slot not in self.heads
            and self.places.get(slot, 0) < EMPTY
            and self.none_before_s.get(slot, now_s) <= now_s
        ]

    def found(self, asked: Collection[Slot], heads: dict[Slot, Head], now_s: int) -> None:
        """Remember the answer."""
        self.knows_windows = True
        for slot in asked:
            if slot in heads:
                self.heads[slot] = heads[slot]
                self.places[slot] = heads[slot][0 if slot[0] else 1]
            elif slot[0]:
                self.places[slot] = self.none_before_s[slot] = now_s + 1
            else:
                self.places[slot] = EMPTY

    def taken(self, slots: Collection[Slot], chains: Collection[int]) -> None:
        """Chains were taken, from these slots; their records are first nowhere any more."""
        for slot in slots:
            self.heads.pop(slot, None)
        for slot in [slot for slot, head in self.heads.items() if head[1] in chains]:
            del self.heads[slot]

    def share(self, slots: Collection[Slot]) -> None:
        """Another program is about to take the first records of these slots: they are last while there are more."""
        self._shared.update(slots)

    def order(self, entry: tuple[Slot, Head]) -> tuple[int, ...]:
        """Sorts slots with their first records by when they are to be emptied."""
        (is_due, window, priority), head = entry
        if not self._shared or is_due:
            return (priority, *head)
        is_shared = (is_due, window, priority) in self._shared
        return (priority, head[1] // SHARED_CHAINS, is_shared, (window * self._salt) % 8191, *head)

    def ask_again(self, now_s: float) -> None:
        """Ask for all first records."""
        self.asked_at_s = now_s
        self.knows_windows = False
        self._shared.clear()
        self.heads.clear()
        self.none_before_s.clear()


class Marks:
    """What is known of lists, by contact centre and list. ``now_s`` never jumps back."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._salt = secrets.randbelow(8190) + 1
        self._lists: dict[tuple[int, int], ListMarks] = {}

    def of(self, contact_centre_id: int, list_id: int) -> ListMarks:
        """What is known of a list and not too old."""
        key = (contact_centre_id, list_id)
        known, now_s = self._lists.get(key), self._now_s()
        if known is None or now_s - known.made_at_s > MARKS_S:
            if len(self._lists) >= MAX_LISTS:
                self._lists.clear()
            known = self._lists[key] = ListMarks(now_s, self._salt)
        elif now_s - known.asked_at_s > HEADS_S:
            known.ask_again(now_s)
        return known

    def forget(self, contact_centre_id: int, list_id: int, due_by_s: int | None) -> bool:
        """Look at all of a list's fresh records again from the front, or those slots in which some were due by a time.

        False when that was done just now: there is no mark.
        """
        known = self._lists.get((contact_centre_id, list_id))
        gone: list[Slot] = []
        if known is not None and due_by_s is None:
            gone = [slot for slot in known.places if not slot[0]]
        elif known is not None and due_by_s is not None:
            gone = [slot for slot, place in known.places.items() if slot[0] and place <= due_by_s]
        for slot in gone:
            assert known is not None
            del known.places[slot]
            known.heads.pop(slot, None)
            known.none_before_s.pop(slot, None)
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
        if place < known.places.get(slot, place):
            known.places[slot] = place
        known.heads.pop(slot, None)
        known.none_before_s.pop(slot, None)

    def moved(self, contact_centre_id: int, list_id: int, chain_id: int) -> None:
        """A record of a chain was written that was, or may have been, READY before."""
        known = self._lists.get((contact_centre_id, list_id))
        if known is not None:
            known.taken((), (chain_id,))
