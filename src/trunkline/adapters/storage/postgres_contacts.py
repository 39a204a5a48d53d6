"""Entries of suppression lists on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from trunkline.adapters.storage.attempt_rows import furthest
from trunkline.adapters.storage.postgres_rows import Fetched, columns
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.rows import WHOLE_CENTRE, suppression_row
from trunkline.app.ports import Suppression, SuppressionCount, SuppressionKey, SuppressionQuery
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.suppression import CENTRE_LIST, Contact

_ROWS_AT_ONCE = 5_000
"""Rows of one insert: a national register brings millions."""


async def suppressed(
    connection: Connection,
    contact_centre_id: int,
    campaign_id: int | None,
    suppression_list_ids: Collection[int],
    now_s: int,
    contacts: Collection[Contact],
) -> dict[Contact, list[Suppression]]:
    """See ``Unit.suppressed``."""
    found: dict[Contact, list[Suppression]] = {}
    if not contacts:
        return found
    # In the order of the index: neighbours lie on the same pages.
    kinds, keys = columns(sorted((kind.value, key) for kind, key in set(contacts)))
    campaign = WHOLE_CENTRE if campaign_id is None else campaign_id
    lists = sorted({CENTRE_LIST, *suppression_list_ids})
    rows = await connection.fetch(QUERIES["suppressed"], contact_centre_id, kinds, keys, campaign, lists, now_s)
    for row in rows:
        entry = suppression_of(row)
        found.setdefault(entry.contact, []).append(entry)
    return found


async def change(connection: Connection, lifted: Collection[SuppressionKey], added: Sequence[Suppression]) -> None:
    """Remove entries, then add others."""
    if lifted:
        keys = sorted((key.contact_centre_id, key.kind.value, *key[2:]) for key in lifted)
        await connection.execute(QUERIES["lift"], *columns(keys))
    if added:
        rows = sorted(map(suppression_row, furthest(added).values()), key=lambda row: row[:5])
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            await connection.execute(QUERIES["suppress"], *columns(rows[first : first + _ROWS_AT_ONCE]))


async def page(connection: Connection, query: SuppressionQuery) -> list[Suppression]:
    """See ``Store.suppression_entries``."""
    after = query.after
    found = await connection.fetch(
        QUERIES["suppression_entries"],
        query.contact_centre_id,
        query.suppression_list_id,
        query.kind,
        query.value_key,
        query.campaign_id,
        query.ends_after_s,
        query.ends_until_s,
        "" if after is None else after.kind.value,
        "" if after is None else after.value_key,
        -1 if after is None else after.campaign_id,
        query.limit,
    )
    return [suppression_of(row) for row in found]


async def counts(connection: Connection, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
    """See ``Store.suppression_counts``."""
    rows: Iterable[Fetched] = await connection.fetch(QUERIES["suppression_counts"], contact_centre_id, now_s)
    return {list_id: SuppressionCount(entries, ended) for list_id, entries, ended in rows}


def suppression_of(row: Fetched) -> Suppression:
    """An entry from the fragment ``suppression_columns``."""
    centre, kind, value, campaign_id, list_id, expires_at_s, added_at_ms, added_by, source, reason = row
    return Suppression(
        contact_centre_id=centre,
        kind=DoNotCallKind(kind),
        value=value,
        campaign_id=campaign_id or None,
        suppression_list_id=list_id,
        expires_at_s=expires_at_s,
        added_at_ms=added_at_ms,
        added_by=added_by,
        source=source,
        reason=reason,
    )
