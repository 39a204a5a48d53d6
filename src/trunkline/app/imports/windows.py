"""The calling windows of an import: few, however long the file is, and none that never opens."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.app.imports.places import place_of
from trunkline.domain.eligibility import Window
from trunkline.domain.row_cells import RowRules

MAX_WINDOWS = 1000
"""Different calling windows in one file: the hand-out goes through all windows of a list each time, so a column of
random times would slow every agent down."""
MAX_REMEMBERED = 10_000
"""Windows that never open are remembered too, so that each is judged once; a file may be full of them."""

MAX_PLACES = 20_000
"""Short keys of places that are remembered: there are some thousand area codes in the world."""

NEVER = -1
"""In place of the number of a window that never opens."""
FULL = -2
"""In place of the number of a window after ``MAX_WINDOWS``."""

WindowKey = tuple[tuple[str, ...], int, int, str]
"""Zones, from, until (seconds after midnight), region."""


class WindowBook(dict[WindowKey, int]):
    """Numbers of windows, given as they come. ``opens`` tells whether a window ever opens."""

    def __init__(self, opens: Callable[[Window], bool]) -> None:
        super().__init__()
        self.windows: list[Window] = []
        self._opens = opens

    def __missing__(self, key: WindowKey) -> int:
        zones, from_s, until_s, region = key
        window = Window(zones[0], from_s, until_s, region, zones[1:])
        if not self._opens(window):
            number = NEVER
        elif len(self.windows) < MAX_WINDOWS:
            number = len(self.windows)
            self.windows.append(window)
        else:
            return FULL
        if len(self) < MAX_REMEMBERED or number >= 0:
            self[key] = number
        return number


class WindowsByPlace(dict[str, int | None]):
    """First characters of a place -> number of the window of a number there, for rows that leave everything open.

    None when the place must be looked at more closely. ``span`` are the list's hours.
    """

    def __init__(self, windows: WindowBook, rules: RowRules) -> None:
        super().__init__()
        self.span = (rules.calling_list.from_s, rules.calling_list.until_s)
        self._windows = windows
        self._default = (rules.calling_list.default_time_zone,)

    def __missing__(self, short: str) -> int | None:
        place = place_of(short)
        number = None
        if place is not None:
            zones, region = place
            number = self._windows[zones or self._default, *self.span, region]
        if len(self) < MAX_PLACES:
            self[short] = number
        return number


def key_of(window: Window) -> WindowKey:
    """The key of a window."""
    return window.zones, window.from_s, window.until_s, window.region
