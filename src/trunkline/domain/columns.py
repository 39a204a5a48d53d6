"""Columns of an imported list: what each one means.

A column is known by its name in the calling-list format (outbound domain 1.1) or by the mapping that the caller
gives. Columns that nobody knows become custom fields under their own names; columns of the format that mean something
only inside the installation that wrote them (``LEFT_OUT``) are left out unless the mapping asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from trunkline.domain.records import MAX_FIELD_NAME, MAX_FIELDS
from trunkline.errors import MissingParameter, OutOfRange, TooLarge

MAX_COLUMNS = 200
"""Custom fields and the format's own columns together stay far below; more is a wrong delimiter or a wrong file."""


MAX_NUMBERS = 10
"""Numbers in one row: ``phone``, ``phone2`` to ``phone10``. Longer chains take several rows."""


class Column(StrEnum):
    """What a column can mean; the value is its name in a mapping."""

    PHONE = "phone"
    PHONE_TYPE = "phone_type"
    RECORD_TYPE = "record_type"
    RECORD_STATUS = "record_status"
    CALL_RESULT = "call_result"
    ATTEMPTS = "attempts"
    CALLED_AT = "call_time"
    DUE_AT = "dial_sched_time"
    FROM = "daily_from"
    UNTIL = "daily_till"
    TIME_ZONE = "time_zone"
    CUSTOMER_ID = "customer_id"
    CHAIN = "chain"
    CHAIN_N = "chain_n"
    OTHER_ZONES = "other_time_zones"
    REGION = "calling_region"
    AGENT = "agent_user_name"
    CAMPAIGN = "campaign_name"
    TREATMENTS = "treatments"


Meaning = Column | tuple[Column, int]
"""What a column is for: a ``Column``, or ``PHONE`` and ``PHONE_TYPE`` of a further number of the row, from 2 on."""


def plain(name: str) -> str:
    """A name as it is compared: without case, spaces, dashes, dots and underscores."""
    return re.sub(r"[\s_.-]+", "", name).casefold()


_OTHER_NAMES: dict[Column, tuple[str, ...]] = {
    Column.PHONE: ("contact_info", "phone_number"),
    Column.PHONE_TYPE: ("contact_info_type",),
    Column.ATTEMPTS: ("attempt",),
    Column.CALLED_AT: ("called_at",),
    Column.DUE_AT: ("due_at",),
    Column.FROM: ("from",),
    Column.UNTIL: ("daily_until", "until"),
    Column.TIME_ZONE: ("tz_name",),
    Column.CHAIN: ("chain_id",),
}
_FURTHER: dict[str, Meaning] = {
    plain(name): (column, n)
    for n in range(2, MAX_NUMBERS + 1)
    for column, names in (
        (Column.PHONE, (f"phone{n}", f"phone_number{n}", f"contact_info{n}")),
        (Column.PHONE_TYPE, (f"phone{n}_type", f"phone_type{n}", f"contact_info{n}_type", f"contact_info_type{n}")),
    )
    for name in names
}
KNOWN_NAMES: dict[str, Meaning] = {
    **{plain(name): column for column in Column for name in (column.value, *_OTHER_NAMES.get(column, ()))},
    **_FURTHER,
}
"""Plain name -> what a column of that name means when the mapping does not say otherwise."""
LEFT_OUT = frozenset(
    plain(name)
    for name in (
        *("record_id", "agent_id", "campaign_id", "group_id", "app_id", "switch_id", "tz_dbid"),
        *("media_ref", "email_subject", "email_template_id"),
    )
)
"""Plain names of columns whose numbers are keys of another installation."""


CUSTOM = "field:"
"""In front of a column's name: whatever follows is the name of a custom field, even if it would mean something else."""


def custom_header(name: str) -> str:
    """The name of a column that becomes the custom field of that name."""
    is_taken = plain(name) in KNOWN_NAMES or plain(name) in LEFT_OUT or name.startswith(CUSTOM)
    return CUSTOM + name if is_taken else name


class RowPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What each column of a file is for. ``known`` maps to places in the row, ``custom`` are (place, field name)."""

    header: tuple[str, ...]
    known: dict[Meaning, int]
    custom: tuple[tuple[int, str], ...]

    def uses(self) -> dict[str, str]:
        """Column of the file -> what becomes of it, in the words of the report."""
        uses = dict.fromkeys(self.header, "left out")
        uses.update({self.header[place]: f"custom field {name}" for place, name in self.custom})
        uses.update({self.header[place]: shown(meaning) for meaning, place in self.known.items()})
        return uses

    def name_of(self, meaning: Meaning) -> str:
        """What the file calls the column; the mapping's name when the file has none."""
        place = self.known.get(meaning)
        return shown(meaning) if place is None else self.header[place]

    def name_of_field(self, field: str) -> str:
        """What the file calls the column of a custom field; the field's name when the file has none."""
        return next((self.header[place] for place, name in self.custom if name == field), field)

    @property
    def further(self) -> tuple[int, ...]:
        """Which further numbers a row may hold, in order: 2 for ``phone2``."""
        return tuple(n for n in range(2, MAX_NUMBERS + 1) if (Column.PHONE, n) in self.known)


def shown(meaning: Meaning) -> str:
    """A meaning as it is written in a mapping."""
    if isinstance(meaning, Column):
        return meaning.value
    column, n = meaning
    return f"phone{n}" if column is Column.PHONE else f"phone{n}_type"


def plan_columns(header: Sequence[str], mapping: Mapping[str, str]) -> RowPlan:
    """Decide what every column is for.

    ``mapping`` is meaning -> column of the file. A meaning is a ``Column`` (or another of its known names) or the
    name of a custom field; an empty column name keeps a ``Column`` from being recognised by its name.
    Raises ``OutOfRange``, ``TooLarge`` or ``MissingParameter`` with a sentence about the header.
    """
    names = tuple(cell.strip() for cell in header)
    _check_header(names)
    places = {name.casefold(): place for place, name in enumerate(names)}
    known: dict[Meaning, int] = {}
    custom: dict[int, str] = {}
    decided: set[Meaning] = set()
    for meaning, name in mapping.items():
        column = KNOWN_NAMES.get(plain(meaning))
        if column is not None:
            if column in decided:
                raise OutOfRange(f"the mapping names {shown(column)} twice")
            decided.add(column)
            if not name.strip():
                continue
        place = places.get(name.strip().casefold())
        if place is None:
            raise OutOfRange(f"the file has no column {_shown(name)}, which the mapping gives to {_shown(meaning)}")
        if place in custom or place in known.values():
            raise OutOfRange(f"the mapping uses the column {_shown(name)} twice")
        if column is None:
            custom[place] = meaning
        else:
            known[column] = place
    for place, name in enumerate(names):
        if place in custom or place in known.values():
            continue
        column = KNOWN_NAMES.get(plain(name))
        if name.startswith(CUSTOM):
            custom[place] = name.removeprefix(CUSTOM)
        elif column is not None and column not in decided:
            if column in known:
                other = names[known[column]]
                raise OutOfRange(f"both {_shown(other)} and {_shown(name)} could be {shown(column)}; map one of them")
            known[column] = place
        elif plain(name) not in LEFT_OUT:
            custom[place] = name
    for found in known:
        if isinstance(found, tuple) and (Column.PHONE, found[1]) not in known:
            raise OutOfRange(f"there is a column for {shown(found)} and none for phone{found[1]}")
    if Column.PHONE not in known:
        raise MissingParameter("no column holds the phone number; map one, and look whether the delimiter is right")
    _check_custom(list(custom.values()))
    return RowPlan(header=names, known=known, custom=tuple(sorted(custom.items())))


def _check_header(names: tuple[str, ...]) -> None:
    if len(names) > MAX_COLUMNS:
        raise TooLarge(f"the file has more than {MAX_COLUMNS} columns")
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if not name:
            raise OutOfRange(f"column {number} has no name in the header")
        if len(name.removeprefix(CUSTOM)) > MAX_FIELD_NAME:
            raise TooLarge(f"the name of column {number} is longer than {MAX_FIELD_NAME} characters")
        if not name.isprintable():
            raise OutOfRange(f"the name of column {number} holds characters that cannot be printed")
        if name.casefold() in seen:
            raise OutOfRange(f"the header names the column {_shown(name)} twice")
        seen.add(name.casefold())


def _check_custom(names: list[str]) -> None:
    if len(names) > MAX_FIELDS:
        raise TooLarge(f"a record holds at most {MAX_FIELDS} custom fields")
    for name in names:
        if not 0 < len(name) <= MAX_FIELD_NAME or not name.isprintable():
            raise OutOfRange(f"a custom field has 1 to {MAX_FIELD_NAME} printable characters in its name")
    if len(set(names)) < len(names):
        raise OutOfRange("two columns would become the same custom field")


def _shown(name: str) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in name[:MAX_FIELD_NAME])
    return f"'{printable}'"
