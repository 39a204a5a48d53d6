"""Import of calling lists over HTTP: the body is a file of CSV or JSON lines of any length up to a limit.

``POST /api/v2/admin/calling-lists/{name}/imports`` stores the body in a temporary file and imports it from there,
because an import reads its file twice; ``GET .../imports/{importId}`` tells how far it is. Both are for supervisors
and administrators.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.chunks import check_may_import
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import Importer, ImportOrder, check_order
from trunkline.app.imports.orders import order_of, specification_named
from trunkline.app.imports.report import ImportReport
from trunkline.contract.answers import answer
from trunkline.domain.enums import Door
from trunkline.domain.import_specifications import (
    DuplicateScope,
    FileFormat,
    ImportMode,
    ImportSpecification,
    NumberCheck,
)
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission
from trunkline.errors import OutOfRange
from trunkline.web.exchange import Exchange
from trunkline.web.rows import Row
from trunkline.web.uploads import Places, store_body, temporary_file

MAX_IMPORT_BYTES = 1 << 30
"""1 GiB, some ten million rows: longer files are imported from the command line, which needs no copy."""
WATCH_S = 20.0
"""Seconds for which a sender waits for the report: well below what proxies and browsers wait, and enough for a million
rows. Afterwards the progress can be asked for."""
_MAPPED = "map."
_SWITCHES = {"true": True, "false": False}
_TYPES = {
    "text/csv": FileFormat.CSV,
    "application/x-ndjson": FileFormat.JSON_LINES,
    "application/jsonl": FileFormat.JSON_LINES,
}


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
        watch_s: float = WATCH_S,
    ) -> None:
        self.importer = importer
        self.book = book
        self.spool_dir = spool_dir or None
        self.max_bytes = max_bytes
        self.watch_s = watch_s
        self.places = Places()
        self._tasks: set[asyncio.Task[ImportReport]] = set()

    def begin(self, run: Coroutine[Any, Any, ImportReport], stack: ExitStack) -> asyncio.Task[ImportReport]:
        """Run an import in a task of its own; ``stack`` is closed when it has ended."""
        task = asyncio.create_task(run)
        self._tasks.add(task)

        def ended(task: asyncio.Task[ImportReport]) -> None:
            self._tasks.discard(task)
            stack.close()
            if not task.cancelled():
                task.exception()  # it is told to whoever waits, and kept for whoever asks for the progress

        task.add_done_callback(ended)
        return task

    async def close(self) -> None:
        """Break off what runs; the same import goes on where it stopped when it is asked for again."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)


class ImportServices(Protocol):
    """The part of the server's services that these routes use."""

    @property
    def imports(self) -> ImportDoor:
        """The door for imports; one per process."""


def rows() -> list[Row]:
    """The routes."""
    address = "/api/v2/admin/calling-lists/{list_name}/imports"
    by_list, one = {"list_name": "list name"}, {"list_name": "list name", "import_id": "import"}
    return [
        Row("POST", address, post_import, Permission.SUPERVISE, by_list),
        Row("GET", f"{address}/{{import_id}}", get_import, Permission.SUPERVISE, one),
    ]


async def post_import(exchange: Exchange, services: ImportServices, caller: Caller, list_name: str) -> None:
    """``POST /admin/calling-lists/<list>/imports``."""
    await import_list(exchange, caller, list_name, services)


async def get_import(
    exchange: Exchange, services: ImportServices, caller: Caller, list_name: str, import_id: str
) -> None:
    """``GET /admin/calling-lists/<list>/imports/<import id>``."""
    await show_import(exchange, caller, list_name, import_id, services)


async def import_list(exchange: Exchange, caller: Caller, list_name: str, services: ImportServices) -> None:
    """Serve the POST: answer with the report, or with where to ask for it when the import takes longer.

    HTTP 200 and code 0 when the import (or the dry run) was carried out; 400 and code 10, with the report beside it,
    when all rows were asked for and some were refused, so that nothing was added; 202 and code 0 with the standing
    when it still runs after ``ImportDoor.watch_s``.
    """
    check_may_import(caller)
    door = services.imports
    order, encoding = _parse(exchange, door.book(), caller.contact_centre_id)
    calling_list = door.book().list_named(caller.contact_centre_id, list_name)
    stack = ExitStack()
    stack.enter_context(door.places.taken(caller.contact_centre_id))
    try:
        file = stack.enter_context(temporary_file(door.spool_dir))
        source = TextFile(file, encoding)
        await store_body(exchange, file, door.max_bytes)
        digest = await asyncio.to_thread(source.digest)
        order = msgspec.structs.replace(order, import_id=order.import_id or digest[:32])
    except BaseException:
        stack.close()
        raise
    task = door.begin(door.importer.run(caller, calling_list, order, source), stack)
    # Whoever waits may go: the import goes on, and its progress can be asked for.
    done, _ = await asyncio.wait({task}, timeout=door.watch_s)
    if done:
        await _answer(exchange, task.result())
    else:
        found = await door.importer.progress(caller, calling_list, order.import_id)
        await exchange.answer(answer(**{"import": found}), 202)


