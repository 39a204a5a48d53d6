"""What administration works with: an object as it is, as it is to be, as it was."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.app.ports import ObjectVersion
from trunkline.contract.admin_kinds import Kind
from trunkline.errors import StaleVersion


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An object of any kind as it is kept. ``value`` is its struct."""

    object_id: int
    value: Any
    version: int
    reference: str | None = None
    changed_at_ms: int | None = None
    changed_by: int | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An object as it is to be; ``password`` is for accounts, None keeps it."""

    value: Any
    reference: str | None = None
    reason: str = ""
    password: str | None = None

    def __repr__(self) -> str:
        return f"Draft({self.value!r})"


class Version(msgspec.Struct, frozen=True):
    """An entry of the history; ``value`` None means that the object was deleted."""

    version: int
    value: Any
    changed_at_ms: int
    changed_by: int | None
    reason: str


def version_of(kind: Kind, entry: ObjectVersion) -> Version:
    """An entry with its struct."""
    value = None if entry.definition is None else msgspec.json.decode(entry.definition, type=kind.struct)
    return Version(entry.version, value, entry.changed_at_ms, entry.changed_by, entry.reason)


def check_version(kind: Kind, seen: int, present: int) -> None:
    """Raise ``StaleVersion`` when the object was changed since its writer saw it."""
    if seen != present:
        raise StaleVersion(f"the {kind.title} was changed by somebody else; read it again: version {present}")
