"""Explanations of past attempts: by the rules and the overrides of then."""

from __future__ import annotations

import msgspec
import pytest

from tests.app.harness import CENTRE, NOON_S, House, record, run_in_house
from tests.app.test_explain import HOUR_S, explainer
from tests.app.test_judging import made, put
from trunkline.app.explain.documents import attempts_as_json
from trunkline.app.explain.explaining import Target
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite
from trunkline.domain.attempt_rules import AttemptRule
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.facts import Rule
from trunkline.domain.objects import ObjectKind
from trunkline.domain.rule_sets import DEFAULT, RuleOverride, RuleSet
from trunkline.errors import NotFound


def test_a_past_attempt_of_a_person_who_was_erased() -> None:
    """The keys that chance drew are taken as they stand: attempts under the same ones count, and nothing fails."""

    async def check(house: House) -> None:
        last = attempt_row(record(1), AttemptStep.PERMITTED, NOON_S * 1000, "last", campaign_id=201)
        rows = [*(made(record(1), age) for age in (600, 500, 400)), last]
        async with house.store.begin() as unit:
            erased = [msgspec.structs.replace(row, number_key="x1f", person_key="x4bec") for row in rows]
            await unit.save(Changes(attempts=erased))
        told = await explainer(house).attempts(Target(list_name="List", chain_id=1))
        (again,) = [one for one in told if one.stored.row.attempt_guid == "last"]
        assert not again.was_allowed
        assert "3 of 3 in 24 h" in [verdict.value for verdict in again.verdicts]

    run_in_house(check, [record(1)], campaign={"rule_set_id": None})


def test_an_override_does_not_excuse_what_was_before_it() -> None:
    """An attempt that broke a rule stays one that was not allowed when the rule is overridden afterwards."""

    async def check(house: House) -> None:
        rows = [made(record(1), age) for age in (600, 500, 400)]
        rows += [
            attempt_row(record(1), AttemptStep.PERMITTED, at_s * 1000, guid, campaign_id=201)
            for at_s, guid in ((NOON_S, "before"), (NOON_S + 120, "after"))
        ]
        override = RuleOverride(
            contact_centre_id=CENTRE, override_id=0, name="o", rule="attempt limit", reason="r", campaign_id=201,
            until_s=NOON_S + HOUR_S,
        )  # fmt: skip
        write = ObjectWrite(
            contact_centre_id=CENTRE, kind=ObjectKind.RULE_OVERRIDE, object_id=0, expected_version=0, value=override
        )
        await house.store.change_objects(ObjectChanges(at_ms=(NOON_S + 60) * 1000, changed_by=None, writes=(write,)))
        await house.refresh()
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=rows))
        told = await explainer(house).attempts(Target(list_name="List", chain_id=1))
        allowed = {one.stored.row.attempt_guid: one.was_allowed for one in told}
        assert (allowed["before"], allowed["after"]) == (False, True)

    run_in_house(check, [record(1)], campaign={"rule_set_id": None})


def test_a_past_attempt_by_the_rules_of_then() -> None:
    """The version of the rule set that bound the attempt is used, not the one of today."""

    async def check(house: House) -> None:
        strict = RuleSet(
            contact_centre_id=CENTRE, rule_set_id=0, name="ours", calling_times=("basic",),
            attempt_rules=(AttemptRule(name="1 in 24 h", at_most=1, within_s=86_400),),
        )  # fmt: skip
        await put(house, ObjectKind.RULE_SET, strict)
        stored = next(o for o in house.writer.book.objects_of(CENTRE, ObjectKind.RULE_SET) if o.value.name == "ours")
        loose = msgspec.structs.replace(strict, rule_set_id=stored.object_id, attempt_rules=DEFAULT.attempt_rules)
        write = ObjectWrite(
            contact_centre_id=CENTRE, kind=ObjectKind.RULE_SET, object_id=stored.object_id,
            expected_version=stored.version, value=loose,
        )  # fmt: skip
        await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=None, writes=(write,)))
        await house.refresh()
        rule_set = {"rule_set_id": stored.object_id, "campaign_id": 201}
        rows = [
            attempt_row(
                record(1), AttemptStep.PERMITTED, (NOON_S - age) * 1000, guid, rule_set_version=version, **rule_set
            )
            for age, guid, version in ((900, "a", 1), (600, "b", 1), (300, "c", 2), (100, "d", 9))
        ]
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=[*rows[:3]]))
        told = await explainer(house).attempts(Target(list_name="List", chain_id=1))
        assert [(one.stored.row.attempt_guid, one.was_allowed) for one in told] == [
            ("c", True),
            ("b", False),
            ("a", True),
        ]
        assert {verdict.rule for verdict in told[0].verdicts} == {
            Rule.RECORD_WINDOW, Rule.CALLING_TIME, Rule.HOLIDAY, Rule.ATTEMPT_LIMIT, Rule.QUIET_TIME,
        }  # fmt: skip
        (second,) = [one for one in attempts_as_json(told) if one["attemptGuid"] == "b"]
        assert second["ruleSetVersion"] == 1
        assert (second["callingList"], second["campaignName"], second["chainId"]) == ("List", "Campaign", 1)
        assert (second["phoneNumber"], second["callResult"]) == ("12125550010", "Unknown")
        assert "1 of 1 in 24 h" in [verdict["value"] for verdict in second["verdicts"]]
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=[rows[3]]))
        with pytest.raises(NotFound, match="version 9 is no longer known"):
            await explainer(house).attempts(Target(list_name="List", chain_id=1))

    run_in_house(check, [record(1)], campaign={"rule_set_id": None})
