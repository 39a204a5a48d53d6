"""Which records of a list are called, and in what order."""

from __future__ import annotations

import msgspec


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which records of a list are called, and in what order."""

    contact_centre_id: int
    filter_id: int
    name: str
    description: str = ""
    criteria: str = ""
    order_by: str = ""
    is_enabled: bool = True