async def show_import(
    exchange: Exchange, caller: Caller, list_name: str, import_id: str, services: ImportServices
) -> None:
    """Serve the GET: how far an import is."""
    check_may_import(caller)
    door = services.imports
    calling_list = door.book().list_named(caller.contact_centre_id, list_name)
    progress = await door.importer.progress(caller, calling_list, import_id)
    await exchange.answer(answer(**{"import": progress}))


async def _answer(exchange: Exchange, report: ImportReport) -> None:
    if report.is_refused and not report.is_dry_run:
        message = f"{report.rows_refused} of {report.rows_read} rows were refused, so nothing was added"
        body = answer(statusCode=OutOfRange.code, statusMessage=message, report=report)
        await exchange.answer(body, 400)
    elif report.is_repeat:
        message = f"this import was finished before with {report.records_added_before} records; it adds nothing"
        await exchange.answer(answer(statusMessage=message, report=report))
    else:
        await exchange.answer(answer(report=report))


def _parse(exchange: Exchange, book: ReferenceBook, centre: int) -> tuple[ImportOrder, str]:
    """The order and the encoding that headers and query ask for: a specification, and what the query changes of it.

    An unknown parameter is refused: ``dryrun=true`` must not add a list.
    """
    query = exchange.query()
    mapping = {name.removeprefix(_MAPPED): query.pop(name) for name in list(query) if name.startswith(_MAPPED)}
    kind, charset = _content_type(exchange)
    name = query.pop("specification", "")
    specification = specification_named(book, centre, name) if name else ImportSpecification(
        contact_centre_id=centre, specification_id=0, name="", file_format=kind
    )  # fmt: skip
    import_id, dry_run = query.pop("importId", ""), _switch("dryRun", query.pop("dryRun", "false"))
    encoding = query.pop("encoding", "") or charset or specification.encoding
    changes: dict[str, Any] = {"mapping": mapping} if mapping else {}
    for parameter, (field, read) in _PARAMETERS.items():
        if parameter in query:
            changes[field] = read(parameter, query.pop(parameter))
    if query:
        known = ", ".join(sorted(("importId", "dryRun", "encoding", "specification", *_PARAMETERS)))
        raise OutOfRange(f"the query may hold {known} and map.<meaning> alone")
    specification = msgspec.structs.replace(specification, **changes)
    order = msgspec.structs.replace(order_of(specification), import_id=import_id, is_dry_run=dry_run, door=Door.REST)
    check_order(order)
    return order, encoding


def _switch(name: str, text: str) -> bool:
    if text not in _SWITCHES:
        raise OutOfRange(f"{name} must be true or false")
    return _SWITCHES[text]


def _one_of(kind: type[StrEnum]) -> Callable[[str, str], StrEnum]:
    def read(name: str, text: str) -> StrEnum:
        try:
            return kind(text)
        except ValueError:
            raise OutOfRange(f"{name} must be one of {', '.join(kind)}") from None

    return read


def _as_it_is(_: str, text: str) -> str:
    return text


def _zones(name: str, text: str) -> bool:
    if text not in ("number", "list"):
        raise OutOfRange(f"{name} must be number or list")
    return text == "number"


_PARAMETERS: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "mode": ("mode", _one_of(ImportMode)),
    "format": ("file_format", _one_of(FileFormat)),
    "delimiter": ("delimiter", _as_it_is),
    "region": ("region", _as_it_is),
    "numbers": ("numbers", _one_of(NumberCheck)),
    "zones": ("uses_number_zones", _zones),
    "duplicates": ("duplicate_numbers", _one_of(DuplicateScope)),
    "duplicateCustomers": ("duplicate_customers", _one_of(DuplicateScope)),
    "doNotCall": ("checks_suppression", _switch),
}
"""Parameter of the query -> field of the specification that it changes, and how it is read."""


def _content_type(exchange: Exchange) -> tuple[FileFormat, str]:
    """What the body is, and the charset that its type names.

    ``OutOfRange`` unless it says that it is plain CSV or JSON lines: browsers cannot send these types across origins
    without asking, so no foreign page can import in somebody's name.
    """
    kind, _, parameters = (exchange.header(b"content-type") or b"").decode("latin-1").partition(";")
    file_format = _TYPES.get(kind.strip().lower())
    if file_format is None or exchange.header(b"content-encoding") is not None:
        raise OutOfRange("Content-Type must be text/csv or application/x-ndjson, without Content-Encoding")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return file_format, value.strip().strip('"')
    return file_format, ""
