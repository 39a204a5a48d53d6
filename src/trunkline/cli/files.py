"""Files that people name on the command line."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def opened_file(path: str) -> Iterator[IO[bytes]]:
    """The file, or a copy of standard input: an import reads twice."""
    if path != "-":
        with Path(path).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile(prefix="trunkline-import-") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield copy
