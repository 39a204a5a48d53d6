"""One portion of the work on a list, inside the writer's transaction; see ``app.lists.work``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.lists.work import (
    PORTION,
    LeftBecause,
    MoveChains,
    Progress,
    Recycle,
    RemoveRecords,
    UndoRecycling,
    check_may_work_on_lists,
    no_such_run,
)
from trunkline.app.ports import RecordQuery, RecycleRun, RecycleState, Undo
from trunkline.app.view import Decision, View
from trunkline.domain.enums import CallResult, DoNotCallKind, Hold, RecordStatus, RecordType
from trunkline.domain.filters import Condition
from trunkline.domain.records import Happening, Record, moved
from trunkline.errors import InvalidState

RUNS_LOOKED_AT = 1_000
"""Recyclings of a list that can still be undone: one a day for three years."""
_LAST_PLACE = 2**31 - 1


def fresh(record: Record, *, keeps_attempts: bool) -> Record:
    """The record as if it had never been called; when it was called last stays, because attempt rules count it."""
    return moved(
        record,
        Happening.RESET,
        record_type=RecordType.GENERAL,
        call_result=CallResult.UNKNOWN,
        attempts=record.attempts if keeps_attempts else 0,
        due_at_s=None,
        hold=Hold.NONE,
        agent_id=None,
        treatments="",
    )


async def recycle(view: View, asked: Asked, command: Recycle, rules: Rules) -> Decision:
    """Reset the next records that the order selects; the last portion leaves the row in the audit."""
    check_may_work_on_lists(asked.caller)
    centre, before = asked.caller.contact_centre_id, command.before
    query = _query(view, centre, command.list_id, command.condition, before)
    page = await view.unit.records_where(query)
    found = view.still_selected(page, query)
    reset: list[Record] = []
    undo: list[Undo] = []
    runs = await view.unit.recycle_runs(centre, command.list_id, 1)
    run_id = before.run_id or (runs[0].run_id if runs else 0) + 1
    for record in found:
        new = fresh(record, keeps_attempts=command.keeps_attempts)
        if new != record:
            reset.append(new)
            # The store raises the version of what changes by one.
            undo.append(Undo(run_id, msgspec.structs.replace(record, version=record.version + 1)))
    is_last = len(page) < PORTION
    run = RecycleRun(
        contact_centre_id=centre,
        list_id=command.list_id,
        run_id=run_id,
        made_at_ms=view.now_ms,
        made_by=asked.caller.user_id,
        what=command.what,
        records=before.records + len(reset),
        state=RecycleState.DONE if is_last else RecycleState.RUNNING,
    )
    begun = msgspec.structs.replace(before, run_id=run_id)
    command.reached.append(_further(begun, page, len(reset), {}, is_last=is_last))
    return Decision(records=reset, undo=undo, recycle_run=run, list_id=command.list_id, is_silent=not is_last)


async def undo_recycling(view: View, asked: Asked, command: UndoRecycling, rules: Rules) -> Decision:
    """Give the next records back what they had, unless they changed since."""
    check_may_work_on_lists(asked.caller)
    centre, before = asked.caller.contact_centre_id, command.before
    runs = await view.unit.recycle_runs(centre, command.list_id, RUNS_LOOKED_AT)
    run = next((one for one in runs if one.run_id == before.run_id), None)
    if run is None:
        raise no_such_run()
    if run.state is RecycleState.UNDONE:
        raise InvalidState("this recycling was undone before")
    kept = await view.unit.undo_of(centre, command.list_id, before.run_id, PORTION)
    restored: list[Record] = []
    left: Counter[LeftBecause] = Counter()
    for chain_id in dict.fromkeys(undo.record.chain_id for undo in kept):
        chain = {record.chain_n: record for record in await view.chain(centre, command.list_id, chain_id)}
        for undo in kept:
            if undo.record.chain_id != chain_id:
                continue
            now = chain.get(undo.record.chain_n)
            if now is None:
                left[LeftBecause.GONE] += 1
            elif now.status is RecordStatus.RETRIEVED:
                left[LeftBecause.WORKED] += 1
            elif now.version != undo.record.version or view.is_changed(now.key):
                left[LeftBecause.CHANGED] += 1
            else:
                restored.append(undo.record)
    is_last = len(kept) < PORTION
    state = RecycleState.UNDONE if is_last else run.state
    command.reached.append(_further(before, [], len(restored), left, is_last=is_last))
    return Decision(
        records=restored,
        undone=[(undo.record.key, before.run_id) for undo in kept],
        recycle_run=msgspec.structs.replace(run, state=state),
        list_id=command.list_id,
        is_silent=not is_last,
    )


async def remove_records(view: View, asked: Asked, command: RemoveRecords, rules: Rules) -> Decision:
    """Take the next records out; one that came into somebody's hands in the meantime stays."""
    check_may_work_on_lists(asked.caller)
    query = _query(view, asked.caller.contact_centre_id, command.list_id, command.condition, command.before)
    page = await view.unit.records_where(query)
    found = [record for record in view.still_selected(page, query) if not view.is_changed(record.key)]
    is_last = len(page) < PORTION
    command.reached.append(_further(command.before, page, len(found), {}, is_last=is_last))
    return Decision(removed=found, list_id=command.list_id, is_silent=not is_last)


