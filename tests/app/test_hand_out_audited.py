"""What the server hands out is audited clean: the whole way from claim to attempt log, by the auditor's own rules."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

import trunkline.rules
from tests.app.harness import CENTRE, NOON_S, House, agent, record, run_in_house
from tests.app.test_explain import explainer
from tests.app.test_treating import plan
from trunkline.app.attempt_export import export_lines
from trunkline.app.explain.explaining import Target
from trunkline.app.rescue import SYSTEM, ExpireLeases
from trunkline.cli.auditor import Audit
from trunkline.cli.auditor_files import read_rule_files
from trunkline.domain import commands
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import CallbackType, CallResult
from trunkline.domain.facts import Rule
from trunkline.domain.records import FieldChanges, Record

PLACES = [
    ("America/New_York", (), "US-NY"),
    ("America/Chicago", ("America/Denver",), "US-TX"),
    ("Europe/Berlin", (), "DE"),
    ("Asia/Tokyo", (), "JP"),
    ("PST", (), ""),
]
AGAIN = plan(
    {
        result: {"action": "Cycle", "attempts": 100, "interval_min": 5}
        for result in ("Busy", "NoAnswer", "AnsweringMachine")
    }
)
"""Everybody who was not reached is tried again five minutes later, far too often: the attempt rules must hold that."""
RESULTS = [CallResult.NO_ANSWER, CallResult.BUSY, CallResult.ANSWER, CallResult.ANSWERING_MACHINE]


def people(seed: int) -> list[Record]:
    """Chains of customers, some of whom have two, in many zones."""
    chance = random.Random(seed)
    found = []
    for chain in range(1, 13):
        zone, others, region = chance.choice(PLACES)
        from_s, until_s = chance.choice([(0, 86_400), (32_400, 64_800), (61_200, 79_200)])
        found += [
            record(
                chain, place, time_zone=zone, other_zones=others, region=region, from_s=from_s, until_s=until_s,
                customer_id=f"k{chain // 2}",
            )
            for place in range(chance.randrange(1, 3))
        ]  # fmt: skip
    return found


async def work(house: House, chance: random.Random) -> None:
    """One thing that an agent does."""
    who = agent(chance.randrange(1, 4))
    desk = await house.desk(who)
    if not desk or chance.random() < 0.3:
        await house.preview(who)
        return
    handle = desk[0].entry.handle
    what = chance.random()
    if what < 0.15:
        await house.ask(who, commands.RejectRecord, handle=handle)
    elif what < 0.3 and not desk[0].entry.is_settled:
        due_at_s = house.clock.now_s() + chance.randrange(60, 86_400)
        await house.ask(
            who, commands.RescheduleRecord, handle=handle, callback_type=CallbackType.CAMPAIGN, due_at_s=due_at_s
        )
    else:
        changes = FieldChanges(call_result=chance.choice(RESULTS))
        await house.ask(who, commands.CompleteRecord, handle=handle, changes=changes)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_handed_out_was_allowed(seed: int) -> None:
    """Days of previews, results, rejections and callbacks under the default rules: the auditor finds nothing."""

    async def check(house: House) -> None:
        chance = random.Random(seed)
        for _ in range(400):
            await work(house, chance)
            house.clock.ms += chance.choice([1_000, 60_000, 600_000, 1_800_000])
        audit = Audit(read_rule_files([Path(trunkline.rules.__file__).parent]))
        async for line in export_lines(house.store, house.writer.book, CENTRE):
            audit.read(line.decode())
        assert audit.findings == []
        assert audit.attempts > 25
        assert {row.detail["rule"] for row in house.attempts if row.step is AttemptStep.BLOCKED} == {"attempt limit"}

    run_in_house(check, people(seed), campaign={"rule_set_id": None}, plan=AGAIN, list_changes={"max_attempts": 1000})


@pytest.mark.parametrize("place", [0, 1, None])
def test_only_what_the_rules_had_let_go_may_be_called(place: int | None) -> None:
    """A call to a sibling whose window is closed is found in the log; who logs out called the other number."""

    async def check(house: House) -> None:
        house.rules = msgspec.structs.replace(house.rules, logout_call_result=CallResult.BUSY)
        house.writer._rules = house.rules
        await house.preview(agent(1))
        closed, opened = await house.desk(agent(1))
        if place is None:
            await house.ask(agent(1), commands.EndSession)
            house.clock.ms += house.rules.lease_ms
            await house.ask(SYSTEM, ExpireLeases)
        else:
            handle = (closed, opened)[place].entry.handle
            changes = FieldChanges(call_result=CallResult.BUSY)
            await house.ask(agent(1), commands.CompleteRecord, handle=handle, changes=changes)
        audit = Audit(read_rule_files([Path(trunkline.rules.__file__).parent]))
        erased = Audit(audit.rule_files)
        async for line in export_lines(house.store, house.writer.book, CENTRE):
            audit.read(line.decode())
            erased.read(msgspec.json.encode({**msgspec.json.decode(line), "detail": {}}).decode())
        assert erased.findings == []
        assert [found.rule for found in audit.findings] == (["hand-out"] if place == 0 else [])
        assert audit.illegal_attempts == len(audit.findings)
        called = [row.chain_n for row in house.attempts if row.step is AttemptStep.ENDED]
        assert called == [1 if place is None else place]

    run_in_house(check, [record(1, 0, from_s=3600, until_s=7200), record(1, 1)], campaign={"rule_set_id": None})


def test_a_chain_in_the_buffer_is_told() -> None:
    """What was claimed for the group and lies on no desk yet comes next, and is explained so, with its lease."""

    async def check(house: House) -> None:
        await house.preview(agent(1))
        handed = {held.record.chain_id for held in await house.desk(agent(1))}
        for chain in {1, 2, 3} - handed:
            (one,) = await explainer(house, NOON_S).records(Target(list_name="List", chain_id=chain), "Campaign")
            busy = next(verdict for verdict in one.campaigns[0].verdicts if verdict.rule is Rule.CHAIN_BUSY)
            if one.record.status.name == "RETRIEVED":
                assert not busy.is_blocking
                assert one.campaigns[0].may_be_called
                assert "in the buffer of" in busy.sentence
                assert busy.until_s is not None
                return
        pytest.fail("the buffer holds no chain")

    run_in_house(check, [record(1), record(2), record(3)])
