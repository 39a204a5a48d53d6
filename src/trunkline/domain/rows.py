"""Rows of an imported list: whether a row can become a record, and if not, every reason why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from enum import IntEnum
from typing import TypeVar

import msgspec

from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import Column, RowPlan, plain
from trunkline.domain.eligibility import SECONDS_A_DAY, Window, local_to_unix_s, zone
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.records import MAX_FIELD_TEXT, Record, check_phone_number
from trunkline.errors import OutOfRange

MAX_CUSTOMER_ID = 64
"""Column customer_id of the original's do-not-call table."""
MAX_CHAIN_KEY = 128
"""A key is an id or a name; it is compared and forgotten, never stored."""
MAX_CHAIN_N = 9_999
"""Places need not be dense, but a chain is short: a larger number is another column's."""
MAX_ATTEMPTS = 10_000
"""Nobody was called more often; a larger number is another column's."""
EARLIEST_S = 1_000_000_000
"""2001-09-09: a smaller number is a date written without separators, or days instead of seconds."""
LATEST_S = 4_102_444_800
"""2100-01-01: a larger number was given in milliseconds."""


class Fault(msgspec.Struct, frozen=True):
    """Why a row cannot be taken.

    ``field`` is a column as the file names it, empty for the row itself; ``reason`` a sentence without its subject,
    which never repeats the value.
    """

    field: str
    reason: str


class RowValues(msgspec.Struct, frozen=True, kw_only=True):
    """A good row. Times are Unix seconds, the window seconds after local midnight.

    ``chain_key`` is empty for a row that is a chain of its own; ``chain_n`` None leaves the place to the reader.
    """

    phone_number: str
    phone_type: PhoneType
    record_type: RecordType
    call_result: CallResult
    attempts: int
    called_at_s: int | None
    due_at_s: int | None
    time_zone: str
    from_s: int
    until_s: int
    customer_id: str | None
    chain_key: str
    chain_n: int | None
    other_fields: dict[str, str]

    @property
    def window(self) -> Window:
        """When the record may be called."""
        return Window(self.time_zone, self.from_s, self.until_s)

    def record(self, calling_list: CallingList, chain_id: int, chain_n: int, record_id: int) -> Record:
        """The row as a record of the list that was never called here."""
        return Record(
            contact_centre_id=calling_list.contact_centre_id,
            list_id=calling_list.list_id,
            chain_id=chain_id,
            chain_n=chain_n,
            record_id=record_id,
            phone_number=self.phone_number,
            phone_type=self.phone_type,
            record_type=self.record_type,
            status=RecordStatus.READY,
            call_result=self.call_result,
            attempts=self.attempts,
            due_at_s=self.due_at_s,
            called_at_s=self.called_at_s,
            time_zone=self.time_zone,
            from_s=self.from_s,
            until_s=self.until_s,
            customer_id=self.customer_id,
            other_fields=dict(self.other_fields),
        )


_Value = TypeVar("_Value")
_Number = TypeVar("_Number", bound=IntEnum)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")


class _Cells:
    """The cells of one row with the faults found in them."""

    def __init__(self, plan: RowPlan, cells: Sequence[str]) -> None:
        self.plan = plan
        self.cells = cells
        self.faults: list[Fault] = []

    def text(self, column: Column) -> str:
        place = self.plan.known.get(column)
        return "" if place is None else self.cells[place].strip()

    def fault(self, column: Column, reason: str) -> None:
        self.faults.append(Fault(self.plan.name_of(column), reason))

    def read(self, column: Column, parse: Callable[[str], _Value], default: _Value) -> _Value:
        """The parsed cell; ``default`` when it is empty, or wrong and its fault noted."""
        text = self.text(column)
        if not text:
            return default
        try:
            return parse(text)
        except OutOfRange as error:
            self.fault(column, str(error))
            return default

    def check_texts(self) -> None:
        """Note every cell that cannot be stored."""
        for place, cell in enumerate(self.cells):
            if len(cell) > MAX_FIELD_TEXT:
                reason = f"is longer than {MAX_FIELD_TEXT} characters"
            elif "\0" in cell:
                reason = "holds the NUL character"
            elif not cell.isascii() and _HALF_PAIR.search(cell):
                reason = "holds bytes that are not text in this encoding"
            else:
                continue
            self.faults.append(Fault(self.plan.header[place], reason))


