"""Import of a calling list: check everything, then write it.

The file is read once. The first pass checks every row and writes nothing into the database; a dry run ends there, and
so does an import that wants all rows and cannot have them. The second pass writes blocks, each in one commit with the
note of how far it is. So an import that was interrupted goes on where it stopped when it is started again with the
same import id, and one that is finished adds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from trunkline.app.alone import writer_alone
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.chunks import ImportMark, check_may_import, mark_import
from trunkline.app.imports.files import Source
from trunkline.app.imports.orders import IMPORT_ID, ImportOrder, check_order, digest_of
from trunkline.app.imports.report import ImportReport, ImportStanding, standing, standing_of_run
from trunkline.app.imports.run import Run, Site, Watcher, read_progress
from trunkline.app.ports import Clock, Store
from trunkline.domain.campaigns import CallingList
from trunkline.domain.people import Caller
from trunkline.errors import AlreadyInUse, NotFound, TrunklineError

__all__ = ["ImportOrder", "Importer", "Site", "Watcher", "check_order", "import_alone"]

MAX_REPORTS = 100
"""Reports of ended imports (or why they failed) that are kept for whoever asks: 200 KB each at most."""


class Importer:
    """Runs imports; one per process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._running: dict[tuple[int, int, str], Run] = {}
        self._reports: dict[tuple[int, int, str], ImportReport | str] = {}

    async def run(
        self,
        caller: Caller,
        calling_list: CallingList,
        order: ImportOrder,
        source: Source,
        watcher: Watcher | None = None,
    ) -> ImportReport:
        """Carry out an import and report.

        Raises ``Forbidden``, ``OutOfRange`` or ``TooLarge`` for a file that cannot be read as a list at all (then
        nothing was written), ``AlreadyExists`` when the import id belongs to another file, ``AlreadyInUse`` while
        the same import runs. Cost: some microseconds a row; memory does not grow with the file, but temporary files
        of about its size are made.
        """
        check_may_import(caller)
        check_order(order)
        content = await asyncio.to_thread(source.digest)
        import_id = order.import_id or content[:32]
        key = (calling_list.contact_centre_id, calling_list.list_id, import_id)
        if key in self._running:
            raise AlreadyInUse("this import is running; ask for its progress")
        run = Run(self._site, caller, calling_list, order, source, watcher or Watcher())
        self._running[key] = run
        try:
            report = await run.carry_out(import_id, digest_of(content, order))
            self._keep(key, report)
            return report
        except TrunklineError as error:
            self._keep(key, str(error))
            raise
        finally:
            del self._running[key]

    def _keep(self, key: tuple[int, int, str], outcome: ImportReport | str) -> None:
        before = self._reports.pop(key, None)
        if isinstance(before, ImportReport) and before.finished and not before.is_repeat:
            outcome = before  # what it has added is not undone by a repetition, or by another file under its id
        self._reports[key] = outcome
        while len(self._reports) > MAX_REPORTS:
            del self._reports[next(iter(self._reports))]

    async def progress(self, caller: Caller, calling_list: CallingList, import_id: str) -> ImportStanding:
        """How far an import is, with its report when this process finished it.

        ``NotFound`` when it does not run and wrote nothing yet.
        """
        check_may_import(caller)
        key = (calling_list.contact_centre_id, calling_list.list_id, import_id)
        run = self._running.get(key)
        found = None
        if IMPORT_ID.fullmatch(import_id):
            found = await read_progress(self._site.store, calling_list, import_id)
        if run is not None:
            step = run.step
            return standing_of_run(
                *(import_id, calling_list.name, found),
                is_writing=step.is_writing,
                rows_done=step.rows,
                rows=step.of_rows,
            )
        report = self._reports.get(key)
        if found is None and report is None:
            raise NotFound("there is no import with this importId in the list")
        return standing(found, import_id, calling_list.name, report)


async def import_alone(
    store: Store,
    clock: Clock,
    caller: Caller,
    calling_list: CallingList,
    order: ImportOrder,
    source: Source,
    watcher: Watcher | None = None,
    make_list: Callable[[], Awaitable[CallingList]] | None = None,
) -> ImportReport:
    """Carry out an import with a writer of its own, for programs that are not the server (see ``Importer.run``).

    ``store`` is open; a server may work on the same database at the same time. With ``make_list`` the calling list is
    not there yet: it is made when the file was checked and something is going to be written, and never otherwise.
    """
    book = ReferenceBook(await store.directory())
    async with writer_alone(store, clock, book, {ImportMark: mark_import}) as writer:

        async def made() -> CallingList:
            assert make_list is not None
            calling_list = await make_list()
            writer.adopt(ReferenceBook(await store.directory()))
            return calling_list

        site = Site(store=store, submit=writer.submit, clock=clock, make_list=None if make_list is None else made)
        return await Importer(site).run(caller, calling_list, order, source, watcher)
