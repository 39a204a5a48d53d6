"""Where a number is that an agent or another program gives: its time zones and its state, as an import finds them."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import phonenumbers
from phonenumbers.phonenumberutil import is_number_type_geographical

from trunkline.app.imports.places import Zones, regions_of, zones_of
from trunkline.app.spellings import CACHED
from trunkline.domain.records import Record


@lru_cache(maxsize=CACHED)
def place_of_number(number: str, region: str) -> tuple[Zones, str]:
    """Zones and state (``US-TX``) of a number, both empty when it is in no numbering plan.

    A number without a country code is of ``region`` (two letters, or empty). Cost: some 100 microseconds, once.
    """
    try:
        parsed = phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return (), ""
    kind = phonenumbers.number_type(parsed)
    if kind == phonenumbers.PhoneNumberType.UNKNOWN:
        return (), ""
    is_local = is_number_type_geographical(kind, parsed.country_code or 0)
    whole = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    key = whole if is_local else f"+{parsed.country_code}"
    return zones_of([key])[0], regions_of([key])[0]


def located(record: Record, region: str, *, is_zone_named: bool) -> Record:
    """The record with a new number, where that number is; as it was when nobody knows where that is.

    A zone that somebody named stays: people take their numbers along.
    """
    zones, state = place_of_number(record.phone_number, region)
    if not zones:
        return record
    if is_zone_named:
        return msgspec.structs.replace(record, region=state, other_zones=())
    time_zone, *others = zones
    return msgspec.structs.replace(record, time_zone=time_zone, other_zones=tuple(others), region=state)
