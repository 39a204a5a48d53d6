"""What becomes of custom fields that records hold when their format changes.

Records keep their fields by name, as they were understood when they came in. A field that goes or gets another type
would leave values behind that no form shows and no filter reads as before; a new one that may be empty leaves all as
it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from trunkline.domain.campaigns import ListField


def is_gain(before: Iterable[ListField], after: Iterable[ListField]) -> bool:
    """True when nothing that is there changes: only fields that may be empty are new, only labels other ones."""
    old, new = ({field.name: field for field in fields} for fields in (before, after))
    return all(name in new and _unlabelled(new[name]) == _unlabelled(field) for name, field in old.items()) and all(
        _may_be_empty(field) for name, field in new.items() if name not in old
    )


def loss(before: Iterable[ListField], after: Iterable[ListField]) -> str:
    """Why records that follow ``before`` do not bear ``after``, naming the place in ``after``; empty when they do.

    They bear new fields that may be empty, and wider ones: a greater length, no longer mandatory. How a field travels,
    what agents may write and what new records begin with is no matter of what records hold.
    """
    old = {field.name: field for field in before}
    after = tuple(after)
    there = {field.name for field in after}
    for name in old:
        if name not in there:
            return f"fields: {name} must stay"
    for at, field in enumerate(after):
        place, known = f"fields[{at}]", old.get(field.name)
        if known is None:
            if not _may_be_empty(field):
                return f"{place}: the new field {field.name} must be optional (isNullable, not isMandatory)"
        elif field.field_type is not known.field_type:
            return f"{place}.fieldType ({field.name}) must stay as it is"
        elif field.max_length is not None and (known.max_length is None or field.max_length < known.max_length):
            return f"{place}.maxLength ({field.name}) can only grow"
        elif (field.is_mandatory and not known.is_mandatory) or (known.is_nullable and not field.is_nullable):
            return f"{place}: {field.name} may be empty, and must go on to"
    return ""


def _may_be_empty(field: ListField) -> bool:
    return field.is_nullable and not field.is_mandatory


def _unlabelled(field: ListField) -> tuple[object, ...]:
    return tuple(getattr(field, name) for name in field.__struct_fields__ if name != "label")
