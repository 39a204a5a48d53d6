"""What the rules look at, and what they say: facts about one record at one moment, and verdicts.

Nothing is fetched here: whatever a rule needs to know is a fact that somebody collected (``app.judging.facts``).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.domain.attempt_history import CALLBACK_TYPES
from trunkline.domain.attempt_rules import Attempt, AttemptVerdict, Candidate, judge_attempts
from trunkline.domain.attempts import person_key
from trunkline.domain.calling_times import Limits
from trunkline.domain.campaigns import CallingList, Campaign, CampaignList
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.numbers import canonical_number
from trunkline.domain.openings import DailyHours
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import DEFAULT, RuleOverride, RuleSet


class Rule(StrEnum):
    """What may hold a record back."""

    CAMPAIGN_ENABLED = "campaign enabled"
    GROUP_STATE = "campaign group state"
    GROUP_STARTED = "campaign group started"
    LIST_ENABLED = "calling list enabled"
    LIST_SHARE = "calling list share"
    STATUS = "record status"
    CHAIN_BUSY = "chain in work"
    NO_CALL = "record type"
    CONTACT_TYPE = "contact type"
    OTHER_AGENT = "personal callback"
    DUE_TIME = "due time"
    HOLD = "hold"
    MAX_ATTEMPTS = "attempts of the record"
    FILTER = "filter"
    RECORD_WINDOW = "record window"
    LIST_HOURS = "calling list hours"
    CAMPAIGN_HOURS = "campaign hours"
    CALLING_TIME = "calling time"
    HOLIDAY = "holiday"
    ATTEMPT_LIMIT = "attempt limit"
    QUIET_TIME = "quiet time"
    SUPPRESSION = "suppression"
    VALIDATION = "pre-dial validation"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of a record. ``since_s`` and ``until_s`` bound the present state, where that is known.

    ``until_s`` of a blocking verdict is when the rule lets go; None means that time alone will not do.
    """

    rule: Rule
    is_blocking: bool
    value: str
    sentence: str
    since_s: int | None = None
    until_s: int | None = None


class SuppressionHit(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a suppression list that names the record. ``until_s`` None: for good."""

    kind: DoNotCallKind
    list_name: str
    reason: str = ""
    source: str = ""
    since_s: int | None = None
    until_s: int | None = None


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """Where the record's chain is in work: on an agent's desk or in a group's buffer; until when it is lent.

    ``campaign_group_id`` is the group in whose buffer it is; None when it is on a desk.
    """

    place: str
    campaign_group_id: int | None = None
    since_s: int | None = None
    until_s: int | None = None


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """The last answer of the pre-dial validation about the record."""

    is_refused: bool
    answer: str
    at_s: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the rules look at, for one record at one moment.

    ``campaign`` is the campaign as a group works it, None when a record is explained outside any. ``user_id`` is the
    agent who would get the record; None: anybody. ``passes_filter`` None means that no filter applies. ``overrides``
    are those in force that are about this record. ``who`` are the number key and the person key under which a past
    attempt is in the log, where those of the record may have changed or were erased since. ``owner_name`` is the agent
    of a personal callback, for whoever reads.
    """

    record: Record
    calling_list: CallingList
    now_s: int
    campaign: Campaign | None = None
    limits: Limits = Limits()
    rule_set: RuleSet = DEFAULT
    overrides: tuple[RuleOverride, ...] = ()
    user_id: int | None = None
    attempts: tuple[Attempt, ...] = ()
    suppressions: tuple[SuppressionHit, ...] = ()
    passes_filter: bool | None = None
    filter_name: str = ""
    busy: Busy | None = None
    validation: Validation | None = None
    who: tuple[str, str] | None = None
    owner_name: str = ""

    @property
    def entry(self) -> CampaignList | None:
        """The record's list as the campaign has it."""
        if self.campaign is None:
            return None
        return next((e for e in self.campaign.lists if e.list_id == self.record.list_id), None)

    @property
    def is_in_own_buffer(self) -> bool:
        """True when the chain was claimed for the very group that is asked about: it goes to one of its agents next."""
        if self.campaign is None or self.busy is None:
            return False
        return self.busy.campaign_group_id == self.campaign.group_id

    @property
    def candidate(self) -> Candidate:
        """The attempt in question."""
        number, person = self.who or (canonical_number(self.record.phone_number), person_key(self.record))
        return Candidate(
            number_key=number,
            person_key=person,
            campaign_id=self.campaign.campaign_id if self.campaign else 0,
            region=self.record.region or self.rule_set.default_region,
            is_callback=self.record.record_type in CALLBACK_TYPES,
        )

    def override_of(self, rule: str, attempt_rule: str = "") -> RuleOverride | None:
        """The override that sets this rule aside."""
        return next((o for o in self.overrides if o.rule == rule and o.attempt_rule in ("", attempt_rule)), None)


def list_hours(calling_list: CallingList) -> tuple[DailyHours, ...]:
    """The hours of a list, read where the person called is; empty when they bound nothing."""
    hours = DailyHours(calling_list.from_s, calling_list.until_s)
    return () if hours.are_whole else (hours,)


def campaign_hours(campaign: Campaign | None) -> tuple[DailyHours, ...]:
    """The hours of a campaign, read where the person called is; empty when they bound nothing."""
    if campaign is None:
        return ()
    hours = DailyHours(campaign.hours_from_s, campaign.hours_until_s, "", campaign.weekdays)
    return () if hours.are_whole else (hours,)


def whole_day(record: Record) -> Window:
    """The record's zones and region without its own hours."""
    return msgspec.structs.replace(record.window, from_s=0, until_s=86_400)


def attempt_verdicts(facts: Facts) -> list[AttemptVerdict]:
    """What the attempt rules say, before overrides."""
    return judge_attempts(facts.rule_set.attempt_rules, facts.attempts, facts.candidate, facts.now_s)
