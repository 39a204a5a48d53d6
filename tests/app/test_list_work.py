"""Whole lists: recycling and its undoing, splitting and merging, beside agents who work."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.app.harness import CENTRE, LIST_ID, NOON_S, OTHER_LIST_ID, House, agent, record, run_in_house
from trunkline.app.lists import work as list_work
from trunkline.app.lists.filters import explained, parsed_for
from trunkline.app.lists.formats import check_same_format, differences
from trunkline.app.lists.work import LeftBecause, ListWork, MoveOrder, RecycleOrder, wanted_places
from trunkline.app.ports import RecordQuery
from trunkline.domain import commands
from trunkline.domain.campaigns import CallingList, ListField
from trunkline.domain.enums import CallResult, DoNotCallKind, FieldType, RecordStatus, RecordType
from trunkline.domain.people import Role
from trunkline.domain.records import FieldChanges, Record
from trunkline.errors import Forbidden, InvalidState, NotFound, OutOfRange

CHIEF = agent(9, Role.SUPERVISOR)
FOREIGN_LIST_ID = 103
"""A list without a format, as the first is; the other one has a format."""
ANY_FORMAT = MoveOrder(allows_other_format=True)


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several portions also for a few records."""
    monkeypatch.setattr("trunkline.app.lists.portions.PORTION", 3)


def worker(house: House) -> ListWork:
    """The service over the house."""
    return ListWork(house.store, house.clock, house.writer.submit)


def the_list(house: House, list_id: int = LIST_ID) -> CallingList:
    """A list of the house."""
    return house.writer.book.list_by_id(CENTRE, list_id)


async def all_records(house: House, list_id: int = LIST_ID) -> list[Record]:
    """Every record of a list."""
    query = RecordQuery(contact_centre_id=CENTRE, list_id=list_id, condition=None, now_s=NOON_S)
    async with house.store.begin() as unit:
        return await unit.records_where(query)


def worked(chain_id: int, **values: Any) -> Record:
    """A record that was called."""
    default = {"status": RecordStatus.UPDATED, "call_result": CallResult.BUSY, "attempts": 4, "treatments": "1@2@0@1"}
    return record(chain_id, **{**default, "called_at_s": NOON_S - 86_400, **values})


def test_a_list_is_recycled_and_the_recycling_undone() -> None:
    """Selected records become fresh, others stay; undoing gives back exactly what they had."""
    records = [
        *(worked(n) for n in range(1, 8)),
        worked(8, call_result=CallResult.ANSWER),
        worked(9, record_type=RecordType.NO_CALL, call_result=CallResult.DO_NOT_CALL),
    ]

    async def test(house: House) -> None:
        work, order = worker(house), RecycleOrder(criteria="call_result IN ('Busy', 'DoNotCall')")
        assert (await work.count(CHIEF, the_list(house), order)).records == 7
        report = await work.recycle(CHIEF, the_list(house), order)
        assert (report.records, report.run_id) == (7, 1)
        after = await all_records(house)
        assert [one.status for one in after] == [RecordStatus.READY] * 7 + [RecordStatus.UPDATED] * 2
        assert [one.attempts for one in after] == [0] * 7 + [4] * 2
        assert {one.treatments for one in after[:7]} == {""}
        assert {one.called_at_s for one in after} == {NOON_S - 86_400}
        assert [row.row.request_type for row in house.published] == [170]
        undone = await work.undo(CHIEF, the_list(house), 1)
        assert (undone.records, undone.left) == (7, 0)
        back = await all_records(house)
        assert [(one.status, one.attempts, one.treatments, one.call_result) for one in back] == [
            (one.status, one.attempts, one.treatments, one.call_result) for one in records
        ]
        with pytest.raises(InvalidState, match="undone before"):
            await work.undo(CHIEF, the_list(house), 1)
        with pytest.raises(NotFound):
            await work.undo(CHIEF, the_list(house), 7)

    run_in_house(test, records)


