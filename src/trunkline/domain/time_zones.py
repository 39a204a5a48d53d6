"""Numbers and names for IANA time zones, as other systems' lists use them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.domain.eligibility import ZONE_ALIASES, zone

PST_ID = 122
"""The number of PST in the original's default configuration (outbound domain 1.1, tz_dbid)."""


class TimeZoneAlias(msgspec.Struct, frozen=True, kw_only=True):
    """A number and a name for an IANA time zone."""

    contact_centre_id: int
    time_zone_id: int
    name: str
    description: str = ""
    time_zone: str = "UTC"
    is_enabled: bool = True


def usual_aliases(contact_centre_id: int) -> list[TimeZoneAlias]:
    """What a new contact centre begins with: PST under its usual number, the others behind it (those are ours)."""
    return [
        TimeZoneAlias(contact_centre_id=contact_centre_id, time_zone_id=number, name=name, time_zone=iana)
        for number, (name, iana) in enumerate(ZONE_ALIASES.items(), PST_ID)
    ]


def zone_meant(text: str, aliases: Iterable[TimeZoneAlias]) -> str:
    """The name to keep for a zone given by IANA name, usual name, alias or alias's number.

    IANA names and usual names are kept as they were given (decisions 6). ``OutOfRange`` for what is none of these.
    """
    for alias in aliases:
        if alias.is_enabled and text in (alias.name, str(alias.time_zone_id)) and text not in ZONE_ALIASES:
            return alias.time_zone
    zone(text)
    return text
