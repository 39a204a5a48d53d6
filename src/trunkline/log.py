"""Structured log lines that hold nothing private.

Lines of our own and of the libraries (through ``logging``) take one way: they are gathered,
masked and written to standard error, for people (``console``) or as one JSON object per line
(``json``). Masking is by key (``phone``, ``password``, ``clientId``, ``name``, ...) and, in
free text, by shape (phone numbers, ``key=value`` pairs, ``Authorization`` values, passwords
in URLs). It errs on the side of masking: a line may lose a number that was none.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import msgspec
import structlog

MASKED = "[masked]"

MAX_TEXT = 8192
"""Characters of one value: a traceback of eighty frames. A line must fit what log collectors take (16 KiB)."""

MAX_DEPTH = 6
"""Levels of nested values. Log lines are for reading; deeper is a dump of an object."""

MAX_ITEMS = 50
"""Items of one list or mapping, for the same reason."""

# Compared without case, "_" and "-", so that clientId, client_id and Client-Id are one.
_SECRET_PARTS = (
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "cookie",
    "authorization",
    "clientid",
    "sessionid",
)
_SECRET_KEYS = frozenset({"csrf", "credentials", "apikey", "jsessionid", "databaseurl", "verifier", "passwordhash"})
_NAME_KEYS = frozenset(
    {"name", "firstname", "lastname", "middlename", "fullname", "displayname", "username", "login", "personname"}
    | {"customername", "agentname", "contactinfo", "email", "emailaddress", "otherfields", "userdata"}
)
_PHONE_PARTS = ("phone", "dialled", "dialed", "callednumber", "callingnumber")
_PHONE_KEYS = frozenset({"ani", "dnis", "caller", "callee", "msisdn", "number"})
_HARMLESS_KEYS = frozenset({"phonetype", "gswphonetype"})

# The bounds keep the search linear on hostile text.
_TEXT_KEY = (
    r"(?:[\w-]{0,32}(?:password|passwd|token|secret|cookie|authorization|client_?id|session_?id|phone(?!_?type))[\w-]{0,32}"
    r"|(?:first|last|full|display|customer|user|agent)_?name|name|login|contact_?info|email(?:_?address)?)"
)
# key=value, key: value, "key": "value", key='two words'; the value ends where a reader would say it ends.
_PAIR = re.compile(
    rf"(?P<before>(?<![\w-]){_TEXT_KEY}[\"']?\s*[=:]\s*)"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?:basic|bearer)\s+[^\s,;]+|[^\s,;&)}\]]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)[^/\s@]*@")
# +1 (415) 555-0101, (415) 555-0101, 415-555-0101, 5550101, 4155550101: seven digits or more. A digit run that
# continues a word, a decimal or an address (1a2b3c4, 0.1234567, 10.1.2.3) is none; neither is a date.
_PHONE = re.compile(
    r"(?<![\w.:/+-])(?!\d{4}-\d\d-\d\d(?!\d))"
    r"(?:\+\d(?:[ ().-]{0,2}\d){6,14}|\(\d{2,4}\)[ -]?\d{3,4}[ .-]?\d{3,4}|\d{3}[ .-]\d{3}[ .-]\d{4}|\d{7,15})(?!\w)"
)
# A line break in a value would begin a forged line; an escape would speak to the terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# structlog's own, removed before the line is written.
_OWN_KEYS = frozenset({"_record", "_from_structlog"})
_MANY_LINES = frozenset({"exception", "stack"})


def mask(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask one line (a structlog processor); what it holds afterwards may be shown to an operator."""
    return {key: _masked(key, value, 0) for key, value in line.items()}


def mask_text(text: str) -> str:
    """Mask what looks private in free text and cut the text to ``MAX_TEXT`` characters."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "..."
    text = _URL_PASSWORD.sub(f"{MASKED}@", text)
    text = _PAIR.sub(_mask_pair, text)
    text = _SCHEME.sub(rf"\1 {MASKED}", text)
    return _PHONE.sub(lambda found: _mask_phone(found.group()), text)


def configure(level: Literal["debug", "info", "warning", "error"], style: Literal["console", "json"]) -> None:
    """Set up the log of this process, for our lines and for those of libraries; may be called again."""
    _configure(level, style, sys.stderr)


def _configure(level: str, style: str, stream: TextIO) -> None:
    gather: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
        # After the mask, which would take the digits for a phone number.
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_serialize)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=gather,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *gather, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A cached logger would keep the set-up of its first line.
        cache_logger_on_first_use=False,
    )


def _serialize(line: object, **_: object) -> str:
    return msgspec.json.encode(line).decode()


def _masked(key: str, value: object, depth: int) -> object:
    if key in _OWN_KEYS:
        return value
    plain = key.lower().replace("_", "").replace("-", "")
    if value is None or isinstance(value, bool):
        return value
    if plain in _SECRET_KEYS or plain in _NAME_KEYS or any(part in plain for part in _SECRET_PARTS):
        return MASKED
    if plain in _PHONE_KEYS or (plain not in _HARMLESS_KEYS and any(part in plain for part in _PHONE_PARTS)):
        return _mask_phone(str(value))
    if isinstance(value, int | float):
        return value
    return _masked_inside(key, value, depth)


def _masked_inside(key: str, value: object, depth: int) -> object:
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth == MAX_DEPTH:
            return "..."
        if isinstance(value, Mapping):
            pairs = list(value.items())[:MAX_ITEMS]
            return {mask_text(str(k)): _masked(str(k), item, depth + 1) for k, item in pairs}
        return [_masked(key, item, depth + 1) for item in list(value)[:MAX_ITEMS]]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    text = mask_text(value if isinstance(value, str) else repr(value))
    return text if key in _MANY_LINES else _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def _mask_pair(found: re.Match[str]) -> str:
    return found["before"] + MASKED


def _mask_phone(text: str) -> str:
    # Two digits tell one number of a complaint from the next and give nobody away.
    digits = [character for character in text if character.isdigit()]
    return "***" + "".join(digits[-2:]) if len(digits) >= 7 else "***"
