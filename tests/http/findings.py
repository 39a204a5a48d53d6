"""What the contract tests found: operation x store x result, and the page of the manual that keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.paths import ROOT
from tests.support.shapes import table

PAGE = ROOT / "docs" / "reference" / "operations.md"
STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
GOOD, BAD = "as documented", "DIFFERS"

Json = dict[str, Any]
Row = tuple[str, ...]
"""The first cells of a row, which name what was tested."""

_found: dict[tuple[Row, str], str] = {}
_ENUMS = table("outbound-enums")
_SECTIONS = ("Outbound", "Internal", "Session", "Agent state", "Diagnostics", "Start-up")

OPERATIONS: list[Json] = [
    operation
    for operation in table("web-services-operations")["operations"]
    # Dial and the pushed record need telephony.
    if operation["section"] in _SECTIONS and operation["method"] is not None and "calls" not in operation["path"]
]
"""What the contract tests are generated from."""

REQUESTS: dict[str, Json] = {
    name: message
    for name, message in _ENUMS["desktop_messages"].items()
    if message.get("type_key") == "GSW_AGENT_REQ_TYPE"
} | {name: {"fields": []} for name in (*_ENUMS["extra_desktop_requests"], "Logout")}
"""GSW_AGENT_REQ_TYPE -> what the contract says of the request."""


def operation_row(operation: Json) -> Row:
    """The first cells of an operation's row."""
    name = operation.get("title") or operation["name"]
    sent = operation["parameters"] and operation["method"] == "POST"
    request = f"`{operation['method']} {operation['path']}`" + (f" {operation['name']}" if sent else "")
    answers = [m["notificationType"] or m.get("GSW_USER_EVENT") or m["messageType"] for m in operation["cometd"]]
    if operation["name"] == "SendUserEvent":
        name, answers = "Desktop's user event", ["see below"]
    is_inferred = any(message.get("decided") for message in operation["cometd"])
    source = "extension" if operation.get("extension") else "documented" + ("; partly inferred" if is_inferred else "")
    return name, request, ", ".join(dict.fromkeys(answers)) or "none", source


def request_row(name: str) -> Row:
    """The first cells of a desktop request's row."""
    answers = {
        "CampaignStatusRequest": "CampaignLoaded or CampaignStarted, one per campaign",
        "ChainedRecordRequest": "ChainedRecord per sibling, ChainedRecordsDataEnd",
        "PreviewRecordRequest": "PreviewRecord or PreviewRecordEmpty",
        "Logout": "LogOutAcknowledge",
    }
    return f"`{name}`", answers.get(name) or REQUESTS[name].get("reply") or f"{name}Acknowledge"


@contextmanager
def finding(row: Row, store: str) -> Iterator[None]:
    """Note what becomes of a test of ``row`` on ``store``; one failure marks the row."""
    key = (row, store)
    try:
        yield
    except BaseException:
        _found[key] = BAD
        raise
    _found.setdefault(key, GOOD)


def rows() -> tuple[list[Row], list[Row]]:
    """All rows that a complete run finds: operations, desktop requests."""
    return [operation_row(operation) for operation in OPERATIONS], [request_row(name) for name in REQUESTS]


def is_complete() -> bool:
    """True when every row was tested on every store in this run."""
    operations, requests = rows()
    return all((row, store) in _found for row in (*operations, *requests) for store in STORES)


def lines() -> list[str]:
    """The table lines that this run found, as they stand on the page."""
    return [_line(row) for part in rows() for row in part if all((row, store) in _found for store in STORES)]


def page() -> str:
    """The page, made from a complete run."""
    operations, requests = rows()
    stores = "".join(f" {name} |" for name in STORES.values())
    return "\n".join(
        [
            "# Operations and what was found",
            "",
            "Remade by `.venv/bin/python -m pytest tests/http --write-docs`. Each row was run against a real server on",
            "each store, over HTTP with CometD long-polling: minimal and full body, with and without reference, the",
            "answer and every message compared key by key and type by type with the contract's files. A run that finds",
            "anything else fails. *Inferred* in the column of origin: the page does not show all of the messages, and",
            "what is missing was decided here.",
            "",
            "Dial and the other voice operations need telephony and answer status code 2.",
            "",
            f"| operation | request | answered over CometD with | origin |{stores}",
            "|---|---|---|---|---|---|",
            *(_line(row) for row in operations),
            "",
            "## Requests of SendUserEvent",
            "",
            "`POST /internal-api/operations`; the answer comes on `/me/internal` and carries the request's",
            "`GSW_REFERENCE_ID` with its JSON type. A refused request is answered with an `ErrorMessage` event.",
            "",
            f"| GSW_AGENT_REQ_TYPE | answered with |{stores}",
            "|---|---|---|---|",
            *(_line(row) for row in requests),
            "",
        ]
    )


def _line(row: Row) -> str:
    results = (_found.get((row, store), "not run") for store in STORES)
    return f"| {' | '.join((*row, *results))} |"
