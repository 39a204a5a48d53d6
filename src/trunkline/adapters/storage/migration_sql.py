"""Migrations turned into text by alembic."""

from __future__ import annotations

import io
import threading
from pathlib import Path

from alembic import command
from alembic.config import Config

_rendering = threading.Lock()  # alembic keeps what it works on in module globals


def rendered(migrations: Path, dialect_name: str, version: str | None, to: str) -> str:
    """The SQL from a version (None: from nothing) to another or to ``head``."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    output = io.StringIO()
    config.attributes["dialect_name"] = dialect_name
    config.attributes["output"] = output
    with _rendering:
        command.upgrade(config, f"{version or 'base'}:{to}", sql=True)
    return output.getvalue()
