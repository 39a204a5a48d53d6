"""Import specifications on the command line: read from a file, saved under a name."""

from __future__ import annotations

from typing import Any

import msgspec

from trunkline.adapters.system import SystemClock
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.orders import check_specification
from trunkline.app.ports import ObjectChanges, ObjectWrite, Store
from trunkline.domain.import_specifications import EXPORTED, ImportSpecification
from trunkline.domain.objects import ObjectKind
from trunkline.errors import OutOfRange, Refused

MAX_NAME = 255
"""The longest name that the original's configuration holds."""


def read_specification(text: bytes, centre: int) -> ImportSpecification:
    """A specification in YAML or JSON; ``OutOfRange`` names what is wrong with it."""
    try:
        values = msgspec.yaml.decode(text, type=dict[str, Any])
        unknown = set(values) - set(ImportSpecification.__struct_fields__)
        if unknown:
            raise OutOfRange(f"the specification has an unknown key {min(unknown)!r}")
        values = {"specification_id": 0, "name": "", **values, "contact_centre_id": centre}
        specification = msgspec.convert(values, ImportSpecification)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise OutOfRange(f"the specification cannot be read: {error}") from None
    check_specification(specification)
    return specification


def check_saved(specification: ImportSpecification, name: str) -> None:
    """Raise ``Refused`` unless the specification can be kept under that name."""
    check_specification(msgspec.structs.replace(specification, name=name))
    if not name.isprintable() or not 0 < len(name) <= MAX_NAME or name == EXPORTED.name:
        raise Refused(f"a specification's name has 1 to {MAX_NAME} printable characters and is not exported")


async def save_specification(store: Store, specification: ImportSpecification, name: str, centre: int) -> None:
    """Keep a specification under a name; one that has the name is replaced."""
    check_saved(specification, name)
    kind = ObjectKind.IMPORT_SPECIFICATION
    there = ReferenceBook(await store.directory()).object_named(centre, kind, name)
    number = 0 if there is None else there.object_id
    value = msgspec.structs.replace(specification, contact_centre_id=centre, specification_id=number, name=name)
    write = ObjectWrite(
        contact_centre_id=centre,
        kind=kind,
        object_id=number,
        expected_version=0 if there is None else there.version,
        value=value,
    )
    changes = ObjectChanges(at_ms=SystemClock().now_ms(), changed_by=None, writes=(write,), reason="trunkline import")
    await store.change_objects(changes)
