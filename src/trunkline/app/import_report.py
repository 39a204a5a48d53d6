"""What an import answers: how many rows were good, which were refused and why, and what became of the good ones."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.app.ports import ImportProgress

MAX_REFUSALS = 1000
"""Refusals kept in the report: more than anybody reads, 200 KB at most. The counts are always complete, and a
callback gets every refusal as it is found."""

_encode = msgspec.json.Encoder().encode


class ImportMode(StrEnum):
    """What to do when rows are refused: add nothing at all, or the good ones."""

    ALL = "all"
    GOOD = "good"


class Refusal(msgspec.Struct, frozen=True):
    """One reason why a row was refused. ``field`` is a column as the file names it, empty for the row itself."""

    row: int
    field: str
    reason: str


class ImportReport(msgspec.Struct, kw_only=True, rename="camel"):
    """The outcome of an import.

    ``rows_*`` and ``chains_good`` are about the file, ``*_added`` about this run; ``records_added_before`` was added
    by earlier runs under the same import id. ``finished`` says that nothing is left to do under it; a dry run, and an
    import that adds nothing because rows were refused, are not. ``is_repeat``: the import was finished before this
    run. ``columns`` tells what each column of the file became. ``refusals`` holds the first ``MAX_REFUSALS``,
    ``refusals_left_out`` counts the others.
    """

    import_id: str
    list_name: str
    mode: ImportMode
    is_dry_run: bool = False
    is_repeat: bool = False
    finished: bool = False
    rows_read: int = 0
    rows_good: int = 0
    rows_refused: int = 0
    chains_good: int = 0
    records_added: int = 0
    chains_added: int = 0
    records_added_before: int = 0
    columns: dict[str, str] = {}
    refusals: list[Refusal] = []
    refusals_left_out: int = 0

    @property
    def is_refused(self) -> bool:
        """True when all rows were asked for and at least one was refused."""
        return self.mode is ImportMode.ALL and self.rows_refused > 0 and not self.is_repeat

    def note(self, refusal: Refusal) -> None:
        """Keep a refusal, or count it when there are enough."""
        if len(self.refusals) < MAX_REFUSALS:
            self.refusals.append(refusal)
        else:
            self.refusals_left_out += 1

    def to_json(self) -> bytes:
        """The report as one JSON object."""
        return _encode(self)


class ImportStanding(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far an import is. ``last_row`` is the last row of the file whose outcome is stored."""

    import_id: str
    list_name: str
    state: str
    last_row: int
    records_added: int
    rows_refused: int
    started_at_ms: int


def standing(progress: ImportProgress, list_name: str) -> ImportStanding:
    """The stored progress as it is shown."""
    return ImportStanding(
        import_id=progress.import_id,
        list_name=list_name,
        state=progress.state.value,
        last_row=progress.source_rows_done,
        records_added=progress.records_added,
        rows_refused=progress.rows_refused,
        started_at_ms=progress.started_at_ms,
    )
