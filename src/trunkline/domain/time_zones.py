"""Numbers and names for IANA time zones, as other systems' lists use them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.domain.eligibility import ZONE_ALIASES

PST_ID = 122
"""The number of PST in the original's default configuration (outbound domain 1.1, tz_dbid)."""


class TimeZoneAlias(msgspec.Struct, frozen=True, kw_only=True):
    """A number and a name for an IANA time zone, which has no default: a forgotten one would pass for UTC."""

    contact_centre_id: int
    time_zone_id: int
    name: str
    time_zone: str
    description: str = ""
    is_enabled: bool = True


def usual_aliases(contact_centre_id: int) -> list[TimeZoneAlias]:
    """What a new contact centre begins with: PST under its usual number, the others behind it (those are ours)."""
    return [
        TimeZoneAlias(contact_centre_id=contact_centre_id, time_zone_id=number, name=name, time_zone=iana)
        for number, (name, iana) in enumerate(ZONE_ALIASES.items(), PST_ID)
    ]


def zones_by_text(aliases: Iterable[TimeZoneAlias]) -> dict[str, str]:
    """IANA names by the names and numbers that a contact centre has for them.

    The usual names are not among them: they are known anyway, and kept as they were given (decisions 6).
    """
    found: dict[str, str] = {}
    for alias in aliases:
        if alias.is_enabled:
            found[str(alias.time_zone_id)] = alias.time_zone
            if alias.name not in ZONE_ALIASES:
                found[alias.name] = alias.time_zone
    return found
