"""Suppression lists emptied: counted first, in portions, with a reason, and never while they keep somebody safe."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, NOON_S, House, run_in_house
from tests.app.suppressing import ANN, CHIEF, enter, entries_of, make_list
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Changes, ObjectChanges, ObjectWrite
from trunkline.app.suppression import emptying as suppression_emptying
from trunkline.app.suppression.emptying import Emptying, EmptyingReport
from trunkline.app.suppression.entries import list_named
from trunkline.domain.campaigns import CampaignDefinition
from trunkline.domain.objects import ObjectKind
from trunkline.domain.suppression import SuppressionList
from trunkline.errors import AlreadyInUse, Forbidden, MissingParameter, NotFound, OutOfRange

NUMBERS = tuple(f"+121255500{n:02d}" for n in range(10, 17))


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several portions also for a few entries."""
    monkeypatch.setattr(suppression_emptying, "MAX_ENTRIES_AT_ONCE", 3)


async def emptied(house: House, target: SuppressionList, reason: str = "replaced", **more: Any) -> EmptyingReport:
    """The chief empties a list."""
    emptying = Emptying(house.store, house.clock, house.writer.submit)
    return await emptying.empty(CHIEF, house.writer.book, target, reason, **more)


def test_a_list_is_emptied() -> None:
    """All its entries go, ended ones too, and no other list's; the audit says how many would go, how many went, why."""

    async def test(house: House) -> None:
        register, other = await make_list(house), await make_list(house, "Other")
        own = list_named(house.writer.book, CENTRE, "own")
        await enter(house, register, *NUMBERS)
        await enter(house, register, "+12125550020", expires=str(NOON_S + 1))
        await enter(house, register, NUMBERS[0], campaign="Elsewhere")
        await enter(house, other, NUMBERS[0])
        await enter(house, own, NUMBERS[0])
        house.clock.ms += 2_000
        counted = await Emptying(house.store, house.clock, house.writer.submit).count(CHIEF, register)
        assert (counted.entries, counted.ended, counted.is_dry_run) == (9, 1, True)
        assert len(await entries_of(house, register)) == 9
        del house.published[:]
        steps: list[int] = []
        report = await emptied(house, register, on_step=steps.append)
        assert (report.entries, report.ended, report.left, report.is_dry_run) == (9, 1, 0, False)
        assert steps == [3, 6, 9, 9]
        assert await entries_of(house, register) == []
        assert [len(await entries_of(house, one)) for one in (other, own)] == [1, 1]
        assert [(row.row.request_type, row.row.reference) for row in house.published] == [
            (125, '"begins with 9 from Register: replaced"'),
            (125, '"9 from Register: replaced"'),
        ]
        assert (await emptied(house, register)).entries == 0

    run_in_house(test, [])


def test_a_list_that_applies_is_not_emptied() -> None:
    """The centre's own, required ones and those that a campaign names stay whole until they are switched off."""

    async def test(house: House) -> None:
        own = list_named(house.writer.book, CENTRE, "own")
        required = await make_list(house, "Required", is_required=True)
        named = await make_list(house, "Named")
        for target in (own, required, named):
            await enter(house, target, *NUMBERS)
        await name_in_campaign(house, named)
        for target, words in ((own, "always applies"), (required, "every campaign"), (named, "campaign Sale")):
            with pytest.raises(AlreadyInUse, match=words):
                await emptied(house, target)
            assert len(await entries_of(house, target)) == len(NUMBERS)
        await switch_off(house, required)
        await switch_off(house, named)
        assert [(await emptied(house, one)).entries for one in (required, named)] == [len(NUMBERS)] * 2

    run_in_house(test, [])


def test_a_list_that_comes_to_apply_keeps_the_rest() -> None:
    """A list that is made required while it is emptied keeps what it still has."""

    async def test(house: House) -> None:
        register = await make_list(house)
        await enter(house, register, *NUMBERS)
        emptying = Emptying(house.store, house.clock, house.writer.submit)
        before = house.writer.book
        await change(house, register, is_required=True)
        with pytest.raises(AlreadyInUse, match="every campaign"):
            await emptying.empty(CHIEF, before, register, "replaced")
        assert len(await entries_of(house, register)) == len(NUMBERS)

    run_in_house(test, [])


def test_what_comes_meanwhile_is_counted() -> None:
    """Entries that somebody adds behind the work are left, and told."""

    async def test(house: House) -> None:
        register = await make_list(house)
        await enter(house, register, *NUMBERS)
        first = msgspec.structs.replace((await entries_of(house, register))[0], value="+12125550001")

        async def add(asked: Any) -> Any:
            done = await house.writer.submit(asked)
            async with house.store.begin() as unit:
                await unit.save(Changes(suppressions=[first]))
            return done

        report = await Emptying(house.store, house.clock, add).empty(CHIEF, house.writer.book, register, "replaced")
        assert (report.entries, report.left) == (len(NUMBERS), 1)

    run_in_house(test, [])


def test_what_cannot_be_emptied() -> None:
    """Agents may not; a reason is needed, one that can be kept; a list that is gone is not found."""

    async def test(house: House) -> None:
        register = await make_list(house)
        await enter(house, register, *NUMBERS)
        emptying = Emptying(house.store, house.clock, house.writer.submit)
        with pytest.raises(Forbidden):
            await emptying.count(ANN, register)
        with pytest.raises(Forbidden):
            await emptying.empty(ANN, house.writer.book, register, "replaced")
        for reason, error in ((" ", MissingParameter), ("x" * 256, OutOfRange)):
            with pytest.raises(error):
                await emptied(house, register, reason)
        with pytest.raises(NotFound):
            await emptied(house, msgspec.structs.replace(register, suppression_list_id=99))
        assert len(await entries_of(house, register)) == len(NUMBERS)

    run_in_house(test, [])


async def change(house: House, target: SuppressionList, **fields: Any) -> None:
    """The list as a supervisor changes it."""
    stored = house.writer.book.object(CENTRE, ObjectKind.SUPPRESSION_LIST, target.suppression_list_id)
    assert stored is not None
    write = ObjectWrite(
        contact_centre_id=CENTRE,
        kind=stored.kind,
        object_id=stored.object_id,
        expected_version=stored.version,
        value=msgspec.structs.replace(stored.value, **fields),
    )
    await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=(write,)))
    house.writer.adopt(ReferenceBook(await house.store.directory()))


async def switch_off(house: House, target: SuppressionList) -> None:
    """The list applies nowhere any more."""
    await change(house, target, is_enabled=False)


async def name_in_campaign(house: House, target: SuppressionList) -> None:
    """A campaign obeys the list."""
    value = CampaignDefinition(
        contact_centre_id=CENTRE, campaign_id=0, name="Sale", suppression_list_ids=(target.suppression_list_id,)
    )
    write = ObjectWrite(
        contact_centre_id=CENTRE, kind=ObjectKind.CAMPAIGN, object_id=0, expected_version=0, value=value
    )
    await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=(write,)))
    house.writer.adopt(ReferenceBook(await house.store.directory()))
