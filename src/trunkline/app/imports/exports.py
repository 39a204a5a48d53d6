"""Export of a calling list in the shape in which imports read it, a page of records at a time.

CSV names its columns first, so the custom fields that occur are looked for in a first pass over the list; JSON lines
need one pass. What an export writes, an import with the specification ``exported`` reads back: the same records, with
their chains, statuses, results, attempts and windows, under new numbers. One that lies on a desk goes out as Ready.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec

from trunkline.app.bulk import MAX_PAGE, Bulk
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.chunks import check_may_import
from trunkline.app.ports import Store
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import MAX_COLUMNS, Column, custom_header
from trunkline.domain.enums import RecordStatus
from trunkline.domain.import_specifications import FileFormat
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller
from trunkline.domain.records import FieldValue, Record
from trunkline.domain.row_cells import NO_REGION
from trunkline.errors import InvalidState, TooLarge

COLUMNS = (
    *(Column.PHONE, Column.PHONE_TYPE, Column.RECORD_TYPE, Column.RECORD_STATUS, Column.CALL_RESULT, Column.ATTEMPTS),
    *(Column.DUE_AT, Column.CALLED_AT, Column.FROM, Column.UNTIL, Column.TIME_ZONE, Column.OTHER_ZONES, Column.REGION),
    *(Column.CHAIN, Column.CHAIN_N, Column.CUSTOMER_ID, Column.AGENT, Column.CAMPAIGN, Column.TREATMENTS),
)
"""The columns that every export has, under their names in a mapping."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets may take for a formula. Source: OWASP, CSV injection."""

_encode = msgspec.json.Encoder().encode


class Names(msgspec.Struct, frozen=True):
    """Names of users and campaigns by number."""

    agents: Mapping[int, str]
    campaigns: Mapping[int, str]


class Export:
    """One export. ``is_for_spreadsheets`` defuses formulas; such a file is not for imports."""

    def __init__(
        self,
        store: Store,
        calling_list: CallingList,
        file_format: FileFormat = FileFormat.CSV,
        *,
        is_for_spreadsheets: bool = False,
        page: int = MAX_PAGE,
    ) -> None:
        self._store = store
        self._list = calling_list
        self._format = file_format
        self._is_for_spreadsheets = is_for_spreadsheets
        self._page = page
        self.records = 0

    async def parts(self, caller: Caller) -> AsyncIterator[bytes]:
        """The file in parts. Raises ``Forbidden`` for agents before the first part.

        ``TooLarge`` for a list whose records have more different custom fields than a CSV file has columns,
        ``InvalidState`` when one with a new field came while the file was written. Memory is that of a page.
        """
        check_may_import(caller)
        async with self._store.bulk() as bulk:
            names = await self._names()
            if self._format is FileFormat.JSON_LINES:
                async for page in self._pages(bulk):
                    yield b"".join(_encode(_object(record, names)) + b"\n" for record in page)
                return
            fields = await self._fields(bulk)
            yield self._text([[*(column.value for column in COLUMNS), *map(custom_header, fields)]])
            known = set(fields)
            async for page in self._pages(bulk):
                if any(not record.other_fields.keys() <= known for record in page):
                    raise InvalidState("a record with a new custom field came meanwhile; export the list again")
                yield self._text(_row(record, names, fields) for record in page)

    async def _names(self) -> Names:
        centre = self._list.contact_centre_id
        users = await self._store.users(centre)
        book = ReferenceBook(await self._store.directory())
        return Names(
            agents={user.caller.user_id: user.caller.user_name for user in users},
            campaigns={one.object_id: one.value.name for one in book.objects_of(centre, ObjectKind.CAMPAIGN)},
        )

    async def _fields(self, bulk: Bulk) -> list[str]:
        """The custom fields that occur, those of the list's format first."""
        found = dict.fromkeys(field.name for field in self._list.fields)
        async for page in self._pages(bulk):
            for record in page:
                if not record.other_fields.keys() <= found.keys():
                    found.update(dict.fromkeys(record.other_fields))
            if len(found) > MAX_COLUMNS - len(COLUMNS):
                raise TooLarge("the records have more custom fields than a CSV file has columns; take JSON lines")
        return list(found)

    async def _pages(self, bulk: Bulk) -> AsyncIterator[list[Record]]:
        after: tuple[int, int] | None = None
        self.records = 0
        while True:
            page = await bulk.page(self._list.contact_centre_id, self._list.list_id, after, self._page)
            if not page:
                return
            self.records += len(page)
            yield page
            after = (page[-1].chain_id, page[-1].chain_n)

    def _text(self, rows: Iterable[list[Any]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text)  # with the line ends of RFC 4180, so that either half of one is quoted in a cell
        writer.writerows(map(_defused, rows) if self._is_for_spreadsheets else rows)
        return text.getvalue().encode()


def _defused(row: list[Any]) -> list[Any]:
    """The row with an apostrophe before every cell that spreadsheets may take for a formula."""
    return [f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in row]


def _named(member: Any) -> str:
    name: str = member.name
    return name.title().replace("_", "")


_READERS: dict[Column, Callable[[Record, Names], FieldValue]] = {
    Column.PHONE: lambda record, _: record.phone_number,
    Column.PHONE_TYPE: lambda record, _: _named(record.phone_type),
    Column.RECORD_TYPE: lambda record, _: _named(record.record_type),
    Column.RECORD_STATUS: lambda record, _: _named(
        RecordStatus.READY if record.status is RecordStatus.RETRIEVED else record.status
    ),
    Column.CALL_RESULT: lambda record, _: _named(record.call_result),
    Column.ATTEMPTS: lambda record, _: record.attempts,
    Column.DUE_AT: lambda record, _: record.due_at_s,
    Column.CALLED_AT: lambda record, _: record.called_at_s,
    Column.FROM: lambda record, _: _clock(record.from_s),
    Column.UNTIL: lambda record, _: _clock(record.until_s),
    Column.TIME_ZONE: lambda record, _: record.time_zone,
    Column.OTHER_ZONES: lambda record, _: " ".join(record.other_zones),
    Column.REGION: lambda record, _: _region(record.region),
    Column.CHAIN: lambda record, _: str(record.chain_id),
    Column.CHAIN_N: lambda record, _: record.chain_n,
    Column.CUSTOMER_ID: lambda record, _: record.customer_id,
    Column.AGENT: lambda record, names: names.agents.get(record.agent_id or 0),
    Column.CAMPAIGN: lambda record, names: names.campaigns.get(record.campaign_id or 0),
    Column.TREATMENTS: lambda record, _: record.treatments,
}


def _region(region: str) -> str:
    """A region as imports read it: two letters alone would be a part of the list's country."""
    if not region:
        return NO_REGION
    return region if "-" in region else f"{region}-"


def _clock(at_s: int) -> str:
    """A time of day as imports read it, also one that small numbers would say of another unit."""
    return f"{at_s // 3600:02d}:{at_s // 60 % 60:02d}:{at_s % 60:02d}"


def _row(record: Record, names: Names, fields: list[str]) -> list[Any]:
    own = record.other_fields
    row = [_READERS[column](record, names) for column in COLUMNS]
    return [*row, *(_cell(own.get(name)) for name in fields)]


def _cell(value: FieldValue) -> FieldValue:
    return str(value).lower() if isinstance(value, bool) else value


def _object(record: Record, names: Names) -> dict[str, FieldValue]:
    known = {column.value: _READERS[column](record, names) for column in COLUMNS}
    return {**known, **{custom_header(name): value for name, value in record.other_fields.items()}}
