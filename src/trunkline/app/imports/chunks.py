"""The beginning and the end of an import, as requests to the writer; records go into the store beside it.

Between the two marks every block moves the note of how far the import is, in the transaction that adds its records. A
mark that comes twice, or from a second run of the same import, changes nothing.
"""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.ports import ImportProgress, ImportState
from trunkline.app.view import Decision, View
from trunkline.domain.people import Caller, Role
from trunkline.errors import AlreadyExists, AlreadyInUse, Forbidden


class ImportMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far an import is.

    ``row_before`` is the last row whose outcome was committed before (0: the import begins), ``row_after`` the last
    one that is settled now; ``rows_refused`` counts those between. ``source_rows`` is the file's last row.
    """

    list_id: int
    import_id: str
    digest: str
    source_rows: int
    row_before: int
    row_after: int
    rows_refused: int
    is_last: bool


def check_may_import(caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller is a supervisor or an administrator."""
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("only a supervisor or an administrator imports lists")


def check_same_file(progress: ImportProgress, digest: str) -> None:
    """Raise ``AlreadyExists`` when the import was begun with another file, or with the file read otherwise."""
    if progress.file_digest != digest:
        raise AlreadyExists("importId was used for another file, or for this file with other columns or settings")


async def mark_import(view: View, asked: Asked, command: ImportMark, rules: Rules) -> Decision:
    """Note how far an import is.

    Only the last mark leaves a row in the audit: an import is one request, however long its file is.
    Raises ``AlreadyInUse`` when another run of the import has gone on in the meantime.
    """
    check_may_import(asked.caller)
    centre = asked.caller.contact_centre_id
    view.book.list_by_id(centre, command.list_id)
    progress = await view.unit.import_progress(centre, command.list_id, command.import_id)
    if progress is None:
        progress = ImportProgress(
            contact_centre_id=centre,
            list_id=command.list_id,
            import_id=command.import_id,
            state=ImportState.RUNNING,
            source_rows=command.source_rows,
            file_digest=command.digest,
            started_at_ms=view.now_ms,
        )
    check_same_file(progress, command.digest)
    if progress.state is ImportState.DONE or progress.source_rows_done != command.row_before:
        raise AlreadyInUse("another run of this import has gone on; ask for its progress")
    return Decision(
        import_progress=msgspec.structs.replace(
            progress,
            state=ImportState.DONE if command.is_last else ImportState.RUNNING,
            source_rows=command.source_rows,
            source_rows_done=command.row_after,
            rows_refused=progress.rows_refused + command.rows_refused,
        ),
        list_id=command.list_id,
        is_silent=not command.is_last,
    )
