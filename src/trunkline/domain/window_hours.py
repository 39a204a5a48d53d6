"""Whether a calling window ever opens: zones that the same person may be in may have no hour in common.

A judgement over a whole year for many windows at once, as an import needs it; ``domain.openings`` tells of one window
when it is open, to the second.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from trunkline.domain.eligibility import SECONDS_A_DAY, Window, covers, zone

_DAYS = 366
"""A year: every change of the clocks has come by."""


def ever_opens(window: Window, from_s: int, until_s: int, now_s: int) -> bool:
    """True when within a year from ``now_s`` there is a time at which the window is open in all its zones.

    ``from_s`` and ``until_s`` are the list's own hours, in the same zones. Raises ``OutOfRange`` for an unknown zone.
    Cost: a few thousand look-ups for zones that were not asked for on that day, then next to nothing.
    """
    spans = {(window.from_s, window.until_s), (from_s, until_s)}
    return any(
        _have_common_time([(start - offset, end - offset) for offset in offsets for start, end in spans])
        for offsets in _offsets(window.zones, now_s // SECONDS_A_DAY)
    )


def _have_common_time(spans: list[tuple[int, int]]) -> bool:
    """True when spans of a day's circle have an instant in common: the start of one of them lies in all then."""
    normal = [(start % SECONDS_A_DAY, end % SECONDS_A_DAY) for start, end in spans if (end - start) % SECONDS_A_DAY]
    return not normal or any(all(covers(start, end, at) for start, end in normal) for at, _ in normal)


@lru_cache(maxsize=2048)
def _offsets(zones: tuple[str, ...], day: int) -> frozenset[tuple[int, ...]]:
    """The offsets from UTC that the zones have together, at some time of the year that begins on that day."""
    known = [zone(name) for name in sorted(set(zones))]
    if len(known) == 1:
        return frozenset({(0,)})  # one clock on the wall: how far it is from others does not matter
    begin = datetime.fromtimestamp(day * SECONDS_A_DAY, tz=UTC)
    moments = [begin + timedelta(hours=12 * half) for half in range(2 * _DAYS)]
    columns = [[_offset_s(moment.astimezone(one)) for moment in moments] for one in known]
    return frozenset(zip(*columns, strict=True))


def _offset_s(moment: datetime) -> int:
    delta = moment.utcoffset()
    assert delta is not None
    return int(delta.total_seconds())
