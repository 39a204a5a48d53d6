"""Calling windows by number: a record's row holds the number, because a list has few windows and many records.

Windows are added, never changed or removed, so what was read once stays true. What another process added is
met as an unknown number (``KeyError``) or as "unknown lists" of the hand-out, and then read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import asyncpg
import msgspec

from trunkline.adapters.storage.postgres_marks import Marks
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.rows import as_json, is_open_now
from trunkline.domain.eligibility import Window
from trunkline.domain.records import Record

ListKey = tuple[int, int]
"""Contact centre and list."""

Value = tuple[str, int, int, str, tuple[str, ...]]
"""Time zone, from, until (seconds after local midnight), region, other zones."""

_zones: Callable[[str], tuple[str, ...]] = msgspec.json.Decoder(tuple[str, ...]).decode


def value_of(record: Record) -> Value:
    """The window of a record as the table keeps it."""
    return (record.time_zone, record.from_s, record.until_s, record.region, record.other_zones)


class Windows:
    """The windows read so far, and the ``marks`` of claims.

    Only committed windows: ``intern`` gives back what to ``learn`` after the commit.
    """

    def __init__(self) -> None:
        self.marks = Marks()
        self._values: dict[ListKey, dict[int, Value]] = {}
        self._numbers: dict[ListKey, dict[Value, int]] = {}

    def value(self, contact_centre_id: int, list_id: int, window_id: int) -> Value:
        """The window of that number; ``KeyError`` when it is not known yet."""
        return self._values[contact_centre_id, list_id][window_id]

    def newest(self, contact_centre_id: int, list_id: int) -> int:
        """The greatest number known of a list, 0 for none: numbers grow by one."""
        return len(self._values.get((contact_centre_id, list_id), ()))

    def open_for(self, contact_centre_id: int, list_id: int, opens: Callable[[Window], bool]) -> list[int]:
        """Numbers of the windows of a list that are open."""
        windows = self._values.get((contact_centre_id, list_id), {})
        return [number for number, value in windows.items() if is_open_now(Window(*value), opens)]

    def number(self, record: Record) -> int | None:
        """The number of a record's window, None when it is not known."""
        numbers = self._numbers.get((record.contact_centre_id, record.list_id))
        return None if numbers is None else numbers.get(value_of(record))

    def number_of(self, key: ListKey, value: Value) -> int:
        """The number of a window that is known."""
        return self._numbers[key][value]

    def learn(self, key: ListKey, number: int, value: Value) -> None:
        """Remember a committed window."""
        self._values.setdefault(key, {})[number] = value
        self._numbers.setdefault(key, {})[value] = number

    async def load(self, connection: Connection, lists: Iterable[ListKey]) -> None:
        """Read all windows of some lists."""
        wanted = sorted(set(lists))
        rows: list[asyncpg.Record] = await connection.fetch(
            QUERIES["windows"], [centre for centre, _ in wanted], [list_id for _, list_id in wanted]
        )
        for centre, list_id, number, zone, from_s, until_s, region, others in rows:
            self.learn((centre, list_id), number, (zone, from_s, until_s, region, _zones(others)))

    async def intern(self, connection: Connection, records: Iterable[Record]) -> list[tuple[ListKey, int, Value]]:
        """Insert the windows of those records that have none yet; what must be learned once it is committed.

        Only one transaction at a time may be here: two would give one number twice.
        """
        return await self.intern_values(
            connection, {(record.contact_centre_id, record.list_id, value_of(record)) for record in records}
        )

    async def intern_values(
        self, connection: Connection, values: Collection[tuple[int, int, Value]]
    ) -> list[tuple[ListKey, int, Value]]:
        """The same for windows (contact centre, list, value), each at most once."""
        await self.load(connection, [(centre, list_id) for centre, list_id, _ in values])
        added: list[tuple[ListKey, int, Value]] = []
        last: dict[ListKey, int] = {}
        for centre, list_id, value in sorted(values):
            key = (centre, list_id)
            if value not in self._numbers.get(key, {}):
                last[key] = last.get(key, self.newest(centre, list_id)) + 1
                added.append((key, last[key], value))
        if added:
            keys, numbers, new = zip(*added, strict=True)
            *plain, others = zip(*new, strict=True)
            columns = [*zip(*keys, strict=True), numbers, *plain, [as_json(zones) for zones in others]]
            await connection.execute(QUERIES["add_windows"], *columns)
        return added
