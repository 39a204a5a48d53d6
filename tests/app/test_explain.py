"""Explanations of records by every name they have."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, NOON_S, House, agent, record, run_in_house
from tests.app.test_judging import made
from trunkline.app.explain.documents import records_as_json
from trunkline.app.explain.explaining import Explainer, Target
from trunkline.app.ports import Changes, Suppression
from trunkline.domain.enums import DoNotCallKind, RecordType
from trunkline.domain.facts import Rule
from trunkline.errors import MissingParameter, NotFound

HOUR_S = 3600


def explainer(house: House, at_s: int = NOON_S) -> Explainer:
    """An explainer of the house at a moment."""
    return Explainer(house.store, house.writer.book, CENTRE, at_s * 1000)


def test_a_record_is_found_by_each_of_its_names() -> None:
    """By chain and place, by record id with and without list, number and handle; what is not there is refused."""

    async def check(house: House) -> None:
        ask = explainer(house)
        both = await ask.records(Target(list_name="List", chain_id=1))
        assert [one.record.chain_n for one in both] == [0, 1]
        for target in (
            Target(list_name="List", chain_id=1, chain_n=1),
            Target(record_id=101),
            Target(list_name="List", record_id=101),
            Target(phone_number="+1 212 555 0011"),
        ):
            (one,) = await ask.records(target)
            assert one.record.record_id == 101
            assert one.list_name == "List"
        await house.preview(agent(1))
        handle = (await house.desk(agent(1)))[0].entry.handle
        (held,) = await ask.records(Target(handle=handle))
        busy = next(v for v in held.campaigns[0].verdicts if v.rule is Rule.CHAIN_BUSY)
        assert busy.is_blocking
        assert "on the desk of agent1" in busy.sentence
        for nothing in (Target(record_id=7), Target(handle=1), Target(list_name="Other", record_id=101)):
            with pytest.raises(NotFound):
                await ask.records(nothing)
        for vague in (Target(), Target(chain_id=1)):
            with pytest.raises(MissingParameter):
                await ask.records(vague)
        with pytest.raises(NotFound):
            await ask.records(Target(record_id=101), "Nowhere")

    run_in_house(check, [record(1, 0), record(1, 1)], campaign={"rule_set_id": None})


def test_every_campaign_that_has_the_list_is_told() -> None:
    """One explanation for each campaign group; for a list that none has, one without a campaign."""

    async def check(house: House) -> None:
        ask = explainer(house)
        (one,) = await ask.records(Target(list_name="List", chain_id=1))
        assert sorted(each.campaign_name for each in one.campaigns) == ["Campaign", "Elsewhere"]
        assert all(each.may_be_called for each in one.campaigns)
        (only,) = await ask.records(Target(list_name="List", chain_id=1), "Campaign")
        assert [each.campaign_name for each in only.campaigns] == ["Campaign"]
        (alone,) = await ask.records(Target(list_name="Foreign", chain_id=2))
        assert [each.campaign_name for each in alone.campaigns] == [""]
        (told,) = records_as_json([one])
        assert told["campaigns"][0]["mayBeCalled"] is True
        assert {v["rule"] for v in told["campaigns"][0]["verdicts"]} == set(Rule)
        msgspec.json.encode(told)

    run_in_house(check, [record(1), record(2, list_id=103)], campaign={"rule_set_id": None})


def test_why_and_until_when() -> None:
    """Each rule that holds a record back comes with its reason and its end, and what was tried is told."""

    async def check(house: House) -> None:
        entry = Suppression(
            contact_centre_id=CENTRE, kind=DoNotCallKind.NUMBER, value=record(1).phone_number, reason="asked",
            expires_at_s=NOON_S + 5 * 86_400, added_at_ms=NOON_S * 1000 - 1,
        )  # fmt: skip
        async with house.store.begin() as unit:
            rows = [made(record(1), age) for age in (600, 500, 400)]
            await unit.save(Changes(attempts=rows, suppressions=[entry]))
        (one,) = await explainer(house, NOON_S + 10 * HOUR_S).records(Target(list_name="List", chain_id=1), "Campaign")
        (campaign,) = one.campaigns
        until = {verdict.rule: verdict.until_s for verdict in campaign.verdicts if verdict.is_blocking}
        assert until == {
            Rule.ATTEMPT_LIMIT: NOON_S - 600 + 86_400,
            Rule.SUPPRESSION: NOON_S + 5 * 86_400,
            Rule.CALLING_TIME: NOON_S + 20 * HOUR_S,
        }
        assert campaign.free_at_s == NOON_S + 5 * 86_400
        assert not campaign.may_be_called
        assert [stored.row.at_ms // 1000 for stored in one.history] == [NOON_S - 400, NOON_S - 500, NOON_S - 600]

    run_in_house(check, [record(1)], campaign={"rule_set_id": None})


def test_what_the_group_has_fetched_goes_out_next() -> None:
    """A chain in the group's own buffer may be called for that group and for no other, and the overview counts it."""

    async def check(house: House) -> None:
        await house.preview(agent(1))
        told = {one.campaign_name: one for one in await explainer(house).list("List")}
        assert told["Campaign"].buffered_chains == 2
        assert told["Elsewhere"].buffered_chains == 0
        (one,) = await explainer(house).records(Target(list_name="List", chain_id=2))
        assert {each.campaign_name: each.may_be_called for each in one.campaigns} == {
            "Campaign": True,
            "Elsewhere": False,
        }
        await house.preview(agent(1))
        assert (await house.desk(agent(1)))[-1].record.chain_id == 2

    run_in_house(check, [record(1), record(2), record(3)], campaign={"rule_set_id": None})


