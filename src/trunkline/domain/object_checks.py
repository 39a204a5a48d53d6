"""What an object may not say by itself, without a look at others. Every refusal names the field as the API does."""

from __future__ import annotations

import re
from collections.abc import Iterable

from trunkline.domain.campaigns import (
    AgentGroup,
    CallingList,
    CampaignDefinition,
    CampaignGroup,
    Format,
    ListField,
)
from trunkline.domain.eligibility import SECONDS_A_DAY, check_bounds, covers, zone
from trunkline.domain.enums import DialMode, FieldType, OptimizeBy
from trunkline.domain.field_values import checked_value
from trunkline.domain.people import Account, Role
from trunkline.domain.time_zones import TimeZoneAlias
from trunkline.errors import OutOfRange

_REGION = re.compile(r"[A-Z]{2}")
_PERCENT = (OptimizeBy.BUSY_FACTOR, OptimizeBy.OVERDIAL_RATE)


def check_name(name: str) -> None:
    """Raise ``OutOfRange`` unless a person can tell the name from others: printable, no space at its ends."""
    if not name.isprintable() or name != name.strip():
        raise OutOfRange("name must be printable and neither begin nor end with a space")


def check_fields(fields: Iterable[ListField]) -> None:
    """Raise ``OutOfRange`` for custom fields that are named twice, or whose default is not of their type."""
    names: set[str] = set()
    sent: set[str] = set()
    for at, field in enumerate(fields):
        place = f"fields[{at}]"
        if not field.name.isprintable() or field.name != field.name.strip():
            raise OutOfRange(f"{place}.name must be printable and neither begin nor end with a space")
        if field.name in names:
            raise OutOfRange(f"{place}.name is the name of another field too")
        names.add(field.name)
        key = field.sent_as or field.name
        if field.is_sent and key in sent:
            raise OutOfRange(f"{place} travels under the same key as another field")
        sent.add(key)
        if field.max_length is not None and field.field_type not in (FieldType.CHAR, FieldType.VARCHAR):
            raise OutOfRange(f"{place}.maxLength is for Char and VarChar")
        if field.default is not None:
            checked_value(field, field.default, f"{place}.default")


def check_format(value: Format) -> None:
    """See ``check_fields``."""
    check_fields(value.fields)


def check_list(value: CallingList) -> None:
    """Raise ``OutOfRange`` for a window, zone or region that cannot be, or fields beside a format."""
    check_bounds(value.from_s, value.until_s)
    try:
        zone(value.default_time_zone)
    except OutOfRange:
        raise OutOfRange("defaultTimeZone is not a known time zone; use an IANA name such as Europe/Paris") from None
    if value.default_region and not _REGION.fullmatch(value.default_region):
        raise OutOfRange("defaultRegion must be a two-letter country code such as US")
    if value.fields and value.format_id:
        raise OutOfRange("fields are those of the format when formatId names one")
    check_fields(value.fields)


def check_campaign(value: CampaignDefinition) -> None:
    """Raise ``OutOfRange`` for hours that cannot be, no weekday at all, or a list named twice."""
    try:
        check_bounds(value.hours_from_s, value.hours_until_s)
    except OutOfRange as error:
        raise OutOfRange(str(error).replace("from ", "hoursFrom ").replace("until ", "hoursUntil ")) from None
    if not value.weekdays:
        raise OutOfRange("weekdays must name a day: the campaign would never call")
    if len(set(value.weekdays)) < len(value.weekdays):
        raise OutOfRange("weekdays names a day twice")
    ids = [entry.list_id for entry in value.lists]
    if len(set(ids)) < len(ids):
        raise OutOfRange("lists names a calling list twice")
    if len(set(value.suppression_list_ids)) < len(value.suppression_list_ids):
        raise OutOfRange("suppressionListIds names a list twice")


def check_group(value: CampaignGroup) -> None:
    """Raise ``OutOfRange`` for buffers, modes or goals that make no sense."""
    if value.opt_buffer <= value.min_buffer:
        raise OutOfRange("optBuffer must be greater than minBuffer")
    if value.dial_mode is DialMode.NO_DIAL_MODE:
        raise OutOfRange("dialMode must be a mode that dials")
    low = 0 if value.optimize_by in (OptimizeBy.OVERDIAL_RATE, OptimizeBy.MAXIMUM_GAIN) else 1
    high = 100 if value.optimize_by in _PERCENT else 3600
    if not low <= value.optimize_goal <= high:
        raise OutOfRange(f"optimizeGoal must lie between {low} and {high} for this optimizeBy")


def check_agents(value: AgentGroup) -> None:
    """Raise ``OutOfRange`` when a skill is named twice."""
    ids = [wanted.skill_id for wanted in value.skills]
    if len(set(ids)) < len(ids):
        raise OutOfRange("skills names a skill twice")


def check_alias(value: TimeZoneAlias) -> None:
    """Raise ``OutOfRange`` unless the zone exists."""
    zone(value.time_zone)


def check_account(value: Account) -> None:
    """Raise ``OutOfRange`` for a name that cannot log in, no role, or something named twice."""
    check_name(value.name)
    if ":" in value.name:
        raise OutOfRange("name must hold no colon: it separates name and password at the log-in")
    if "\\" in value.name:
        raise OutOfRange("name must hold no backslash: it separates contact centre and name at the log-in")
    if not value.roles or len(set(value.roles)) < len(value.roles):
        raise OutOfRange(f"roles must name one or more of {', '.join(Role)}, each once")
    ids = [device.device_id for device in value.devices]
    if len(set(ids)) < len(ids):
        raise OutOfRange("devices names a device twice")
    for at, device in enumerate(value.devices):
        if not device.device_id.isprintable() or "/" in device.device_id or " " in device.device_id:
            raise OutOfRange(f"devices[{at}].deviceId must be printable, without spaces and slashes")
    skills = [held.skill_id for held in value.skills]
    if len(set(skills)) < len(skills):
        raise OutOfRange("skills names a skill twice")
    if len(set(value.features)) < len(value.features):
        raise OutOfRange("features names a feature twice")


def windows_meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tell whether two windows of the day (``from_s``, ``until_s``) have a second in common.

    Each is an interval on the circle of the day, so they meet exactly when one of them begins inside the other.
    """
    return covers(*one, other[0] % SECONDS_A_DAY) or covers(*other, one[0] % SECONDS_A_DAY)
