"""Import of calling lists over HTTP: the body is a CSV file of any length up to a limit.

``POST /api/v2/admin/calling-lists/{name}/imports`` stores the body in a temporary file and imports it from there,
because an import reads its file twice; ``GET .../imports/{importId}`` tells how far it is. Both are for supervisors
and administrators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from trunkline.app.directory import ReferenceBook
from trunkline.app.import_chunks import check_may_import
from trunkline.app.import_reading import CsvFile
from trunkline.app.import_report import ImportMode, ImportReport, standing
from trunkline.app.imports import Importer, ImportOrder, check_order
from trunkline.contract.answers import answer
from trunkline.domain.enums import Door
from trunkline.domain.people import Caller
from trunkline.errors import OutOfRange, Unavailable
from trunkline.web.exchange import Exchange
from trunkline.web.uploads import charset_of, store_body, temporary_file

MAX_IMPORT_BYTES = 1 << 30
"""1 GiB, some ten million rows: longer files are imported from the command line, which needs no copy."""
MAX_AT_ONCE = 2
"""Bodies that are stored and imported at the same time: each takes up to ``MAX_IMPORT_BYTES`` of disk."""
_MAPPED = "map."
_SWITCHES = {"true": True, "false": False}


class ImportDoor:
    """What the routes need.

    ``spool_dir`` is the folder for bodies (empty: the system's), ``book`` yields the reference data of the moment.
    """

    def __init__(
        self,
        importer: Importer,
        book: Callable[[], ReferenceBook],
        spool_dir: str = "",
        max_bytes: int = MAX_IMPORT_BYTES,
    ) -> None:
        self.importer = importer
        self.book = book
        self.spool_dir = spool_dir or None
        self.max_bytes = max_bytes
        self.places = MAX_AT_ONCE


class ImportServices(Protocol):
    """The part of the server's services that these routes use."""

    @property
    def imports(self) -> ImportDoor:
        """The door for imports; one per process."""


async def import_list(exchange: Exchange, caller: Caller, list_name: str, services: ImportServices) -> None:
    """Serve the POST: answer with the report.

    HTTP 200 and code 0 when the import (or the dry run) was carried out; 400 and code 10, with the report beside it,
    when all rows were asked for and some were refused, so that nothing was added.
    """
    check_may_import(caller)
    door = services.imports
    order, encoding = _parse(exchange)
    calling_list = door.book().list_named(caller.contact_centre_id, list_name)
    if door.places == 0:
        raise Unavailable("other imports are running", retry_after_s=30)
    door.places -= 1
    try:
        with temporary_file(door.spool_dir) as file:
            source = CsvFile(file, encoding)
            await store_body(exchange, file, door.max_bytes)
            report = await door.importer.run(caller, calling_list, order, source)
    finally:
        door.places += 1
    await _answer(exchange, report)


async def show_import(
    exchange: Exchange, caller: Caller, list_name: str, import_id: str, services: ImportServices
) -> None:
    """Serve the GET: how far an import is."""
    check_may_import(caller)
    door = services.imports
    calling_list = door.book().list_named(caller.contact_centre_id, list_name)
    progress = await door.importer.progress(caller, calling_list, import_id)
    await exchange.answer(answer(**{"import": standing(progress, list_name)}))


async def _answer(exchange: Exchange, report: ImportReport) -> None:
    if report.is_refused and not report.is_dry_run:
        message = f"{report.rows_refused} of {report.rows_read} rows were refused, so nothing was added"
        body = answer(statusCode=OutOfRange.code, statusMessage=message, report=report)
        await exchange.answer(body, 400)
    else:
        await exchange.answer(answer(report=report))


def _parse(exchange: Exchange) -> tuple[ImportOrder, str]:
    """The order and the encoding that headers and query ask for.

    An unknown parameter is refused: ``dryrun=true`` must not add a list.
    """
    query = exchange.query()
    mapping = {name.removeprefix(_MAPPED): query.pop(name) for name in list(query) if name.startswith(_MAPPED)}
    encoding = query.pop("encoding", "") or charset_of(exchange)
    mode, dry_run = query.pop("mode", ImportMode.ALL.value), query.pop("dryRun", "false")
    if mode not in set(ImportMode):
        raise OutOfRange("mode must be all or good")
    if dry_run not in _SWITCHES:
        raise OutOfRange("dryRun must be true or false")
    order = ImportOrder(
        import_id=query.pop("importId", ""),
        mode=ImportMode(mode),
        is_dry_run=_SWITCHES[dry_run],
        mapping=mapping,
        delimiter=query.pop("delimiter", ","),
        region=query.pop("region", ""),
        door=Door.REST,
    )
    if query:
        raise OutOfRange(
            "the query may hold importId, mode, dryRun, delimiter, encoding, region and map.<meaning> alone"
        )
    check_order(order)
    return order, encoding
