"""A contract for import-linter: these packages are imported by these rooms alone.

Unlike the built-in "protected" contract it takes packages that nobody imports yet and rooms that do not exist yet,
so the plan of the house can stand complete from the first day.
"""

from __future__ import annotations

from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class ConfinedContract(Contract):
    """Only ``rooms`` (and what is below them) may import ``packages`` (and what is below them)."""

    type_name = "confined"

    packages = fields.ListField(subfield=fields.StringField())
    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001 - the base class asks so
        """Collect every import of a package from outside the rooms."""
        rooms: list[str] = list(self.rooms)  # type: ignore[call-overload]
        strays: list[str] = []
        for package in self.packages:  # type: ignore[attr-defined]
            inside = [*rooms, package]
            for module in sorted(name for name in graph.modules if _is_below(name, [package])):
                for importer in sorted(graph.find_modules_that_directly_import(module)):
                    if not _is_below(importer, inside):
                        details: list[Any] = list(graph.get_import_details(importer=importer, imported=module))
                        lines = ", ".join(str(detail["line_number"]) for detail in details)
                        strays.append(f"{importer} imports {module} (line {lines})")
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line per import that should not be."""
        for stray in check.metadata["strays"]:
            output.print_error(stray, bold=False)


def _is_below(name: str, packages: list[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)
