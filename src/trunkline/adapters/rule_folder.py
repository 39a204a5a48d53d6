"""The folder in which an installation keeps its own calling-time rule files."""

from __future__ import annotations

from pathlib import Path

from trunkline.errors import Unavailable

MAX_FILES = 200
"""Files looked at; more than the rules may use, so that a surplus is told and not overlooked."""
MAX_BYTES = 2_000_000
"""Bytes read of one file: more than a rule file may have, so that one that is too large is told as such."""

Stamp = tuple[tuple[str, int, int], ...]


class RuleFolder:
    """The ``*.yaml`` files of a folder. A folder that is missing or empty has none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Stamp | None = None

    def changed(self) -> dict[str, str] | None:
        """The texts by file name when anything changed since the last call, else None.

        Raises ``Unavailable`` when the folder or a file cannot be read: then it is as if nothing had changed. Bytes
        that are not UTF-8 are replaced by a mark that no rule file may hold.
        """
        try:
            files = sorted(self._path.glob("*.yaml"))[:MAX_FILES]
            stamp = tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files)
            if stamp == self._seen:
                return None
            texts = {}
            for file in files:
                with file.open("rb") as opened:
                    texts[file.name] = opened.read(MAX_BYTES).decode("utf-8", errors="replace")
        except OSError as error:
            raise Unavailable(f"the rule files in {self._path} cannot be read: {error.strerror}") from error
        self._seen = stamp
        return texts