async def move_chains(view: View, asked: Asked, command: MoveChains, rules: Rules) -> Decision:
    """Move the next chains; one that somebody works on stays, and so does a number that the target refuses twice."""
    check_may_work_on_lists(asked.caller)
    centre, before = asked.caller.contact_centre_id, command.before
    target = view.book.list_by_id(centre, command.target_id)
    query = _query(view, centre, command.list_id, command.condition, before)
    page = await view.unit.records_where(query)
    found = view.still_selected(page, query)
    gone: list[Record] = []
    new: list[Record] = []
    left: Counter[LeftBecause] = Counter()
    chain_ids = list(dict.fromkeys(record.chain_id for record in found))
    for place, chain_id in enumerate(chain_ids, start=before.chains):
        if not command.wanted(place):
            continue
        chain = await view.chain(centre, command.list_id, chain_id)
        if any(record.status is RecordStatus.RETRIEVED for record in chain):
            left[LeftBecause.WORKED] += 1
            continue
        if target.refuses_duplicates and await _is_known(view, centre, command.target_id, chain):
            left[LeftBecause.DUPLICATE] += 1
            continue
        gone += chain
        new += [msgspec.structs.replace(record, list_id=command.target_id) for record in chain]
    is_last = len(page) < PORTION
    reached = _further(before, page, len(new), left, is_last=is_last)
    if page:
        # The last chain's other records went with it.
        reached = msgspec.structs.replace(reached, after=(page[-1].chain_id, _LAST_PLACE))
    command.reached.append(msgspec.structs.replace(reached, chains=before.chains + len(chain_ids)))
    return Decision(removed=gone, new_records=new, list_id=command.list_id, is_silent=not is_last)


async def _is_known(view: View, centre: int, list_id: int, chain: list[Record]) -> bool:
    for record in chain:
        if await view.records_of_contact(centre, [list_id], DoNotCallKind.NUMBER, record.phone_number, 1):
            return True
    return False


def _query(view: View, centre: int, list_id: int, condition: Condition | None, before: Progress) -> RecordQuery:
    return RecordQuery(
        contact_centre_id=centre,
        list_id=list_id,
        condition=condition,
        now_s=view.now_s,
        after=before.after,
        limit=PORTION,
    )


def _further(
    before: Progress, page: list[Record], done: int, left: Mapping[LeftBecause, int], *, is_last: bool
) -> Progress:
    return msgspec.structs.replace(
        before,
        records=before.records + done,
        left=Counter(before.left) + Counter(left),
        is_finished=is_last,
        after=(page[-1].chain_id, page[-1].chain_n) if page else before.after,
    )
