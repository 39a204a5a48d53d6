"""What happens to campaign groups at which time."""

from __future__ import annotations

import msgspec


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to campaign groups at which time."""

    contact_centre_id: int
    schedule_id: int
    name: str
    description: str = ""
    is_enabled: bool = True
