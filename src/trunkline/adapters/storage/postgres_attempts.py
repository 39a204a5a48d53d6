"""The attempt log on PostgreSQL. The same reads serve units, on the writing connection, and the store's readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from trunkline.adapters.storage.attempt_rows import attempt_row
from trunkline.adapters.storage.postgres_rows import Fetched, columns
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.app.ports import AttemptQuery
from trunkline.domain.attempts import MAX_PAST_ATTEMPTS, AttemptRow, AttemptStep, PastAttempt, StoredAttempt
from trunkline.domain.enums import CallResult, RecordType

_ROWS_AT_ONCE = 5_000
"""Rows of one insert: 24 arrays of 5,000 values are a few megabytes."""
_FOREVER = 2**63 - 1

Detail = dict[str, str | int | float | bool | None]
_detail: Callable[[str], Detail] = msgspec.json.Decoder(Detail).decode
_zones: Callable[[str], tuple[str, ...]] = msgspec.json.Decoder(tuple[str, ...]).decode


async def write(connection: Connection, rows: Sequence[AttemptRow]) -> None:
    """Append rows; to be called under the lock of the commit."""
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = rows[first : first + _ROWS_AT_ONCE]
        await connection.execute(QUERIES["write_attempts"], *columns(map(attempt_row, part)))


async def attempts_of(
    connection: Connection,
    contact_centre_id: int,
    number_keys: Collection[str],
    person_keys: Collection[str],
    since_ms: int,
) -> list[PastAttempt]:
    """See ``Unit.attempts_of``."""
    if not number_keys and not person_keys:
        return []
    keys = (sorted(set(number_keys)), sorted(set(person_keys)))
    found = await connection.fetch(QUERIES["attempts_of"], contact_centre_id, *keys, since_ms, MAX_PAST_ATTEMPTS)
    return [
        PastAttempt(
            seq=seq,
            at_ms=at_ms,
            step=AttemptStep(step),
            call_result=CallResult(call_result),
            record_type=RecordType(record_type),
            campaign_id=campaign_id,
            number_key=number_key,
            person_key=person_key,
            attempt_guid=attempt_guid,
        )
        for seq, at_ms, step, call_result, record_type, campaign_id, number_key, person_key, attempt_guid in found
    ]


async def of_chain(connection: Connection, chain: tuple[int, int, int], limit: int) -> list[StoredAttempt]:
    """See ``Unit.attempts_of_chain``."""
    return [attempt_of(row) for row in await connection.fetch(QUERIES["attempts_of_chain"], *chain, limit)]


async def portion(connection: Connection, query: AttemptQuery) -> list[StoredAttempt]:
    """See ``Store.attempts``."""
    found = await connection.fetch(
        QUERIES["attempts"],
        query.contact_centre_id,
        query.after_seq,
        -_FOREVER if query.since_ms is None else query.since_ms,
        _FOREVER if query.until_ms is None else query.until_ms,
        [int(step) for step in query.steps],
        query.limit,
    )
    return [attempt_of(row) for row in found]


def attempt_of(row: Fetched) -> StoredAttempt:
    """A row from the fragment ``attempt_columns``."""
    seq, at_ms, centre, step, list_id, chain_id, chain_n, record_id, campaign_id, group_id, agent_id, *rest = row
    guid, number_key, person_key, time_zone, other_zones, region, call_result, record_type, *last = rest
    from_s, until_s, rule_set_id, rule_set_version, is_lead, detail = last
    return StoredAttempt(
        seq,
        AttemptRow(
            contact_centre_id=centre,
            at_ms=at_ms,
            step=AttemptStep(step),
            list_id=list_id,
            chain_id=chain_id,
            chain_n=chain_n,
            record_id=record_id,
            campaign_id=campaign_id,
            campaign_group_id=group_id,
            agent_id=agent_id,
            attempt_guid=guid,
            number_key=number_key,
            person_key=person_key,
            call_result=CallResult(call_result),
            record_type=RecordType(record_type),
            time_zone=time_zone,
            other_zones=_zones(other_zones),
            region=region,
            from_s=from_s,
            until_s=until_s,
            rule_set_id=rule_set_id,
            rule_set_version=rule_set_version,
            is_lead=bool(is_lead),
            detail={} if detail is None else _detail(detail),
        ),
    )
