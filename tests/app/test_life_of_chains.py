"""Chains under treatments and callbacks, in any order of events: nothing is lost, nobody has what another has."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.app.harness import CENTRE, House, agent, record
from tests.app.test_treating import plan
from trunkline.app.callbacks.rounds import CallbackRounds
from trunkline.app.rescue import SYSTEM, ExpireLeases
from trunkline.domain import commands
from trunkline.domain.chains import carries
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import CallbackType, CallResult, ChainAttribute, RecordStatus, Treatment
from trunkline.domain.records import FieldChanges, Record, is_open
from trunkline.errors import InvalidState, NotFound

AGENTS = [agent(1), agent(2), agent(3)]
CHAINS = range(1, 5)
R, S = CallResult, RecordStatus
PLAN = plan(
    {
        "Busy": [{"action": "Cycle", "attempts": 2, "interval_min": 30}, {"action": "NextInChain", "passes": 2}],
        "NoAnswer": [{"action": "NextInChainAfter", "interval_min": 10}, {"action": "RetryIn", "interval_min": 60}],
        "WrongNumber": {"action": "NextInChain"},
        "DialError": {"action": "Cycle", "attempts": 2},
        "Stale": [{"action": "Cycle", "interval_min": 5}, {"action": "MarkAsAgentError"}],
        "AgentCallBackError": [{"action": "RetryIn", "interval_min": 20}, {"action": "AssignToGroup"}],
        "GroupCallBackError": {"action": "Cycle", "interval_min": 60},
    }
)
agents = st.sampled_from(AGENTS)
results = st.sampled_from([R.BUSY, R.NO_ANSWER, R.WRONG_NUMBER, R.DIAL_ERROR, R.ANSWER, R.UNKNOWN])
places = st.integers(0, 5)


class Life(RuleBasedStateMachine):
    """Three agents, four chains of three numbers, a plan, a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.house = House()
        rows = [record(chain, n) for chain in CHAINS for n in range(3)]
        self.runner.run(self.house.open(rows, plan=PLAN, list_changes={"max_attempts": 4}))
        self.rounds = CallbackRounds(self.house.store, self.house.writer, self.house.clock, 1800)

    def teardown(self) -> None:
        """Close the house."""
        self.runner.run(self.house.close())
        self.runner.close()

    def ask(self, who: Any, kind: type, **fields: Any) -> None:
        """Ask; a refusal is an answer like any other."""

        async def asked() -> None:
            try:
                await self.house.ask(who, kind, **fields)
            except (InvalidState, NotFound):
                return

        self.runner.run(asked())

    def entry(self, who: Any, place: int) -> DeskEntry | None:
        """Something on the agent's desk."""
        desk = self.runner.run(self.house.desk(who))
        return desk[place % len(desk)].entry if desk else None

    @rule(who=agents)
    def logs_in(self, who: Any) -> None:
        """Begin to work."""
        self.ask(who, commands.StartSession, device_id=who.devices[0].device_id)
        self.ask(who, commands.StartPreview)

    @rule(who=agents)
    def logs_out(self, who: Any) -> None:
        """Stop working."""
        self.ask(who, commands.EndSession)

    @rule(who=agents)
    def takes(self, who: Any) -> None:
        """Ask for the next chain."""
        self.ask(who, commands.StartPreview)
        self.ask(who, commands.NextPreview)

    @rule(who=agents, place=places, result=results, whom=st.sampled_from([None, *Treatment]))
    def completes(self, who: Any, place: int, result: CallResult, whom: Treatment | None) -> None:
        """Finish a record of the desk."""
        entry = self.entry(who, place)
        if entry is not None:
            changes = FieldChanges(call_result=result)
            self.ask(who, commands.CompleteRecord, handle=entry.handle, changes=changes, treatment=whom)

    @rule(who=agents, place=places, kind=st.sampled_from(CallbackType), minutes=st.integers(0, 300))
    def reschedules(self, who: Any, place: int, kind: CallbackType, minutes: int) -> None:
        """Set a callback."""
        entry = self.entry(who, place)
        if entry is not None:
            due_at_s = self.house.clock.now_s() + 60 * minutes
            self.ask(who, commands.RescheduleRecord, handle=entry.handle, callback_type=kind, due_at_s=due_at_s)

    @rule(who=agents, place=places)
    def rejects(self, who: Any, place: int) -> None:
        """Give a chain back."""
        entry = self.entry(who, place)
        if entry is not None:
            self.ask(who, commands.RejectRecord, handle=entry.handle)

    @rule(
        who=agents, chain=st.sampled_from(CHAINS), n=st.integers(0, 2), whole=st.sampled_from([None, *ChainAttribute])
    )
    def cancels(self, who: Any, chain: int, n: int, whole: ChainAttribute | None) -> None:
        """Cancel a number wherever it is."""
        number = record(chain, n).phone_number
        self.ask(who, commands.CancelRecord, phone_number=number, chain_attribute=whole)

    @rule(minutes=st.sampled_from([1, 5, 30, 60, 480, 1440]))
    def time_passes(self, minutes: int) -> None:
        """The clock's rounds."""
        self.house.clock.ms += minutes * 60_000
        self.runner.run(self.rounds.serve_callbacks())
        self.ask(SYSTEM, ExpireLeases)

    @invariant()
    def nothing_waits_for_nothing(self) -> None:
        """A record that waits has something in its chain to wait for; one record carries a chain at most."""
        for chain in CHAINS:
            rows = self.runner.run(self.house.chain(chain))
            still_open = [row for row in rows if is_open(row.status)]
            if any(row.status is S.CHAIN_READY for row in still_open):
                assert any(row.status is not S.CHAIN_READY for row in still_open), rows
            carriers = [row for row in still_open if carries(row)]
            assert len(carriers) <= 1, carriers
            for row in rows:
                assert row.attempts <= 4 + 1

    @invariant()
    def a_chain_lies_on_one_desk(self) -> None:
        """Undecided records are in one agent's hands, and are RETRIEVED there."""
        for chain in CHAINS:
            owners = self.runner.run(self._owners(chain))
            assert len({user_id for user_id, _ in owners}) <= 1, owners
            assert all(row.status is S.RETRIEVED for _, row in owners if is_open(row.status)), owners

    async def _owners(self, chain: int) -> list[tuple[int, Record]]:
        """Who has undecided records of a chain."""
        rows = {row.chain_n: row for row in await self.house.chain(chain)}
        async with self.house.store.begin() as unit:
            entries = await unit.entries_of_chain(CENTRE, 101, chain)
        return [(entry.user_id, rows[entry.chain_n]) for entry in entries if not entry.is_settled]


def test_chains_live_in_any_order_of_events() -> None:
    """Whatever happens in whatever order, the invariants hold after each step."""
    run_state_machine_as_test(Life, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
