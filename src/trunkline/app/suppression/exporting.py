"""Export of a suppression list as CSV that an import reads back to the same entries."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Store, Suppression, SuppressionQuery
from trunkline.domain.suppression import SuppressionList

COLUMNS = ("kind", "value", "campaign", "expires_at", "reason", "source", "added_at", "added_by")
PAGE = 1000
"""Entries read at once: some 150 KB."""


def moment(at_s: int) -> str:
    """A moment as text, UTC."""
    return datetime.fromtimestamp(at_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def harmless(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


async def pages(store: Store, query: SuppressionQuery) -> AsyncIterator[list[Suppression]]:
    """All entries that a query selects, a page after the other. Entries that come meanwhile may be missing."""
    while page := await store.suppression_entries(query):
        yield page
        if len(page) < query.limit:
            return
        query = msgspec.structs.replace(query, after=page[-1].key)


async def exported(
    store: Store, book: ReferenceBook, target: SuppressionList, now_s: int, *, is_for_spreadsheets: bool = False
) -> AsyncIterator[str]:
    """CSV of the entries that hold, in portions. ``expires_at`` is ``never`` for what does not end.

    For spreadsheets a quote stands before what they would take for a formula, such as the ``+`` of a number: such a
    file is for reading, an import would refuse it.
    """
    centre = target.contact_centre_id
    campaigns = {one.campaign_id: one.name for one in book.groups_of(centre)}
    names = {user.caller.user_id: user.caller.user_name for user in await store.users(centre)}
    query = SuppressionQuery(
        contact_centre_id=centre, suppression_list_id=target.suppression_list_id, ends_after_s=now_s, limit=PAGE
    )
    yield _csv([COLUMNS])
    async for page in pages(store, query):
        rows = []
        for entry in page:
            cells = [
                entry.kind.value,
                entry.value,
                "" if entry.campaign_id is None else campaigns.get(entry.campaign_id, f"#{entry.campaign_id}"),
                "never" if entry.expires_at_s is None else moment(entry.expires_at_s),
                entry.reason,
                entry.source,
                moment(entry.added_at_ms // 1000) if entry.added_at_ms else "",
                "" if entry.added_by is None else names.get(entry.added_by, f"#{entry.added_by}"),
            ]
            rows.append([harmless(cell) for cell in cells] if is_for_spreadsheets else cells)
        yield _csv(rows)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
