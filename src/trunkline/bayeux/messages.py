"""Messages: request bodies in, encoded replies and events out.

Replies follow the key order of the vendor's published sample: ``successful``, what belongs to the
reply, ``id``, ``channel``. Events have ``data`` and ``channel`` and nothing else, because clients tell
events and replies apart by ``data`` and ``successful``, and one library by a stray ``id``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from trunkline import strict_json
from trunkline.errors import TooLarge
from trunkline.strict_json import Json, Malformed

VERSION = "1.0"

# Error texts of CometD 2.4 to 3.1, the generation that applications were written against: they compare
# the code, some the text. Faye's numbering (401 for an unknown client) differs and is not used.
CHANNEL_MISSING = "400::channel missing"
CONNECTION_TYPE_MISSING = "400::connectionType missing"
DATA_MISSING = "400::data missing"
UNKNOWN_CLIENT = "402::Unknown client"
HANDSHAKE_DENIED = "403::Handshake denied"
SUBSCRIBE_FAILED = "403::subscribe_failed"
SUBSCRIPTION_INVALID = "403::subscription_invalid"
SUBSCRIPTION_MISSING = "403::subscription_missing"
CHANNEL_CREATE_DENIED = "403:denied_by_security_policy:channel_create_denied"
CHANNEL_INVALID = "405::channel_invalid"
MESSAGE_ID_INVALID = "405::message_id_invalid"

encode: Final = msgspec.json.Encoder().encode


class NoId:
    """Type of ``NO_ID``: the message has no id, so its reply has none either."""


NO_ID: Final = NoId()


def read_json_body(
    body: bytes, *, max_bytes: int = strict_json.MAX_BODY_BYTES, max_depth: int = strict_json.MAX_DEPTH
) -> list[Json]:
    """Return the messages of a JSON body, an array or (as old clients send) one single object.

    Raises ``Malformed`` or ``TooLarge``. The items are not looked at: the core judges them.
    """
    value = strict_json.decode(body, max_bytes=max_bytes, max_depth=max_depth)
    if type(value) is list:
        return value
    if type(value) is dict:
        return [value]
    raise Malformed("the body must be an array of messages")


def read_form_body(
    body: bytes,
    *,
    max_messages: int,
    max_bytes: int = strict_json.MAX_BODY_BYTES,
    max_depth: int = strict_json.MAX_DEPTH,
) -> list[Json]:
    """Return the messages of a form-encoded body: each ``message`` field is a message or an array.

    Raises ``Malformed`` or ``TooLarge``. Source: Bayeux 1.0, 6.1.
    """
    if len(body) > max_bytes:
        raise TooLarge(f"the body is larger than {max_bytes} bytes")
    # Fields are counted before they are taken apart; other fields than ours are allowed beside them.
    if body.count(b"&") >= 2 * max_messages:
        raise TooLarge("the form has too many fields")
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise Malformed("the form is not well-formed") from None
    messages: list[Json] = []
    for name, value in fields:
        if name == "message":
            messages.extend(read_json_body(value.encode("utf-8"), max_bytes=max_bytes, max_depth=max_depth))
    return messages


def id_of(message: dict[str, Json], max_length: int) -> str | int | float | NoId | None:
    """Return the message's id, ``NO_ID`` when it has none (absent or null), ``None`` when it is not one.

    An id is a string or a number and is echoed in the same JSON type.
    """
    value = message.get("id")
    if value is None:
        return NO_ID
    if type(value) is str:
        return value if len(value) <= max_length else None
    return value if type(value) is int or type(value) is float else None


def reply(channel: str | None, message_id: object, fields: dict[str, object]) -> bytes:
    """Encode one reply. ``fields`` starts with ``successful``; ``id`` and ``channel`` follow it."""
    message = dict(fields)
    if message_id is not NO_ID:
        message["id"] = message_id
    if channel is not None:
        message["channel"] = channel
    return encode(message)


def refusal(channel: str | None, message_id: object, error: str, **fields: object) -> bytes:
    """Encode one unsuccessful reply."""
    return reply(channel, message_id, {"successful": False, "error": error, **fields})


def event(channel: str, data: bytes) -> bytes:
    """Encode one event around ``data``, which is JSON already. Cost: one copy of ``data``."""
    return b'{"data":' + data + _event_tail(channel)


@lru_cache(maxsize=1024)  # as many as channels.reaching remembers, for the same reason
def _event_tail(channel: str) -> bytes:
    return b',"channel":' + encode(channel) + b"}"


def join(messages: list[bytes]) -> bytes:
    """Return the JSON array of encoded messages."""
    return b"[" + b",".join(messages) + b"]"


class ConnectReplies:
    """Encoder of the reply sent most: the successful answer to a connect, with the constant part made once."""

    def __init__(self, advice: dict[str, object]) -> None:
        self._head = b'{"successful":true,"advice":' + encode(advice)

    def with_id(self, encoded_id: bytes, ext: dict[str, object] | None = None) -> bytes:
        """Return the reply; ``encoded_id`` comes from ``encoded_id_field``."""
        more = b',"ext":' + encode(ext) if ext else b""
        return self._head + more + encoded_id + b',"channel":"/meta/connect"}'


def with_position(encoded: bytes, epoch: str, offset: int) -> bytes:
    """Return an encoded event with the place from which the client may ask for what comes after it."""
    return encoded[:-1] + b',"ext":' + encode({"replay": {"epoch": epoch, "offset": offset}}) + b"}"


def encoded_id_field(message_id: object) -> bytes:
    """Return ``,"id":...`` for an id and nothing for ``NO_ID``."""
    return b"" if message_id is NO_ID else b',"id":' + encode(message_id)


def protocol_error(status: int, text: str, channel: str | None = None) -> bytes:
    """Encode the body of an HTTP answer that is not 200.

    Clients that look at the status ignore it; those that do not find valid JSON and no id to match
    a pending request with.
    """
    return join([refusal(channel, NO_ID, f"{status}::{text}")])


# What may be quoted in an error's arguments, so that no error text can be forged by its sender.
_quotable = re.compile(r"[A-Za-z0-9.\-]{1,32}")


def quoted(value: Json) -> str:
    """Return a text of a message as it may stand in an error, else nothing."""
    return value if type(value) is str and _quotable.fullmatch(value) else ""
