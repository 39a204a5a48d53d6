"""A list of contacts that must not be called."""

from __future__ import annotations

import msgspec


class SuppressionList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of contacts that must not be called."""

    contact_centre_id: int
    suppression_list_id: int
    name: str
    description: str = ""
    is_enabled: bool = True
