"""Who is told over HTTP of what happens."""

from __future__ import annotations

import msgspec


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told over HTTP of what happens."""

    contact_centre_id: int
    webhook_id: int
    name: str
    description: str = ""
    is_enabled: bool = True
