"""Bodies and queries: how the messages of a request are written, and how an answer is.

Source: Bayeux 1.0, 6.1 (long-polling) and 6.2 (callback-polling).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl

from trunkline.bayeux import read_form_body, read_json_body
from trunkline.errors import TooLarge
from trunkline.strict_json import MAX_DEPTH, Json, Malformed

JSON_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"application/json;charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
SCRIPT_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-type", b"text/javascript; charset=UTF-8"),
    *JSON_HEADERS[1:],
)
MAX_QUERY_BYTES = 16 * 1024
"""Bytes of a callback-polling URL's query: clients split their batches so that the URL stays under 2,000 characters."""
DEFAULT_CALLBACK = "jsonpcallback"
_callback = re.compile(r"[A-Za-z0-9._\-]{1,64}")


def read_body(
    body: bytes, content_type: bytes, *, max_messages: int, max_bytes: int, max_depth: int = MAX_DEPTH
) -> list[Json]:
    """Return the messages of a whole body. Raises ``Malformed`` or ``TooLarge``."""
    if kind_of_body(content_type) == "form":
        return read_form_body(body, max_messages=max_messages, max_bytes=max_bytes, max_depth=max_depth)
    return read_json_body(body, max_bytes=max_bytes, max_depth=max_depth)


@lru_cache(maxsize=64)  # clients send two or three different ones
def _kind_of_body(content_type: bytes) -> Literal["json", "form"] | Malformed:
    media, *parameters = content_type.lower().split(b";")
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip(b' "') not in (b"utf-8", b"utf8", b"us-ascii"):
            return Malformed("the body must be UTF-8")
    match media.strip():
        case b"application/x-www-form-urlencoded":
            return "form"
        case b"application/json" | b"text/json" | b"":
            return "json"
    return Malformed("the body must be application/json")


def kind_of_body(content_type: bytes) -> Literal["json", "form"]:
    """Return how a body is written. Raises ``Malformed`` for other types and character sets."""
    kind = _kind_of_body(content_type)
    if isinstance(kind, Malformed):
        raise Malformed(kind.message)
    return kind


def read_query(query: bytes, *, max_messages: int, max_depth: int = MAX_DEPTH) -> tuple[str, list[Json]]:
    """Return callback and messages of a callback-polling request. Raises ``Malformed`` or ``TooLarge``."""
    if len(query) > MAX_QUERY_BYTES:
        raise TooLarge(f"the query is longer than {MAX_QUERY_BYTES} bytes")
    try:
        fields = dict(parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise Malformed("the query is not well-formed") from None
    callback = fields.get("jsonp", DEFAULT_CALLBACK)
    if not _callback.fullmatch(callback):
        raise Malformed("jsonp must be a name of at most 64 letters, digits, dots, hyphens and underscores")
    return callback, read_form_body(query, max_messages=max_messages, max_depth=max_depth)


def as_script(callback: str, body: bytes) -> bytes:
    """Return an answer as the call of ``callback``.

    The comment in front keeps the callback's name from being the first bytes of a file of another kind; the two
    separators are line ends in scripts and not in JSON.
    """
    escaped = body.replace("\u2028".encode(), b"\\u2028").replace("\u2029".encode(), b"\\u2029")
    return b"/**/" + callback.encode("ascii") + b"(" + escaped + b");"
