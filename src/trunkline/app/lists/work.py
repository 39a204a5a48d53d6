"""What is done to whole lists: recycling and its undoing, splitting and merging.

Lists may have millions of records, so each of these goes through the list in portions, every portion one transaction
of the writer. A record on a desk or in a group's buffer is left alone: somebody works on it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

import msgspec

from trunkline.app.asking import Asked
from trunkline.app.lists.filters import parsed_for
from trunkline.app.lists.formats import check_same_format
from trunkline.app.ports import Clock, RecordQuery, Store, StoredRow
from trunkline.domain.campaigns import CallingList
from trunkline.domain.enums import Door, RecordStatus, RecordType, RequestType
from trunkline.domain.filters import COLUMNS, Both, Compared, Condition, Operator
from trunkline.domain.people import Caller, Role
from trunkline.errors import Forbidden, InvalidState, NotFound, OutOfRange

PORTION = 500
"""Records of one transaction: some 20 ms of database work, which is how long an agent's request may wait for it."""

Submit = Callable[[Asked], Awaitable[StoredRow | None]]
"""``Writer.submit``."""
OnStep = Callable[[int], None]
"""Told how many records are done."""


class RecycleOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which records are to be called again.

    ``criteria`` selects them, empty for the whole list. Do-not-call records and those that somebody works on are never
    among them. ``keeps_attempts`` leaves the count of attempts as it is.
    """

    criteria: str = ""
    keeps_attempts: bool = False


class MoveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Which chains go to another list: those with a selected record, of them ``count`` or ``percent`` evenly.

    ``allows_other_format``: also into a list with other custom fields; records keep the values that they have.
    """

    criteria: str = ""
    count: int | None = None
    percent: int | None = None
    allows_other_format: bool = False


class LeftBecause(StrEnum):
    """Why a selected record or chain was left as it is."""

    WORKED = "worked"
    """It is on a desk or in a group's buffer."""
    CHANGED = "changed"
    """It was called or changed after the recycling that is undone."""
    GONE = "gone"
    """It was removed, or moved to another list, after the recycling that is undone."""
    DUPLICATE = "duplicate"
    """The target refuses duplicates and has one of its numbers."""


class ListReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of an order. ``left`` counts selected ones that could not be changed, ``left_because`` says why."""

    list_name: str
    records: int
    left: int = 0
    left_because: Mapping[LeftBecause, int] = {}
    run_id: int | None = None
    is_dry_run: bool = False


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far an order is. ``after`` is the last record looked at, ``chains`` how many chains were.

    ``left`` counts what was left, by reason.
    """

    records: int = 0
    left: Mapping[LeftBecause, int] = {}
    chains: int = 0
    run_id: int = 0
    after: tuple[int, int] = (-1, -1)
    is_finished: bool = False


class Portion(msgspec.Struct, frozen=True, kw_only=True):
    """One portion of an order: it goes on from ``before``, and its handler says in ``reached`` how far it came.

    A portion may be decided more than once, when its transaction could not be written; the last time counts.
    """

    list_id: int
    before: Progress
    reached: list[Progress]


class Recycle(Portion, frozen=True, kw_only=True):
    """Reset records. ``before.run_id`` 0 begins a recycling."""

    condition: Condition | None
    what: str
    keeps_attempts: bool


class UndoRecycling(Portion, frozen=True, kw_only=True):
    """Undo the recycling ``before.run_id``."""


class RemoveRecords(Portion, frozen=True, kw_only=True):
    """Take records out of the database."""

    condition: Condition | None


class MoveChains(Portion, frozen=True, kw_only=True):
    """Move chains. ``wanted`` says of the n-th selected chain whether it goes."""

    target_id: int
    condition: Condition | None
    wanted: Callable[[int], bool]


_BEGIN = Progress()


