"""Which calling windows are open for a campaign's list now: record windows, hours, and the rules of the campaign.

The hand-out asks for each interned window of a list, not for each record. An answer is remembered for as long as it
holds (two hours at most), so that a claim costs one look-up for each window.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from trunkline.app.directory import ReferenceBook
from trunkline.app.rule_files import IN_USE, RuleLibrary
from trunkline.domain.calling_times import Limits, RegionRule
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.eligibility import Window
from trunkline.domain.facts import campaign_hours, list_hours
from trunkline.domain.objects import ObjectKind
from trunkline.domain.openings import DailyHours, next_opening, state_at
from trunkline.domain.rule_sets import DEFAULT, OVERRIDABLE, RuleOverride, RuleSet, limits_of, overrides_about
from trunkline.errors import OutOfRange

MAX_WINDOWS_REMEMBERED = 50_000
"""Windows of one gate: an import interns some dozens for a list; a larger memory starts afresh."""


class RulesOfCampaign:
    """The rule set of a campaign with its version, 0 for the built-in one, and its calling-time rules put together."""

    def __init__(self, rule_set: RuleSet, version: int, limits: Limits) -> None:
        self.rule_set = rule_set
        self.version = version
        self.limits = limits


def rules_of(campaign: Campaign | None, book: ReferenceBook) -> RulesOfCampaign:
    """The rules that bind a campaign: its rule set, or the built-in safe one when it has none that is switched on."""
    stored = None
    if campaign is not None and campaign.rule_set_id is not None:
        stored = book.object(campaign.contact_centre_id, ObjectKind.RULE_SET, campaign.rule_set_id)
    if stored is not None and isinstance(stored.value, RuleSet) and stored.value.is_enabled:
        return RulesOfCampaign(stored.value, stored.version, resolved(stored.value))
    return RulesOfCampaign(DEFAULT, 0, resolved(DEFAULT))


def resolved(rule_set: RuleSet) -> Limits:
    """The calling-time rules of a set under the rule files in use."""
    return _resolved(rule_set, IN_USE.edition)


@lru_cache(maxsize=256)
def _resolved(rule_set: RuleSet, edition: int) -> Limits:
    return limits_or_closed(rule_set, IN_USE.library)


def limits_or_closed(rule_set: RuleSet, library: RuleLibrary) -> Limits:
    """The calling-time rules of a set; nobody is called at all while a file that it names is missing."""
    try:
        return limits_of(rule_set, library)
    except OutOfRange as error:
        return Limits([RegionRule(region="*", source=str(error), week=((),) * 7)])


def overrides_of(
    book: ReferenceBook,
    contact_centre_id: int,
    now_s: int,
    *,
    campaign_id: int | None,
    list_id: int,
    chain_id: int | None = None,
    number_key: str | None = None,
) -> tuple[RuleOverride, ...]:
    """The overrides in force about a campaign's list, or about a chain and number of it."""
    known = (stored.value for stored in book.objects_of(contact_centre_id, ObjectKind.RULE_OVERRIDE))
    return overrides_about(
        (one for one in known if isinstance(one, RuleOverride)),
        now_s,
        campaign_id=campaign_id,
        list_id=list_id,
        chain_id=chain_id,
        number_key=number_key,
    )


class Gate:
    """Windows under certain hours and rules. An answer that is remembered costs one look-up."""

    def __init__(self, hours: tuple[DailyHours, ...], limits: Limits) -> None:
        self.hours = hours
        self.limits = None if limits.are_empty else limits
        self._known: dict[Window, tuple[int, int, bool]] = {}

    def opens(self, window: Window, now_s: int) -> bool:
        """True when the window may be called now; a window of an unknown zone never may."""
        known = self._known.get(window)
        if known is not None and known[0] <= now_s < known[1]:
            return known[2]
        try:
            is_open, until_s = state_at(window, self.hours, self.limits, now_s)
        except OutOfRange:
            return False
        if len(self._known) >= MAX_WINDOWS_REMEMBERED:
            self._known.clear()
        self._known[window] = (now_s, until_s, is_open)
        return is_open

    def opens_next_s(self, window: Window, now_s: int) -> int | None:
        """When the window may be called, from now on; None when it never opens."""
        try:
            return next_opening(window, self.hours, self.limits, now_s)
        except OutOfRange:
            return None


def gate_of(campaign: Campaign, calling_list: CallingList, book: ReferenceBook, now_s: int) -> Gate:
    """The gate of a campaign's list, with the overrides in force."""
    rules = rules_of(campaign, book)
    overrides = overrides_of(
        book,
        campaign.contact_centre_id,
        now_s,
        campaign_id=campaign.campaign_id,
        list_id=calling_list.list_id,
    )
    names = {override.rule for override in overrides}
    return _gate(
        (*list_hours(calling_list), *campaign_hours(campaign)),
        rules.rule_set,
        OVERRIDABLE.calling_time in names,
        OVERRIDABLE.holiday in names,
        IN_USE.edition,
    )


@lru_cache(maxsize=1024)
def _gate(
    hours: tuple[DailyHours, ...],
    rule_set: RuleSet,
    has_no_hours: bool,  # noqa: FBT001 - part of the key
    has_no_holidays: bool,  # noqa: FBT001 - part of the key
    edition: int,
) -> Gate:
    limits = resolved(rule_set)
    if has_no_hours and has_no_holidays:
        limits = Limits()
    elif has_no_hours:
        limits = limits.only_holidays()
    elif has_no_holidays:
        limits = limits.without_holidays()
    return Gate(hours, limits)


def opens(campaign: Campaign, calling_list: CallingList, book: ReferenceBook, now_s: int) -> Callable[[Window], bool]:
    """For ``Search.opens``: whether records of a window may be called now, for this campaign and list."""
    gate = gate_of(campaign, calling_list, book, now_s)
    return lambda window: gate.opens(window, now_s)
