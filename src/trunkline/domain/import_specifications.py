"""How a file becomes a calling list."""

from __future__ import annotations

import msgspec


class ImportSpecification(msgspec.Struct, frozen=True, kw_only=True):
    """How a file becomes a calling list."""

    contact_centre_id: int
    specification_id: int
    name: str
    description: str = ""
    is_enabled: bool = True
