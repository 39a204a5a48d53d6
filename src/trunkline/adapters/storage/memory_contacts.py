"""The reference model's do-not-call entries and its attempt log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from trunkline.app.ports import (
    AttemptQuery,
    Suppression,
    SuppressionCount,
    SuppressionKey,
    SuppressionQuery,
)
from trunkline.domain.attempts import MAX_PAST_ATTEMPTS, RULE_STEPS, PastAttempt, StoredAttempt
from trunkline.domain.suppression import CENTRE_LIST, Contact

Entries = dict[SuppressionKey, Suppression]


def suppressed(
    entries: Entries,
    contact_centre_id: int,
    campaign_id: int | None,
    suppression_list_ids: Collection[int],
    now_s: int,
    contacts: Collection[Contact],
) -> dict[Contact, list[Suppression]]:
    """See ``Unit.suppressed``."""
    found: dict[Contact, list[Suppression]] = {}
    wanted = set(contacts)
    for key in sorted(entries, key=_order):
        entry = entries[key]
        if (
            key.contact_centre_id == contact_centre_id
            and entry.contact in wanted
            and key.campaign_id in (0, campaign_id)
            and (key.suppression_list_id == CENTRE_LIST or key.suppression_list_id in suppression_list_ids)
            and entry.holds(now_s)
        ):
            found.setdefault(entry.contact, []).append(entry)
    return found


def changed(entries: Entries, lifted: Iterable[SuppressionKey], added: Iterable[Suppression]) -> None:
    """Remove entries, then add others; who entered one first stays on record unless the new one reaches further."""
    for key in lifted:
        entries.pop(key, None)
    for entry in added:
        if entry.key not in entries or entry.reaches_further(entries[entry.key]):
            entries[entry.key] = entry


def page(entries: Entries, query: SuppressionQuery) -> list[Suppression]:
    """See ``Store.suppression_entries``."""
    found = []
    for key in sorted(entries, key=_place):
        entry = entries[key]
        if (
            (key.contact_centre_id, key.suppression_list_id) == (query.contact_centre_id, query.suppression_list_id)
            and query.kind in (None, key.kind)
            and query.value_key in (None, key.value_key)
            and query.campaign_id in (None, key.campaign_id)
            and (query.ends_after_s is None or entry.holds(query.ends_after_s))
            and (query.ends_until_s is None or not entry.holds(query.ends_until_s))
            and (query.after is None or _place(key) > _place(query.after))
        ):
            found.append(entry)
    return found[: query.limit]


def counts(entries: Entries, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
    """See ``Store.suppression_counts``."""
    found: dict[int, SuppressionCount] = {}
    for key, entry in entries.items():
        if key.contact_centre_id == contact_centre_id:
            before = found.get(key.suppression_list_id, SuppressionCount(0, 0))
            found[key.suppression_list_id] = SuppressionCount(
                before.entries + 1, before.ended + (not entry.holds(now_s))
            )
    return found


def _order(key: SuppressionKey) -> tuple[int, int]:
    return key.suppression_list_id, key.campaign_id


def _place(key: SuppressionKey) -> tuple[str, str, int]:
    return key.kind.value, key.value_key, key.campaign_id


def attempts_of(
    log: Sequence[StoredAttempt],
    contact_centre_id: int,
    number_keys: Collection[str],
    person_keys: Collection[str],
    since_ms: int,
) -> list[PastAttempt]:
    """See ``Unit.attempts_of``."""
    meant = [
        stored
        for stored in log
        if stored.row.contact_centre_id == contact_centre_id
        and stored.row.step in RULE_STEPS
        and stored.row.at_ms >= since_ms
    ]
    newest = sorted(meant, key=lambda stored: (stored.row.at_ms, stored.seq), reverse=True)
    found: dict[int, StoredAttempt] = {}
    for key in set(number_keys):
        found |= {one.seq: one for one in [s for s in newest if s.row.number_key == key][:MAX_PAST_ATTEMPTS]}
    for key in set(person_keys):
        found |= {one.seq: one for one in [s for s in newest if s.row.person_key == key][:MAX_PAST_ATTEMPTS]}
    return [_past(found[seq]) for seq in sorted(found)]


def _past(stored: StoredAttempt) -> PastAttempt:
    row = stored.row
    return PastAttempt(
        seq=stored.seq,
        at_ms=row.at_ms,
        step=row.step,
        call_result=row.call_result,
        record_type=row.record_type,
        campaign_id=row.campaign_id,
        number_key=row.number_key,
        person_key=row.person_key,
        attempt_guid=row.attempt_guid,
    )


def of_chain(log: Sequence[StoredAttempt], chain: tuple[int, int, int], limit: int) -> list[StoredAttempt]:
    """See ``Unit.attempts_of_chain``."""
    meant = [s for s in log if (s.row.contact_centre_id, s.row.list_id, s.row.chain_id) == chain]
    return sorted(meant, key=lambda stored: (stored.row.at_ms, stored.seq), reverse=True)[:limit]


def portion(log: Sequence[StoredAttempt], query: AttemptQuery) -> list[StoredAttempt]:
    """See ``Store.attempts``."""
    found = [
        stored
        for stored in log
        if stored.seq > query.after_seq
        and query.contact_centre_id in (None, stored.row.contact_centre_id)
        and (query.since_ms is None or stored.row.at_ms >= query.since_ms)
        and (query.until_ms is None or stored.row.at_ms < query.until_ms)
        and (not query.steps or stored.row.step in query.steps)
    ]
    return found[: query.limit]
