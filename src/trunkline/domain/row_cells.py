"""Cells of an imported list: what a text says in each column, or ``OutOfRange`` with the reason why it says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import Protocol, TypeVar

import msgspec

from trunkline.domain.campaigns import CallingList, ListField
from trunkline.domain.columns import RowPlan, plain
from trunkline.domain.eligibility import SECONDS_A_DAY, local_to_unix_s, zone
from trunkline.domain.enums import CallResult, FieldType, PhoneType, RecordStatus, RecordType
from trunkline.domain.records import MAX_FIELD_TEXT, FieldValue
from trunkline.errors import MissingParameter, OutOfRange

MAX_CUSTOMER_ID = 64
"""Column customer_id of the original's do-not-call table."""
MAX_CHAIN_KEY = 128
"""A key is an id or a name; it is compared and forgotten, never stored."""
MAX_CHAIN_N = 9_999
"""Places need not be dense, but a chain is short: a larger number is another column's."""
MAX_ATTEMPTS = 10_000
"""Nobody was called more often; a larger number is another column's."""
MAX_TREATMENTS = 255
"""Column treatments of the calling-list format."""
MAX_OTHER_ZONES = 100
"""A country has at most some forty zones, the numbers of a country code those of all its countries."""
EARLIEST_S = 1_000_000_000
"""2001-09-09: a smaller number is a date written without separators, or days instead of seconds."""
LATEST_S = 4_102_444_800
"""2100-01-01: a larger number was given in milliseconds."""
NO_REGION = "-"
"""Written in the column of the region where a record has none and none is to be derived from its number."""

Cell = FieldValue | msgspec.UnsetType
"""A cell: a text in CSV; in JSON any scalar, UNSET for a key that the object of this row has not."""


class NumberRules(Protocol):
    """Reads numbers into E.164."""

    def read(self, text: str, /) -> tuple[str, str] | None:
        """The number and the key of its place, or None."""

    def reason(self, text: str, /) -> str:
        """Why ``read`` gives None, as a ``Fault`` says it."""


class RowRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one import are understood.

    Without ``numbers`` they stay as they are written. ``zones_of`` and ``region_of`` tell zones and state of a place
    (the key that ``numbers`` gave). ``agents`` and ``campaigns`` are ids by name, ``zone_aliases`` IANA names by the
    contact centre's own names.
    """

    calling_list: CallingList
    numbers: NumberRules | None = None
    zones_of: Callable[[str], tuple[str, ...]] | None = None
    region_of: Callable[[str], str] | None = None
    agents: Mapping[str, int] = {}
    campaigns: Mapping[str, int] = {}
    zone_aliases: Mapping[str, str] = {}

    def field(self, name: str) -> ListField | None:
        """The declaration of a custom field, None for one that nobody declared."""
        return next((field for field in self.calling_list.fields if field.name == name), None)

    def left_open(self, plan: RowPlan) -> list[ListField]:
        """Declared fields that must have a value and have no column: they get their default.

        Raises ``MissingParameter`` for one that has none.
        """
        names = {name for _, name in plan.custom}
        found = [field for field in self.calling_list.fields if not field.is_nullable and field.name not in names]
        for field in found:
            if field.default is None:
                raise MissingParameter(f"no column holds {field.name}, for which the list's format wants a value")
        return found


_Number = TypeVar("_Number", bound=IntEnum)
HALF_PAIR = re.compile("[\ud800-\udfff]")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_COUNTRY = re.compile(r"[A-Z]{2}-")
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def unstorable(text: str) -> str | None:
    """Why a text cannot be stored, None for one that can."""
    if len(text) > MAX_FIELD_TEXT:
        return f"is longer than {MAX_FIELD_TEXT} characters"
    if "\0" in text:
        return "holds the NUL character"
    if not text.isascii() and HALF_PAIR.search(text):
        return "holds bytes that are not text in this encoding"
    return None


def _spellings(kind: type[_Number]) -> dict[str, _Number]:
    return {spelling: member for member in kind for spelling in (str(member.value), plain(member.name))}


_PHONE_TYPES = _spellings(PhoneType)
_RECORD_TYPES = _spellings(RecordType)
_STATUSES = _spellings(RecordStatus)
_CALL_RESULTS = {**_spellings(CallResult), "answered": CallResult.ANSWER}


def read_phone_type(text: str) -> PhoneType:
    """A kind of contact by name or number."""
    found = _PHONE_TYPES.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a kind of contact, such as Mobile or 4")
    return found


def read_record_type(text: str) -> RecordType:
    """A record type by name or number."""
    found = _RECORD_TYPES.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a record type, such as General or 2")
    return found


def read_status(text: str) -> RecordStatus:
    """A record status that a record may have which lies on nobody's desk."""
    found = _STATUSES.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a record status, such as Ready or 1")
    if found is RecordStatus.RETRIEVED:
        raise OutOfRange("says that somebody works the record, and nobody can have it before it is imported")
    return found


