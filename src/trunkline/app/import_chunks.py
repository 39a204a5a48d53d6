"""Writing an imported list, a chunk at a time.

A chunk is one request to the writer, so that its records and the note of how far the import is are one commit. A
chunk that comes twice, or from a second run of the same import, adds nothing.
"""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.import_reading import NumberedRow
from trunkline.app.ports import ImportProgress, ImportState
from trunkline.app.view import Decision, View
from trunkline.domain.campaigns import CallingList
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import Record
from trunkline.errors import AlreadyExists, AlreadyInUse, Forbidden


class ImportChunk(msgspec.Struct, frozen=True, kw_only=True):
    """Chains of an import, whole ones.

    ``row_before`` is the last row whose outcome was committed before (0: the import begins), ``row_after`` the last
    one that is settled with this chunk; ``rows_refused`` counts those between.
    """

    list_id: int
    import_id: str
    digest: str
    row_before: int
    row_after: int
    rows_refused: int
    chains: list[list[NumberedRow]]
    is_last: bool


def check_may_import(caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller is a supervisor or an administrator."""
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("only a supervisor or an administrator imports lists")


def check_same_file(progress: ImportProgress, digest: str) -> None:
    """Raise ``AlreadyExists`` when the import was begun with another file, or with the file read otherwise."""
    if progress.file_digest != digest:
        raise AlreadyExists("importId was used for another file, or for this file with other columns or settings")


async def import_chunk(view: View, asked: Asked, command: ImportChunk, rules: Rules) -> Decision:
    """Add the chains of a chunk and note how far the import is.

    Only the last chunk leaves a row in the audit: an import is one request, however long its file is.
    Raises ``AlreadyInUse`` when another run of the import has gone on in the meantime.
    """
    check_may_import(asked.caller)
    centre = asked.caller.contact_centre_id
    calling_list = view.book.list_by_id(centre, command.list_id)
    progress = await view.unit.import_progress(centre, command.list_id, command.import_id)
    if progress is None:
        progress = ImportProgress(
            contact_centre_id=centre,
            list_id=command.list_id,
            import_id=command.import_id,
            state=ImportState.RUNNING,
            file_digest=command.digest,
            started_at_ms=view.now_ms,
        )
    check_same_file(progress, command.digest)
    if progress.state is ImportState.DONE or progress.source_rows_done != command.row_before:
        raise AlreadyInUse("another run of this import has gone on; ask for its progress")
    records = await _records(view, calling_list, command)
    return Decision(
        new_records=records,
        import_progress=msgspec.structs.replace(
            progress,
            state=ImportState.DONE if command.is_last else ImportState.RUNNING,
            source_rows_done=command.row_after,
            records_added=progress.records_added + len(records),
            rows_refused=progress.rows_refused + command.rows_refused,
        ),
        list_id=command.list_id,
        is_silent=not command.is_last,
    )


async def _records(view: View, calling_list: CallingList, command: ImportChunk) -> list[Record]:
    if not command.chains:
        return []
    count = sum(len(chain) for chain in command.chains)
    _, record_ids, chain_ids = await view.unit.take_numbers(records=count, chains=len(command.chains))
    fresh = iter(record_ids)
    return [
        row.values.record(calling_list, chain_id, row.place, next(fresh))
        for chain_id, chain in zip(chain_ids, command.chains, strict=True)
        for row in chain
    ]