def read_row(plan: RowPlan, cells: Sequence[str], calling_list: CallingList) -> RowValues | tuple[Fault, ...]:
    """The values of a row, or all its faults. What the row leaves open comes from the list."""
    if len(cells) != len(plan.header):
        return (Fault("", f"has {len(cells)} cells where the header has {len(plan.header)}"),)
    row = _Cells(plan, cells)
    row.check_texts()
    if row.faults:
        return tuple(row.faults)
    phone_type = row.read(Column.PHONE_TYPE, _phone_type, PhoneType.HOME_PHONE)
    time_zone = row.read(Column.TIME_ZONE, _time_zone, calling_list.default_time_zone)
    row.read(Column.RECORD_STATUS, _ready, RecordStatus.READY)
    values = RowValues(
        phone_number=_phone_number(row, phone_type),
        phone_type=phone_type,
        record_type=row.read(Column.RECORD_TYPE, _record_type, RecordType.GENERAL),
        call_result=row.read(Column.CALL_RESULT, _call_result, CallResult.UNKNOWN),
        attempts=row.read(Column.ATTEMPTS, lambda text: _integer(text, MAX_ATTEMPTS), 0),
        called_at_s=row.read(Column.CALLED_AT, lambda text: _moment(text, time_zone), None),
        due_at_s=row.read(Column.DUE_AT, lambda text: _moment(text, time_zone), None),
        time_zone=time_zone,
        from_s=row.read(Column.FROM, _from, calling_list.from_s),
        until_s=row.read(Column.UNTIL, _until, calling_list.until_s),
        customer_id=row.read(Column.CUSTOMER_ID, lambda text: _name(text, MAX_CUSTOMER_ID), "") or None,
        chain_key=row.read(Column.CHAIN, lambda text: _name(text, MAX_CHAIN_KEY), ""),
        chain_n=row.read(Column.CHAIN_N, lambda text: _integer(text, MAX_CHAIN_N), None),
        other_fields={name: cells[place] for place, name in plan.custom},
    )
    return tuple(row.faults) if row.faults else values


def _phone_number(row: _Cells, phone_type: PhoneType) -> str:
    number = row.text(Column.PHONE)
    if not number:
        row.fault(Column.PHONE, "is empty")
        return number
    try:
        check_phone_number(number, phone_type)
    except OutOfRange as error:
        row.fault(Column.PHONE, str(error).removeprefix("phoneNumber "))
    return number


def _spellings(kind: type[_Number]) -> dict[str, _Number]:
    return {spelling: member for member in kind for spelling in (str(member.value), plain(member.name))}


_PHONE_TYPES = _spellings(PhoneType)
_RECORD_TYPES = _spellings(RecordType)
_STATUSES = _spellings(RecordStatus)
_CALL_RESULTS = {**_spellings(CallResult), "answered": CallResult.ANSWER}


def _phone_type(text: str) -> PhoneType:
    found = _PHONE_TYPES.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a kind of contact, such as Mobile or 4")
    return found


def _record_type(text: str) -> RecordType:
    found = _RECORD_TYPES.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a record type, such as General or 2")
    if found.is_personal:
        raise OutOfRange("is a personal type, and an import has no agent to give the record to")
    return found


def _ready(text: str) -> RecordStatus:
    if _STATUSES.get(plain(text)) is not RecordStatus.READY:
        raise OutOfRange("must be Ready: only records that may be called are imported")
    return RecordStatus.READY


def _call_result(text: str) -> CallResult:
    found = _CALL_RESULTS.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a call result, such as NoAnswer or 7")
    return found


def _time_zone(text: str) -> str:
    try:
        zone(text)
    except OutOfRange:
        raise OutOfRange("is not a known time zone; use an IANA name such as Europe/Paris") from None
    return text


def _integer(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise OutOfRange(f"must be a whole number from 0 to {most}")
    return int(text)


def _name(text: str, most: int) -> str:
    if len(text) > most or not text.isprintable():
        raise OutOfRange(f"must have at most {most} printable characters")
    return text


def _from(text: str) -> int:
    from_s = _time_of_day(text)
    if not 0 <= from_s < SECONDS_A_DAY:
        raise OutOfRange("must lie between 00:00 and 23:59:59")
    return from_s


def _until(text: str) -> int:
    # A day that ends at 00:00 ends at its last midnight, not at its first.
    until_s = _time_of_day(text) or (SECONDS_A_DAY if ":" in text else 0)
    if not 0 < until_s <= SECONDS_A_DAY:
        raise OutOfRange("must lie between 00:00:01 and 24:00")
    return until_s


def _time_of_day(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if found is not None:
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        if minutes < 60 and seconds < 60:
            return hours * 3600 + minutes * 60 + seconds
    elif text.isascii() and text.isdigit() and len(text) <= 5 and not 0 < int(text) <= 24:
        return int(text)
    raise OutOfRange("must be a time such as 09:30, or seconds after midnight such as 34200")


def _moment(text: str, time_zone: str) -> int | None:
    """Unix seconds of a number or an ISO 8601 time; without an offset it is the record's local time. 0 is no time."""
    if text.isascii() and text.isdigit():
        moment_s = int(text) if len(text) <= 10 else LATEST_S
        if moment_s == 0:
            return None
    else:
        moment_s = _from_calendar(text, time_zone)
    if not EARLIEST_S <= moment_s < LATEST_S:
        raise OutOfRange("must lie between September 2001 and the year 2100")
    return moment_s


def _from_calendar(text: str, time_zone: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise OutOfRange("must be Unix seconds or a time such as 2031-05-01T09:30") from None
    if not 2001 <= moment.year <= 2100:
        return LATEST_S
    return local_to_unix_s(moment, time_zone) if moment.tzinfo is None else int(moment.timestamp())
