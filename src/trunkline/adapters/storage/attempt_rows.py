"""Rows of the attempt log, and the entries of suppression lists before they are written: what all stores share."""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.adapters.storage.rows import Row, as_json
from trunkline.app.ports import Suppression, SuppressionKey
from trunkline.domain.attempts import AttemptRow


def attempt_row(row: AttemptRow) -> Row:
    """A row without its number, which the database gives."""
    return (
        row.at_ms,
        row.contact_centre_id,
        int(row.step),
        row.list_id,
        row.chain_id,
        row.chain_n,
        row.record_id,
        row.campaign_id,
        row.campaign_group_id,
        row.agent_id,
        row.attempt_guid,
        row.number_key,
        row.person_key,
        row.time_zone,
        as_json(row.other_zones) if row.other_zones else "[]",
        row.region,
        int(row.call_result),
        int(row.record_type),
        row.from_s,
        row.until_s,
        row.rule_set_id,
        row.rule_set_version,
        int(row.is_lead),
        as_json(row.detail) if row.detail else None,
    )


def furthest(entries: Iterable[Suppression]) -> dict[SuppressionKey, Suppression]:
    """One entry for each key: the first, unless a later one reaches further."""
    kept: dict[SuppressionKey, Suppression] = {}
    for entry in entries:
        key = entry.key
        before = kept.get(key)
        if before is None or entry.reaches_further(before):
            kept[key] = entry
    return kept
