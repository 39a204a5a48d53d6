"""Export of calling lists over HTTP: ``GET /api/v2/admin/calling-lists/{name}/export``, for supervisors and up.

The file is sent in parts while it is read, and a client that is slow holds nothing but one part. The query may hold
``format`` (``csv``, ``jsonl``) and ``spreadsheet`` (``true``, ``false``).
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from trunkline.app.imports.chunks import check_may_import
from trunkline.app.imports.exports import Export
from trunkline.app.ports import Store
from trunkline.domain.import_specifications import FileFormat
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import OutOfRange
from trunkline.web.exchange import Exchange
from trunkline.web.imports import ImportDoor
from trunkline.web.rows import Row

_TYPES = {FileFormat.CSV: b"text/csv; charset=utf-8", FileFormat.JSON_LINES: b"application/x-ndjson"}
_SWITCHES = {"true": True, "false": False}


class ExportServices(Protocol):
    """The part of the server's services that this route uses."""

    @property
    def imports(self) -> ImportDoor:
        """The door for lists; one per process."""

    @property
    def store(self) -> Store:
        """The store."""


def rows() -> list[Row]:
    """The routes."""
    address = "/api/v2/admin/calling-lists/{list_name}/export"
    return [Row("GET", address, get_export, Permission.SUPERVISE, {"list_name": "list name"})]


async def get_export(exchange: Exchange, services: ExportServices, caller: Caller, list_name: str) -> None:
    """``GET /admin/calling-lists/<list>/export``."""
    await export_list(exchange, caller, list_name, services)


async def export_list(exchange: Exchange, caller: Caller, list_name: str, services: ExportServices) -> None:
    """Serve the GET. What fails before the first part is answered as ever; what fails later cuts the body short."""
    check_may_import(caller)
    query = exchange.query()
    kind, spreadsheet = query.pop("format", FileFormat.CSV.value), query.pop("spreadsheet", "false")
    if query:
        raise OutOfRange("the query may hold format and spreadsheet alone")
    if kind not in set(FileFormat):
        raise OutOfRange("format must be csv or jsonl")
    if spreadsheet not in _SWITCHES:
        raise OutOfRange("spreadsheet must be true or false")
    file_format = FileFormat(kind)
    calling_list = services.imports.book().list_named(caller.contact_centre_id, list_name)
    export = Export(services.store, calling_list, file_format, is_for_spreadsheets=_SWITCHES[spreadsheet])
    parts = export.parts(caller)
    first = await anext(parts, b"")
    name = quote(f"{list_name}.{file_format.value}", safe="")
    headers = [
        (b"content-type", _TYPES[file_format]),
        (b"content-disposition", f"attachment; filename*=UTF-8''{name}".encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        *exchange.extra,
    ]
    await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": first, "more_body": True})
    async for part in parts:
        await exchange.send({"type": "http.response.body", "body": part, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b""})