def test_a_validation_that_the_server_does_not_know_holds_everything_back() -> None:
    """The campaign calls nobody then, and explanations say so; one that is known is asked at the hand-out."""

    async def check(house: House) -> None:
        url = "https://crm.example.com/ask"
        for urls, is_free in ((frozenset[str](), False), (frozenset({url}), True), (None, True)):
            ask = Explainer(house.store, house.writer.book, CENTRE, NOON_S * 1000, urls)
            (one,) = await ask.records(Target(list_name="List", chain_id=1), "Campaign")
            assert one.campaigns[0].may_be_called is is_free
            verdict = next(v for v in one.campaigns[0].verdicts if v.rule is Rule.VALIDATION)
            assert url in verdict.sentence
            (overview, _) = await ask.campaign("Campaign")
            assert overview.callable_now == int(is_free)
            assert (Rule.VALIDATION in {held.rule for held in overview.held}) is not is_free

    changes = {"rule_set_id": None, "validation_url": "https://crm.example.com/ask"}
    run_in_house(check, [record(1)], campaign=changes)


def test_a_callback_of_an_agent_who_works_elsewhere() -> None:
    """No agent of such a group gets it, so for that group it may not be called; the agent is named."""

    async def check(house: House) -> None:
        (one,) = await explainer(house).records(Target(list_name="List", chain_id=1), "Campaign")
        verdict = next(v for v in one.campaigns[0].verdicts if v.rule is Rule.OTHER_AGENT)
        assert (verdict.is_blocking, verdict.value) == (True, "agent9")
        (own,) = await explainer(house).records(Target(list_name="List", chain_id=2), "Campaign")
        assert own.campaigns[0].may_be_called
        (told,) = records_as_json([own])
        assert (told["dueAt"], told["heldBy"]) == (NOON_S - 60, None)

    due: dict[str, Any] = {"record_type": RecordType.PERSONAL_CALL_BACK, "due_at_s": NOON_S - 60}
    run_in_house(check, [record(1, agent_id=9, **due), record(2, agent_id=2, **due)])


def test_another_contact_centre_sees_nothing() -> None:
    """Records, lists and campaigns of others are not found."""

    async def check(house: House) -> None:
        other = Explainer(house.store, house.writer.book, CENTRE + 1, NOON_S * 1000)
        for target in (
            Target(record_id=100),
            Target(list_name="List", chain_id=1),
            Target(phone_number="+12125550010"),
        ):
            with pytest.raises(NotFound):
                await other.records(target)
        with pytest.raises(NotFound):
            await other.campaign("Campaign")
        with pytest.raises(NotFound):
            await other.list("List")

    run_in_house(check, [record(1)], campaign={"rule_set_id": None})
