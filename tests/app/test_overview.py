"""Lists and campaigns in numbers: what each rule holds back, exactly or by a sample, and when records become free."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, LIST_ID, NOON_S, OTHER_LIST_ID, House, record, run_in_house
from tests.app.test_explain import HOUR_S, explainer
from tests.app.test_judging import made, put
from trunkline.app.explain.census import HOURS_AHEAD
from trunkline.app.explain.documents import overviews_as_json
from trunkline.app.explain.explaining import Target
from trunkline.app.explain.overview import SWITCHES, Overview
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite, Suppression
from trunkline.domain.campaigns import CampaignDefinition, CampaignList
from trunkline.domain.enums import CallResult, DoNotCallKind, GroupStatus, Hold, PhoneType, RecordStatus, RecordType
from trunkline.domain.facts import Rule
from trunkline.domain.objects import ObjectKind
from trunkline.errors import NotFound


def many() -> list[Any]:
    """Records of every fate."""
    kinds: list[tuple[int, dict[str, Any]]] = [
        (5, {}),
        (4, {"status": RecordStatus.UPDATED, "call_result": CallResult.ANSWER}),
        (3, {"from_s": 15 * HOUR_S, "until_s": 16 * HOUR_S}),
        (2, {"due_at_s": NOON_S + 90 * 60, "record_type": RecordType.CAMPAIGN_RESCHEDULED}),
        (2, {"due_at_s": NOON_S + 30 * HOUR_S, "hold": Hold.ATTEMPT_RULE}),
        (1, {"attempts": 10}),
        (1, {"record_type": RecordType.NO_CALL}),
        (1, {"phone_type": PhoneType.EMAIL_ADDRESS, "phone_number": "a@b.c"}),
        (2, {"from_s": 3 * HOUR_S, "until_s": 4 * HOUR_S}),
        (1, {"record_type": RecordType.PERSONAL_CALL_BACK, "agent_id": 1, "due_at_s": NOON_S - 5}),
        (3, {"time_zone": "Asia/Tokyo"}),
        (1, {"status": RecordStatus.CHAIN_READY, "attempts": 10}),
    ]
    return [record(100 * at + n, **{"phone_number": f"+1{at:02}{n:08}", **changes})
            for at, (count, changes) in enumerate(kinds, 1) for n in range(count)]  # fmt: skip


def test_a_campaign_in_numbers() -> None:
    """How many each rule holds back, alone and together, what is free now and in each hour, later, and never."""

    async def check(house: House) -> None:
        first, other = await explainer(house).campaign("Campaign")
        assert (first.list_name, other.list_name, other.records) == ("List", "Other", 0)
        assert (first.records, first.open_records) == (26, 22)
        assert first.by_status == {"CHAIN_READY": 1, "READY": 21, "UPDATED": 4}
        held = {one.rule: (one.records, one.alone) for one in first.held}
        assert held == {
            Rule.STATUS: (1, 0),
            Rule.NO_CALL: (1, 1),
            Rule.CONTACT_TYPE: (1, 1),
            Rule.DUE_TIME: (2, 2),
            Rule.HOLD: (2, 2),
            Rule.MAX_ATTEMPTS: (2, 1),
            Rule.RECORD_WINDOW: (5, 5),
            Rule.CALLING_TIME: (3, 3),
        }
        assert (first.callable_now, first.callable_if_on, first.obstacles) == (6, 6, [])
        assert first.personal == 1
        hours = [0] * HOURS_AHEAD
        hours[1] = 2  # due in an hour and a half
        hours[3] = 3  # the window from 15:00
        hours[11] = 3  # Tokyo at 8:00
        assert first.free_per_hour == hours
        assert (first.free_later, first.never_free) == (2, 2)
        msgspec.json.encode(overviews_as_json([first, other]))
        (by_list,) = await explainer(house).list("Foreign")
        assert (by_list.campaign_name, by_list.records) == ("", 0)

    run_in_house(check, many(), campaign={"rule_set_id": None})


async def switch_off(house: House, campaign_name: str) -> None:
    """Disable a campaign."""
    stored = house.writer.book.object_named(CENTRE, ObjectKind.CAMPAIGN, campaign_name)
    assert stored is not None
    assert isinstance(stored.value, CampaignDefinition)
    write = ObjectWrite(
        contact_centre_id=CENTRE, kind=ObjectKind.CAMPAIGN, object_id=stored.object_id,
        expected_version=stored.version, value=msgspec.structs.replace(stored.value, is_enabled=False),
    )  # fmt: skip
    await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=None, writes=(write,)))
    await house.refresh()


@pytest.mark.parametrize(
    ("campaign", "calling_list", "rules", "sentence"),
    [
        ({"status": GroupStatus.NOT_LOADED}, {}, [Rule.GROUP_STATE], "is not loaded"),
        ({"status": GroupStatus.ACTIVE}, {}, [Rule.GROUP_STARTED], "is not started"),
        ({"agents": frozenset()}, {}, [Rule.GROUP_STATE], "cannot work (the agent group has no agents)"),
        ({"is_enabled": False}, {}, [Rule.CAMPAIGN_ENABLED, Rule.GROUP_STATE], "is switched off"),
        ({}, {"is_enabled": False}, [Rule.LIST_ENABLED], "The calling list List is switched off"),
        (
            {"lists": (CampaignList(LIST_ID, 0), CampaignList(OTHER_LIST_ID))}, {}, [Rule.LIST_SHARE], "has no share",
        ),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_switched_off_hides_no_figures(
    campaign: dict[str, Any], calling_list: dict[str, Any], rules: list[Rule], sentence: str
) -> None:
    """Whoever is about to start sees what the start would give: the obstacle is told, the rest is as if it ran."""
    seen: list[Overview] = []

    async def look(house: House) -> None:
        if seen and campaign.get("is_enabled") is False:
            await switch_off(house, "Campaign")
        seen.append((await explainer(house).campaign("Campaign"))[0])

    run_in_house(look, many(), campaign={"rule_set_id": None})
    run_in_house(look, many(), campaign={"rule_set_id": None, **campaign}, list_changes=calling_list)
    on, off = seen
    assert [verdict.rule for verdict in off.obstacles] == rules
    assert sentence in off.obstacles[0].sentence
    # A group that is loaded hands out the callback that is due.
    assert off.callable_now == int(rules == [Rule.GROUP_STARTED])
    assert (off.callable_if_on, off.personal) == (on.callable_if_on, on.personal) == (6, 1)
    assert (off.free_per_hour, off.free_later, off.never_free) == (on.free_per_hour, on.free_later, on.never_free)
    about_records = [held for held in off.held if held.rule not in SWITCHES]
    assert about_records == on.held
    assert {held.rule for held in off.held} - {held.rule for held in about_records} == set(rules)
    (told,) = overviews_as_json([off])
    assert [verdict["rule"] for verdict in told["obstacles"]] == [rule.value for rule in rules]
    assert (told["callableNow"], told["callableIfOn"]) == (off.callable_now, 6)


def test_records_under_two_rules_of_contacts_are_not_callable() -> None:
    """A number that is suppressed and was tried too often is held by both, and counted as callable by neither."""

    async def check(house: House) -> None:
        async with house.store.begin() as unit:
            entry = Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=record(1).phone_number)
            rows = [made(record(1), age) for age in (600, 500, 400)]
            await unit.save(Changes(attempts=rows, suppressions=[entry]))
        first = (await explainer(house).campaign("Campaign"))[0]
        assert {one.rule: (one.records, one.alone) for one in first.held} == {
            Rule.SUPPRESSION: (1, 0),
            Rule.ATTEMPT_LIMIT: (1, 0),
        }
        assert (first.callable_now, first.callable_if_on) == (1, 1)
        assert (sum(first.free_per_hour), first.free_later, first.never_free) == (0, 0, 1)

    run_in_house(check, [record(1), record(2)], campaign={"rule_set_id": None})


def test_a_campaign_that_nobody_works() -> None:
    """Without a campaign group there is nothing to tell, and that is said."""

    async def check(house: House) -> None:
        await put(house, ObjectKind.CAMPAIGN, CampaignDefinition(contact_centre_id=CENTRE, campaign_id=0, name="Bare"))
        with pytest.raises(NotFound, match="has no campaign group"):
            await explainer(house).campaign("Bare")

    run_in_house(check, [])


def test_contacts_are_sampled() -> None:
    """Suppression and attempt rules are counted exactly while the sample is everything."""

    async def check(house: House) -> None:
        async with house.store.begin() as unit:
            entry = Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=record(1).phone_number)
            rows = [made(record(2), age) for age in (600, 500, 400)]
            await unit.save(Changes(attempts=rows, suppressions=[entry]))
        first = (await explainer(house).campaign("Campaign"))[0]
        held = {one.rule: (one.records, one.alone, one.is_estimate) for one in first.held}
        assert held == {
            Rule.CONTACT_TYPE: (1, 1, False),
            Rule.SUPPRESSION: (1, 1, False),
            Rule.ATTEMPT_LIMIT: (1, 1, False),
        }
        assert (first.callable_now, first.sampled) == (8, 11)

    records = [*(record(n) for n in range(1, 11)), record(10, 1, phone_type=PhoneType.EMAIL_ADDRESS)]
    run_in_house(check, records, campaign={"rule_set_id": None})


def suppression(n: int, until_s: int | None) -> Suppression:
    """A do-not-call entry for the number of a chain."""
    number = record(n).phone_number
    return Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=number, expires_at_s=until_s)


def test_what_a_rule_of_contacts_holds_is_free_when_it_lets_go() -> None:
    """Limits and entries that end: the hour in which the record may be called, with its window and its due time."""

    async def check(house: House) -> None:
        rows = [made(record(1), age) for age in (600, 500, 400)]
        ends_s = NOON_S + 5 * HOUR_S + 1800
        entries = [suppression(2, ends_s), suppression(3, None), suppression(4, ends_s)]
        async with house.store.begin() as unit:
            await unit.save(Changes(attempts=rows, suppressions=entries))
        first = (await explainer(house).campaign("Campaign"))[0]
        hours = [0] * HOURS_AHEAD
        hours[0] = 1  # due in half an hour, a quarter of an hour before its window closes
        hours[5] = 1  # the entry that ends
        hours[23] = 1  # the first of three attempts is 24 hours old
        assert first.free_per_hour == hours
        # An entry that ends after today's window, and one for good.
        assert (first.callable_if_on, first.free_later, first.never_free) == (1, 1, 1)
        for at_s, n in ((NOON_S + 86_400 - 600, 1), (ends_s, 2), (NOON_S + 27 * HOUR_S, 4), (NOON_S + 1800, 5)):
            for moment_s, is_free in ((at_s - 1, False), (at_s, True)):
                (one,) = await explainer(house, moment_s).records(Target(list_name="List", chain_id=n), "Campaign")
                assert one.campaigns[0].may_be_called is is_free

    retry: dict[str, Any] = {"record_type": RecordType.CAMPAIGN_RESCHEDULED, "due_at_s": NOON_S + 1800}
    records = [
        *(record(n) for n in (1, 2, 3, 6)),
        record(4, from_s=15 * HOUR_S, until_s=16 * HOUR_S),
        record(5, from_s=8 * HOUR_S, until_s=12 * HOUR_S + 2700, **retry),
    ]
    run_in_house(check, records, campaign={"rule_set_id": None})


@pytest.mark.parametrize(("at_s", "open_hour"), [(NOON_S, None), (NOON_S + 10 * HOUR_S, 10)])
def test_an_estimate_moves_what_it_found(monkeypatch: pytest.MonkeyPatch, at_s: int, open_hour: int | None) -> None:
    """By day and at night: nothing is counted twice, and what an entry holds for good becomes free in no hour."""
    monkeypatch.setattr("trunkline.app.explain.explaining.SAMPLE", 20)

    async def check(house: House) -> None:
        ends_s = at_s + 12 * HOUR_S + 60
        entries = [suppression(n, None if n % 4 else ends_s) for n in range(2, 101, 2)]
        async with house.store.begin() as unit:
            await unit.save(Changes(suppressions=entries))
        first = (await explainer(house, at_s).campaign("Campaign"))[0]
        (held,) = [one for one in first.held if one.rule is Rule.SUPPRESSION]
        assert held.is_estimate
        by_hour = {hour: count for hour, count in enumerate(first.free_per_hour) if count}
        free = first.callable_if_on if open_hour is None else by_hour.pop(open_hour)
        assert free == 100 - held.records
        # In the night of noon's entries; at eleven in the morning of the others.
        ended = first.free_per_hour[20 if open_hour is None else 12]
        assert first.never_free + ended == held.records
        assert (free, ended, first.never_free) == pytest.approx((50, 25, 25), abs=15)
        assert free + sum(by_hour.values()) + first.never_free == 100

    run_in_house(check, [record(n) for n in range(1, 101)], campaign={"rule_set_id": None})


def test_a_long_list_is_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a list longer than the sample a share is looked at and taken for the whole, and said to be an estimate."""
    monkeypatch.setattr("trunkline.app.explain.explaining.SAMPLE", 20)

    async def check(house: House) -> None:
        numbers = [record(n).phone_number for n in range(1, 101, 2)]
        entries = [Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=number) for number in numbers]
        async with house.store.begin() as unit:
            await unit.save(Changes(suppressions=entries))
        first = (await explainer(house).campaign("Campaign"))[0]
        (held,) = first.held
        assert (held.rule, held.is_estimate, first.sampled) == (Rule.SUPPRESSION, True, 20)
        assert held.records == held.alone == 100 - first.callable_now
        assert held.records % 5 == 0

    run_in_house(check, [record(n) for n in range(1, 101)])
