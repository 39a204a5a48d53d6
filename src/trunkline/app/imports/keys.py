"""Which keys of a long file come more than once, in little memory.

Keys are dealt by their hash into parts that are kept on disk; a key that comes twice is twice in the same part, and one
part at a time is looked through. The interpreter's hash is seeded afresh in every process: nobody can write a file
whose keys all fall into one part.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from typing import IO

PARTS = 256
"""Ten million keys make parts of forty thousand, some 5 MB while one is looked through."""
HELD_KEYS = 1 << 16
"""Keys in memory before they are written: 256 of each part, so that a part is read in pieces of a few kilobytes."""


class KeyFile:
    """Keys without line breaks, kept in an open temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._parts: list[list[str]] = [[] for _ in range(PARTS)]
        self._appends = [part.append for part in self._parts]
        self._held = 0
        self._end = 0
        self._pieces = [array("Q") for _ in range(PARTS)]

    def add(self, keys: Collection[str]) -> None:
        """Take keys. Cost: a third of a microsecond for each."""
        appends = self._appends
        for key in keys:
            appends[hash(key) & (PARTS - 1)](key)
        self._held += len(keys)
        if self._held >= HELD_KEYS:
            self._write()

    def _write(self) -> None:
        for part, pieces in zip(self._parts, self._pieces, strict=True):
            if part:
                text = "\n".join(part).encode("utf-8", "surrogatepass")
                self._file.write(text)
                pieces.extend((self._end, len(text)))
                self._end += len(text)
                part.clear()
        self._held = 0

    def repeated(self) -> Iterator[set[str]]:
        """The keys that were added more than once, those of a part at a time; afterwards nothing may be added."""
        for part, pieces in zip(self._parts, self._pieces, strict=True):
            keys = list(part)
            for at, length in zip(pieces[::2], pieces[1::2], strict=True):
                self._file.seek(at)
                keys += self._file.read(length).decode("utf-8", "surrogatepass").split("\n")
            if len(set(keys)) < len(keys):
                yield {key for key, count in Counter(keys).items() if count > 1}
