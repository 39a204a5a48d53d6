"""A simulated month: the auditor finds nothing in what the rules permit, and finds what broken rules permit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import trunkline.rules
from bench.compliance.month import Month, untouched
from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import read_rule_files
from trunkline.domain.attempt_rules import AttemptRule
from trunkline.domain.eligibility import SECONDS_A_DAY
from trunkline.domain.facts import Facts

RULES = Path(trunkline.rules.__file__).parent
ATTEMPTS = 2500
"""Enough for every kind of limit to bite in a month, and done in seconds."""


def audited(seed: int, twist: Callable[[Facts], Facts] = untouched, attempts: int = ATTEMPTS) -> tuple[Month, Audit]:
    """A month and what the auditor says of its log."""
    month, audit = Month(seed, attempts, twist), Audit(read_rule_files([RULES]))
    for line in month.lines():
        audit.read(line.decode())
    return month, audit


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_the_rules_permit_nothing_illegal(seed: int) -> None:
    """Over many zones and regions, changes of the clock, holidays, callbacks and limits: no illegal attempt."""
    month, audit = audited(seed)
    assert audit.findings == []
    assert audit.attempts == month.permitted >= ATTEMPTS * 0.95
    assert month.refused > ATTEMPTS / 20
    assert month.callbacks > ATTEMPTS / 100


def an_hour_late(facts: Facts) -> Facts:
    """A clock that was not set forward."""
    return msgspec.structs.replace(facts, now_s=facts.now_s - 3600)


def one_zone(facts: Facts) -> Facts:
    """A number that may be in two zones, looked at in one."""
    return msgspec.structs.replace(facts, record=msgspec.structs.replace(facts.record, other_zones=()))


def any_window(facts: Facts) -> Facts:
    """The record's own window forgotten."""
    record = msgspec.structs.replace(facts.record, from_s=0, until_s=SECONDS_A_DAY)
    return msgspec.structs.replace(facts, record=record)


def no_holidays(facts: Facts) -> Facts:
    """Holidays forgotten."""
    return msgspec.structs.replace(facts, limits=facts.limits.without_holidays())


def no_region(facts: Facts) -> Facts:
    """State law forgotten."""
    return msgspec.structs.replace(facts, record=msgspec.structs.replace(facts.record, region="US"))


def one_more(facts: Facts) -> Facts:
    """Limits that let one more pass."""

    def looser(rule: AttemptRule) -> AttemptRule:
        return msgspec.structs.replace(rule, at_most=rule.at_most + 1) if rule.at_most else rule

    rules = tuple(looser(rule) for rule in facts.rule_set.attempt_rules)
    return msgspec.structs.replace(facts, rule_set=msgspec.structs.replace(facts.rule_set, attempt_rules=rules))


def no_quiet_time(facts: Facts) -> Facts:
    """Quiet time forgotten."""
    rules = tuple(rule for rule in facts.rule_set.attempt_rules if rule.at_most)
    return msgspec.structs.replace(facts, rule_set=msgspec.structs.replace(facts.rule_set, attempt_rules=rules))


def no_open_attempts(facts: Facts) -> Facts:
    """Attempts counted only when they are over."""
    return msgspec.structs.replace(facts, attempts=tuple(one for one in facts.attempts if not one.is_open))


@pytest.mark.parametrize(
    ("twist", "rule"),
    [
        (an_hour_late, "calling time"),
        (an_hour_late, "record window"),
        (one_zone, "record window"),
        (one_zone, "calling time"),
        (any_window, "record window"),
        (no_holidays, "holiday"),
        (no_region, "calling time"),
        (one_more, "attempt limit"),
        (no_quiet_time, "quiet time"),
    ],
)
def test_the_auditor_finds_what_a_broken_rule_permits(twist: Callable[[Facts], Facts], rule: str) -> None:
    """Each way to break a rule leaves attempts that the auditor finds, with the row and the reason."""
    _, audit = audited(5, twist)
    assert audit.illegal[rule] > 0
    finding = next(one for one in audit.findings if one.rule == rule)
    assert finding.seq > 0
    assert finding.text


@pytest.mark.long
def test_the_auditor_finds_open_attempts_that_were_not_counted() -> None:
    """Two at the same time, where one was left: rare, and found in a larger month."""
    _, audit = audited(5, no_open_attempts, 30_000)
    assert audit.illegal["attempt limit"] > 0


def test_a_line_that_is_no_part_of_an_export() -> None:
    """The auditor refuses what it does not know instead of passing over it."""
    audit = Audit({})
    for line in ('{"kind": "recipe"}', "[1]", "nonsense"):
        with pytest.raises(ValueError):  # noqa: PT011 - the decoder's and ours
            audit.read(line)
