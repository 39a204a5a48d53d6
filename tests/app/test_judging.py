"""Facts are collected for many records at once, what the batch adds included; attempt rules put records back."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.app.harness import CAMPAIGN_ID, CENTRE, LIST_ID, NOON_S, House, record, run_in_house
from trunkline.app.judging.facts import blocked, blocked_row, facts_of, put_back
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite, Suppression
from trunkline.app.view import Decision, View
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import CallResult, DoNotCallKind, Hold
from trunkline.domain.facts import Rule
from trunkline.domain.filters import Filter
from trunkline.domain.objects import ObjectKind, ObjectValue
from trunkline.domain.records import Record
from trunkline.domain.rule_sets import RuleOverride

ONE = record(1, customer_id="ada")
TWO = record(2, customer_id="ada")
OTHER = record(3)


def made(of: Record, age_s: int, **facts: Any) -> AttemptRow:
    """An attempt with a result, so long ago."""
    values = {"campaign_id": CAMPAIGN_ID, "call_result": CallResult.NO_ANSWER, **facts}
    return attempt_row(
        msgspec.structs.replace(of, call_result=values.pop("call_result")),
        AttemptStep.ENDED,
        (NOON_S - age_s) * 1000,
        f"{of.chain_id}-{age_s}",
        **values,
    )


async def put(house: House, kind: ObjectKind, value: ObjectValue) -> None:
    """Write an object, and let the writer see it."""
    write = ObjectWrite(contact_centre_id=CENTRE, kind=kind, object_id=0, expected_version=0, value=value)
    await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=None, writes=(write,)))
    await house.refresh()


def test_many_records_in_two_questions() -> None:
    """Attempts count for the person across chains, entries for the record they name, and nobody else is held back."""

    async def check(house: House) -> None:
        async with house.store.begin() as unit:
            entry = Suppression(
                contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=OTHER.phone_number, reason="asked"
            )
            rows = [made(ONE, 600), made(TWO, 500), made(ONE, 400)]
            await unit.save(Changes(attempts=rows, suppressions=[entry]))
        async with house.store.begin() as unit:
            view = View(unit, house.writer.book, NOON_S * 1000)
            campaign = view.book.campaign(CENTRE, "Campaign")
            found = await facts_of(view, campaign, [ONE, TWO, OTHER, record(4)], 1)
            assert [len(facts.attempts) for facts in found] == [3, 3, 0, 0]
            assert [hit.reason for hit in found[2].suppressions] == ["asked"]
            told = await blocked(view, campaign, [ONE, TWO, OTHER, record(4)], 1)
        rules = [[verdict.rule for verdict in verdicts] for _, verdicts in told]
        assert rules == [[Rule.ATTEMPT_LIMIT], [Rule.ATTEMPT_LIMIT], [Rule.SUPPRESSION], []]
        held = put_back(*told[0])
        assert held is not None
        assert (held.due_at_s, held.hold) == (NOON_S - 600 + 86_400, Hold.ATTEMPT_RULE)
        assert put_back(*told[2]) is None
        row = blocked_row(ONE, told[0][1][0], NOON_S * 1000, campaign, 1, house.writer.book)
        assert (row.step, row.detail["rule"], row.detail["value"]) == (
            AttemptStep.BLOCKED,
            "attempt limit",
            "3 of 3 in 24 h",
        )

    run_in_house(check, [ONE, TWO, OTHER], campaign={"rule_set_id": None})


def test_what_the_batch_adds_counts_at_once() -> None:
    """A hand-out of this very batch is an open attempt for the next one: the last attempt is not given out twice."""

    async def check(house: House) -> None:
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=[made(ONE, 600), made(ONE, 500)]))
        async with house.store.begin() as unit:
            view = View(unit, house.writer.book, NOON_S * 1000)
            campaign = view.book.campaign(CENTRE, "Campaign")
            assert (await blocked(view, campaign, [TWO], 1))[0][1] == []
            begun = attempt_row(ONE, AttemptStep.PERMITTED, NOON_S * 1000, "now", campaign_id=CAMPAIGN_ID)
            view.lay(Decision(attempts=[begun]))
            (verdict,) = (await blocked(view, campaign, [TWO], 2))[0][1]
            assert verdict.value == "3 of 3 in 24 h"

    run_in_house(check, [ONE, TWO], campaign={"rule_set_id": None})


def test_a_callback_that_is_put_back_is_never_sooner() -> None:
    """Held until the later of its own time and the rule's."""
    verdicts = []

    async def check(house: House) -> None:
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=[made(ONE, age) for age in (10, 20, 30)]))
        async with house.store.begin() as unit:
            view = View(unit, house.writer.book, NOON_S * 1000)
            verdicts.extend((await blocked(view, view.book.campaign(CENTRE, "Campaign"), [ONE], 1))[0][1])

    run_in_house(check, [ONE], campaign={"rule_set_id": None})
    late = msgspec.structs.replace(ONE, due_at_s=NOON_S + 10**6)
    held = put_back(late, verdicts)
    assert held is not None
    assert held.due_at_s == NOON_S + 10**6


def test_filters_and_overrides_count() -> None:
    """The filter of the list is judged, one that no longer fits holds back, and an override of the number lets go."""

    async def check(house: House) -> None:
        async def rules_against(one: Record) -> list[Rule]:
            async with house.store.begin() as unit:
                view = View(unit, house.writer.book, NOON_S * 1000)
                told = await blocked(view, view.book.campaign(CENTRE, "Campaign"), [one], 1)
            return [verdict.rule for verdict in told[0][1]]

        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=[made(ONE, age) for age in (10, 20, 30)]))
        assert await rules_against(ONE) == [Rule.ATTEMPT_LIMIT]
        override = RuleOverride(
            contact_centre_id=CENTRE, override_id=0, name="o", rule="attempt limit", reason="r", until_s=NOON_S + 60,
            number_key="12125550010",
        )  # fmt: skip
        assert ONE.phone_number == "+12125550010"
        await put(house, ObjectKind.RULE_OVERRIDE, override)
        assert await rules_against(ONE) == []
        few = Filter(contact_centre_id=CENTRE, filter_id=0, name="few", criteria="attempts > 3")
        await put(house, ObjectKind.FILTER, few)
        filter_id = house.writer.book.objects_of(CENTRE, ObjectKind.FILTER)[0].object_id
        stored = house.writer.book.object(CENTRE, ObjectKind.CALLING_LIST, LIST_ID)
        assert stored is not None
        assert isinstance(stored.value, CallingList)
        write = ObjectWrite(
            contact_centre_id=CENTRE, kind=ObjectKind.CALLING_LIST, object_id=LIST_ID, expected_version=stored.version,
            value=msgspec.structs.replace(stored.value, filter_id=filter_id),
        )  # fmt: skip
        await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=None, writes=(write,)))
        await house.refresh()
        assert await rules_against(record(9)) == [Rule.FILTER]
        assert await rules_against(record(9, attempts=4)) == []

    run_in_house(check, [ONE], campaign={"rule_set_id": None})
