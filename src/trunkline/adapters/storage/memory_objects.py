"""Objects of the reference model."""

from __future__ import annotations

from trunkline.adapters.storage.objects import step_of
from trunkline.app.ports import ObjectChanges
from trunkline.domain.objects import ObjectKey, StoredObject

Objects = dict[ObjectKey, StoredObject]
History = dict[ObjectKey, list[StoredObject | None]]
"""Every version by number, None for a deletion."""


def put(objects: Objects, history: History, stored: StoredObject) -> None:
    """Keep an object as the newest version of its number."""
    objects[stored.key] = stored
    history[stored.key] = [*history.get(stored.key, ()), stored]


def change(objects: Objects, history: History, changes: ObjectChanges) -> list[StoredObject]:
    """See ``Store.change_objects``; names are checked by the caller."""
    kept: list[StoredObject] = []
    for write in changes.writes:
        key = (write.contact_centre_id, write.kind, write.object_id)
        last = max((one[2] for one in history if one[:2] == key[:2]), default=0)
        step = step_of(write, objects.get(key), last, len(history.get(key, ())), changes)
        if step.stored is not None:
            put(objects, history, step.stored)
            kept.append(step.stored)
        else:
            del objects[key]
            history[key] = [*history[key], None]
    return kept


def names(objects: Objects) -> list[object]:
    """What must be different among all objects: kind and name in a contact centre."""
    return [(stored.contact_centre_id, stored.kind, stored.value.name) for stored in objects.values()]


def references(objects: Objects) -> list[object]:
    """The same for references."""
    return [
        (stored.contact_centre_id, stored.kind, stored.reference)
        for stored in objects.values()
        if stored.reference is not None
    ]