def test_what_agents_do_meanwhile_is_not_undone() -> None:
    """A record that was worked after the recycling keeps its new result when the recycling is undone."""

    async def test(house: House) -> None:
        work = worker(house)
        await work.recycle(CHIEF, the_list(house), RecycleOrder())
        await house.preview(agent(1))
        (held,) = await house.desk(agent(1))
        await house.ask(
            agent(1),
            commands.CompleteRecord,
            handle=held.entry.handle,
            changes=FieldChanges(call_result=CallResult.ANSWER),
        )
        undone = await work.undo(CHIEF, the_list(house), 1)
        assert (undone.records, undone.left, undone.left_because) == (1, 1, {LeftBecause.CHANGED: 1})
        assert [one.call_result for one in await all_records(house)] == [CallResult.ANSWER, CallResult.BUSY]

    run_in_house(test, [worked(1), worked(2, from_s=0, until_s=3600)])


def test_an_undoing_says_what_it_left_and_why() -> None:
    """Over several portions: what agents hold or have worked, and what left the list, is counted apart."""

    async def test(house: House) -> None:
        work = worker(house)
        assert (await work.recycle(CHIEF, the_list(house), RecycleOrder())).records == 8
        await house.preview(agent(1))
        (held,) = await house.desk(agent(1))
        busy = [one for one in await all_records(house) if one.status is RecordStatus.RETRIEVED]
        await work.empty(CHIEF, the_list(house), "chain_id = 7")
        await work.move(CHIEF, the_list(house), the_list(house, FOREIGN_LIST_ID), MoveOrder(criteria="chain_id = 8"))
        undone = await work.undo(CHIEF, the_list(house), 1)
        assert undone.left_because == {LeftBecause.WORKED: len(busy), LeftBecause.GONE: 2}
        assert (undone.records, undone.left) == (6 - len(busy), 2 + len(busy))
        assert await house.chain(held.record.chain_id) == [held.record]
        assert msgspec.to_builtins(undone)["leftBecause"] == {"worked": len(busy), "gone": 2}

    asleep = {"from_s": 3 * 3600, "until_s": 4 * 3600}
    run_in_house(test, [worked(1), *(worked(n, **asleep) for n in range(2, 9))])


def test_records_on_desks_are_left_alone() -> None:
    """Recycling the whole list and moving all of it touch nothing that somebody works on."""

    async def test(house: House) -> None:
        await house.preview(agent(1))
        (held,) = await house.desk(agent(1))
        work = worker(house)
        await work.recycle(CHIEF, the_list(house), RecycleOrder())
        moved = await work.move(CHIEF, the_list(house), the_list(house, OTHER_LIST_ID), ANY_FORMAT)
        assert held.record.status is RecordStatus.RETRIEVED
        assert await house.chain(held.record.chain_id) == [held.record]
        assert moved.left >= 1

    run_in_house(test, [record(n) for n in range(1, 4)])


def test_a_split_takes_what_is_at_rest() -> None:
    """Chains that the group has fetched do not count: as many go as were asked for, if there are as many."""

    async def test(house: House) -> None:
        await house.preview(agent(1))
        (held,) = await house.desk(agent(1))
        assert held.record.chain_id == 1
        work = worker(house)
        fetched = [one for one in await all_records(house) if one.status is RecordStatus.RETRIEVED]
        report = await work.move(
            CHIEF, the_list(house), the_list(house, OTHER_LIST_ID), MoveOrder(count=2, allows_other_format=True)
        )
        assert (report.records, report.left) == (2, len(fetched))

    asleep = {"from_s": 3 * 3600, "until_s": 4 * 3600}
    run_in_house(test, [record(1), *(record(n, **asleep) for n in range(2, 6))])


