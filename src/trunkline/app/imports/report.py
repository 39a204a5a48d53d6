"""What an import answers: how many rows were good, which were refused and why, and what became of the good ones."""

from __future__ import annotations

import msgspec

from trunkline.app.ports import ImportProgress
from trunkline.domain.import_specifications import ImportMode

MAX_REFUSALS = 1000
"""Refusals kept in the report: more than anybody reads, 200 KB at most. The counts are always complete, and a
callback gets every refusal as it is found."""

_encode = msgspec.json.Encoder().encode


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


class ImportStanding(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How far an import is.

    ``state`` is checking, running, done, or ended for a run that wrote nothing (a dry run, or one that was refused).
    ``last_row`` is the last row of the file whose outcome is stored, ``rows_done`` how many rows the present pass has
    behind it, of ``rows`` in all; both are there while it runs in this process. ``report`` is there when it ended
    here, ``reason`` when it failed here.
    """

    import_id: str
    list_name: str
    state: str
    last_row: int
    records_added: int
    rows_refused: int
    started_at_ms: int | None = None
    rows_done: int | None = None
    rows: int | None = None
    report: ImportReport | None = None
    reason: str = ""


def standing(
    progress: ImportProgress | None, import_id: str, list_name: str, outcome: ImportReport | str | None
) -> ImportStanding:
    """How an import stands that does not run here."""
    return ImportStanding(
        import_id=import_id,
        list_name=list_name,
        state="ended" if progress is None else progress.state.value,
        last_row=0 if progress is None else progress.source_rows_done,
        records_added=0 if progress is None else progress.records_added,
        rows_refused=0 if progress is None else progress.rows_refused,
        started_at_ms=None if progress is None else progress.started_at_ms,
        rows=(progress.source_rows or None) if progress is not None else None,
        report=outcome if isinstance(outcome, ImportReport) else None,
        reason=outcome if isinstance(outcome, str) else "",
    )


def standing_of_run(
    import_id: str,
    list_name: str,
    progress: ImportProgress | None,
    *,
    is_writing: bool,
    rows_done: int,
    rows: int | None,
) -> ImportStanding:
    """How an import stands that runs here."""
    return msgspec.structs.replace(
        standing(progress, import_id, list_name, None),
        state="running" if is_writing else "checking",
        rows_done=rows_done,
        rows=rows,
    )
