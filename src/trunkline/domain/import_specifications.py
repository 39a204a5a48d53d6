"""How a file becomes a calling list, saved under a name: what its columns mean and what is checked."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class FileFormat(StrEnum):
    """How a file holds rows."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class ImportMode(StrEnum):
    """What to do when rows are refused: add nothing at all, or the good ones."""

    ALL = "all"
    GOOD = "good"


class NumberCheck(StrEnum):
    """What is asked of a number, and how it is stored."""

    VALID = "valid"
    """It exists in some numbering plan; stored in E.164."""
    POSSIBLE = "possible"
    """It has a length that its plan knows, for ranges newer than the library; stored in E.164."""
    AS_GIVEN = "as-given"
    """It can be dialed; stored as it was written."""


class DuplicateScope(StrEnum):
    """Where a number or a customer counts as there already."""

    NONE = "none"
    """Nothing is compared, not even rows of the file."""
    LIST = "list"
    """The file and the list."""
    CONTACT_CENTRE = "contact-centre"
    """The file and all lists of the contact centre."""


class ImportSpecification(msgspec.Struct, frozen=True, kw_only=True):
    """How a file becomes a calling list.

    ``mapping`` is meaning -> column of the file (see ``domain.columns``). ``region`` (two letters) is the country of
    numbers without a country code; empty: the list's. ``uses_number_zones``: a row without a time zone gets those of
    its number. ``duplicate_numbers`` None: as the list says. ``checks_suppression`` looks into the contact centre's own
    do-not-call list, the required ones and those of ``suppression_list_ids``.
    """

    contact_centre_id: int
    specification_id: int
    name: str
    description: str = ""
    is_enabled: bool = True
    file_format: FileFormat = FileFormat.CSV
    encoding: str = "utf-8"
    delimiter: str = ","
    mapping: dict[str, str] = {}
    mode: ImportMode = ImportMode.ALL
    numbers: NumberCheck = NumberCheck.VALID
    region: str = ""
    uses_number_zones: bool = True
    duplicate_numbers: DuplicateScope | None = None
    duplicate_customers: DuplicateScope = DuplicateScope.NONE
    checks_suppression: bool = True
    suppression_list_ids: tuple[int, ...] = ()


EXPORTED = ImportSpecification(
    contact_centre_id=0,
    specification_id=0,
    name="exported",
    description="A file that was exported comes in as it went out.",
    numbers=NumberCheck.AS_GIVEN,
    uses_number_zones=False,
    duplicate_numbers=DuplicateScope.NONE,
    checks_suppression=False,
)
"""What reads an export: always there, under the name that no other specification should have."""
