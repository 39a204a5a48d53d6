"""When a promise to call is broken: callbacks that are due, and how long somebody may keep them waiting.

The time that counts is that in which the callback could have been kept: it begins with the latest of the due time, the
moment since which a group that works the list is loaded, and the one since which the server serves; and while nobody
may call (the contact's window, the campaign's hours, the law), nobody is late. So whoever starts late is not late with
everything at once, and what was due at night is not missed in the morning.
"""

from __future__ import annotations

from collections.abc import Callable

from trunkline.domain.eligibility import SECONDS_A_DAY


def is_missed(opens: Callable[[int], bool], due_at_s: int, able_since_s: int, now_s: int, grace_s: int) -> bool:
    """True when a callback was kept waiting for longer than ``grace_s``.

    ``opens`` says whether it may be called at a time (Unix seconds), ``able_since_s`` is since when there is somebody
    who could. It must have been possible a grace time ago and now; what is only ever possible for less than that is
    missed after a day, when it is possible again.
    """
    waited_since_s = max(due_at_s, able_since_s)
    if now_s < waited_since_s + grace_s or not opens(now_s):
        return False
    return opens(now_s - grace_s) or now_s >= waited_since_s + SECONDS_A_DAY + grace_s
