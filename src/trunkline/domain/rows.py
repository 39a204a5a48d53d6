"""Rows of an imported list: whether a row can become records, and if not, every reason why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from trunkline.domain import row_cells as cells_of
from trunkline.domain.columns import Column, Meaning, RowPlan
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, PhoneType, RecordStatus, RecordType
from trunkline.domain.records import FieldValue, check_phone_number
from trunkline.domain.row_cells import NO_REGION, Cell, RowRules, unstorable
from trunkline.errors import OutOfRange, TooLarge

_Value = TypeVar("_Value")


class Fault(msgspec.Struct, frozen=True):
    """Why a row cannot be taken.

    ``field`` is a column as the file names it, empty for the row itself; ``reason`` a sentence without its subject,
    which never repeats the value.
    """

    field: str
    reason: str


class RowNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number of a row, and when it may be called."""

    phone_number: str
    phone_type: PhoneType
    window: Window


class RowValues(msgspec.Struct, frozen=True, kw_only=True):
    """A good row: one record for each of its numbers, and what they have in common. Times are Unix seconds.

    ``chain_key`` is empty for a row that is a chain of its own; ``chain_n`` None leaves the place to the reader.
    """

    numbers: tuple[RowNumber, ...]
    record_type: RecordType
    status: RecordStatus
    call_result: CallResult
    attempts: int
    called_at_s: int | None
    due_at_s: int | None
    campaign_id: int | None
    agent_id: int | None
    customer_id: str | None
    treatments: str
    chain_key: str
    chain_n: int | None
    other_fields: dict[str, FieldValue]


class _Cells:
    """The cells of one row with the faults found in them."""

    def __init__(self, plan: RowPlan, cells: Sequence[Cell]) -> None:
        self.plan = plan
        self.cells = cells
        self.faults: list[Fault] = []

    def text(self, meaning: Meaning) -> str:
        place = self.plan.known.get(meaning)
        cell = "" if place is None else self.cells[place]
        return cell.strip() if isinstance(cell, str) else ""

    def fault(self, meaning: Meaning, reason: str) -> None:
        self.faults.append(Fault(self.plan.name_of(meaning), reason))

    def read(self, meaning: Meaning, parse: Callable[[str], _Value], default: _Value) -> _Value:
        """The parsed cell; ``default`` when it is empty, or wrong and its fault noted."""
        text = self.text(meaning)
        if not text:
            return default
        try:
            return parse(text)
        except OutOfRange as error:
            self.fault(meaning, str(error))
            return default

    def check_texts(self) -> None:
        """Note every cell that cannot be stored."""
        for place, cell in enumerate(self.cells):
            reason = unstorable(cell) if isinstance(cell, str) else None
            if reason is not None:
                self.faults.append(Fault(self.plan.header[place], reason))


def is_blank(cells: Sequence[Cell]) -> bool:
    """True when nothing is in any cell."""
    return not any(cell.strip() if isinstance(cell, str) else cell is not msgspec.UNSET for cell in cells)


def read_row(plan: RowPlan, cells: Sequence[Cell], rules: RowRules) -> RowValues | tuple[Fault, ...]:
    """The values of a row, or all its faults. What the row leaves open comes from the list."""
    if len(cells) != len(plan.header):
        return (Fault("", f"has {len(cells)} cells where the header has {len(plan.header)}"),)
    row = _Cells(plan, cells)
    row.check_texts()
    if row.faults:
        return tuple(row.faults)
    zones = _zones(row, rules)
    span = (row.read(Column.FROM, cells_of.read_from, rules.calling_list.from_s),
            row.read(Column.UNTIL, cells_of.read_until, rules.calling_list.until_s))  # fmt: skip
    region = row.read(Column.REGION, lambda text: cells_of.read_region(text, rules), "")
    numbers = _numbers(row, rules, zones, span, region)
    local = numbers[0].window.time_zone if numbers else rules.calling_list.default_time_zone
    agent_id = row.read(Column.AGENT, lambda text: cells_of.read_agent(text, rules), None)
    record_type = row.read(Column.RECORD_TYPE, cells_of.read_record_type, RecordType.GENERAL)
    if record_type.is_personal and agent_id is None:
        row.fault(Column.RECORD_TYPE, "is a personal type, and the row names no agent to give the record to")
    values = RowValues(
        numbers=numbers,
        record_type=record_type,
        status=row.read(Column.RECORD_STATUS, cells_of.read_status, RecordStatus.READY),
        call_result=row.read(Column.CALL_RESULT, cells_of.read_call_result, CallResult.UNKNOWN),
        attempts=row.read(Column.ATTEMPTS, cells_of.read_attempts, 0),
        called_at_s=row.read(Column.CALLED_AT, lambda text: cells_of.read_moment(text, local), None),
        due_at_s=row.read(Column.DUE_AT, lambda text: cells_of.read_moment(text, local), None),
        campaign_id=row.read(Column.CAMPAIGN, lambda text: cells_of.read_campaign(text, rules), None),
        agent_id=agent_id,
        customer_id=row.read(Column.CUSTOMER_ID, cells_of.read_customer_id, "") or None,
        treatments=row.read(Column.TREATMENTS, cells_of.read_treatments, ""),
        chain_key=row.read(Column.CHAIN, cells_of.read_chain_key, ""),
        chain_n=row.read(Column.CHAIN_N, cells_of.read_chain_n, None),
        other_fields=_other_fields(row, rules),
    )
    return tuple(row.faults) if row.faults else values