class ListWork:
    """Carries out orders on lists; one per process. ``submit`` is the writer's."""

    def __init__(self, store: Store, clock: Clock, submit: Submit) -> None:
        self._store = store
        self._clock = clock
        self._submit = submit

    async def count(self, caller: Caller, calling_list: CallingList, order: RecycleOrder) -> ListReport:
        """How many records a recycling would reset; changes nothing."""
        check_may_work_on_lists(caller)
        query = self._query(calling_list, recyclable(parsed_for(calling_list, order.criteria).condition))
        found = await self._store.count_records(query)
        return ListReport(list_name=calling_list.name, records=found, is_dry_run=True)

    async def recycle(
        self,
        caller: Caller,
        calling_list: CallingList,
        order: RecycleOrder,
        door: Door = Door.INSIDE,
        on_step: OnStep | None = None,
    ) -> ListReport:
        """Make the selected records callable again; the report's ``run_id`` undoes it. Raises ``OutOfRange``."""
        check_may_work_on_lists(caller)
        condition = recyclable(parsed_for(calling_list, order.criteria).condition)
        what = f"{order.criteria or 'all records'}{', attempts kept' if order.keeps_attempts else ''}"

        def portion(before: Progress) -> Portion:
            return Recycle(
                list_id=calling_list.list_id,
                before=before,
                reached=[],
                condition=condition,
                what=what,
                keeps_attempts=order.keeps_attempts,
            )

        done = await self._carry_out(caller, portion, RequestType.LIST_RECYCLE, door, on_step)
        return ListReport(list_name=calling_list.name, records=done.records, run_id=done.run_id)

    async def undo(
        self,
        caller: Caller,
        calling_list: CallingList,
        run_id: int,
        door: Door = Door.INSIDE,
        on_step: OnStep | None = None,
    ) -> ListReport:
        """Give records back what a recycling took; those that changed since are left. Raises ``NotFound``."""
        check_may_work_on_lists(caller)

        def portion(before: Progress) -> Portion:
            return UndoRecycling(list_id=calling_list.list_id, before=before, reached=[])

        begin = Progress(run_id=run_id)
        done = await self._carry_out(caller, portion, RequestType.LIST_RECYCLE_UNDO, door, on_step, begin)
        return _report(calling_list, done.records, done.left, run_id)

    async def move(
        self,
        caller: Caller,
        source: CallingList,
        target: CallingList,
        order: MoveOrder,
        *,
        is_dry_run: bool = False,
        door: Door = Door.INSIDE,
        on_step: OnStep | None = None,
    ) -> ListReport:
        """Move chains from a list to another of the same contact centre: splitting, or merging when all go.

        Chains keep their numbers and what they went through. Raises ``OutOfRange``, ``InvalidState`` (also when the
        target has other custom fields and the order does not allow it).
        """
        check_may_work_on_lists(caller)
        if source.list_id == target.list_id:
            raise InvalidState("a list cannot be moved into itself")
        if not order.allows_other_format:
            check_same_format(source, target)
        selected = parsed_for(source, order.criteria).condition
        condition = at_rest(selected)
        total = await self._store.count_chains(self._query(source, condition))
        wanted = wanted_places(order, total)
        if is_dry_run:
            count = sum(map(wanted, range(total)))
            return ListReport(list_name=target.name, records=count, is_dry_run=True)

        def portion(before: Progress) -> Portion:
            return MoveChains(
                list_id=source.list_id,
                before=before,
                reached=[],
                target_id=target.list_id,
                condition=condition,
                wanted=wanted,
            )

        done = await self._carry_out(caller, portion, RequestType.LIST_MOVE, door, on_step)
        worked = await self._store.count_chains(self._query(source, at_work(selected)))
        return _report(target, done.records, _with_worked(done.left, worked))

    async def empty(
        self,
        caller: Caller,
        calling_list: CallingList,
        criteria: str,
        *,
        is_dry_run: bool = False,
        door: Door = Door.INSIDE,
        on_step: OnStep | None = None,
    ) -> ListReport:
        """Take the selected records (none named: all) out of the database, for good.

        Do-not-call entries and the attempt log stay, so nobody is called more often for it. Raises ``OutOfRange``.
        """
        check_may_work_on_lists(caller)
        selected = parsed_for(calling_list, criteria).condition
        condition = at_rest(selected)
        if is_dry_run:
            count = await self._store.count_records(self._query(calling_list, condition))
            return ListReport(list_name=calling_list.name, records=count, is_dry_run=True)

        def portion(before: Progress) -> Portion:
            return RemoveRecords(list_id=calling_list.list_id, before=before, reached=[], condition=condition)

        done = await self._carry_out(caller, portion, RequestType.LIST_EMPTY, door, on_step)
        worked = await self._store.count_records(self._query(calling_list, at_work(selected)))
        return _report(calling_list, done.records, _with_worked({}, worked))

    async def _carry_out(
        self,
        caller: Caller,
        portion: Callable[[Progress], Portion],
        request_type: RequestType,
        door: Door,
        on_step: OnStep | None,
        begin: Progress = _BEGIN,
    ) -> Progress:
        """Send portion after portion until the list is done."""
        progress = begin
        while not progress.is_finished:
            command = portion(progress)
            await self._submit(Asked(caller=caller, command=command, request_type=request_type, door=door))
            progress = command.reached[-1]
            if on_step is not None:
                on_step(progress.records)
        return progress

    def _query(self, calling_list: CallingList, condition: Condition | None) -> RecordQuery:
        return RecordQuery(
            contact_centre_id=calling_list.contact_centre_id,
            list_id=calling_list.list_id,
            condition=condition,
            now_s=self._clock.now_s(),
        )


