"""Documents judged by the server, over the reference store: nothing is written, and each entry sees those before it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.app.harness import CENTRE, CountedChance, House, agent
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.administration.applying import entries_of
from trunkline.app.administration.dry_runs import DryRuns, Judged, Outcome
from trunkline.domain.people import Role
from trunkline.errors import Forbidden, Unavailable

CHIEF = agent(9, Role.ADMINISTRATOR)
SUPERVISOR = agent(8, Role.SUPERVISOR)
USER = {"name": "paul", "password": "long-enough"}


def dry_runs(house: House) -> DryRuns:
    """Those of a contact centre."""
    return DryRuns(house.store, house.clock, CountedChance(), lambda: house.writer.book, frozenset())


async def judged(house: House, document: Any) -> list[Judged]:
    """A document judged; fails when anything was written."""
    assert isinstance(house.store, MemoryStore)
    before = house.store._now()
    found = await dry_runs(house).judge(CHIEF, entries_of(document))
    assert house.store._now() == before
    return found


async def opened() -> House:
    """A contact centre with some objects."""
    house = House()
    await house.open([])
    return house


def outcomes(document: Any) -> list[tuple[str, str]]:
    """Outcomes by place."""

    async def run() -> list[Judged]:
        house = await opened()
        try:
            return await judged(house, document)
        finally:
            await house.close()

    return [(one.entry.place, one.outcome.value) for one in asyncio.run(run())]


def test_entries_see_those_before_them() -> None:
    """A user, a skill and a group that only the document makes are named by what comes after."""
    document = {
        "agentGroups": [{"name": "Night", "users": ["paul"], "skills": [{"skill": "French"}]}],
        "users": [{**USER, "skills": [{"skill": "French", "level": 5}]}],
        "skills": [{"name": "French"}],
        "campaignGroups": [{"name": "By night", "campaign": "Late", "agentGroup": "Night"}],
        "campaigns": [{"name": "Late"}],
    }
    found = outcomes(document)
    assert {outcome for _, outcome in found} == {Outcome.MADE}
    order = [place for place, _ in found]
    assert order.index("skills[0]") < order.index("users[0]") < order.index("agentGroups[0]")


def test_one_agent_group_works_a_campaign_once() -> None:
    """Entries are held against each other as against what is there: here two groups of one document."""
    document = {
        "campaigns": [{"name": "Late"}],
        "agentGroups": [{"name": "Night"}],
        "campaignGroups": [{"name": name, "campaign": "Late", "agentGroup": "Night"} for name in ("One", "Two")],
    }
    assert dict(outcomes(document))["campaignGroups[0]"] == Outcome.MADE
    assert dict(outcomes(document))["campaignGroups[1]"] == Outcome.REFUSED


def test_a_device_belongs_to_one_user() -> None:
    """The second user of a document cannot have the device of the first, who is only pretended."""
    device = {"deviceId": "desk-7", "phoneNumber": "7"}
    users = [{**USER, "devices": [device]}, {**USER, "name": "mary", "devices": [device]}]
    assert outcomes({"users": users}) == [("users[0]", "made"), ("users[1]", "refused")]


def test_what_is_there_changes_and_stays() -> None:
    """Objects that are there are changed in the pretence only; the same again is unchanged; users are disabled."""

    async def run() -> None:
        house = await opened()
        campaign = house.writer.book.groups_of(CENTRE)[0].name
        first, second, third = await judged(
            house,
            {
                "campaigns": [{"name": campaign, "description": "seen"}],
                "suppressionLists": [{"name": "Register", "source": "a"}],
                "users": [{"name": "agent1", "isEnabled": False}],
            },
        )
        assert {first.outcome, second.outcome, third.outcome} == {Outcome.CHANGED, Outcome.MADE}
        (again,) = await judged(house, {"campaigns": [{"name": campaign}]})
        assert again.outcome is Outcome.UNCHANGED
        await house.close()

    asyncio.run(run())


def test_one_document_at_a_time() -> None:
    """While one is judged another is told to come again, and the next one finds the way free."""

    async def run() -> None:
        house = await opened()
        runs, entries = dry_runs(house), entries_of({"skills": [{"name": "French"}, {"name": "German"}]})
        found = await asyncio.gather(*(runs.judge(CHIEF, entries) for _ in range(3)), return_exceptions=True)
        assert sorted(type(one).__name__ for one in found) == ["Unavailable", "Unavailable", "list"]
        with pytest.raises(Unavailable):
            raise next(one for one in found if isinstance(one, BaseException))
        assert [one.outcome for one in await runs.judge(CHIEF, entries)] == [Outcome.MADE] * 2
        await house.close()

    asyncio.run(run())


def test_who_may_not_read_is_not_told() -> None:
    """A document with webhooks is for administrators: whether a name is there is not said to others."""

    async def run() -> None:
        house = await opened()
        with pytest.raises(Forbidden):
            await dry_runs(house).judge(SUPERVISOR, entries_of({"webhooks": [{"name": "Ledger"}]}))
        await house.close()

    asyncio.run(run())
