"""Chains judged at the moment of their hand-out: which record may be called, and what becomes of those that may not.

The rules are those that explain a record (``domain.verdicts``). What a rule holds back for a time is held until it lets
go and comes back by itself; what the do-not-call lists name for good is out of dialing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.judging.calling_times import rules_of
from trunkline.app.judging.facts import blocked, blocked_row, put_back
from trunkline.app.view import View
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import Campaign
from trunkline.domain.chains import carries, given_back
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallResult, Hold, RecordStatus, RecordType
from trunkline.domain.facts import Rule, Verdict
from trunkline.domain.records import Happening, Record, RecordKey, is_open, moved
from trunkline.domain.treatments import READ_BACK

SUPPRESSION_HOLD_S = 86_400
"""How long a do-not-call entry that ends holds a record at once: it may be lifted earlier."""


class Judged(msgspec.Struct, frozen=True):
    """What the rules say of a chain: which of its records may be called now, and what became of the others.

    ``chain`` are all records after it: out of dialing for good, or held until a rule lets go. ``attempts`` are rows for
    the attempt log: which rule held what back.
    """

    chain: list[Record]
    permitted: set[RecordKey]
    attempts: list[AttemptRow]
    is_changed: bool


async def judged(view: View, campaign: Campaign, chains: Sequence[list[Record]], user_id: int) -> list[Judged]:
    """Judge chains at the moment of their hand-out, by the same rules that explain a record.

    Of a chain whose next call was promised or planned only that record may be called. Cost: as ``facts_of``.
    """
    records = [record for chain in chains for record in chain if is_open(record.status)]
    verdicts = {record.key: found for record, found in await blocked(view, campaign, records, user_id)}
    return [_judged(view, campaign, chain, verdicts, user_id) for chain in chains]


def _judged(
    view: View, campaign: Campaign, chain: list[Record], verdicts: dict[RecordKey, list[Verdict]], user_id: int
) -> Judged:
    candidates = [r for r in chain if r.status in (RecordStatus.RETRIEVED, RecordStatus.READY)]
    carriers = {record.key for record in candidates if carries(record)}
    lists = campaign.open_lists()
    permitted: set[RecordKey] = set()
    attempts: list[AttemptRow] = []
    after: list[Record] = []
    for record in chain:
        found = verdicts.get(record.key)
        is_candidate = record in candidates and (not carriers or record.key in carriers)
        if found == [] and is_candidate and record.list_id in lists:
            permitted.add(record.key)
        changed = record if not found else ruled(record, found, view.now_s, may_hold=is_candidate)
        if changed is not record:
            why = next(verdict for verdict in found or () if verdict.rule in _CHANGING)
            attempts.append(blocked_row(record, why, view.now_ms, campaign, user_id, view.book))
        after.append(changed)
    is_changed = any(new is not old for new, old in zip(after, chain, strict=True))
    return Judged(after, permitted, attempts, is_changed)


_CHANGING = (Rule.SUPPRESSION, Rule.ATTEMPT_LIMIT, Rule.QUIET_TIME)
"""Rules that put a record away, in the order in which they are named."""


def ruled(record: Record, verdicts: Sequence[Verdict], now_s: int, *, may_hold: bool) -> Record:
    """A record that rules hold back: out of dialing for good, or held until they let go, or as it was."""
    ends = [verdict.until_s for verdict in verdicts if verdict.rule is Rule.SUPPRESSION]
    if None in ends:
        return out_of_dialing(record)
    if not may_hold:
        return record
    last = max((end for end in ends if end is not None), default=None)
    if last is not None:
        due_at_s = max(record.due_at_s or 0, min(last, now_s + SUPPRESSION_HOLD_S))
        return msgspec.structs.replace(record, due_at_s=due_at_s, hold=Hold.SUPPRESSION)
    return put_back(record, verdicts) or record


def out_of_dialing(record: Record) -> Record:
    """The record after a do-not-call hit before dialing."""
    return moved(record, Happening.DO_NOT_CALL, record_type=RecordType.NO_CALL, call_result=CallResult.DO_NOT_CALL)


def put_away(chain: Sequence[Record]) -> list[Record]:
    """The records of a chain that leaves the buffer unworked, those that were not taken as they are."""
    returned = {record.key: record for record in given_back(chain)}
    return [returned.get(record.key, record) for record in chain]


def in_hand(record: Record) -> Record:
    """A record of a chain that goes to a desk: open ones are RETRIEVED, and no hold binds them any more."""
    if not is_open(record.status):
        return record
    if record.status is not RecordStatus.RETRIEVED:
        record = moved(record, Happening.TAKEN)
    if record.hold is Hold.NONE:
        return record
    due_at_s = record.due_at_s if record.record_type in READ_BACK else None
    return msgspec.structs.replace(record, hold=Hold.NONE, due_at_s=due_at_s)


def permitted_row(view: View, asked: Asked, campaign: Campaign, entry: DeskEntry, record: Record) -> AttemptRow:
    """The row of the attempt log that says that every rule let the record go, under which rules."""
    rules = rules_of(campaign, view.book)
    return attempt_row(
        record,
        AttemptStep.PERMITTED,
        view.now_ms,
        entry.attempt_guid,
        campaign_id=campaign.campaign_id,
        campaign_group_id=campaign.group_id,
        agent_id=asked.caller.user_id,
        rule_set_id=rules.rule_set.rule_set_id,
        rule_set_version=rules.version,
        detail={
            "phone_number": record.phone_number,
            "phone_type": int(record.phone_type),
            "due_at_s": record.due_at_s,
        },
    )
