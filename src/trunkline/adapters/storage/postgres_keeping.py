"""How long PostgreSQL keeps rows: parts of the attempt log by month, made ahead and dropped whole.

A part holds the attempts of one calendar month (UTC). Rows of a month that has no part yet (a clock that was wrong, a
database that nobody looked after) lie in the default part ``attempt_log_rest`` until their month gets one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from trunkline.adapters.storage.postgres_server import COMMIT_LOCK, QUERIES, Connection

MONTHS_AHEAD = 3
"""Parts made ahead, the present month's among them: two months in which nobody needs to look after the database."""
STRAYS_AT_ONCE = 12
"""Months of rows in the default part that get a part of their own in one transaction: each is a pass over it."""
_PART = re.compile(r"attempt_log_(\d{4})_(\d{2})")


class Month(NamedTuple):
    """A calendar month, UTC."""

    year: int
    month: int

    @property
    def name(self) -> str:
        """The table of its part."""
        return f"attempt_log_{self.year:04d}_{self.month:02d}"

    @property
    def begin_ms(self) -> int:
        """Its first millisecond."""
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp() * 1000)

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)


def month_of(at_ms: int) -> Month:
    """The month of a moment (Unix milliseconds)."""
    moment = datetime.fromtimestamp(at_ms / 1000, tz=UTC)
    return Month(moment.year, moment.month)


async def parts(connection: Connection) -> list[Month]:
    """The months that have a part, in order."""
    names = [row[0] for row in await connection.fetch(QUERIES["attempt_parts"])]
    return sorted(Month(int(m[1]), int(m[2])) for name in names if (m := _PART.fullmatch(name)) is not None)


async def make_parts(connection: Connection, now_ms: int) -> int:
    """See ``Store.make_attempt_parts``; inside a transaction."""
    wanted = [month_of(now_ms)]
    for _ in range(MONTHS_AHEAD - 1):
        wanted.append(wanted[-1].next)
    # Nobody appends while rows move; the lock is that of all writers, so it is not held longer than that.
    await connection.execute(f"SELECT pg_advisory_xact_lock({COMMIT_LOCK})")
    there = set(await parts(connection))
    made = 0
    for month in wanted:
        if month not in there:
            await _make(connection, month)
            there.add(month)
            made += 1
    for _ in range(STRAYS_AT_ONCE):
        oldest_ms = await connection.fetchval(QUERIES["oldest_stray"])
        if oldest_ms is None:
            break
        await _make(connection, month_of(oldest_ms))
        made += 1
    return made


async def _make(connection: Connection, month: Month) -> None:
    begin_ms, end_ms = month.begin_ms, month.next.begin_ms
    name = month.name
    # The name is made of two numbers. A part that is attached takes no lock that readers of others would meet.
    await connection.execute(f"CREATE TABLE {name} (LIKE attempt_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await connection.execute(
        f"WITH moved AS (DELETE FROM attempt_log_rest WHERE at_ms >= {begin_ms} AND at_ms < {end_ms} RETURNING *) "  # noqa: S608 - numbers
        f"INSERT INTO {name} SELECT * FROM moved"
    )
    await connection.execute(
        f"ALTER TABLE attempt_log ATTACH PARTITION {name} FOR VALUES FROM ({begin_ms}) TO ({end_ms})"
    )


async def drop_parts(connection: Connection, before_ms: int) -> int:
    """See ``Store.drop_attempts``: parts that end by then go whole; the rows of those."""
    gone = 0
    for month in await parts(connection):
        if month.next.begin_ms > before_ms:
            break
        gone += await connection.fetchval(f"SELECT count(*) FROM {month.name}")  # noqa: S608 - two numbers
        await connection.execute(f"DROP TABLE {month.name}")
    return gone


async def drop_suppressions(connection: Connection, before_s: int, limit: int) -> int:
    """See ``Store.drop_suppressions``."""
    gone: int = await connection.fetchval(QUERIES["drop_suppressions"], before_s, limit)
    return gone
