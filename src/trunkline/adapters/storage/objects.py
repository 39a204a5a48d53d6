"""How objects are changed, whatever keeps them: the checks and what is to be written, from what is there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from trunkline.adapters.storage.rows import Row
from trunkline.app.ports import Conflict, ObjectChanges, ObjectWrite
from trunkline.domain.objects import StoredObject, numbered
from trunkline.errors import AlreadyExists, NotFound, StaleVersion


class Step(NamedTuple):
    """One write as it is carried out. ``stored`` None deletes ``before``; ``version`` is that of the history row."""

    before: StoredObject | None
    stored: StoredObject | None
    version: int


def step_of(
    write: ObjectWrite, before: StoredObject | None, last_number: int, last_version: int, changes: ObjectChanges
) -> Step:
    """What a write comes to. ``last_number`` and ``last_version`` are the greatest that were ever given.

    Raises ``NotFound``, ``AlreadyExists``, ``StaleVersion``.
    """
    if write.expected_version == 0:
        if before is not None:
            raise AlreadyExists(f"there is a {write.kind.value} of this id already")
    elif before is None:
        raise NotFound(f"there is no {write.kind.value} with this id")
    elif before.version != write.expected_version:
        raise StaleVersion(
            f"the {write.kind.value} was changed by somebody else; read it again: version {before.version}"
        )
    if write.value is None:
        return Step(before, None, last_version + 1)
    number = write.object_id or last_number + 1
    reference = write.reference if before is None or write.reference is not None else before.reference
    return Step(
        before,
        StoredObject(
            kind=write.kind,
            value=numbered(write.kind, write.value, number),
            version=last_version + 1 if write.object_id else 1,
            reference=reference,
            changed_at_ms=changes.at_ms,
            changed_by=changes.changed_by,
        ),
        last_version + 1,
    )


def deletion_row(before: StoredObject, version: int, changes: ObjectChanges) -> Row:
    """The history row of a deletion."""
    return (
        before.contact_centre_id,
        before.kind.value,
        before.object_id,
        version,
        None,
        changes.at_ms,
        changes.changed_by,
        changes.reason,
    )


def replacing(stored: StoredObject, last_version: int) -> StoredObject:
    """The object as the next version of whatever was kept under its number."""
    return msgspec.structs.replace(stored, version=last_version + 1)


def check_seen(changes: ObjectChanges, version: int) -> None:
    """Raise ``Conflict`` when the directory is at another version than the writer judged by."""
    if changes.seen_version not in (None, version):
        raise Conflict("the directory was changed meanwhile")


PROVISIONED = ObjectChanges(at_ms=0, changed_by=None, reason="provisioned")
"""Stands in the history for what was written by ``Store.provision``."""

TAKEN = "a name or reference belongs to another object already"
"""Says why a unique index refused."""
