"""Facts about records, collected in few questions, so that hand-out and explanation judge by the same.

One question for the suppression entries and one for the attempts of all records together; everything else is in the
reference book. Callbacks, retries and fresh records are judged alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.judging.calling_times import overrides_of, rules_of
from trunkline.app.lists.filters import parsed_for
from trunkline.app.ports import Suppression
from trunkline.app.suppression.matching import list_of
from trunkline.app.view import View
from trunkline.domain.attempt_history import Row, attempts_of
from trunkline.domain.attempt_rules import Attempt, longest_s
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row, person_key
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import Hold
from trunkline.domain.facts import Facts, Rule, SuppressionHit, Verdict
from trunkline.domain.filter_evaluation import matches
from trunkline.domain.filters import Condition, Filter
from trunkline.domain.numbers import canonical_number
from trunkline.domain.objects import ObjectKind
from trunkline.domain.records import Record
from trunkline.domain.suppression import CENTRE_LIST, SuppressionList
from trunkline.domain.verdicts import AT_HAND_OUT, blocking
from trunkline.errors import OutOfRange

OPEN_ATTEMPT_S = 86_400
"""How long before the longest rolling time rows are looked at: an attempt may be open for a day before its result."""


async def facts_of(
    view: View, campaign: Campaign, records: Sequence[Record], user_id: int | None = None, *, own_attempt: str = ""
) -> list[Facts]:
    """Facts about each of the records, for this campaign and agent (None: anybody).

    The attempt with the guid ``own_attempt`` is the one that is judged, and none that went before it.
    Records of lists that no longer exist are left out. Cost: two questions to the store for all records together.
    """
    book, now_s, centre = view.book, view.now_s, campaign.contact_centre_id
    rules = rules_of(campaign, book)
    lists = {record.list_id: list_of(book, record) for record in records}
    suppressed = await view.suppressed(campaign, records)
    rows: Sequence[Row] = ()
    if rules.rule_set.attempt_rules:
        since_ms = (now_s - longest_s(rules.rule_set.attempt_rules) - OPEN_ATTEMPT_S) * 1000
        rows = await view.attempts_of(centre, *keys_of(records), since_ms)
        if own_attempt:
            rows = [row for row in rows if row.attempt_guid != own_attempt]
    history = _History(attempts_of(rows))
    found = []
    for record in records:
        calling_list = lists[record.list_id]
        if calling_list is None:
            continue
        number_key = canonical_number(record.phone_number)
        name, passes = _filtered(book, calling_list, record, now_s)
        facts = Facts(
            record=record,
            calling_list=calling_list,
            now_s=now_s,
            campaign=campaign,
            limits=rules.limits,
            rule_set=rules.rule_set,
            overrides=overrides_of(
                book,
                centre,
                now_s,
                campaign_id=campaign.campaign_id,
                list_id=record.list_id,
                chain_id=record.chain_id,
                number_key=number_key,
            ),
            user_id=user_id,
            attempts=history.of(number_key, person_key(record)),
            suppressions=tuple(_hit(book, entry) for entry in suppressed.get(record.key, ())),
            passes_filter=passes,
            filter_name=name,
        )
        found.append(facts)
    return found


async def blocked(
    view: View, campaign: Campaign, records: Sequence[Record], user_id: int | None, *, own_attempt: str = ""
) -> list[tuple[Record, list[Verdict]]]:
    """The records with the verdicts that block them at the moment of hand-out; none when they may be called."""
    found = await facts_of(view, campaign, records, user_id, own_attempt=own_attempt)
    return [(facts.record, _blocking(facts)) for facts in found]


def _blocking(facts: Facts) -> list[Verdict]:
    try:
        return blocking(facts, AT_HAND_OUT)
    except OutOfRange as error:  # a zone that has left the time-zone database keeps its own record back
        sentence = f"the calling window cannot be read: {error}"
        zone = facts.record.time_zone
        return [Verdict(rule=Rule.RECORD_WINDOW, is_blocking=True, value=zone, sentence=sentence)]


_HOLDS = {Rule.ATTEMPT_LIMIT: Hold.ATTEMPT_RULE, Rule.QUIET_TIME: Hold.QUIET_TIME}


def put_back(record: Record, verdicts: Iterable[Verdict]) -> Record | None:
    """The record held until the attempt rules that block it let go; None when none of them does.

    The hand-out passes it over until then without asking again. A callback keeps its type and is only later.
    """
    ends = [(v.until_s, _HOLDS[v.rule]) for v in verdicts if v.rule in _HOLDS and v.until_s is not None]
    if not ends:
        return None
    until_s, hold = max(ends)
    due_at_s = max(until_s, record.due_at_s or 0)
    return msgspec.structs.replace(record, due_at_s=due_at_s, hold=hold)


def blocked_row(
    record: Record, verdict: Verdict, now_ms: int, campaign: Campaign, agent_id: int | None, book: ReferenceBook
) -> AttemptRow:
    """The row of the attempt log that says which rule held a record back, and what it said."""
    rules = rules_of(campaign, book)
    return attempt_row(
        record,
        AttemptStep.BLOCKED,
        now_ms,
        "",
        campaign_id=campaign.campaign_id,
        campaign_group_id=campaign.group_id,
        agent_id=agent_id,
        rule_set_id=rules.rule_set.rule_set_id,
        rule_set_version=rules.version,
        detail={"rule": verdict.rule.value, "value": verdict.value, "until_s": verdict.until_s},
    )


class _History:
    """Attempts by number and by person."""

    def __init__(self, attempts: Iterable[Attempt]) -> None:
        self._by_key: dict[tuple[str, str], list[Attempt]] = {}
        for attempt in attempts:
            self._by_key.setdefault(("number", attempt.number_key), []).append(attempt)
            self._by_key.setdefault(("person", attempt.person_key), []).append(attempt)

    def of(self, number_key: str, person: str) -> tuple[Attempt, ...]:
        """The attempts with the number or the person, each once."""
        mine = self._by_key.get(("person", person), [])
        others = [a for a in self._by_key.get(("number", number_key), ()) if a.person_key != person]
        return (*mine, *others)


def filter_of(book: ReferenceBook, calling_list: CallingList) -> tuple[str, Condition | None] | None:
    """Name and condition of the filter of a list, None when it has none that is switched on.

    Raises ``OutOfRange`` for one that names fields which the list no longer has.
    """
    used = book.value(Filter, calling_list.contact_centre_id, ObjectKind.FILTER, calling_list.filter_id)
    if used is None or not used.is_enabled or not used.criteria:
        return None
    return used.name, _condition(calling_list, used.criteria)


@lru_cache(maxsize=256)
def _condition(calling_list: CallingList, criteria: str) -> Condition | None:
    return parsed_for(calling_list, criteria).condition


def _filtered(book: ReferenceBook, calling_list: CallingList, record: Record, now_s: int) -> tuple[str, bool | None]:
    try:
        found = filter_of(book, calling_list)
    except OutOfRange as error:
        return str(error), False
    return ("", None) if found is None else (found[0], matches(found[1], record, now_s))


def _hit(book: ReferenceBook, entry: Suppression) -> SuppressionHit:
    centre, list_id = entry.contact_centre_id, entry.suppression_list_id
    named = book.value(SuppressionList, centre, ObjectKind.SUPPRESSION_LIST, list_id)
    own = "of the contact centre" if list_id == CENTRE_LIST else f"number {list_id}"
    return SuppressionHit(
        kind=entry.kind,
        list_name=named.name if named else own,
        reason=entry.reason,
        source=entry.source,
        since_s=entry.added_at_ms // 1000 or None,
        until_s=entry.expires_at_s,
    )


def keys_of(records: Collection[Record]) -> tuple[set[str], set[str]]:
    """Number keys and person keys of records."""
    return {canonical_number(record.phone_number) for record in records}, {person_key(record) for record in records}
