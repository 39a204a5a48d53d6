"""When a promise to call is broken: callbacks that are due, and how long somebody may keep them waiting.

The time that counts is that in which the callback could have been kept: it begins with the latest of the due time, the
moment since which a group that works the list is loaded, the one since which the server serves, and the opening of the
contact's window. Whoever starts late is not late with everything at once.
"""

from __future__ import annotations

from trunkline.domain.eligibility import SECONDS_A_DAY, Window, offset_s


def opened_s(window: Window, now_s: int) -> int | None:
    """Since when the window is open, Unix seconds; None when it is closed, 0 when it never closes.

    On a night in which the clock jumps the answer may be an hour off, as the wall clock is.
    """
    if not window.is_open(now_s):
        return None
    if (window.until_s - window.from_s) % SECONDS_A_DAY == 0:
        return 0
    openings = []
    for zone in window.zones:
        local_s = (now_s + offset_s(zone, now_s)) % SECONDS_A_DAY
        openings.append(now_s - (local_s - window.from_s) % SECONDS_A_DAY)
    return max(openings)


def is_missed(window: Window, due_at_s: int, able_since_s: int, now_s: int, grace_s: int) -> bool:
    """True when a callback was kept waiting for longer than ``grace_s``.

    ``able_since_s`` is since when there is somebody who could keep it. A closed window keeps nobody waiting; but
    windows too short for the grace time end it after a day, when they are open again.
    """
    opened = opened_s(window, now_s)
    if opened is None:
        return False
    waited_since_s = max(due_at_s, able_since_s)
    return now_s >= max(waited_since_s, opened) + grace_s or now_s >= waited_since_s + SECONDS_A_DAY + grace_s