def test_a_list_is_emptied() -> None:
    """Selected records are gone for good, those on a desk stay and are counted; nothing else is touched."""

    async def test(house: House) -> None:
        await house.preview(agent(1))
        work = worker(house)
        assert (await work.empty(CHIEF, the_list(house), "chain_id > 3", is_dry_run=True)).records == 4
        report = await work.empty(CHIEF, the_list(house), "chain_id > 3")
        assert (report.records, report.left) == (4, 0)
        report = await work.empty(CHIEF, the_list(house), "")
        assert (report.records, report.left) == (2, 1)
        assert [one.status for one in await all_records(house)] == [RecordStatus.RETRIEVED]
        assert len(await all_records(house, OTHER_LIST_ID)) == 1

    asleep = {"from_s": 3 * 3600, "until_s": 4 * 3600}
    records = [record(1), *(record(n, **asleep) for n in range(2, 8)), record(9, list_id=OTHER_LIST_ID, **asleep)]
    run_in_house(test, records)


def test_a_list_is_split_and_merged_again() -> None:
    """Chains move whole, with their numbers and histories; merging brings every record back."""
    records = [worked(n, chain_n=place, other_fields={"n": n}) for n in range(1, 11) for place in range(2)]

    async def test(house: House) -> None:
        work = worker(house)
        source, target = the_list(house), the_list(house, OTHER_LIST_ID)
        order = MoveOrder(criteria="n > 2", percent=50, allows_other_format=True)
        assert (await work.move(CHIEF, source, target, order, is_dry_run=True)).records == 4
        report = await work.move(CHIEF, source, target, order)
        assert report.records == 8
        there, here = await all_records(house, OTHER_LIST_ID), await all_records(house)
        assert {one.chain_id for one in there} == {4, 6, 8, 10}
        assert len(there) + len(here) == 20
        await work.move(CHIEF, target, source, ANY_FORMAT)
        assert await all_records(house, OTHER_LIST_ID) == []
        assert await all_records(house) == records

    run_in_house(test, records)


def test_a_target_that_refuses_duplicates_takes_no_second_number() -> None:
    """Merging leaves a chain whose number the target has already."""

    async def test(house: House) -> None:
        work = worker(house)
        source, target = the_list(house, OTHER_LIST_ID), the_list(house)
        report = await work.move(CHIEF, source, target, ANY_FORMAT)
        assert (report.records, report.left, report.left_because) == (1, 1, {LeftBecause.DUPLICATE: 1})
        async with house.store.begin() as unit:
            found = await unit.records_of_contact(CENTRE, [LIST_ID], DoNotCallKind.NUMBER, "+1 555 0001", 9)
        assert len(found) == 1

    records = [
        record(1, phone_number="+15550001"),
        record(2, list_id=OTHER_LIST_ID, phone_number="+1 555 0001"),
        record(3, list_id=OTHER_LIST_ID),
    ]
    run_in_house(test, records, list_changes={"refuses_duplicates": True})


def test_chains_stay_out_of_a_list_of_another_format() -> None:
    """Neither merged, nor split, nor counted, until the order allows it; then the fields come along as they are."""

    async def test(house: House) -> None:
        work, source, target = worker(house), the_list(house), the_list(house, OTHER_LIST_ID)
        for order in (MoveOrder(), MoveOrder(count=1)):
            for is_dry_run in (True, False):
                with pytest.raises(InvalidState, match="another format than List: secret is a field of Other alone"):
                    await work.move(CHIEF, source, target, order, is_dry_run=is_dry_run)
        assert len(await all_records(house)) == 4
        assert house.published == []
        assert (await work.move(CHIEF, source, target, ANY_FORMAT)).records == 4
        assert [one.other_fields for one in await all_records(house, OTHER_LIST_ID)] == [{"n": n} for n in range(4)]

    run_in_house(test, [worked(n + 1, other_fields={"n": n}) for n in range(4)])


