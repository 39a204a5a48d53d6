"""How a portion of chains is divided between the lists of a campaign. Source: outbound domain 2.6."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import gcd

MAX_GROUPS = 10_000
"""Groups whose turns are remembered: more than a contact centre runs in a day; one that is forgotten begins anew."""


def divided(turns: dict[int, int], shares: Mapping[int, int], count: int) -> dict[int, int]:
    """Divide ``count`` between lists by their shares; ``turns`` is what each list is owed, and is moved on.

    Whole rounds give each list its share. What is left over goes one by one to the list that is owed most: each is owed
    its share more at every step, and who gets one owes the sum of all shares. So the lists take turns, also over
    portions smaller than the number of lists, and none is ever more than one round ahead of or behind its share.
    Lists with share 0 get nothing.
    """
    active = {list_id: share for list_id, share in shares.items() if share > 0}
    parts = dict.fromkeys(active, 0)
    if not active:
        return parts
    common = gcd(*active.values())
    active = {list_id: share // common for list_id, share in active.items()}
    whole = sum(active.values())
    rounds, rest = divmod(count, whole)
    for list_id, share in active.items():
        parts[list_id] = rounds * share
    for _ in range(rest):
        for list_id, share in active.items():
            turns[list_id] = turns.get(list_id, 0) + share
        first = max(active, key=lambda list_id: turns[list_id])
        turns[first] -= whole
        parts[first] += 1
    return parts


PLACES = 1 << 18
"""Places in the order of a buffer that one part of a portion has: a portion is smaller, and may be spread over them."""


AHEAD = 1 << 62
"""Taken from a place (until the year 2109) it lies before all that were given, in the order of those that do."""

DUE_LOOK_S = 5
"""Between two looks for due chains beside a buffer that is not low: a look costs a statement for each list of a group,
and who asked for "in 30 minutes" does not mind seconds."""


class Turns:
    """What the lists of each group are owed, and where the next portion lies in the order of the buffers.

    It is not stored: a restart loses less than a round.
    """

    def __init__(self) -> None:
        self._groups: dict[Hashable, dict[int, int]] = {}
        self._next_place = 0
        self._looked_at_s: dict[Hashable, int] = {}

    def looks_for_due(self, group: Hashable, now_s: int) -> bool:
        """True once in ``DUE_LOOK_S`` for a group; a clock that was set back counts as time that went by."""
        if 0 <= now_s - self._looked_at_s.get(group, -DUE_LOOK_S) < DUE_LOOK_S:
            return False
        if len(self._looked_at_s) >= MAX_GROUPS:
            self._looked_at_s.clear()
        self._looked_at_s[group] = now_s
        return True

    def places(self, now_ms: int) -> int:
        """The first of ``PLACES`` places behind all those given before, which time orders across restarts."""
        first = max(now_ms << 20, self._next_place)
        self._next_place = first + PLACES
        return first

    def divide(self, group: Hashable, shares: Mapping[int, int], count: int) -> dict[int, int]:
        """A portion of a group, divided (see ``divided``)."""
        if group not in self._groups and len(self._groups) >= MAX_GROUPS:
            self._groups.clear()
        turns = self._groups.setdefault(group, {})
        for gone in turns.keys() - shares.keys():
            del turns[gone]
        return divided(turns, shares, count)
