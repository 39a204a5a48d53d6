"""Objects as people write them in files: other objects by name instead of by number.

``formatId: 3`` of the API is ``format: Customers`` in a document, ``userIds`` is ``users``; everything else is as in
the API. An entry of ``treatments`` is a plan as ``trunkline treatments`` reads it. Both ways of naming are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trunkline.contract.admin_kinds import KINDS, Kind, kind_of_reference
from trunkline.contract.admin_shapes import ListShape, MapShape, NullableShape, Shape
from trunkline.contract.admin_structs import FieldShape, StructShape
from trunkline.domain.objects import ObjectKind
from trunkline.domain.treatment_documents import document_of, plan_of
from trunkline.domain.treatments import TreatmentPlan
from trunkline.errors import OutOfRange

Json = dict[str, Any]
NumberOf = Callable[[Kind, str, str], int]
"""The number of the object of that kind and name; the last text is the place that names it, for refusals."""
NameOf = Callable[[Kind, int], str | int]
"""The name of the object of that kind and number; the number itself when nothing has it."""

SECTIONS: dict[str, Kind] = {kind.names: kind for kind in KINDS.values()}
"""The sections of a document."""
_PLAN = "treatment"


def entry_of(kind: Kind, shown: Json, name_of: NameOf) -> Json:
    """The entry of an object that the API shows."""
    if kind.kind == _PLAN:
        own = {name: value for name, value in shown.items() if kind.shape.field(name) is not None}
        plan = kind.shape.read_with(own, "", {"contact_centre_id": 0, kind.key: 0})
        assert isinstance(plan, TreatmentPlan)
        entry = {"description": plan.description, "is_enabled": plan.is_enabled, **document_of(plan)}
        entry = {"name": plan.name, **entry}
    else:
        given = {field.wire_name for field in kind.shape.fields if field.is_given}
        own = {name: value for name, value in shown.items() if name not in given}
        entry = dict(_documented(kind.shape, own, name_of))
    if shown.get("referenceId") is not None:
        entry["referenceId"] = shown["referenceId"]
    return entry


def fields_of(kind: Kind, entry: Json, place: str, number_of: NumberOf) -> Json:
    """The API's fields of an entry. Raises ``OutOfRange`` naming the place of a name that nothing has."""
    fields = {name: value for name, value in entry.items() if name != "referenceId"}
    if kind.kind == _PLAN and not isinstance(fields.get("rules"), list):
        try:
            plan = plan_of(fields, contact_centre_id=0, treatment_id=0)
        except OutOfRange as error:
            raise OutOfRange(f"{place}.{error}") from None
        return kind.shape.write(plan)
    wired: Json = _wired(kind.shape, fields, place, number_of)
    return wired


def _documented(shape: Shape, value: Any, name_of: NameOf) -> Any:
    match shape:
        case NullableShape():
            return None if value is None else _documented(shape.inner, value, name_of)
        case ListShape():
            return [_documented(shape.item, item, name_of) for item in value]
        case MapShape():
            return {name: _documented(shape.item, item, name_of) for name, item in value.items()}
        case StructShape():
            found: Json = {}
            for field in shape.fields:
                if field.wire_name not in value:
                    continue
                own = value[field.wire_name]
                target = kind_of_reference(field.name)
                if target is None:
                    found[field.wire_name] = _documented(field.shape, own, name_of)
                elif isinstance(own, list):
                    found[document_name(field)] = [name_of(target, number) for number in own]
                else:
                    found[document_name(field)] = name_of(target, own) if own else None
            return found
        case _:
            return value


def _wired(shape: Shape, value: Any, place: str, number_of: NumberOf) -> Any:
    if value is None:
        return None
    match shape:
        case NullableShape():
            return _wired(shape.inner, value, place, number_of)
        case ListShape() if isinstance(value, list):
            return [_wired(shape.item, item, f"{place}[{at}]", number_of) for at, item in enumerate(value)]
        case MapShape() if isinstance(value, dict):
            return {name: _wired(shape.item, item, f"{place}.{name}", number_of) for name, item in value.items()}
        case StructShape() if isinstance(value, dict):
            fields = {document_name(field): field for field in shape.fields}
            fields |= {field.wire_name: field for field in shape.fields}
            return dict(_field(fields.get(name), name, item, place, number_of) for name, item in value.items())
        case _:
            return value


def _field(field: FieldShape | None, name: str, value: Any, place: str, number_of: NumberOf) -> tuple[str, Any]:
    """One entry of an object; what is not known stays as it is and is refused when it is read."""
    if field is None:
        return name, value
    where = f"{place}.{name}"
    target = kind_of_reference(field.name)
    if target is None:
        return field.wire_name, _wired(field.shape, value, where, number_of)

    def number(said: Any) -> Any:
        return number_of(target, said, where) if isinstance(said, str) else said

    if isinstance(value, list):
        return field.wire_name, [number(said) for said in value]
    if value is None and not isinstance(field.shape, NullableShape):
        return field.wire_name, 0
    return field.wire_name, number(value)


def document_name(field: FieldShape) -> str:
    """What a field is called in documents: ``formatId`` is ``format``, ``userIds`` is ``users``."""
    if kind_of_reference(field.name) is None:
        return field.wire_name
    if field.wire_name.endswith("Ids"):
        return field.wire_name.removesuffix("Ids") + "s"
    return field.wire_name.removesuffix("Id")


def hooks_in(kind: Kind, entry: Json) -> set[tuple[str, str]]:
    """Kind and names of webhooks that a plan names: no numbers in the API either, so nobody looks them up."""
    found: set[tuple[str, str]] = set()
    left: list[Any] = [entry.get("rules")] if kind.kind == _PLAN else []
    while left:
        part = left.pop()
        if isinstance(part, dict):
            hook = part.get("hook")
            if isinstance(hook, str):
                found.add((ObjectKind.WEBHOOK, hook))
            left += part.values()
        elif isinstance(part, list):
            left += part
    return found


def names_in(kind: Kind, entry: Json) -> set[tuple[str, str]]:
    """Kinds and names of other objects that an entry names."""
    found: set[tuple[str, str]] = set()

    def note(target: Kind, name: str, place: str) -> int:
        found.add((target.kind, name))
        return 1

    if kind.kind != _PLAN:
        _wired(kind.shape, entry, "", note)
    return found
