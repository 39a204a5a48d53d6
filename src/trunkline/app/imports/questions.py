"""What the store knows of a file's contacts: those in the list already, and those on do-not-call lists."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec

from trunkline.app.bulk import Bulk
from trunkline.app.imports.checking import Hits
from trunkline.app.imports.columns import ReadBlock
from trunkline.app.imports.orders import ImportOrder
from trunkline.app.ports import Clock
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import Column
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.import_specifications import DuplicateScope
from trunkline.domain.records import FieldValue

KEPT_KEYS = 50_000
"""Do-not-call keys of a kind that are kept in memory, some 5 MB; where there are more the store is asked each time."""
_MUST_NOT = "must not be called: it is on a do-not-call list"
_fields = msgspec.json.Decoder(list[dict[str, FieldValue]]).decode


class Questions:
    """Asks for each block only what may have an answer: an empty list holds no duplicates, for example.

    Few do-not-call entries are read once, as they are when the import begins. ``after_row`` is the last row that an
    earlier run of the import has added.
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
        self._calling_list = calling_list
        self._has_records = True
        self._asks_accounts = False
        self._kept: dict[DoNotCallKind, set[str] | None] = {}

    async def prepare(self) -> None:
        """Find out what has to be asked at all."""
        self._has_records = bool(await self._bulk.page(self._centre, self._list_id, None, 1))
        if not self._checks_suppression:
            return
        kinds = [kind for kind, *_ in self._columns]
        if self._calling_list.account_field:
            kinds.append(DoNotCallKind.ACCOUNT)
        for kind in kinds:
            self._kept[kind] = await self._bulk.all_suppressed(
                self._centre, self._suppression_lists, kind, self._clock.now_s(), KEPT_KEYS
            )
        # Where no entry names an account no custom field is looked into.
        self._asks_accounts = self._kept.get(DoNotCallKind.ACCOUNT, set()) != set()

    async def hits(self, read: ReadBlock) -> list[Hits]:
        """What is known of a block; rows that an earlier run has added are not asked for."""
        if not len(read.records) or read.end_row <= self._after_row:
            return []
        found: list[Hits] = []
        for kind, column, meaning, scope in self._columns:
            values = read.records.column(column)
            hits = partial(Hits, values, meaning, after_row=self._after_row)
            here: set[str] = set()
            if self._has_records and scope is not DuplicateScope.NONE:
                here = await self._known(self._list_id, kind, values)
                found.append(hits(keys=here, reason="is in the list already"))
            if scope is DuplicateScope.CONTACT_CENTRE:
                there = await self._known(None, kind, values) - here
                found.append(hits(keys=there, reason="is in another list of the contact centre already"))
            if self._checks_suppression:
                blocked = await self._suppressed(kind, values)
                found.append(hits(keys=blocked, reason=_MUST_NOT))
        if self._asks_accounts:
            found.append(await self._accounts(read))
        return [hit for hit in found if hit.keys]

    async def _accounts(self, read: ReadBlock) -> Hits:
        """Accounts that must not be called. They stand inside of the custom fields, which cost some time to read."""
        texts = read.records.column("other_fields")
        accounts = await asyncio.to_thread(self._accounts_in, texts)
        field = self._calling_list.account_field
        blocked = await self._suppressed(DoNotCallKind.ACCOUNT, accounts)
        return Hits(accounts, None, blocked, _MUST_NOT, self._after_row, field)

    def _accounts_in(self, texts: list[str | None]) -> list[str]:
        """The account of each record, empty where it names none."""
        rows = _fields("[" + ",".join([text or "{}" for text in texts]) + "]")
        return [self._calling_list.account_in(fields) or "" for fields in rows]

    async def _known(self, list_id: int | None, kind: DoNotCallKind, values: list[str]) -> set[str]:
        keys = list(filter(None, values))
        return await self._bulk.known(self._centre, list_id, kind, keys) if keys else set()

    async def _suppressed(self, kind: DoNotCallKind, values: list[str]) -> set[str]:
        kept = self._kept[kind]
        if kept is not None:
            return kept.intersection(values) if kept else kept
        keys = list(filter(None, values))
        if not keys:
            return set()
        return await self._bulk.suppressed(self._centre, self._suppression_lists, kind, keys, self._clock.now_s())
