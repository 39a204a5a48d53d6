"""What the store knows of a file's numbers and customers: those in the list already, and those on do-not-call lists."""

from __future__ import annotations

from functools import partial

from trunkline.app.bulk import Bulk
from trunkline.app.import_checking import Hits
from trunkline.app.import_columns import ReadBlock
from trunkline.app.import_orders import ImportOrder
from trunkline.app.ports import Clock
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import Column
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.import_specifications import DuplicateScope


class Questions:
    """Asks for each block only what may have an answer: an empty list holds no duplicates, for example.

    ``after_row`` is the last row that an earlier run of the import has added.
    """

    def __init__(self, bulk: Bulk, clock: Clock, calling_list: CallingList, order: ImportOrder, after_row: int) -> None:
        self._bulk = bulk
        self._clock = clock
        self._centre, self._list_id = calling_list.contact_centre_id, calling_list.list_id
        self._after_row = after_row
        self._checks_suppression = order.checks_suppression
        self._suppression_lists = (0, *order.suppression_list_ids)
        self._columns = (
            (DoNotCallKind.NUMBER, "number_key", Column.PHONE, order.numbers_of(calling_list)),
            (DoNotCallKind.CUSTOMER, "customer_id", Column.CUSTOMER_ID, order.duplicate_customers),
        )
        self._has_records = True
        self._suppressed: set[DoNotCallKind] = set()

    async def prepare(self) -> None:
        """Find out what has to be asked at all."""
        self._has_records = bool(await self._bulk.page(self._centre, self._list_id, None, 1))
        if self._checks_suppression:
            self._suppressed = await self._bulk.suppressed_kinds(self._centre, self._suppression_lists)

    async def hits(self, read: ReadBlock) -> list[Hits]:
        """What is known of a block; rows that an earlier run has added are not asked for."""
        if not len(read.records) or read.end_row <= self._after_row:
            return []
        found: list[Hits] = []
        for kind, column, meaning, scope in self._columns:
            is_here = self._has_records and scope is not DuplicateScope.NONE
            is_there = scope is DuplicateScope.CONTACT_CENTRE
            if not (is_here or is_there or kind in self._suppressed):
                continue
            keys = [key for key in read.records.column(column) if key]
            hits = partial(Hits, column, meaning, after_row=self._after_row)
            here = await self._bulk.known(self._centre, self._list_id, kind, keys) if keys and is_here else set()
            found.append(hits(keys=here, reason="is in the list already"))
            if keys and is_there:
                there = await self._bulk.known(self._centre, None, kind, keys) - here
                found.append(hits(keys=there, reason="is in another list of the contact centre already"))
            if keys and kind in self._suppressed:
                now_s = self._clock.now_s()
                blocked = await self._bulk.suppressed(self._centre, self._suppression_lists, kind, keys, now_s)
                found.append(hits(keys=blocked, reason="must not be called: it is on a do-not-call list"))
        return [hit for hit in found if hit.keys]
