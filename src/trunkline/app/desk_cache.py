"""Desks in memory: what the one writing process knows of the records in agents' hands, so that it need not ask.

Sound because one server works on a database (it holds the lock) and every change of a desk goes through its writer; the
records' versions are checked at each write all the same, and a conflict empties the cache.
"""

from __future__ import annotations

from collections import OrderedDict

from trunkline.app.ports import Changes, DeskKey, Held
from trunkline.domain.records import RecordKey

MAX_ENTRIES = 50_000
"""Entries kept, about 1.5 KiB each: five records on each of ten thousand desks."""


class DeskCache:
    """Desk entries with their records as the last commit left them; the least recently used goes first."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._held: OrderedDict[DeskKey, Held] = OrderedDict()
        self._by_record: dict[RecordKey, set[DeskKey]] = {}

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: DeskKey) -> Held | None:
        """What is known of a handle; None when nothing is (it may exist all the same)."""
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def learn(self, held: Held) -> None:
        """Keep what was just read or written."""
        key = DeskKey(held.entry.contact_centre_id, held.entry.handle)
        known = self._held.get(key)
        self._held[key] = held
        if known is None:
            self._by_record.setdefault(held.entry.record_key, set()).add(key)
            while len(self._held) > self._max_entries:
                self._drop(next(iter(self._held)))

    def absorb(self, changes: Changes) -> None:
        """Follow a commit."""
        for key in changes.off_desk:
            self._drop(key)
        for key, entry in changes.desk.items():
            known = self._held.get(key)
            if known is not None:
                self._held[key] = Held(entry, known.record)
        for record_key, record in changes.records.items():
            for key in self._by_record.get(record_key, ()):
                self._held[key] = Held(self._held[key].entry, record)

    def clear(self) -> None:
        """Forget everything: the database may hold something else."""
        self._held.clear()
        self._by_record.clear()

    def _drop(self, key: DeskKey) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            record_key = held.entry.record_key
            keys = self._by_record[record_key]
            keys.discard(key)
            if not keys:
                del self._by_record[record_key]