def _report(
    calling_list: CallingList, records: int, left: Mapping[LeftBecause, int], run_id: int | None = None
) -> ListReport:
    return ListReport(
        list_name=calling_list.name, records=records, left=sum(left.values()), left_because=left, run_id=run_id
    )


def _with_worked(left: Mapping[LeftBecause, int], worked: int) -> Mapping[LeftBecause, int]:
    """The counts with what was not even looked at, because somebody works on it."""
    total = left.get(LeftBecause.WORKED, 0) + worked
    return {**left, LeftBecause.WORKED: total} if total else left


def check_may_work_on_lists(caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller is a supervisor or an administrator."""
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("only a supervisor or an administrator works on whole lists")


def recyclable(condition: Condition | None) -> Condition:
    """The condition without records that must not be called and those that somebody works on."""
    is_callable = Compared(COLUMNS["record_type"], Operator.NOT_EQUAL, int(RecordType.NO_CALL))
    return Both((at_rest(condition), is_callable))


def at_rest(condition: Condition | None) -> Condition:
    """The condition without records on a desk or in a group's buffer."""
    return _and_status(condition, Operator.NOT_EQUAL)


def at_work(condition: Condition | None) -> Condition:
    """The condition with those alone."""
    return _and_status(condition, Operator.EQUAL)


def _and_status(condition: Condition | None, operator: Operator) -> Condition:
    bound = Compared(COLUMNS["record_status"], operator, int(RecordStatus.RETRIEVED))
    return bound if condition is None else Both((condition, bound))


def wanted_places(order: MoveOrder, total: int) -> Callable[[int], bool]:
    """Which of ``total`` chains an order wants, by their places; the first ``count``, or ``percent`` spread evenly."""
    if order.count is not None and order.percent is not None:
        raise OutOfRange("count and percent cannot both be given")
    if order.count is not None:
        if order.count < 1:
            raise OutOfRange("count must be at least 1")
        most = order.count
        return lambda place: place < most
    if order.percent is not None:
        if not 1 <= order.percent <= 100:
            raise OutOfRange("percent must lie between 1 and 100")
        share = order.percent
        return lambda place: (place + 1) * share // 100 > place * share // 100
    return lambda _: True


def no_such_run() -> NotFound:
    """There is no such recycling."""
    return NotFound("there is no recycling with this number in the list")
