"""Schedules at work: what is due is asked of its groups, once.

An item's turn is written down after its wishes were carried out, with what came of them. A server that ends in between
does the turn again when it is back, and the group's state then refuses what is done already. What was missed while no
server ran is looked for a week back; of that only what still matters is done (``domain.schedules.settled``), and the
rest is written down as missed. A schedule that is changed begins anew: what was due before is not done afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.groups.control import inside
from trunkline.app.groups.keeper import GroupKeeper
from trunkline.app.ports import Clock, Store
from trunkline.app.stored import ScheduleRun
from trunkline.app.view import Decision, View
from trunkline.app.writer import Writer
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.group_control import ControlRefused
from trunkline.domain.objects import ObjectKind, StoredObject
from trunkline.domain.schedules import LOOK_BACK_S, Due, Schedule, due, groups_of, next_due_s, settled, wish_of

MISSED = "missed: something later made it void"
"""Outcome of a turn that was not carried out."""
MAX_OUTCOME = 2_000
"""Characters of an outcome: some sixty groups with a sentence each; what is longer is cut off."""

Report = Callable[[str, BaseException], None]


class NoteRuns(msgspec.Struct, frozen=True, kw_only=True):
    """Write down turns that were had."""

    runs: tuple[ScheduleRun, ...]


async def note_runs(view: View, asked: Asked, command: NoteRuns, rules: Rules) -> Decision:
    """Write down turns that were had; the first outcome of each stays."""
    return Decision(schedule_runs=command.runs, is_silent=True)


class Scheduler:
    """Looks at all schedules in each round of upkeep; costs nothing until something is due."""

    def __init__(self, store: Store, writer: Writer, keeper: GroupKeeper, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._keeper = keeper
        self._clock = clock
        # Contact centre and schedule -> the version looked at, up to when, and when something is due next.
        self._looked: dict[tuple[int, int], tuple[int, int, int]] = {}

    async def run_due(self) -> None:
        """Carry out what is due now; a step of upkeep."""
        book = self._writer.book
        for centre in book.contact_centres:
            for stored in book.objects_of(centre, ObjectKind.SCHEDULE):
                if isinstance(stored.value, Schedule) and stored.value.is_enabled:
                    await self._look_at(stored, stored.value)

    async def _look_at(self, stored: StoredObject, schedule: Schedule) -> None:
        now_s = self._clock.now_s()
        key = (schedule.contact_centre_id, schedule.schedule_id)
        known = self._looked.get(key)
        if known is None or known[0] != stored.version:
            # The second in which it was saved belongs to the version before.
            after_s = max(now_s - LOOK_BACK_S, stored.changed_at_ms // 1000)
        else:
            _, after_s, next_s = known
            if now_s < next_s:
                return
        turns = due(schedule, after_s, now_s)
        if turns:
            await self._take_turns(schedule, turns)
        self._looked[key] = (stored.version, now_s, next_due_s(schedule, now_s))

    async def _take_turns(self, schedule: Schedule, turns: list[Due]) -> None:
        centre, number = schedule.contact_centre_id, schedule.schedule_id
        runs = await self._store.schedule_runs(centre, turns[0].at_s)
        had = {(run.due_at_s, run.item_n) for run in runs if run.schedule_id == number}
        turns = [turn for turn in turns if turn not in had]
        wanted = _settled_by_group(schedule, turns)
        for turn in turns:
            item = schedule.items[turn.item_n]
            outcomes = [
                f"{group_id}: {await self._ask(schedule, turn, group_id)}"
                for group_id in groups_of(schedule, item)
                if turn in wanted.get(group_id, ())
            ]
            run = ScheduleRun(
                contact_centre_id=centre,
                schedule_id=number,
                item_n=turn.item_n,
                due_at_s=turn.at_s,
                done_at_ms=self._clock.now_ms(),
                outcome="; ".join(outcomes)[:MAX_OUTCOME] or MISSED,
            )
            await self._writer.submit(
                Asked(
                    caller=inside(centre),
                    command=NoteRuns(runs=(run,)),
                    request_type=RequestType.UNSOLICITED,
                    door=Door.INSIDE,
                )
            )

    async def _ask(self, schedule: Schedule, turn: Due, group_id: int) -> str:
        """Carry out a turn for one group; what came of it, in words."""
        wish = wish_of(schedule, schedule.items[turn.item_n])
        caller = inside(schedule.contact_centre_id)
        try:
            await self._keeper.control(caller, group_id, wish, door=Door.INSIDE)
        except ControlRefused as error:
            return f"{error.error.title}, {error}"
        return "done"


def _settled_by_group(schedule: Schedule, turns: list[Due]) -> dict[int, set[Due]]:
    """For each group the turns that still matter."""
    by_group: dict[int, list[Due]] = {}
    for turn in turns:
        for group_id in groups_of(schedule, schedule.items[turn.item_n]):
            by_group.setdefault(group_id, []).append(turn)
    return {
        group_id: settled([(turn, schedule.items[turn.item_n]) for turn in mine]) for group_id, mine in by_group.items()
    }
