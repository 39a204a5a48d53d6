"""How a verdict is told to a supervisor: value, sentence, since when, until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from trunkline.domain.attempt_history import CALLBACK_TYPES
from trunkline.domain.attempt_rules import AttemptVerdict
from trunkline.domain.calling_times import Limits, clock
from trunkline.domain.eligibility import SECONDS_A_DAY, Window, offset_s, zone
from trunkline.domain.enums import GroupStatus, Hold, RecordStatus
from trunkline.domain.facts import (
    Facts,
    Rule,
    Verdict,
    attempt_verdicts,
    campaign_hours,
    list_hours,
    whole_day,
)
from trunkline.domain.openings import DailyHours, Permission, permission
from trunkline.domain.records import is_open
from trunkline.domain.rule_sets import OVERRIDABLE, RuleOverride
from trunkline.domain.treatments import READ_BACK

_HOLDS = {
    Hold.ATTEMPT_RULE: "an attempt rule",
    Hold.QUIET_TIME: "quiet time after a conversation",
    Hold.VALIDATION: "the pre-dial validation, which could not answer",
    Hold.SUPPRESSION: "a do-not-call entry that ends",
}


def moment(at_s: int, time_zone: str) -> str:
    """A moment on the wall clock of a zone, such as "Fri 2027-01-08 08:00 (America/New_York)"."""
    local = datetime.fromtimestamp(at_s, tz=UTC).astimezone(zone(time_zone))
    return f"{local:%a %Y-%m-%d %H:%M} ({time_zone})"


def _one(
    rule: Rule, is_blocking: bool, value: str, sentence: str, since_s: int | None = None, until_s: int | None = None
) -> tuple[Verdict]:
    return (
        Verdict(rule=rule, is_blocking=is_blocking, value=value, sentence=sentence, since_s=since_s, until_s=until_s),
    )


def campaign_enabled(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the campaign and its group are switched on."""
    if facts.campaign is None:
        return ()
    state = "off" if is_blocking else "on"
    return _one(Rule.CAMPAIGN_ENABLED, is_blocking, state, f"The campaign {facts.campaign.name} is switched {state}.")


