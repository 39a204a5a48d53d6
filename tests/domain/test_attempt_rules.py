"""Attempt rules over rolling times, compared with counting by hand."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.attempt_rules import (
    Attempt,
    AttemptRule,
    Candidate,
    Counted,
    Within,
    duration,
    judge_attempts,
    longest_s,
)

DAY_S = 86_400
NOW_S = 1_800_000_000

numbers = st.sampled_from(["1", "2", "3"])
people = st.sampled_from(["c1", "c2"])
attempts = st.lists(
    st.builds(
        Attempt,
        at_s=st.integers(NOW_S - 9 * DAY_S, NOW_S),
        number_key=numbers,
        person_key=people,
        campaign_id=st.sampled_from([1, 2]),
        is_callback=st.booleans(),
        is_conversation=st.booleans(),
        is_open=st.sampled_from([False, False, False, True]),
    ),
    max_size=12,
)
rules = st.builds(
    AttemptRule,
    name=st.just("r"),
    at_most=st.integers(0, 4),
    within_s=st.sampled_from([3600, DAY_S, 7 * DAY_S]),
    counts=st.sampled_from(list(Counted)),
    scope=st.sampled_from(list(Within)),
    includes_callbacks=st.booleans(),
    regions=st.sampled_from([(), ("US",), ("US-FL",), ("*",)]),
)
candidates = st.builds(
    Candidate,
    number_key=numbers,
    person_key=people,
    campaign_id=st.sampled_from([1, 2]),
    region=st.sampled_from(["", "US", "US-FL", "FR"]),
    is_callback=st.booleans(),
)


def is_forbidden(rule: AttemptRule, made: list[Attempt], one: Candidate, now_s: int) -> bool:
    """The rule in the words of the law, without knowing how the program counts."""
    if rule.regions and not any(r in ("*", one.region) or one.region.startswith(r + "-") for r in rule.regions):
        return False
    if one.is_callback and not rule.includes_callbacks:
        return False
    number = 0
    for attempt in made:
        is_same = (
            attempt.number_key == one.number_key
            if rule.counts is Counted.NUMBER
            else attempt.person_key == one.person_key
        )
        if not is_same or (rule.scope is Within.CAMPAIGN and attempt.campaign_id != one.campaign_id):
            continue
        if attempt.is_callback and not rule.includes_callbacks:
            continue
        if not attempt.is_open and attempt.at_s + rule.within_s <= now_s:
            continue
        if rule.at_most == 0 and not attempt.is_conversation:
            continue
        number += 1
    return number > 0 if rule.at_most == 0 else number >= rule.at_most


@given(rules, attempts, candidates)
def test_a_verdict_agrees_with_counting_by_hand(rule: AttemptRule, made: list[Attempt], one: Candidate) -> None:
    """For any rule, history and candidate the verdict is what counting by hand says, and says until when."""
    verdicts = judge_attempts([rule], made, one, NOW_S)
    assert any(v.is_blocking for v in verdicts) is is_forbidden(rule, made, one, NOW_S)
    for verdict in verdicts:
        if verdict.until_s is not None:
            ended = [msgspec.structs.replace(a, is_open=False, at_s=NOW_S) if a.is_open else a for a in made]
            assert NOW_S < verdict.until_s <= NOW_S + rule.within_s
            assert is_forbidden(rule, ended, one, verdict.until_s - 1)
            assert not is_forbidden(rule, ended, one, verdict.until_s)


@given(rules, attempts, attempts, candidates)
def test_more_attempts_never_make_it_legal(
    rule: AttemptRule, made: list[Attempt], more: list[Attempt], one: Candidate
) -> None:
    """Whoever is blocked stays blocked when further attempts become known."""
    if any(v.is_blocking for v in judge_attempts([rule], made, one, NOW_S)):
        assert any(v.is_blocking for v in judge_attempts([rule], [*made, *more], one, NOW_S))


def test_the_second_of_release() -> None:
    """The third attempt in 24 hours counts until exactly 24 hours after the first was recorded."""
    rule = AttemptRule(name="3 in 24 h", at_most=3, within_s=DAY_S)
    made = [
        Attempt(at_s=NOW_S - age, number_key=str(age), person_key="c1", campaign_id=1) for age in (DAY_S - 1, 3600, 60)
    ]
    one = Candidate(number_key="9", person_key="c1", campaign_id=1)
    (verdict,) = judge_attempts([rule], made, one, NOW_S)
    assert (verdict.is_blocking, verdict.value, verdict.until_s) == (True, "3 of 3 in 24 h", NOW_S + 1)
    (verdict,) = judge_attempts([rule], made, one, NOW_S + 1)
    assert (verdict.is_blocking, verdict.value, verdict.until_s) == (False, "2 of 3 in 24 h", None)


def test_quiet_time_after_a_conversation() -> None:
    """Seven days after a conversation nobody calls, but for the callback that the person asked for."""
    rule = AttemptRule(name="quiet", at_most=0, within_s=7 * DAY_S, includes_callbacks=False)
    made = [Attempt(at_s=NOW_S - DAY_S, number_key="1", person_key="c1", campaign_id=1, is_conversation=True)]
    one = Candidate(number_key="2", person_key="c1", campaign_id=2)
    (verdict,) = judge_attempts([rule], made, one, NOW_S)
    assert (verdict.is_blocking, verdict.value, verdict.until_s) == (True, "spoken to within 7 d", NOW_S + 6 * DAY_S)
    assert judge_attempts([rule], made, msgspec.structs.replace(one, is_callback=True), NOW_S) == []


@pytest.mark.parametrize(
    ("seconds", "text"), [(DAY_S, "24 h"), (7 * DAY_S, "7 d"), (5400, "90 min"), (90, "90 s"), (36_000, "10 h")]
)
def test_durations(seconds: int, text: str) -> None:
    """Durations are told in their largest whole unit."""
    assert duration(seconds) == text


def test_how_far_back() -> None:
    """The longest rolling time says how much history a judgement needs."""
    assert longest_s([]) == 0
    assert (
        longest_s([AttemptRule(name="a", at_most=1, within_s=60), AttemptRule(name="b", at_most=1, within_s=90)]) == 90
    )
