"""Takes over the installation's rule files when they change, while the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from trunkline.app.rule_files import RuleFiles
from trunkline.errors import TrunklineError

PERIOD_S = 10.0
"""Seconds between two looks at the folder: a law does not change faster, and a supervisor who tries one can wait."""


class RuleWatch:
    """Looks for changed files. ``changed`` gives their texts or None; ``report`` is told of each fault of an edition.

    Files with faults leave in use what was in use (``RuleFiles.replace``).
    """

    def __init__(
        self, changed: Callable[[], Mapping[str, str] | None], files: RuleFiles, report: Callable[[str], None]
    ) -> None:
        self._changed = changed
        self._files = files
        self._report = report
        self._told = ""
        self._has_read = False
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Take over what changed since the last look."""
        try:
            texts = self._changed()
        except TrunklineError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._report(self._told)
            return
        if texts is not None:
            faults = self._files.replace(texts)
            for fault in faults:
                self._report(fault)
            if faults and not self._has_read:
                self._report("nobody is called by the rules that these files stand for until they are mended")
            self._has_read = True

    def start(self) -> None:
        """Look again and again."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="rule files")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - whatever a file holds, the next edition of it is looked at
                self._report(f"the rule files were not taken over: {type(error).__name__}: {error}")
