"""Attempt rules: how often a number or a person may be called within a rolling time, and quiet after a conversation.

A limit says "at most n attempts in a rolling time"; a quiet time says "no attempt for some time after a
conversation". Both are counted over a number or a person (all numbers of a chain, or everybody with that customer id),
and within the campaign or the whole contact centre.

An attempt counts from the moment its result was recorded, one that is still open always. It leaves the count exactly
``within_s`` after that moment. Source: 12 CFR 1006.14(b)(2) for the kinds; counting open attempts is ours:
two agents must not use up the last attempt at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from trunkline.domain.enums import CallResult

MAX_ATTEMPT_RULES = 50
"""Rules in one rule set: each is a question for every hand-out; laws and contracts together name a dozen."""
MAX_WITHIN_S = 366 * 86_400
"""The longest rolling time. The attempts of a person within it are read for every hand-out."""
MAX_AT_MOST = 1000
"""More attempts than that are no limit."""

CALL_RESULTS_WITHOUT_A_CALL = frozenset(
    {
        CallResult.ALL_TRUNKS_BUSY,
        CallResult.NO_DIAL_TONE,
        CallResult.DIAL_ERROR,
        CallResult.SWITCH_ERROR,
        CallResult.NO_FREE_PORT_ERROR,
        CallResult.AGENT_CALL_BACK_ERROR,
        CallResult.GROUP_CALL_BACK_ERROR,
        CallResult.CANCEL_RECORD,
    }
)
"""Results that say that nobody's telephone rang. Every other one counts, also those that leave it open: one call too
few does less harm than one too many."""

CONVERSATION_RESULTS = frozenset({CallResult.ANSWER, CallResult.TRANSFERRED, CallResult.CONFERENCED})
"""Results of a call in which the person was spoken to."""


class Counted(StrEnum):
    """Over what attempts are counted."""

    NUMBER = "number"
    PERSON = "person"


class Within(StrEnum):
    """Whose attempts are counted together."""

    CAMPAIGN = "campaign"
    CONTACT_CENTRE = "contact centre"


class AttemptRule(msgspec.Struct, frozen=True, kw_only=True):
    """At most ``at_most`` attempts in ``within_s``; with ``at_most`` 0 none for ``within_s`` after a conversation.

    ``regions`` are those the rule binds (as in calling-time rules); none means all. ``includes_callbacks`` False leaves
    callbacks that the person asked for out: they are neither counted nor held back.
    """

    name: str
    at_most: int
    within_s: int
    counts: Counted = Counted.PERSON
    scope: Within = Within.CONTACT_CENTRE
    includes_callbacks: bool = True
    regions: tuple[str, ...] = ()
    source: str = ""

    @property
    def is_quiet_time(self) -> bool:
        """True for a quiet time after a conversation."""
        return self.at_most == 0

    def binds(self, region: str) -> bool:
        """True when records of the region are bound by this rule."""
        return not self.regions or any(own in ("*", region) or region.startswith(f"{own}-") for own in self.regions)


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as the rules count it.

    ``at_s`` is when its result was recorded; while it ``is_open``, when it was permitted.
    """

    at_s: int
    number_key: str
    person_key: str
    campaign_id: int
    is_callback: bool = False
    is_conversation: bool = False
    is_open: bool = False


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """The attempt that somebody would like to make."""

    number_key: str
    person_key: str
    campaign_id: int
    region: str = ""
    is_callback: bool = False


class AttemptVerdict(msgspec.Struct, frozen=True):
    """What a rule says: how many attempts counted, and until when it holds back (None: it does not)."""

    rule: AttemptRule
    count: int
    since_s: int | None
    until_s: int | None

    @property
    def is_blocking(self) -> bool:
        """True while the rule holds the record back."""
        return self.until_s is not None

    @property
    def value(self) -> str:
        """Such as "3 of 3 in 24 h" or "spoken to within 7 d"."""
        if self.rule.is_quiet_time:
            spoken = "spoken to" if self.is_blocking else "not spoken to"
            return f"{spoken} within {duration(self.rule.within_s)}"
        return f"{self.count} of {self.rule.at_most} in {duration(self.rule.within_s)}"


def duration(seconds: int) -> str:
    """A duration in its largest whole unit: 86400 is "24 h", 604800 "7 d"."""
    if seconds % 86_400 == 0 and seconds > 86_400:
        return f"{seconds // 86_400} d"
    if seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def longest_s(rules: Iterable[AttemptRule]) -> int:
    """How far back attempts must be known to judge by these rules; 0 when there are none."""
    return max((rule.within_s for rule in rules), default=0)


def judge_attempts(
    rules: Sequence[AttemptRule], attempts: Sequence[Attempt], candidate: Candidate, now_s: int
) -> list[AttemptVerdict]:
    """What each rule that binds the candidate says. Cost: rules times attempts, which are few."""
    return [
        _judge(rule, attempts, candidate, now_s)
        for rule in rules
        if rule.binds(candidate.region) and (rule.includes_callbacks or not candidate.is_callback)
    ]


def _judge(rule: AttemptRule, attempts: Sequence[Attempt], candidate: Candidate, now_s: int) -> AttemptVerdict:
    counted = sorted(
        now_s if attempt.is_open else attempt.at_s
        for attempt in attempts
        if _concerns(rule, attempt, candidate) and (attempt.is_open or now_s - rule.within_s < attempt.at_s)
    )
    if rule.is_quiet_time:
        if not counted:
            return AttemptVerdict(rule, 0, None, None)
        return AttemptVerdict(rule, len(counted), counted[-1], counted[-1] + rule.within_s)
    over = len(counted) - rule.at_most
    if over < 0:
        return AttemptVerdict(rule, len(counted), None, None)
    return AttemptVerdict(rule, len(counted), counted[rule.at_most - 1], counted[over] + rule.within_s)


def _concerns(rule: AttemptRule, attempt: Attempt, candidate: Candidate) -> bool:
    if rule.counts is Counted.NUMBER:
        is_same = attempt.number_key == candidate.number_key
    else:
        is_same = attempt.person_key == candidate.person_key
    if not is_same or (rule.scope is Within.CAMPAIGN and attempt.campaign_id != candidate.campaign_id):
        return False
    if attempt.is_callback and not rule.includes_callbacks:
        return False
    return attempt.is_conversation if rule.is_quiet_time else True
