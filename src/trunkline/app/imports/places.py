"""Where a number may be: its time zones and its state, from the tables of the phonenumbers library.

A number may stand for several zones (a mobile of a country with five, a toll-free number): all of them are kept, so
that it is called only when its window is open in each. The key of a place is what ``numbers`` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import files
from operator import itemgetter

import msgspec
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from trunkline.domain.eligibility import zone
from trunkline.errors import OutOfRange

Zones = tuple[str, ...]
"""Zones in which a number may be called at the same time; empty when nothing is known."""

MAX_REMEMBERED = 50_000
"""Prefixes whose zones are kept, some 4 MB: the exchanges of a nation's list come again."""
_SHORT = 5
"""Characters of a key, the plus sign with them, that decide for most numbers: country and area code."""
_short = itemgetter(slice(_SHORT))
_long = itemgetter(slice(TIMEZONE_LONGEST_PREFIX + 1))


class _Prefixes(dict[str, Zones | None]):
    """Prefix -> zones. One with longer prefixes below it gives None among the short ones: look further."""

    def __init__(self, further: frozenset[str]) -> None:
        super().__init__()
        self._further = further

    def __missing__(self, prefix: str) -> Zones | None:
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        found = self[prefix] = None if prefix[1:] in self._further else _longest(prefix)
        return found


def _longest(prefix: str) -> Zones:
    for end in range(len(prefix), 1, -1):
        zones = TIMEZONE_DATA.get(prefix[1:end])
        if zones is not None:
            return tuple(name for name in zones if _is_known(name))
    return ()


def _is_known(name: str) -> bool:
    # The library may know a zone that this machine's time-zone database does not.
    try:
        zone(name)
    except OutOfRange:
        return False
    return True


_further = frozenset(prefix[: _SHORT - 1] for prefix in TIMEZONE_DATA if len(prefix) >= _SHORT)
_shorts = _Prefixes(_further)
_longs = _Prefixes(frozenset())


def zones_of(keys: Sequence[str]) -> list[Zones]:
    """The zones of each place. Cost: a few tenths of a microsecond for each."""
    found: list[Zones | None] = list(map(_shorts.__getitem__, map(_short, keys)))
    if None in found:
        return [_longs[_long(key)] or () if zones is None else zones for key, zones in zip(keys, found, strict=True)]
    return found  # type: ignore[return-value]  # none is left


class _Areas(dict[str, str]):
    """Country and area code -> state; empty for others."""

    def __missing__(self, area: str) -> str:
        return ""


def _read_areas() -> _Areas:
    text = files("trunkline.app.imports").joinpath("data/area_regions.json").read_bytes()
    table = msgspec.json.decode(text, type=dict[str, str])
    return _Areas((f"+1{area}", region) for region, areas in table.items() for area in areas.split())


_AREAS = _read_areas()


def short_keys(keys: Sequence[str]) -> Iterable[str]:
    """The first characters of the keys, which decide of most places."""
    return map(_short, keys)


def place_of(short: str) -> tuple[Zones, str] | None:
    """Zones and state of a short key; None when longer ones below it differ."""
    zones = _shorts[short]
    return None if zones is None else (zones, _AREAS[short])


def regions_of(keys: Sequence[str]) -> list[str]:
    """The state of each place, such as "US-TX"; empty where it is not known. Only the area codes of +1 say it."""
    return list(map(_AREAS.__getitem__, map(_short, keys)))
