"""May this number be called now, and if not, why not: windows, zones, do-not-call, attempts.

A calling window is a span of the record's local day. It is read on the wall clock of the
record's zone, so a night in which the clock jumps shortens or lengthens it as it does for
the person called. Source: outbound domain 2.5; decisions 6.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from trunkline.errors import OutOfRange

SECONDS_A_DAY = 86_400
ZONE_ALIASES = {
    "PST": "America/Los_Angeles",
    "MST": "America/Denver",
    "CST": "America/Chicago",
    "EST": "America/New_York",
    "GMT": "Etc/GMT",
    "UTC": "Etc/UTC",
}
"""Names of the original product's time-zone objects (decisions 6)."""

MAX_ZONE_NAME = 64
"""The longest IANA name has 30 characters."""


class Window(msgspec.Struct, frozen=True):
    """When a record may be called: ``from_s`` to ``until_s`` after local midnight, the end exclusive.

    ``from_s`` > ``until_s`` crosses midnight; equal bounds mean the whole day. ``region`` is a country or a part of
    one (ISO 3166: "FR", "US-TX"), whose own rules may be narrower; empty when it is unknown. ``other_zones`` are
    further zones in which the person called may be: the window is open only when it is open in all of them.
    """

    time_zone: str
    from_s: int
    until_s: int
    region: str = ""
    other_zones: tuple[str, ...] = ()

    @property
    def zones(self) -> tuple[str, ...]:
        """All zones in which the person called may be."""
        return (self.time_zone, *self.other_zones)

    def is_open(self, now_s: int) -> bool:
        """True when the window is open at ``now_s`` (Unix seconds)."""
        local_s = (now_s + offset_s(self.time_zone, now_s)) % SECONDS_A_DAY
        if not covers(self.from_s, self.until_s, local_s):
            return False
        for name in self.other_zones:
            local_s = (now_s + offset_s(name, now_s)) % SECONDS_A_DAY
            if not covers(self.from_s, self.until_s, local_s):
                return False
        return True


def covers(from_s: int, until_s: int, local_s: int) -> bool:
    """True when ``local_s`` (0..86399, seconds after local midnight) lies in the window."""
    if from_s == until_s:
        return True
    if from_s < until_s:
        return from_s <= local_s < until_s
    return local_s >= from_s or local_s < until_s


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that name or alias; ``OutOfRange`` when there is none.

    Cost: one file read for each name, then a look-up (there are about 600 names).
    """
    if not 0 < len(name) <= MAX_ZONE_NAME or not name.isascii():
        raise OutOfRange("timeZone is not a known time zone")
    try:
        return ZoneInfo(ZONE_ALIASES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OutOfRange("timeZone is not a known time zone; use an IANA name such as Europe/Paris") from None


def offset_s(name: str, now_s: int) -> int:
    """Seconds east of UTC in that zone at ``now_s`` (Unix seconds).

    Offsets change on quarter hours only, so one cached value serves fifteen minutes.
    """
    return _offset_in_quarter(name, now_s // 900)


@lru_cache(maxsize=8192)
def _offset_in_quarter(name: str, quarter: int) -> int:
    moment = datetime.fromtimestamp(quarter * 900, tz=UTC).astimezone(zone(name))
    delta = moment.utcoffset()
    assert delta is not None
    return int(delta.total_seconds())


def local_to_unix_s(moment: datetime, name: str) -> int:
    """Unix seconds of a naive wall-clock time in the zone.

    Of an hour that the clock skips the instant after the jump is taken; of an hour that
    comes twice, the first.
    """
    aware = moment.replace(tzinfo=zone(name), fold=0)
    return int(aware.timestamp())


def check_bounds(from_s: int, until_s: int) -> None:
    """Raise ``OutOfRange`` unless ``from`` is 0..86399 and ``until`` 1..86400 (decisions 6)."""
    if not 0 <= from_s < SECONDS_A_DAY:
        raise OutOfRange("from must lie between 0 and 86399 seconds after midnight")
    if not 1 <= until_s <= SECONDS_A_DAY:
        raise OutOfRange("until must lie between 1 and 86400 seconds after midnight")
