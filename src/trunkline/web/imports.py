"""Import of calling lists over HTTP: the body is a CSV file of any length up to a limit.

``POST /api/v2/admin/calling-lists/{name}/imports`` stores the body in a temporary file and imports it from there,
because an import reads its file twice; ``GET .../imports/{importId}`` tells how far it is. Both are for supervisors
and administrators.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import IO, Protocol

from trunkline.app.directory import ReferenceBook
from trunkline.app.import_chunks import check_may_import
from trunkline.app.import_reading import CsvFile
from trunkline.app.import_report import ImportMode, ImportReport, standing
from trunkline.app.imports import Importer, ImportOrder, check_order
from trunkline.contract.answers import answer
from trunkline.domain.enums import Door
from trunkline.domain.people import Caller
from trunkline.errors import OutOfRange, TooLarge, Unavailable
from trunkline.web.exchange import ClientGone, Exchange

MAX_IMPORT_BYTES = 1 << 30
"""1 GiB, some ten million rows: longer files are imported from the command line, which needs no copy."""
MAX_AT_ONCE = 2
"""Bodies that are stored and imported at the same time: each takes up to ``MAX_IMPORT_BYTES`` of disk."""
STALL_S = 60
"""Seconds without a byte after which a sender is taken for dead: it holds one of the few places."""
_WRITE_BYTES = 1 << 20
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
        with _temporary_file(door.spool_dir) as file:
            source = CsvFile(file, encoding)
            await _store_body(exchange, file, door.max_bytes)
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
    encoding = query.pop("encoding", "") or _charset(exchange)
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


def _charset(exchange: Exchange) -> str:
    """The charset of the body's type; ``OutOfRange`` unless the body says that it is plain CSV.

    Browsers cannot send that type across origins without asking, so no foreign page can import in somebody's name.
    """
    kind, _, parameters = (exchange.header(b"content-type") or b"").decode("latin-1").partition(";")
    if kind.strip().lower() != "text/csv" or exchange.header(b"content-encoding") is not None:
        raise OutOfRange("Content-Type must be text/csv, without Content-Encoding")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return "utf-8"


async def _store_body(exchange: Exchange, file: IO[bytes], max_bytes: int) -> None:
    """Write the body to the file; ``TooLarge`` as soon as it is known to be over ``max_bytes``."""
    announced = exchange.header(b"content-length")
    if announced is not None and (not announced.isdigit() or int(announced[:18]) > max_bytes):
        raise TooLarge(f"the body is larger than {max_bytes} bytes")
    size = 0
    block = bytearray()
    is_more = True
    while is_more:
        try:
            message = await asyncio.wait_for(exchange.receive(), STALL_S)
        except TimeoutError:
            raise OutOfRange(f"the body stopped for {STALL_S} seconds") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        is_more = message.get("more_body", False)
        size += len(part)
        if size > max_bytes:
            raise TooLarge(f"the body is larger than {max_bytes} bytes")
        block += part
        if len(block) >= _WRITE_BYTES or not is_more:
            await asyncio.to_thread(_write, file, bytes(block))
            block.clear()


def _temporary_file(folder: str | None) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(dir=folder, prefix="import-", buffering=0)
    except OSError as error:
        raise Unavailable("the server cannot store the file", retry_after_s=60) from error


def _write(file: IO[bytes], block: bytes) -> None:
    try:
        rest = memoryview(block)
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        raise Unavailable("the server has no room for the file", retry_after_s=60) from error
