"""When a step of a treatment is due: dates on the contact's own clock, and what "the same day" means."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from trunkline.domain.eligibility import SECONDS_A_DAY, Window, local_to_unix_s, offset_s

MAX_DUE_S = 4_102_444_800
"""2100-01-01: a call beyond the working life of everybody concerned is a mistaken unit."""

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-5][0-9]")


def is_clock(text: str) -> bool:
    """True for ``hh:mm``."""
    return _CLOCK.fullmatch(text) is not None


def read_date(text: str) -> datetime | None:
    """The wall-clock time ``yyyy-mm-dd hh:mm``, or None."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def local_time(time_zone: str, now_s: int) -> datetime:
    """What the clock of the zone shows, as a naive time."""
    return datetime.fromtimestamp(now_s + offset_s(time_zone, now_s), tz=UTC).replace(tzinfo=None)


def at_s(text: str, time_zone: str, now_s: int) -> int | None:
    """Unix seconds of ``hh:mm`` (the next time after now) or ``yyyy-mm-dd hh:mm``; None when that is over."""
    moment = read_date(text)
    if moment is None:
        hour, minute = (int(part) for part in text.split(":"))
        today = local_time(time_zone, now_s).replace(hour=hour, minute=minute, second=0, microsecond=0)
        moment = next(
            (day for day in (today, today + timedelta(days=1)) if local_to_unix_s(day, time_zone) > now_s),
            today + timedelta(days=2),  # a night in which the clock skips that time twice is unknown; this ends it
        )
    due_s = local_to_unix_s(moment, time_zone)
    return due_s if now_s < due_s < MAX_DUE_S else None


def field_s(value: object, time_zone: str, now_s: int) -> int | None:
    """Unix seconds of a custom field's value, or None when it names no future time.

    Read are ``yyyy-mm-dd hh:mm`` and ``mm/dd/yyyy hh:mm`` on the clock of the zone, and Unix seconds.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return int(value) if now_s < value < MAX_DUE_S else None
    text = str(value).strip()
    if text.isascii() and text.isdigit() and len(text) <= 10:
        return int(text) if now_s < int(text) < MAX_DUE_S else None
    moment = read_date(text)
    if moment is None:
        try:
            moment = datetime.strptime(text, "%m/%d/%Y %H:%M")  # noqa: DTZ007 - the zone is applied below
        except ValueError:
            return None
    if moment.year >= 2100:
        return None
    due_s = local_to_unix_s(moment, time_zone)
    return due_s if now_s < due_s else None


def is_same_day(window: Window, now_s: int, due_s: int) -> bool:
    """True when a record due then can still be called on the local day of ``now_s``.

    The day is that of the record's zone, and its window must still open, or be open, between then and midnight.
    """
    due = local_time(window.time_zone, due_s)
    if due.date() != local_time(window.time_zone, now_s).date():
        return False
    from_s, until_s = window.from_s, window.until_s
    return not from_s < until_s or until_s > (due.hour * 3600 + due.minute * 60 + due.second) % SECONDS_A_DAY