def test_what_another_format_is() -> None:
    """Every difference in what a field means is told by name; order, labels and formats' numbers are none."""
    fields = (ListField(name="a", field_type=FieldType.INT), ListField(name="b", is_sent=False), ListField(name="c"))
    one = CallingList(contact_centre_id=1, list_id=1, name="One", fields=fields, account_field="c", format_id=1)
    alike = msgspec.structs.replace(
        one, name="Two", format_id=2, fields=(fields[2], fields[1], msgspec.structs.replace(fields[0], label="A"))
    )
    check_same_format(one, alike)
    other = msgspec.structs.replace(
        one, name="Two", account_field="", fields=(ListField(name="a", max_length=5), ListField(name="b"))
    )
    assert differences(one, other) == [
        "a differs in type, length",
        "b differs in whether agents see it",
        "c is a field of One alone",
        "the account is in c in One, in no field in Two",
    ]
    many = msgspec.structs.replace(one, name="Many", fields=(*fields, *(ListField(name=f"x{n}") for n in range(7))))
    with pytest.raises(InvalidState, match="x4 is a field of Many alone and 2 more; allow the other format"):
        check_same_format(one, many)


@pytest.mark.parametrize("name", [name for name in ListField.__struct_fields__ if name not in ("name", "label")])
def test_no_part_of_a_field_is_forgotten(name: str) -> None:
    """Each part of a declared field that is not for the eye alone makes another format."""
    field = ListField(name="a")
    now = getattr(field, name)
    changed = msgspec.structs.replace(field, **{name: (not now) if isinstance(now, bool) else FieldType.INT})
    one = CallingList(contact_centre_id=1, list_id=1, name="One", fields=(field,))
    (found,) = differences(one, msgspec.structs.replace(one, name="Two", fields=(changed,)))
    assert found.startswith("a differs in ")


def test_who_may_and_what_must_not_be() -> None:
    """Agents may not; a list is not moved into itself; counts and criteria are checked before anything changes."""

    async def test(house: House) -> None:
        work, source = worker(house), the_list(house)
        with pytest.raises(Forbidden):
            await work.recycle(agent(1), source, RecycleOrder())
        with pytest.raises(InvalidState, match="into itself"):
            await work.move(CHIEF, source, source, MoveOrder())
        with pytest.raises(OutOfRange, match="criteria, character 1"):
            await work.recycle(CHIEF, source, RecycleOrder(criteria="= 1"))
        for order in (MoveOrder(count=0), MoveOrder(percent=101), MoveOrder(count=1, percent=1)):
            with pytest.raises(OutOfRange):
                await work.move(CHIEF, source, the_list(house, FOREIGN_LIST_ID), order)
        assert house.published == []

    run_in_house(test, [worked(1)])


@pytest.mark.parametrize(("percent", "total"), [(1, 7), (33, 100), (50, 11), (100, 5), (99, 1000)])
def test_a_percentage_is_met_as_nearly_as_it_can_be(percent: int, total: int) -> None:
    """Of any number of chains the right share goes, spread over the whole list."""
    wanted = wanted_places(MoveOrder(percent=percent), total)
    assert sum(map(wanted, range(total))) == total * percent // 100


def test_a_filter_is_explained() -> None:
    """The words say what was understood, also precedence."""
    calling_list = CallingList(contact_centre_id=CENTRE, list_id=1, name="L")
    parsed = parsed_for(
        calling_list,
        "(call_result IN (6, 'NoAnswer') OR state LIKE 'T%') AND called_at < days_ago(2) AND NOT due_at IS NULL",
        "balance DESC, chain_id",
    )
    assert explained(parsed) == (
        "records where (call_result is one of busy, no answer or state looks like 'T%') and called_at is below "
        "2 days ago and due_at has a value; ordered by balance, greatest first, then by chain_id"
    )
    assert explained(parsed_for(None, "")) == "every record"
    assert "between 1 and 2" in explained(parsed_for(None, "NOT attempts BETWEEN 1 AND 2"))
    assert list_work.PORTION == 500
