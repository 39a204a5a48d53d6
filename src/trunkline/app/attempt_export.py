"""The attempt log as lines of JSON, with the rule sets and overrides that an auditor needs beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import AttemptQuery, Store
from trunkline.domain.attempt_rules import longest_s
from trunkline.domain.objects import ObjectKind
from trunkline.domain.rule_sets import DEFAULT, RuleOverride, RuleSet, overrides_as_they_were

PORTION = 2_000
"""Rows read at once: a megabyte."""
MAX_VERSIONS = 10_000
"""Versions of one rule set in an export."""
DAY_MS = 86_400_000


async def export_lines(
    store: Store, book: ReferenceBook, contact_centre_id: int, since_ms: int | None = None, until_ms: int | None = None
) -> AsyncIterator[bytes]:
    """Overrides, then the rows of the log in order, each rule set before the first row that it bound.

    Rows before ``since_ms`` come along as far back as any attempt rule may look, so that what follows can be judged.
    An override that was deleted is not in the export: what it permitted will look as if it was not.
    """
    for override in await overrides_of_log(store, book, contact_centre_id):
        yield _line("rule-override", override)
    yield _line("rule-set", DEFAULT, version=0)
    told = {0}
    query = AttemptQuery(
        contact_centre_id=contact_centre_id,
        since_ms=None if since_ms is None else since_ms - await _longest_ms(store, book, contact_centre_id) - DAY_MS,
        until_ms=until_ms,
        limit=PORTION,
    )
    while portion := await store.attempts(query):
        for stored_attempt in portion:
            row = stored_attempt.row
            if row.rule_set_id not in told:
                told.add(row.rule_set_id)
                key = (contact_centre_id, ObjectKind.RULE_SET, row.rule_set_id)
                for one in await store.object_versions(key, MAX_VERSIONS):
                    yield _line("rule-set", one.value, version=one.version)
            yield _line("attempt", row, seq=stored_attempt.seq)
        query = msgspec.structs.replace(query, after_seq=portion[-1].seq)


async def overrides_of_log(store: Store, book: ReferenceBook, contact_centre_id: int) -> list[RuleOverride]:
    """The overrides that an attempt log is judged by: each version while it was the one that held."""
    found: list[RuleOverride] = []
    for stored in book.objects_of(contact_centre_id, ObjectKind.RULE_OVERRIDE):
        versions = await store.object_versions(stored.key, MAX_VERSIONS)
        found += overrides_as_they_were(
            (one.changed_at_ms, one.value) for one in versions if isinstance(one.value, RuleOverride)
        )
    return found


async def _longest_ms(store: Store, book: ReferenceBook, contact_centre_id: int) -> int:
    """How far back any version of any rule set looks."""
    rule_sets = [DEFAULT]
    for stored in book.objects_of(contact_centre_id, ObjectKind.RULE_SET):
        versions = await store.object_versions(stored.key, MAX_VERSIONS)
        rule_sets += [one.value for one in versions if isinstance(one.value, RuleSet)]
    return max(longest_s(rule_set.attempt_rules) for rule_set in rule_sets) * 1000


def _line(kind: str, value: object, **more: int) -> bytes:
    return msgspec.json.encode({"kind": kind, **msgspec.to_builtins(value), **more})
