"""The census of a list on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import asyncpg
import msgspec

from trunkline.adapters.storage.filter_sql import PostgresCompiler
from trunkline.adapters.storage.postgres_desks import built
from trunkline.adapters.storage.postgres_rows import record_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.postgres_windows import Windows
from trunkline.app.explain.census import CensusGroup, CensusQuery, equal_parts
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import Hold, RecordStatus, RecordType
from trunkline.domain.records import Record

_zones: Callable[[str], tuple[str, ...]] = msgspec.json.Decoder(tuple[str, ...]).decode


async def census(connection: Connection, query: CensusQuery) -> list[CensusGroup]:
    """See ``Store.census``."""
    compiler = PostgresCompiler(query.now_s, 5)
    text = QUERIES["census"].replace("$condition", compiler.condition(query.condition))
    found: list[asyncpg.Record] = await connection.fetch(
        text, query.contact_centre_id, query.list_id, query.now_s, query.max_attempts, *compiler.parameters
    )
    return [_group(row) for row in found]


def _group(row: asyncpg.Record) -> CensusGroup:
    zone, from_s, until_s, region, others = row[:5]
    return CensusGroup(
        window=None if zone is None else Window(zone, from_s, until_s, region, _zones(others)),
        status=RecordStatus(row["status"]),
        record_type=RecordType(row["record_type"]),
        hold=Hold(row["hold"]),
        is_dialable=row["is_dialable"],
        is_exhausted=row["is_exhausted"],
        due_hour=row["due_hour"],
        passes_filter=row["passes_filter"],
        records=row["records"],
    )


async def records_by_id(
    connection: Connection, windows: Windows, contact_centre_id: int, list_ids: Sequence[int], record_id: int
) -> list[Record]:
    """See ``Store.records_by_id``."""
    found: list[asyncpg.Record] = await connection.fetch(
        QUERIES["records_by_id"], contact_centre_id, list_ids, record_id
    )
    return await built(connection, windows, found, lambda row: record_of(row, windows))


async def sample(
    connection: Connection, windows: Windows, contact_centre_id: int, list_id: int, size: int
) -> list[Record]:
    """See ``Store.sample``."""
    span = await connection.fetchrow(QUERIES["chain_span"], contact_centre_id, list_id)
    if span is None or span["first"] is None:
        return []
    first, last = zip(*equal_parts(span["first"], span["last"], size), strict=True)
    found: list[asyncpg.Record] = await connection.fetch(
        QUERIES["first_ready"], contact_centre_id, list_id, first, last
    )
    return await built(connection, windows, found, lambda row: record_of(row, windows))
