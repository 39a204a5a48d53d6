"""What ``trunkline doctor`` looks at: the things that make a server fail later, found before."""

from __future__ import annotations

import os
import resource
import shutil
import socket
from pathlib import Path
from zoneinfo import available_timezones

from trunkline.adapters.rule_folder import RuleFolder
from trunkline.adapters.storage import make_store, migrate
from trunkline.app.rule_files import RuleFiles
from trunkline.config import Config
from trunkline.errors import TrunklineError

Finding = tuple[str, bool, str]
MIN_FREE_BYTES = 1024**3
"""Free space under which a contact centre runs out within days."""
MIN_FILES = 4096
"""Open files under which a floor of desktops is turned away: each holds one or two connections."""


async def examine(config: Config, database_url: str) -> list[Finding]:
    """Look at everything; returns subject, whether it is well, and a sentence."""
    findings = [_port(config), _files(), _zones(), *_rules(config)]
    if not config.database_url:
        findings.append(_disk(Path(config.data_dir)))
    findings += await _database(database_url)
    return findings


def _port(config: Config) -> Finding:
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((config.host, config.port))
        except OSError as error:
            return "port", False, f"cannot listen on {config.host}:{config.port}: {error.strerror}"
    return "port", True, f"{config.host}:{config.port} is free"


def _files() -> Finding:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)  # the server raises its own limit to this
    is_enough = hard >= MIN_FILES
    advice = "" if is_enough else f"; raise it to {MIN_FILES} or more (ulimit -Hn, LimitNOFILE=)"
    return "open files", is_enough, f"the limit is {hard}{advice}"


def _zones() -> Finding:
    count = len(available_timezones())
    return "time zones", count > 400, f"{count} zones are known"


def _rules(config: Config) -> list[Finding]:
    folder = Path(config.rules_dir or Path(config.data_dir) / "rules")
    try:
        texts = RuleFolder(folder).changed() or {}
    except TrunklineError as error:
        return [("rule files", False, str(error))]
    if config.rules_dir and not folder.is_dir():
        return [("rule files", False, f"rules_dir: there is no folder {folder}")]
    faults = [("rule files", False, fault) for fault in RuleFiles(texts).faults]
    return faults or [("rule files", True, f"{len(texts)} in {folder}" if texts else "those of the program alone")]


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    is_writable = os.access(folder, os.W_OK)
    sentence = f"{folder} has {free // 1024**2} MiB free" if is_writable else f"{folder} cannot be written"
    return "data folder", is_writable and free >= MIN_FREE_BYTES, sentence


async def _database(database_url: str) -> list[Finding]:
    kind = "PostgreSQL" if database_url.startswith("postgresql") else "SQLite"
    try:
        version, head = migrate.current(database_url), migrate.head()
    except TrunklineError as error:
        return [("database", False, str(error))]
    if version != head:
        return [("database", False, f"{kind} schema is at {version or 'nothing'}, not {head}: run trunkline migrate")]
    store = make_store(database_url)
    try:
        await store.open()
        directory = await store.directory()
    except TrunklineError as error:
        return [("database", False, str(error))]
    finally:
        await store.close()
    warnings = [("database", False, warning) for warning in getattr(store, "warnings", ())]
    centres = ", ".join(sorted(directory.contact_centres.values())) or "none yet"
    return [("database", True, f"{kind} answers, schema {version}; contact centres: {centres}"), *warnings]
