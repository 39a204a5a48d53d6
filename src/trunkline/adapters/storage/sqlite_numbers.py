"""Fresh numbers in blocks: one write for many, and none comes twice, whatever becomes of a transaction."""

from __future__ import annotations

import sqlite3

from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.errors import Unavailable

BLOCK = 64
"""Numbers taken from the pool at once; what is left of a block is lost when the program ends."""

LAST = {"handle": 2**31 - 1, "record": 2**63 - 2, "chain": 2**63 - 2}
"""The last number of each pool. Handles are 32-bit integers on the wire."""


class NumberPools:
    """What is left of the blocks that this process took."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._next: dict[str, int] = {}
        self._end: dict[str, int] = {}
        self._begin: dict[str, int] = {}
        self._moved: set[str] = set()

    def take(self, pool: str, count: int) -> range:
        """So many numbers in a row. Raises ``Unavailable`` when the pool is used up."""
        if count == 0:
            return range(0)
        start, end = self._next.get(pool, 0), self._end.get(pool, 0)
        if start + count > end:
            stored = self._statements.value("next_number", {"name": pool}) or 1
            # Another process may have taken numbers since; then the rest of the block is not continued.
            start = start if stored == end else max(stored, start)
            end = min(start + max(count, BLOCK), LAST[pool] + 1)
            if start + count > end:
                raise Unavailable(f"all {pool} numbers are used up")
            self._statements.run("move_pool", {"name": pool, "next_value": end})
            self._end[pool] = end
            if pool not in self._moved:
                self._begin[pool] = stored
            self._moved.add(pool)
        self._next[pool] = start + count
        return range(start, start + count)

    def committed(self) -> None:
        """The blocks taken are on disk."""
        self._moved.clear()

    def rolled_back(self) -> None:
        """Take the blocks once more, because their numbers were handed out and the pool has forgotten it."""
        if not self._moved:
            return
        connection = self._statements.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for pool in self._moved:
                stored = self._statements.value("next_number", {"name": pool}) or 1
                if stored > self._begin[pool]:
                    # Another program was quicker and has numbers of this block: no more of them are handed out.
                    self._end[pool] = self._next[pool]
                else:
                    self._statements.run("move_pool", {"name": pool, "next_value": self._end[pool]})
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            # Nothing stored holds a number of these blocks; the next ones are asked for anew.
            for pool in self._moved:
                self._end[pool] = self._next[pool]
        self._moved.clear()