def group_state(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the campaign group works."""
    campaign = facts.campaign
    if campaign is None:
        return ()
    told = {
        GroupStatus.NOT_LOADED: "is not loaded",
        GroupStatus.WAITING_UNLOAD: "is being unloaded and waits for its agents",
        GroupStatus.UNLOAD_IN_PROGRESS: "is being unloaded",
        GroupStatus.IN_ACTIVE: "is loaded and cannot work",
        GroupStatus.ACTIVE: "is loaded and not started",
        GroupStatus.RUNNING: "is running",
    }[campaign.status]
    name = campaign.group_name or campaign.name
    why = f" ({campaign.obstacle})" if is_blocking and campaign.obstacle else ""
    sentence = f"The campaign group {name} {told}{why}; it dials in mode {campaign.dial_mode.name}."
    since_s = campaign.status_since_ms // 1000 or None
    return _one(Rule.GROUP_STATE, is_blocking, campaign.status.name, sentence, since_s)


def group_started(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the campaign group hands out what nobody was promised: fresh records and retries."""
    campaign = facts.campaign
    if campaign is None:
        return ()
    name = campaign.group_name or campaign.name
    if not campaign.status.is_loaded or campaign.status is GroupStatus.IN_ACTIVE:
        told = f"The campaign group {name} hands nothing out as it stands, started or not."
        return _one(Rule.GROUP_STARTED, is_blocking, "not asked", told)
    if not is_blocking and campaign.hands_out_fresh:
        return _one(Rule.GROUP_STARTED, is_blocking, "started", f"The campaign group {name} is started.")
    if not is_blocking:
        told = f"The campaign group {name} is not started; callbacks go out all the same."
        return _one(Rule.GROUP_STARTED, is_blocking, "not needed", told)
    if campaign.hands_out_fresh:
        told = f"The campaign group {name} is completing: it takes no more records."
        return _one(Rule.GROUP_STARTED, is_blocking, "completing", told)
    told = f"The campaign group {name} is not started: it hands out callbacks only."
    return _one(Rule.GROUP_STARTED, is_blocking, "not started", told, campaign.status_since_ms // 1000 or None)


def list_enabled(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the list is switched on."""
    state = "off" if is_blocking else "on"
    return _one(
        Rule.LIST_ENABLED, is_blocking, state, f"The calling list {facts.calling_list.name} is switched {state}."
    )


def list_share(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """The list's part in the campaign."""
    if facts.campaign is None:
        return ()
    entry, names = facts.entry, f"{facts.calling_list.name} in the campaign {facts.campaign.name}"
    if entry is None:
        return _one(Rule.LIST_SHARE, is_blocking, "none", f"The calling list {names}: it is not one of its lists.")
    value = f"share {entry.share}" if entry.is_active else "inactive"
    told = "is active" if not is_blocking else "is switched off" if not entry.is_active else "has no share"
    return _one(Rule.LIST_SHARE, is_blocking, value, f"The calling list {names} {told} (share {entry.share}).")


def status(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Where the record stands in its life."""
    record = facts.record
    told = {
        RecordStatus.READY: "waits to be called",
        RecordStatus.RETRIEVED: "is in work already",
        RecordStatus.CHAIN_READY: "waits with another record of its chain",
        RecordStatus.MISSED_CALL_BACK: "has a callback that was missed; a supervisor gives it an agent or another time",
    }.get(record.status, "is finished")
    if facts.is_in_own_buffer and not is_blocking:
        told = "was fetched for this group and goes to one of its agents"
    result = "" if is_open(record.status) else f", with the result {record.call_result.name}"
    since_s = None if is_open(record.status) else record.called_at_s
    return _one(Rule.STATUS, is_blocking, record.status.name, f"The record {told}{result}.", since_s)


def chain_busy(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether another record of the chain is in work."""
    busy = facts.busy
    if busy is None:
        return _one(Rule.CHAIN_BUSY, is_blocking, "no", "No record of its chain is on a desk or in a buffer.")
    if facts.is_in_own_buffer:
        sentence = f"Its chain is {busy.place} and is handed out from there."
        return _one(Rule.CHAIN_BUSY, is_blocking, "in the buffer", sentence, busy.since_s, busy.until_s)
    return _one(Rule.CHAIN_BUSY, is_blocking, "yes", f"Its chain is {busy.place}.", busy.since_s, busy.until_s)


def no_call(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the record was taken out of dialing by do-not-call."""
    told = "was taken out of dialing by do-not-call" if is_blocking else "is not marked do-not-call"
    return _one(Rule.NO_CALL, is_blocking, facts.record.record_type.name, f"The record {told}.")


def contact_type(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the contact is a telephone."""
    told = "is not called by telephone" if is_blocking else "can be called"
    name = facts.record.phone_type.name
    return _one(Rule.CONTACT_TYPE, is_blocking, name, f"A contact of type {name} {told}.")


def other_agent(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the record is another agent's callback."""
    record = facts.record
    if not record.record_type.is_personal:
        return _one(Rule.OTHER_AGENT, is_blocking, "no", "The record is nobody's personal callback.")
    agent = facts.owner_name or f"agent {record.agent_id}"
    sentence = f"The record is the personal callback of {agent}, who alone may get it"
    if is_blocking and facts.campaign is not None and record.agent_id not in facts.campaign.agents:
        sentence += f", and does not work in {facts.campaign.group_name or facts.campaign.name}"
    return _one(Rule.OTHER_AGENT, is_blocking, agent, f"{sentence}.")


def due_time(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether a callback's or a retry's time has come."""
    record = facts.record
    what = "callback" if record.record_type in CALLBACK_TYPES else "next call"
    if record.hold is not Hold.NONE and record.record_type in READ_BACK:
        sentence = f"The time of its {what} has come; a rule has put it back since then (hold)."
        return _one(Rule.DUE_TIME, is_blocking, "put back", sentence)
    if record.due_at_s is None or record.hold is not Hold.NONE:
        return _one(Rule.DUE_TIME, is_blocking, "none", "Neither a callback nor a retry is scheduled.")
    when = moment(record.due_at_s, record.time_zone)
    if is_blocking:
        value = f"in {(record.due_at_s - facts.now_s + 59) // 60} min"
        return _one(Rule.DUE_TIME, True, value, f"Its {what} is due at {when}.", None, record.due_at_s)
    late_min = (facts.now_s - record.due_at_s) // 60
    sentence = f"Its {what} has been due since {when}, {late_min} min ago."
    return _one(Rule.DUE_TIME, False, f"{late_min} min ago", sentence, record.due_at_s)


def hold(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the record was put back by a rule at an earlier hand-out."""
    record = facts.record
    if not is_blocking or record.due_at_s is None:
        return _one(Rule.HOLD, False, "none", "No rule has put the record back.")
    sentence = f"The record was put back until {moment(record.due_at_s, record.time_zone)} by {_HOLDS[record.hold]}."
    return _one(Rule.HOLD, True, record.hold.name, sentence, None, record.due_at_s)


def max_attempts(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """How many attempts of the list's number were made."""
    value = f"{facts.record.attempts} of {facts.calling_list.max_attempts}"
    return _one(Rule.MAX_ATTEMPTS, is_blocking, value, f"{value} attempts that the list allows were made.")


def filtered(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Whether the filter selects the record."""
    if facts.passes_filter is None:
        return _one(Rule.FILTER, False, "none", "No filter applies.")
    told = "does not select" if is_blocking else "selects"
    return _one(Rule.FILTER, is_blocking, facts.filter_name, f"The filter {facts.filter_name} {told} the record.")


def record_window(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """The record's own hours in all its zones."""
    window = facts.record.window
    told = permission(window, (), None, facts.now_s)
    value = f"{_hours(window.from_s, window.until_s)} in {', '.join(window.zones)}, now {_clocks(facts)}"
    return _timed(Rule.RECORD_WINDOW, is_blocking, value, "The record's own window", facts, told)


def hours_of_list(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """The hours of the list."""
    hours = list_hours(facts.calling_list)
    return _of_hours(Rule.LIST_HOURS, is_blocking, f"The calling list {facts.calling_list.name}", facts, hours)


def hours_of_campaign(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """The hours of the campaign."""
    if facts.campaign is None:
        return ()
    hours = campaign_hours(facts.campaign)
    return _of_hours(Rule.CAMPAIGN_HOURS, is_blocking, f"The campaign {facts.campaign.name}", facts, hours)


def calling_time(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """The calling-time rules of the region, as on an ordinary day."""
    override = facts.override_of(OVERRIDABLE.calling_time)
    plain = facts.limits.without_holidays()
    sources = "; ".join(source.replace("*:", "everywhere:", 1) for source in _today(facts, plain)[2])
    value = f"{_today(facts, plain)[0]} by {sources}" if sources else "no rule"
    told = permission(whole_day(facts.record), (), plain, facts.now_s)
    if override is not None and not told.is_open:
        return _overridden(Rule.CALLING_TIME, value, override, facts)
    region = facts.record.region or facts.rule_set.default_region or "everywhere"
    if not sources and not is_blocking:
        sentence = f"The rule set {facts.rule_set.name} has no calling time for {region} today."
        return _one(Rule.CALLING_TIME, False, value, sentence)
    subject = f"Calling time of {region} ({facts.rule_set.name})"
    return _timed(Rule.CALLING_TIME, is_blocking, value, subject, facts, told)


def holiday(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """Holidays and closed days."""
    override = facts.override_of(OVERRIDABLE.holiday)
    name = _today(facts, facts.limits)[1]
    if override is not None and name:
        return _overridden(Rule.HOLIDAY, name, override, facts)
    if not is_blocking:
        return _one(Rule.HOLIDAY, False, name or "none", "Calls are permitted now." if name else "Today is no holiday.")
    told = permission(whole_day(facts.record), (), facts.limits.only_holidays(), facts.now_s)
    return _timed(Rule.HOLIDAY, True, name, f"Today, {name},", facts, told)


def attempt_limits(facts: Facts, is_blocking: bool) -> Iterator[Verdict]:
    """What each limit of attempts says."""
    found = [verdict for verdict in attempt_verdicts(facts) if not verdict.rule.is_quiet_time]
    for verdict in found:
        yield _attempts(Rule.ATTEMPT_LIMIT, OVERRIDABLE.attempt_limit, verdict, facts)
    if not found:
        told = f"The rule set {facts.rule_set.name} limits no attempts here."
        yield Verdict(rule=Rule.ATTEMPT_LIMIT, is_blocking=False, value="none", sentence=told)


def quiet_times(facts: Facts, is_blocking: bool) -> Iterator[Verdict]:
    """What each quiet time says."""
    found = [verdict for verdict in attempt_verdicts(facts) if verdict.rule.is_quiet_time]
    for verdict in found:
        yield _attempts(Rule.QUIET_TIME, OVERRIDABLE.quiet_time, verdict, facts)
    if not found:
        told = f"The rule set {facts.rule_set.name} asks for no quiet time here."
        yield Verdict(rule=Rule.QUIET_TIME, is_blocking=False, value="none", sentence=told)


def suppression(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """What each suppression entry says."""
    hits = [hit for hit in facts.suppressions if hit.until_s is None or hit.until_s > facts.now_s]
    if not hits:
        return _one(Rule.SUPPRESSION, False, "none", "No suppression list names the number or the customer.")
    told: list[Verdict] = []
    for hit in hits:
        until = f" until {moment(hit.until_s, facts.record.time_zone)}" if hit.until_s is not None else ""
        reason = f": {hit.reason}" if hit.reason else ""
        sentence = f"The suppression list {hit.list_name} names this {hit.kind}{until}{reason}."
        told += _one(Rule.SUPPRESSION, True, f"{hit.list_name} ({hit.kind})", sentence, hit.since_s, hit.until_s)
    return told


def validation(facts: Facts, is_blocking: bool) -> Iterable[Verdict]:
    """What the pre-dial validation answered last."""
    answer = facts.validation
    if answer is None and facts.campaign is not None and facts.campaign.validation_url:
        told = f"The pre-dial validation {facts.campaign.validation_url} is asked before the record goes out."
        return _one(Rule.VALIDATION, False, "asked at hand-out", told)
    if answer is None:
        return _one(Rule.VALIDATION, False, "none", "There is no pre-dial validation.")
    told = "refused" if answer.is_refused else "permitted"
    sentence = f"The pre-dial validation {told} the call ({answer.answer})."
    return _one(Rule.VALIDATION, is_blocking, answer.answer, sentence, answer.at_s)


def _attempts(rule: Rule, name: str, verdict: AttemptVerdict, facts: Facts) -> Verdict:
    counted = verdict.rule
    who = f"this {counted.counts}" + (", in this campaign" if counted.scope == "campaign" else "")
    override = facts.override_of(name, counted.name)
    if verdict.is_blocking and override is not None:
        return _overridden(rule, verdict.value, override, facts)[0]
    sentence = f"{counted.name}: {verdict.value} for {who}"
    if verdict.until_s is not None:
        sentence += f"; free again at {moment(verdict.until_s, facts.record.time_zone)}"
    return Verdict(
        rule=rule,
        is_blocking=verdict.is_blocking,
        value=verdict.value,
        sentence=f"{sentence}.",
        since_s=verdict.since_s,
        until_s=verdict.until_s,
    )


def _overridden(rule: Rule, value: str, override: RuleOverride, facts: Facts) -> tuple[Verdict]:
    until = moment(override.until_s, facts.record.time_zone)
    sentence = f"Overridden until {until} by {override.name}: {override.reason}"
    return _one(rule, False, value, sentence, override.from_s or None, override.until_s)


def _of_hours(
    rule: Rule, is_blocking: bool, subject: str, facts: Facts, hours: tuple[DailyHours, ...]
) -> Iterable[Verdict]:
    if not hours:
        return _one(rule, False, "whole day", f"{subject} has no hours of its own.")
    told = permission(whole_day(facts.record), hours, None, facts.now_s)
    days = "" if len(hours[0].weekdays) == 7 else f" on {', '.join(_DAYS[day] for day in hours[0].weekdays)}"
    value = f"{_hours(hours[0].from_s, hours[0].until_s)}{days}, now {_clocks(facts)}"
    return _timed(rule, is_blocking, value, subject, facts, told)


def _timed(rule: Rule, is_blocking: bool, value: str, subject: str, facts: Facts, told: Permission) -> tuple[Verdict]:
    state = "open" if not is_blocking else "closed"
    if told.until_s is not None:
        then = f", {'opens' if is_blocking else 'closes'} at {moment(told.until_s, facts.record.time_zone)}"
    else:
        then = ", and never opens" if is_blocking else ""
    return _one(rule, is_blocking, value, f"{subject} is {state}{then}.", told.since_s, told.until_s)


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _hours(from_s: int, until_s: int) -> str:
    return "whole day" if from_s % SECONDS_A_DAY == until_s % SECONDS_A_DAY else f"{clock(from_s)} to {clock(until_s)}"


def _clocks(facts: Facts) -> str:
    window: Window = facts.record.window
    return ", ".join(clock((facts.now_s + offset_s(name, facts.now_s)) % SECONDS_A_DAY)[:5] for name in window.zones)


def _today(facts: Facts, limits: Limits) -> tuple[str, str, tuple[str, ...]]:
    """Spans, holiday and sources of the local day; of several zones the first that keeps a holiday."""
    record = facts.record
    days = [
        limits.day(record.region, (facts.now_s + offset_s(name, facts.now_s)) // SECONDS_A_DAY)
        for name in record.window.zones
    ]
    day = next((one for one in days if one.holiday), days[0])
    return ", ".join(map(str, day.spans)) or "no calls", day.holiday, day.sources
