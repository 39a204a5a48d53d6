"""When and how often people may be called."""

from __future__ import annotations

import msgspec


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """When and how often people may be called."""

    contact_centre_id: int
    rule_set_id: int
    name: str
    description: str = ""
    is_enabled: bool = True


class RuleOverride(msgspec.Struct, frozen=True, kw_only=True):
    """An exception from a rule, with its reason."""

    contact_centre_id: int
    override_id: int
    name: str
    reason: str
    description: str = ""
    is_enabled: bool = True
