"""Who may do what: one table of permissions and roles. What it does not grant is denied."""

from __future__ import annotations

from enum import StrEnum

from trunkline.domain.people import Caller, Role
from trunkline.errors import Forbidden


class Permission(StrEnum):
    """What a route needs."""

    PUBLIC = "public"
    """Nothing: it answers without credentials."""
    OWN = "own"
    """To be somebody: it is about what is the caller's own."""
    SUPERVISE = "supervise"
    """Run campaigns: lists, groups, filters, treatments, schedules, suppression, callbacks; read who the users are."""
    ADMINISTER = "administer"
    """Users, skills, formats, time zones, rule sets and their overrides, webhooks."""


GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.PUBLIC: frozenset(Role),
    Permission.OWN: frozenset(Role),
    Permission.SUPERVISE: frozenset({Role.SUPERVISOR, Role.ADMINISTRATOR}),
    Permission.ADMINISTER: frozenset({Role.ADMINISTRATOR}),
}
"""Roles that have a permission, always inside the user's own contact centre."""

DENIED: dict[Permission, str] = {
    Permission.SUPERVISE: "this is for supervisors and administrators",
    Permission.ADMINISTER: "this is for administrators",
}


def is_permitted(permission: Permission, caller: Caller) -> bool:
    """Tell whether one of the caller's roles has the permission."""
    return caller.has_role(*GRANTS[permission])


def check_permission(permission: Permission, caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller has the permission; said before anything is looked up."""
    if not is_permitted(permission, caller):
        raise Forbidden(DENIED[permission])
