"""What an import is asked to do, and whether that can be done on some file."""

from __future__ import annotations

import hashlib
import re

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.files import check_encoding
from trunkline.app.imports.numbers import check_region
from trunkline.app.imports.reading import check_delimiter
from trunkline.domain.campaigns import CallingList
from trunkline.domain.columns import MAX_COLUMNS
from trunkline.domain.enums import Door
from trunkline.domain.import_specifications import (
    EXPORTED,
    DuplicateScope,
    FileFormat,
    ImportMode,
    ImportSpecification,
    NumberCheck,
)
from trunkline.domain.objects import ObjectKind
from trunkline.errors import NotFound, OutOfRange, TooLarge

IMPORT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
MAX_SHOWN = 64
"""Characters of a column's name in a refusal; it may be as long as a row."""


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    ``import_id`` empty: the file's own digest, so that the same file is never added twice by accident. ``mapping`` is
    meaning -> column of the file (see ``domain.columns``). ``region`` (two letters) is the country of numbers without
    a country code; empty: the list's. ``uses_number_zones``: a row without a time zone gets those of its number.
    ``duplicate_numbers`` None: as the list says. ``checks_suppression`` looks into the contact centre's own
    do-not-call list, the required ones and those of ``suppression_list_ids``.
    """

    import_id: str = ""
    mode: ImportMode = ImportMode.ALL
    is_dry_run: bool = False
    file_format: FileFormat = FileFormat.CSV
    mapping: dict[str, str] = {}
    delimiter: str = ","
    numbers: NumberCheck = NumberCheck.VALID
    region: str = ""
    uses_number_zones: bool = True
    duplicate_numbers: DuplicateScope | None = None
    duplicate_customers: DuplicateScope = DuplicateScope.NONE
    checks_suppression: bool = True
    suppression_list_ids: tuple[int, ...] = ()
    door: Door = Door.INSIDE

    def numbers_of(self, calling_list: CallingList) -> DuplicateScope:
        """Where duplicate numbers are looked for in an import into that list."""
        if self.duplicate_numbers is not None:
            return self.duplicate_numbers
        return DuplicateScope.LIST if calling_list.refuses_duplicates else DuplicateScope.NONE


def order_of(specification: ImportSpecification) -> ImportOrder:
    """The order that a specification stands for."""
    return ImportOrder(
        mode=specification.mode,
        file_format=specification.file_format,
        mapping=specification.mapping,
        delimiter=specification.delimiter,
        numbers=specification.numbers,
        region=specification.region,
        uses_number_zones=specification.uses_number_zones,
        duplicate_numbers=specification.duplicate_numbers,
        duplicate_customers=specification.duplicate_customers,
        checks_suppression=specification.checks_suppression,
        suppression_list_ids=specification.suppression_list_ids,
    )


def specification_named(book: ReferenceBook, contact_centre_id: int, name: str) -> ImportSpecification:
    """The saved specification of that name, or the one that is always there; ``NotFound``."""
    if name == EXPORTED.name:
        return EXPORTED
    stored = book.object_named(contact_centre_id, ObjectKind.IMPORT_SPECIFICATION, name)
    if stored is None or not isinstance(stored.value, ImportSpecification) or not stored.value.is_enabled:
        raise NotFound("there is no import specification of this name")
    return stored.value


def check_specification(specification: ImportSpecification) -> None:
    """Raise ``OutOfRange`` or ``TooLarge`` unless the specification can be carried out on some file."""
    if specification.name == EXPORTED.name:
        raise OutOfRange("the name exported stands for the specification that is always there")
    check_order(order_of(specification))
    check_encoding(specification.encoding)
    columns = [column for column in specification.mapping.values() if column]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise OutOfRange(f"mapping uses the column {twice[:MAX_SHOWN]} twice")


def check_order(order: ImportOrder) -> None:
    """Raise ``OutOfRange`` or ``TooLarge`` unless the order can be carried out on some file."""
    if order.import_id and not IMPORT_ID.fullmatch(order.import_id):
        raise OutOfRange("importId has 1 to 64 letters, digits and . _ : - and begins with a letter or digit")
    if len(order.mapping) > MAX_COLUMNS:
        raise TooLarge(f"the mapping names more than {MAX_COLUMNS} columns")
    check_delimiter(order.delimiter)
    if order.region:
        check_region(order.region)


def digest_of(content: str, order: ImportOrder) -> str:
    """The file and how its rows are understood: with another mapping it would be another import."""
    settings = [
        *(content, order.file_format, order.delimiter, order.numbers, order.region, order.uses_number_zones),
        sorted(order.mapping.items()),
    ]
    return hashlib.blake2b(msgspec.json.encode(settings), digest_size=32).hexdigest()
