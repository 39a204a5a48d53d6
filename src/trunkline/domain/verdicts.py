"""May this record be called now, and if not, why not: every rule in one place, for hand-out, dialing and explanation.

``blocking(facts)`` is what the hand-out asks; it costs little while nothing blocks. ``judge(facts)`` tells of every
rule what it says, since when and until when. Both go through ``RULES``, so that the explanation can never differ from
what was done. Source: outbound domain 2.5, 2.6, 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from trunkline.domain import verdict_texts as texts
from trunkline.domain.calling_times import Limits
from trunkline.domain.enums import DialMode, GroupStatus, Hold, RecordStatus, RecordType
from trunkline.domain.facts import Facts, Rule, Verdict, attempt_verdicts, campaign_hours, list_hours, whole_day
from trunkline.domain.openings import DailyHours, is_open
from trunkline.domain.rule_sets import OVERRIDABLE


def _campaign_off(facts: Facts) -> bool:
    return facts.campaign is not None and not facts.campaign.is_enabled


def _group_stands(facts: Facts) -> bool:
    if facts.campaign is None:
        return False
    is_pulled = facts.campaign.dial_mode in (DialMode.PREVIEW, DialMode.PUSH_PREVIEW)
    if is_pulled:
        return not facts.campaign.status.is_loaded or facts.campaign.status is GroupStatus.IN_ACTIVE
    return facts.campaign.status is not GroupStatus.RUNNING


def _not_started(facts: Facts) -> bool:
    """A group that is loaded and not started hands out what was promised; one that completes, what it has in memory."""
    campaign, record_type = facts.campaign, facts.record.record_type
    if campaign is None or _group_stands(facts):
        return False
    if record_type.is_personal or record_type is RecordType.CAMPAIGN_CALL_BACK:
        return False
    return not campaign.hands_out_fresh or not (campaign.fetches or facts.is_in_own_buffer)


def _list_off(facts: Facts) -> bool:
    return not facts.calling_list.is_enabled


def _no_share(facts: Facts) -> bool:
    entry = facts.entry
    return facts.campaign is not None and (entry is None or not entry.is_active or entry.share <= 0)


def _not_ready(facts: Facts) -> bool:
    if facts.record.status is RecordStatus.RETRIEVED and facts.is_in_own_buffer:
        return False
    return facts.record.status is not RecordStatus.READY


def _is_busy(facts: Facts) -> bool:
    return facts.busy is not None and not facts.is_in_own_buffer


def _is_no_call(facts: Facts) -> bool:
    return facts.record.record_type is RecordType.NO_CALL


def _not_dialable(facts: Facts) -> bool:
    return not facts.record.phone_type.is_dialable


def _of_another(facts: Facts) -> bool:
    record = facts.record
    return record.record_type.is_personal and (facts.user_id is not None and record.agent_id != facts.user_id)


def _is_due_later(facts: Facts) -> bool:
    due_at_s = facts.record.due_at_s
    return due_at_s is not None and due_at_s > facts.now_s


def _not_due(facts: Facts) -> bool:
    return facts.record.hold is Hold.NONE and _is_due_later(facts)


def _is_held(facts: Facts) -> bool:
    return facts.record.hold is not Hold.NONE and _is_due_later(facts)


def _all_attempts_made(facts: Facts) -> bool:
    return facts.record.attempts >= facts.calling_list.max_attempts


def _filtered(facts: Facts) -> bool:
    return facts.passes_filter is False


def _window_closed(facts: Facts) -> bool:
    return not facts.record.window.is_open(facts.now_s)


def _list_closed(facts: Facts) -> bool:
    return not _is_within(facts, list_hours(facts.calling_list))


def _campaign_closed(facts: Facts) -> bool:
    return not _is_within(facts, campaign_hours(facts.campaign))


def _is_within(facts: Facts, hours: tuple[DailyHours, ...], limits: Limits | None = None) -> bool:
    return (not hours and limits is None) or is_open(whole_day(facts.record), hours, limits, facts.now_s)


def _out_of_hours(facts: Facts) -> bool:
    if facts.limits.are_empty or facts.override_of(OVERRIDABLE.calling_time):
        return False
    return not _is_within(facts, (), facts.limits.without_holidays())


def _on_holiday(facts: Facts) -> bool:
    days = facts.limits.only_holidays()
    if days.are_empty or facts.override_of(OVERRIDABLE.holiday):
        return False
    return not _is_within(facts, (), days)


def _over_limit(facts: Facts) -> bool:
    return any(
        verdict.is_blocking
        and not verdict.rule.is_quiet_time
        and not facts.override_of(OVERRIDABLE.attempt_limit, verdict.rule.name)
        for verdict in (attempt_verdicts(facts) if facts.attempts else ())
    )


def _is_quiet(facts: Facts) -> bool:
    return any(
        verdict.is_blocking
        and verdict.rule.is_quiet_time
        and not facts.override_of(OVERRIDABLE.quiet_time, verdict.rule.name)
        for verdict in (attempt_verdicts(facts) if facts.attempts else ())
    )


def _suppressed(facts: Facts) -> bool:
    return any(hit.until_s is None or hit.until_s > facts.now_s for hit in facts.suppressions)


def _refused(facts: Facts) -> bool:
    return facts.validation is not None and facts.validation.is_refused


class _Entry(NamedTuple):
    """A rule: whether it blocks, and how that is told."""

    blocks: Callable[[Facts], bool]
    tell: Callable[[Facts, bool], Iterable[Verdict]]


RULES: dict[Rule, _Entry] = {
    Rule.CAMPAIGN_ENABLED: _Entry(_campaign_off, texts.campaign_enabled),
    Rule.GROUP_STATE: _Entry(_group_stands, texts.group_state),
    Rule.GROUP_STARTED: _Entry(_not_started, texts.group_started),
    Rule.LIST_ENABLED: _Entry(_list_off, texts.list_enabled),
    Rule.LIST_SHARE: _Entry(_no_share, texts.list_share),
    Rule.STATUS: _Entry(_not_ready, texts.status),
    Rule.CHAIN_BUSY: _Entry(_is_busy, texts.chain_busy),
    Rule.NO_CALL: _Entry(_is_no_call, texts.no_call),
    Rule.CONTACT_TYPE: _Entry(_not_dialable, texts.contact_type),
    Rule.OTHER_AGENT: _Entry(_of_another, texts.other_agent),
    Rule.DUE_TIME: _Entry(_not_due, texts.due_time),
    Rule.HOLD: _Entry(_is_held, texts.hold),
    Rule.MAX_ATTEMPTS: _Entry(_all_attempts_made, texts.max_attempts),
    Rule.FILTER: _Entry(_filtered, texts.filtered),
    Rule.RECORD_WINDOW: _Entry(_window_closed, texts.record_window),
    Rule.LIST_HOURS: _Entry(_list_closed, texts.hours_of_list),
    Rule.CAMPAIGN_HOURS: _Entry(_campaign_closed, texts.hours_of_campaign),
    Rule.CALLING_TIME: _Entry(_out_of_hours, texts.calling_time),
    Rule.HOLIDAY: _Entry(_on_holiday, texts.holiday),
    Rule.ATTEMPT_LIMIT: _Entry(_over_limit, texts.attempt_limits),
    Rule.QUIET_TIME: _Entry(_is_quiet, texts.quiet_times),
    Rule.SUPPRESSION: _Entry(_suppressed, texts.suppression),
    Rule.VALIDATION: _Entry(_refused, texts.validation),
}
"""Every rule, the cheapest first."""

AT_HAND_OUT = frozenset({Rule.GROUP_STARTED, Rule.STATUS, Rule.CHAIN_BUSY})
"""Rules to leave out when a chain is judged that was taken already: it lies in the buffer of the very group.