def read_call_result(text: str) -> CallResult:
    """A call result by name or number."""
    found = _CALL_RESULTS.get(plain(text))
    if found is None:
        raise OutOfRange("is neither the name nor the number of a call result, such as NoAnswer or 7")
    return found


def read_zone(text: str, rules: RowRules) -> str:
    """A time zone by its IANA name, one of the fixed aliases, or one of the contact centre's own."""
    name = rules.zone_aliases.get(text, text)
    try:
        zone(name)
    except OutOfRange:
        raise OutOfRange("is not a known time zone; use an IANA name such as Europe/Paris") from None
    return name


def read_zones(text: str, rules: RowRules) -> tuple[str, ...]:
    """Time zones parted by spaces."""
    names = text.split()
    if len(names) > MAX_OTHER_ZONES:
        raise OutOfRange(f"names more than {MAX_OTHER_ZONES} time zones")
    return tuple(read_zone(name, rules) for name in names)


def read_region(text: str, rules: RowRules) -> str:
    """A part of a country (ISO 3166), or a country with a dash behind it, which is not kept.

    Two letters alone are a part of the list's country, or that country itself. "-" is none.
    """
    if text == NO_REGION:
        return NO_REGION
    region = text.upper()
    if _COUNTRY.fullmatch(region):
        return region[:2]
    if len(region) == 2 and region.isascii() and region != rules.calling_list.default_region:
        region = f"{rules.calling_list.default_region}-{region}"
    if not _REGION.fullmatch(region):
        raise OutOfRange("must be a country or a state such as US-TX")
    return region


def read_agent(text: str, rules: RowRules) -> int:
    """The id of a user by name."""
    found = rules.agents.get(text)
    if found is None:
        raise OutOfRange("is no user of this contact centre")
    return found


def read_campaign(text: str, rules: RowRules) -> int:
    """The id of a campaign by name."""
    found = rules.campaigns.get(text)
    if found is None:
        raise OutOfRange("is no campaign of this contact centre")
    return found


def _integer(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise OutOfRange(f"must be a whole number from 0 to {most}")
    return int(text)


def _name(text: str, most: int) -> str:
    if len(text) > most or not text.isprintable():
        raise OutOfRange(f"must have at most {most} printable characters")
    return text


def read_attempts(text: str) -> int:
    """A count of attempts."""
    return _integer(text, MAX_ATTEMPTS)


def read_chain_n(text: str) -> int:
    """A place in a chain."""
    return _integer(text, MAX_CHAIN_N)


def read_chain_key(text: str) -> str:
    """What the rows of a chain have in common."""
    return _name(text, MAX_CHAIN_KEY)


def read_customer_id(text: str) -> str:
    """A customer id."""
    return _name(text, MAX_CUSTOMER_ID)


def read_treatments(text: str) -> str:
    """A treatment history."""
    return _name(text, MAX_TREATMENTS)


def read_from(text: str) -> int:
    """The beginning of a window, seconds after midnight."""
    from_s = _time_of_day(text)
    if not 0 <= from_s < SECONDS_A_DAY:
        raise OutOfRange("must lie between 00:00 and 23:59:59")
    return from_s


def read_until(text: str) -> int:
    """The end of a window, seconds after midnight."""
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


def read_moment(text: str, time_zone: str) -> int | None:
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


def read_field(cell: FieldValue, field: ListField | None) -> FieldValue:
    """The value of a custom field as its declaration wants it; as it is for one that nobody declared."""
    if field is None:
        return cell
    if cell is None or cell == "":
        if field.default is not None:
            return field.default
        if not field.is_nullable:
            raise OutOfRange("is empty, and the list's format wants a value")
        return cell
    if field.field_type is FieldType.INT:
        return _whole(cell)
    if field.field_type is FieldType.FLOAT:
        return _decimal(cell)
    if not isinstance(cell, str):
        raise OutOfRange("must be a text")
    if field.max_length is not None and len(cell) > field.max_length:
        raise OutOfRange(f"is longer than {field.max_length} characters")
    if field.field_type is FieldType.DATE_TIME:
        _check_date_time(cell)
    return cell


def _whole(cell: str | float) -> int:
    text = cell.strip() if isinstance(cell, str) else str(cell)
    if isinstance(cell, bool) or not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise OutOfRange("must be a whole number")
    return int(text)


def _decimal(cell: str | float) -> float:
    text = cell.strip() if isinstance(cell, str) else str(cell)
    if isinstance(cell, bool) or not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?", text):
        raise OutOfRange("must be a number such as 12.5")
    return float(text)


def _check_date_time(text: str) -> None:
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        raise OutOfRange("must be a date or a time such as 2031-05-01T09:30") from None
