"""The one JSON decoder: strict, bounded, and the same for every door.

Accepted: RFC 8259 JSON in UTF-8 of at most ``MAX_BODY_BYTES``, nested at most ``MAX_DEPTH``
deep, finite numbers, integers of 64 bits, strings without NUL and without lone surrogates,
no duplicate meaning hidden in either. Everything else is ``Malformed`` or ``TooLarge``.
"""

from __future__ import annotations

import math
import re
from typing import Any

import msgspec

from trunkline.errors import OutOfRange, TooLarge

MAX_BODY_BYTES = 64 * 1024
"""64 KiB: forty times the largest request that the documented operations produce."""

MAX_DEPTH = 32
"""Real requests nest four deep; the limit keeps the walk below off the interpreter's stack limit."""

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

_decode = msgspec.json.Decoder().decode
# A number of nineteen digits is the shortest integer that may not fit 64 bits; an exponent may hide an infinite
# float; an escaped NUL or surrogate hides behind "\\u0000" or "\\ud8..". A number stands behind one of the characters
# in front here, or alone: so what looks like one inside a name or a token is passed over.
_suspicious = re.compile(rb"[\[:,\s\\](?:-?(?:[0-9]{19}|[0-9.]+[eE])|(?<=\\)u(?:0000|[dD][89a-fA-F]))")

Json = Any
"""What a decoded body is made of: dict, list, str, int, float, bool, None."""


class Malformed(OutOfRange):
    """The body is not well-formed JSON."""


def decode(
    body: bytes | bytearray | memoryview, *, max_bytes: int = MAX_BODY_BYTES, max_depth: int = MAX_DEPTH
) -> Json:
    """Decode one JSON document. ``max_depth`` is at most ``MAX_DEPTH``.

    Raises ``TooLarge`` for size, depth or a huge integer's digits and ``Malformed`` for the rest;
    the message names the fault and never quotes the body.
    Cost: linear; small clean bodies skip the walk over the result.
    """
    if len(body) > max_bytes:
        raise TooLarge(f"the body is larger than {max_bytes} bytes")
    raw = bytes(body)
    nesting = raw.count(b"{") + raw.count(b"[")
    if nesting > max_depth:
        _check_depth(raw, max_depth)
    try:
        value = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"the body is not well-formed JSON ({_reason(error)})") from None
    if _suspicious.search(raw) or type(value) in (int, float):
        _check(value)
    return value


def decode_object(body: bytes | bytearray | memoryview, *, max_bytes: int = MAX_BODY_BYTES) -> dict[str, Json]:
    """Decode one JSON object; anything else is ``Malformed``."""
    value = decode(body, max_bytes=max_bytes)
    if type(value) is not dict:
        raise Malformed("the body must be one JSON object")
    return value


def _reason(error: Exception) -> str:
    # msgspec's texts say what and at which byte, and quote nothing of the body beyond one character.
    text = str(error)
    return text[:120] if isinstance(error, msgspec.DecodeError) else "invalid text or number"


def _check_depth(raw: bytes, max_depth: int) -> None:
    """Count nesting outside strings without recursion, before any decoder sees the body."""
    depth = 0
    in_string = False
    skip = False
    for byte in raw:
        if in_string:
            if skip:
                skip = False
            elif byte == 0x5C:
                skip = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x7B, 0x5B):
            depth += 1
            if depth > max_depth:
                raise TooLarge(f"the body nests deeper than {max_depth}")
        elif byte in (0x7D, 0x5D):
            depth -= 1


def _check(root: Json) -> None:
    stack: list[Json] = [root]
    while stack:
        value = stack.pop()
        kind = type(value)
        if kind is str:
            _check_text(value)
        elif kind is int:
            if not INT64_MIN <= value <= INT64_MAX:
                raise Malformed("an integer does not fit 64 bits")
        elif kind is float:
            if not math.isfinite(value):
                raise Malformed("a number is not finite")
            if value.is_integer() and not INT64_MIN <= value <= INT64_MAX:
                raise Malformed("a number does not fit 64 bits")
        elif kind is dict:
            for key, item in value.items():
                _check_text(key)
                stack.append(item)
        elif kind is list:
            stack.extend(value)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise Malformed("a string holds the NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Malformed("a string holds half of a surrogate pair") from None
