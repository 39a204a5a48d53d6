"""A number and a name for an IANA time zone."""

from __future__ import annotations

import msgspec


class TimeZoneAlias(msgspec.Struct, frozen=True, kw_only=True):
    """A number and a name for an IANA time zone."""

    contact_centre_id: int
    time_zone_id: int
    name: str
    description: str = ""
    time_zone: str = "UTC"
    is_enabled: bool = True
