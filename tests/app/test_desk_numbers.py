"""Another number on a desk: the permission is the number's, not the record's, and the auditor sees it so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import trunkline.rules
from tests.app.harness import CENTRE, UNLIMITED, House, agent, record, run_in_house
from trunkline.app.attempt_export import export_lines
from trunkline.app.ports import Provision
from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import read_rule_files
from trunkline.domain import commands
from trunkline.domain.attempt_rules import AttemptRule, Counted
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import CallbackType, CallResult, RecordType
from trunkline.domain.filters import Filter
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.records import FieldChanges

ANN = agent(1)
HERE, ALSO_OPEN, CLOSED = "+442079460958", "+442079460959", "+12135550123"
"""At noon in London people may be called there, and nobody in Los Angeles, where it is four in the morning."""
LONDON: dict[str, Any] = {"phone_number": HERE, "time_zone": "Europe/London", "region": "GB"}
BY_LAW: dict[str, Any] = {"campaign": {"rule_set_id": None}, "list_changes": {"default_region": "US"}}


async def first_handle(house: House) -> int:
    """Take the next chain; ten minutes pass. The handle of its first record."""
    await house.preview(ANN)
    house.clock.ms += 600_000
    return (await house.desk(ANN))[0].entry.handle


async def renumber(house: House, handle: int, number: str, **fields: Any) -> int:
    """Write the number into the record on the desk. Its permission then: minutes ago, -1 when there is none."""
    changes = FieldChanges(phone_number=number, **fields)
    await house.ask(ANN, commands.UpdateRecord, handle=handle, changes=changes)
    held = next(one for one in await house.desk(ANN) if one.entry.handle == handle)
    assert held.record.phone_number == number
    at_ms = held.entry.permitted_at_ms
    return (house.clock.ms - at_ms) // 60_000 if at_ms else -1


async def findings(house: House) -> list[str]:
    """The rules against which the log has attempts."""
    audit = Audit(read_rule_files([Path(trunkline.rules.__file__).parent]))
    async for line in export_lines(house.store, house.writer.book, CENTRE):
        audit.read(line.decode())
    return [found.rule for found in audit.findings]


def blocked_by(house: House) -> list[object]:
    """The rules that the log says held something back."""
    return [row.detail["rule"] for row in house.attempts if row.step is AttemptStep.BLOCKED]


def test_a_number_has_its_own_permission() -> None:
    """Another number is judged now; the same in another spelling keeps what it had; the old one comes back judged."""

    async def test(house: House) -> None:
        handle = await first_handle(house)
        assert await renumber(house, handle, "+44 20 7946 0958") == 10
        assert await renumber(house, handle, ALSO_OPEN) == 0
        assert blocked_by(house) == []
        assert await renumber(house, handle, CLOSED) == -1
        assert blocked_by(house) == ["calling time"]
        assert await renumber(house, handle, CLOSED, call_result=CallResult.BUSY) == -1
        assert await renumber(house, handle, HERE) == 0

    run_in_house(test, [record(1, **LONDON)], **BY_LAW)


@pytest.mark.parametrize(("number", "found"), [(ALSO_OPEN, []), (CLOSED, ["hand-out"])])
@pytest.mark.parametrize("way", ["update", "complete", "reschedule"])
def test_the_auditor_finds_a_call_that_no_rule_let_go(way: str, number: str, found: list[str]) -> None:
    """However the number came to the record, the row of its call tells whether the rules had let it go."""

    async def test(house: House) -> None:
        handle = await first_handle(house)
        result = FieldChanges(call_result=CallResult.BUSY)
        if way == "update":
            await renumber(house, handle, number)
        elif way == "complete":
            result = FieldChanges(call_result=CallResult.BUSY, phone_number=number)
        else:
            fields: dict[str, Any] = {"callback_type": CallbackType.PERSONAL, "due_at_s": house.clock.now_s() + 86_400}
            changes = FieldChanges(phone_number=number)
            await house.ask(ANN, commands.RescheduleRecord, handle=handle, changes=changes, **fields)
        await house.ask(ANN, commands.CompleteRecord, handle=handle, changes=result)
        assert [row.number_key for row in house.attempts if row.step is AttemptStep.ENDED] == [number[1:]]
        assert await findings(house) == found
        assert ("permitted_at_ms" in house.attempts[-1].detail) is (not found)

    run_in_house(test, [record(1, **LONDON)], **BY_LAW)


def test_a_callback_for_later_says_nothing_about_a_call_now() -> None:
    """After a rescheduling the desk still may get another number, which is judged by hours and attempts alone."""

    async def test(house: House) -> None:
        handle = await first_handle(house)
        fields: dict[str, Any] = {"callback_type": CallbackType.PERSONAL, "due_at_s": house.clock.now_s() + 86_400}
        await house.ask(ANN, commands.RescheduleRecord, handle=handle, **fields)
        assert await renumber(house, handle, ALSO_OPEN) == 0
        assert await renumber(house, handle, CLOSED) == -1

    run_in_house(test, [record(1, **LONDON)], **BY_LAW)


def test_the_number_s_attempts_count_and_its_own_does_not() -> None:
    """The hand-out under way is no attempt before itself; one with the new number by somebody else is."""

    async def test(house: House) -> None:
        once = AttemptRule(name="once a day", at_most=1, within_s=86_400, counts=Counted.NUMBER)
        each = AttemptRule(name="person once a day", at_most=1, within_s=86_400)
        strict = msgspec.structs.replace(UNLIMITED, attempt_rules=(once, each), reason="")
        await house.store.provision(Provision(objects=[StoredObject(kind=ObjectKind.RULE_SET, value=strict)]))
        await house.refresh()
        await house.preview(agent(2))
        (other,) = await house.desk(agent(2))
        handle = await first_handle(house)
        assert await renumber(house, handle, "+12125550999") == 0
        assert await renumber(house, handle, other.record.phone_number) == -1
        assert blocked_by(house) == ["attempt limit"]

    run_in_house(test, [record(1), record(2)])


def test_a_sibling_of_a_promised_call_gets_no_permission() -> None:
    """Of a chain whose next call was promised only that record may be called, whatever number a sibling gets."""

    async def test(house: House) -> None:
        handle = await first_handle(house)
        promised, sibling = await house.desk(ANN)
        assert (promised.entry.handle, bool(promised.entry.permitted_at_ms)) == (handle, True)
        assert await renumber(house, sibling.entry.handle, "+12125550998") == -1
        assert await renumber(house, handle, "+12125550999") == 0

    callback: dict[str, Any] = {"record_type": RecordType.CAMPAIGN_CALL_BACK, "due_at_s": 1_795_435_100}
    run_in_house(test, [record(1, 0, **callback), record(1, 1)])


def test_the_list_s_filter_is_not_asked_again() -> None:
    """It chose what was handed out; what the agent wrote since may not fit it."""

    async def test(house: House) -> None:
        filters = await filtered(house, "attempts = 0")
        handle = await first_handle(house)
        await filtered(house, "attempts > 5", filters)
        assert await renumber(house, handle, "+12125550999") == 0

    run_in_house(test, [record(1)])


async def filtered(house: House, criteria: str, filter_id: int = 77) -> int:
    """Give the list a filter."""
    one = Filter(contact_centre_id=CENTRE, filter_id=filter_id, name="F", criteria=criteria)
    book = house.writer.book
    calling_list = book.list_by_id(CENTRE, 101)
    assert isinstance(calling_list, CallingList)
    await house.store.provision(
        Provision(
            lists=[msgspec.structs.replace(calling_list, filter_id=filter_id)],
            objects=[StoredObject(kind=ObjectKind.FILTER, value=one)],
        )
    )
    await house.refresh()
    return filter_id
