"""Files of lists: from bytes to pieces of text that end where a line ends, with a limit for each line."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from typing import IO, Protocol

from trunkline.errors import OutOfRange, TooLarge

MAX_ROW_CHARACTERS = 65_536
"""A row with 100 short notes fits ten times; past it a quote is missing, and the whole file would be one cell."""
PIECE_BYTES = 1 << 17
"""Read at once: some 2000 rows, whose texts fit into a processor's own cache (twice as many cost a tenth more each),
and 10 ms of work, so that whoever shares the interpreter gets it often."""
_DIGEST_BYTES = 1 << 20

ENCODINGS = frozenset(
    codecs.lookup(name).name
    for name in (
        *("ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp437", "cp850", "mac-roman"),
        *(f"cp125{n}" for n in range(9)),
        *(f"iso8859-{n}" for n in (*range(1, 12), *range(13, 17))),
        *("koi8-r", "koi8-u", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr", "tis-620"),
    )
)
"""Encodings of text that spreadsheets write. The interpreter knows others that are no text (zlib, hex) or no use."""


class Source(Protocol):
    """A file that can be read more than once."""

    def pieces(self) -> Iterator[str]:
        """Its text from the beginning, in pieces that end with a line's end (the last one may have none)."""

    def digest(self) -> str:
        """Digest of the content and of how it is decoded. Cost: reads all of it."""


def check_encoding(encoding: str) -> str:
    """The interpreter's own name of an encoding; ``OutOfRange`` for one that is not read."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError, UnicodeError):
        name = ""
    if name not in ENCODINGS:
        raise OutOfRange("encoding is not one that this server reads, such as utf-8, iso-8859-1 or windows-1252")
    return name


class TextFile:
    """A ``Source`` over an open, seekable binary file, which stays the caller's to close."""

    def __init__(self, file: IO[bytes], encoding: str = "utf-8") -> None:
        self.encoding = check_encoding(encoding)
        self._file = file

    def pieces(self) -> Iterator[str]:
        """See ``Source.pieces``. Raises ``OutOfRange`` for what is no text at all, ``TooLarge`` for a line."""
        self._file.seek(0)
        # What cannot be decoded goes on as half a surrogate pair: the row that holds it is refused, not the file.
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="surrogateescape")
        rest = ""
        lines = 0
        is_first = True
        while True:
            block = self._file.read(PIECE_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError:
                raise OutOfRange(f"line {lines + 1} or one soon after is not text in {self.encoding}") from None
            if is_first and text:
                text = text.removeprefix("\ufeff")
                is_first = False
            text = rest + text
            if not block:
                if text:
                    yield text
                return
            # Files of old machines end their lines with a carriage return; the last one may be half of a pair.
            end = text.rfind("\n") + 1 or text.rfind("\r", 0, len(text) - 1) + 1
            rest = text[end:]
            lines += text.count("\n", 0, end)
            if len(rest) > MAX_ROW_CHARACTERS:
                raise TooLarge(
                    f"line {lines + 1} is longer than {MAX_ROW_CHARACTERS} characters; is this a list, with an end to "
                    "each row?"
                )
            if end:
                yield text[:end]

    def digest(self) -> str:
        """Digest of bytes and encoding, 64 hexadecimal digits."""
        self._file.seek(0)
        found = hashlib.blake2b(self.encoding.encode(), digest_size=32)
        while block := self._file.read(_DIGEST_BYTES):
            found.update(block)
        return found.hexdigest()
