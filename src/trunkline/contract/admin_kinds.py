"""The kinds of things that are administered: addresses, names in JSON, shapes, and who may read and write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from trunkline.contract.admin_shapes import ChoiceShape, ListShape, MapShape, NullableShape, Shape
from trunkline.contract.admin_structs import StructShape, struct_shape, wire_name
from trunkline.domain.objects import OBJECT_TYPES, ObjectKind
from trunkline.domain.people import Account
from trunkline.domain.permissions import Permission

USER = "user"
"""Kind of user accounts, which are kept apart from objects."""

_WRITTEN_BY_ADMINISTRATORS = frozenset(
    {
        USER,
        ObjectKind.FORMAT,
        ObjectKind.SKILL,
        ObjectKind.TIME_ZONE,
        ObjectKind.RULE_SET,
        ObjectKind.RULE_OVERRIDE,
        ObjectKind.WEBHOOK,
    }
)
_READ_BY_ADMINISTRATORS = frozenset({ObjectKind.WEBHOOK})
"""A webhook's address may itself be a secret."""


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind. ``path`` is its part of addresses, ``name`` and ``names`` its keys in answers."""

    kind: str
    struct: type[msgspec.Struct]
    key: str
    path: str
    name: str
    names: str
    title: str
    reads: Permission
    writes: Permission

    @property
    def shape(self) -> StructShape:
        """The shape of its objects."""
        return struct_shape(self.struct, self.key)

    @property
    def is_user(self) -> bool:
        """True for accounts."""
        return self.kind == USER

    @property
    def object_kind(self) -> ObjectKind:
        """The kind of stored objects; not for accounts."""
        return ObjectKind(self.kind)


def _made(kind: str, struct: type[msgspec.Struct], key: str) -> Kind:
    name = wire_name(kind.replace("-", "_"))
    return Kind(
        kind=kind,
        struct=struct,
        key=key,
        path=f"{kind}s",
        name=name,
        names=f"{name}s",
        title=kind.replace("-", " "),
        reads=Permission.ADMINISTER if kind in _READ_BY_ADMINISTRATORS else Permission.SUPERVISE,
        writes=Permission.ADMINISTER if kind in _WRITTEN_BY_ADMINISTRATORS else Permission.SUPERVISE,
    )


KINDS: dict[str, Kind] = {
    USER: _made(USER, Account, "user_id"),
    **{kind.value: _made(kind.value, struct, key) for kind, (struct, key) in OBJECT_TYPES.items()},
}
"""By name, in the order in which their references point backwards where they can."""

_KIND_OF_KEY = {kind.key: kind for kind in KINDS.values()}


def kind_of_reference(field: str) -> Kind | None:
    """The kind that a field of that name points to: ``format_id``, ``suppression_list_ids``; None for other fields."""
    if field.endswith("_ids"):
        return _KIND_OF_KEY.get(field.removesuffix("s"))
    return _KIND_OF_KEY.get(field)


class Reference(msgspec.Struct, frozen=True):
    """A place in an object that names another one by number. 0 and None name none."""

    path: str
    kind: Kind
    number: int


def references(kind: Kind, value: Any) -> Iterator[Reference]:
    """Every other object that this one names, at any depth."""
    yield from _below(kind.shape, value, "")


def _below(shape: Shape, value: Any, path: str) -> Iterator[Reference]:
    if value is None:
        return
    if isinstance(shape, NullableShape):
        yield from _below(shape.inner, value, path)
    elif isinstance(shape, ListShape):
        for at, item in enumerate(value):
            yield from _below(shape.item, item, f"{path}[{at}]")
    elif isinstance(shape, MapShape):
        for name, item in value.items():
            yield from _below(shape.item, item, f"{path}.{name}")
    elif isinstance(shape, ChoiceShape):
        struct: type[msgspec.Struct] = type(value)
        yield from _below(struct_shape(struct), value, path)
    elif isinstance(shape, StructShape):
        for field in shape.fields:
            place = f"{path}.{field.wire_name}" if path else field.wire_name
            found = getattr(value, field.name)
            target = kind_of_reference(field.name)
            if target is None:
                yield from _below(field.shape, found, place)
            elif isinstance(found, int):
                if found:
                    yield Reference(place, target, found)
            elif found is not None:
                for number in sorted(found):
                    yield Reference(place, target, number)