A group that is not started is asked for callbacks alone, and siblings of a callback must not be put away for that.
"""


def may_be_called(facts: Facts, but: frozenset[Rule] = frozenset()) -> bool:
    """True when no rule blocks, those of ``but`` left out."""
    return not any(entry.blocks(facts) for rule, entry in RULES.items() if rule not in but)


def blocking(facts: Facts, but: frozenset[Rule] = frozenset()) -> list[Verdict]:
    """The verdicts that block, those of ``but`` left out; empty when the record may be called."""
    found: list[Verdict] = []
    for rule, entry in RULES.items():
        if rule not in but and entry.blocks(facts):
            found.extend(verdict for verdict in entry.tell(facts, True) if verdict.is_blocking)
    return found


def judge(facts: Facts) -> list[Verdict]:
    """What every rule says, in the order of ``Rule``; rules of attempts say something for each of theirs."""
    return [verdict for entry in RULES.values() for verdict in entry.tell(facts, entry.blocks(facts))]


def free_at_s(verdicts: Iterable[Verdict]) -> int | None:
    """When every rule that blocks now has let go by itself; None when one of them does not, or nothing blocks.

    Rules that take turns (a window that closes before a limit ends) may block again by then: judge at that moment.
    """
    held = [verdict.until_s for verdict in verdicts if verdict.is_blocking]
    ends = [until_s for until_s in held if until_s is not None]
    return max(ends) if ends and len(ends) == len(held) else None