def _zones(row: _Cells, rules: RowRules) -> tuple[str, ...]:
    """The zones that the row names, none when it leaves them open."""
    first = row.read(Column.TIME_ZONE, lambda text: cells_of.read_zone(text, rules), "")
    none: tuple[str, ...] = ()
    others = row.read(Column.OTHER_ZONES, lambda text: cells_of.read_zones(text, rules), none)
    if others and not first:
        row.fault(Column.OTHER_ZONES, "names further zones where the row has no first one")
    return (first, *others) if first else ()


def _numbers(
    row: _Cells, rules: RowRules, zones: tuple[str, ...], span: tuple[int, int], region: str
) -> tuple[RowNumber, ...]:
    found: list[RowNumber] = []
    meanings: list[tuple[Meaning, Meaning]] = [(Column.PHONE, Column.PHONE_TYPE)]
    meanings += [((Column.PHONE, n), (Column.PHONE_TYPE, n)) for n in row.plan.further]
    filled = [pair for pair in meanings if row.text(pair[0])]
    if not filled:
        row.read(Column.PHONE_TYPE, cells_of.read_phone_type, PhoneType.HOME_PHONE)
        row.fault(Column.PHONE, "is empty")
    for phone, kind in filled:
        phone_type = row.read(kind, cells_of.read_phone_type, PhoneType.HOME_PHONE)
        number, place = _number(row, phone, phone_type, rules)
        of_place = rules.zones_of(place) if rules.zones_of is not None and not zones else ()
        time_zone, *others = zones or of_place or (rules.calling_list.default_time_zone,)
        state = region or (rules.region_of(place) if rules.region_of is not None else "")
        if any(number == before.phone_number for before in found):
            continue  # home and mobile are often one number
        window = Window(time_zone, *span, "" if state == NO_REGION else state, tuple(others))
        found.append(RowNumber(phone_number=number, phone_type=phone_type, window=window))
    return tuple(found)


def _number(row: _Cells, phone: Meaning, phone_type: PhoneType, rules: RowRules) -> tuple[str, str]:
    """The number of a cell and the key of its place."""
    text = row.text(phone)
    try:
        check_phone_number(text, phone_type)
    except (OutOfRange, TooLarge) as error:
        row.fault(phone, str(error).removeprefix("phoneNumber "))
        return text, ""
    if rules.numbers is None or not phone_type.is_dialable:
        return text, ""
    read = rules.numbers.read(text)
    if read is None:
        row.fault(phone, rules.numbers.reason(text))
        return text, ""
    return read


def _other_fields(row: _Cells, rules: RowRules) -> dict[str, FieldValue]:
    fields: dict[str, FieldValue] = {}
    for place, name in row.plan.custom:
        cell = row.cells[place]
        field = rules.field(name)
        if cell is msgspec.UNSET and (field is None or field.is_nullable):
            continue
        try:
            fields[name] = cells_of.read_field("" if cell is msgspec.UNSET else cell, field)
        except OutOfRange as error:
            row.faults.append(Fault(row.plan.header[place], str(error)))
    return {**fields, **{field.name: field.default for field in rules.left_open(row.plan)}}
