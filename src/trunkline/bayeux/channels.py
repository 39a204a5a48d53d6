"""Channel names and patterns.

A name is ``/`` and segments joined by ``/``. A pattern is a name whose last segment is ``*`` (one
segment) or ``**`` (one segment or more); neither matches the name before it. ``/meta`` and
``/service`` are apart: no pattern reaches into them.
Source: Bayeux 1.0, 2.1 and 2.2; the wider alphabet is that of the CometD Java server.
"""

from __future__ import annotations

import re
from functools import lru_cache

HANDSHAKE = "/meta/handshake"
CONNECT = "/meta/connect"
DISCONNECT = "/meta/disconnect"
SUBSCRIBE = "/meta/subscribe"
UNSUBSCRIBE = "/meta/unsubscribe"

# The specification's marks, and what the Java server lets through besides: space # + . { }
_SEGMENTS = r"(?:/[A-Za-z0-9\-_!~()$@ #+.{}]+)"
_name = re.compile(_SEGMENTS + "+")
_pattern = re.compile(_SEGMENTS + r"*/\*\*?")

# A channel of the application is looked up on each delivery, so its patterns are remembered. A client
# may invent names by publishing; the cache forgets the oldest, it never grows past this.
_REMEMBERED_CHANNELS = 1024


def is_name(channel: str) -> bool:
    """Tell whether ``channel`` may be published to: well-formed and without a wildcard."""
    return _name.fullmatch(channel) is not None


def is_pattern(channel: str) -> bool:
    """Tell whether ``channel`` is well-formed and ends in ``/*`` or ``/**``."""
    return _pattern.fullmatch(channel) is not None


def is_meta(channel: str) -> bool:
    """Tell whether ``channel`` belongs to the protocol itself and so is never delivered to a client."""
    return channel == "/meta" or channel.startswith("/meta/")


def is_service(channel: str) -> bool:
    """Tell whether ``channel`` goes to the server alone and so is never broadcast."""
    return channel.startswith("/service/")


@lru_cache(maxsize=_REMEMBERED_CHANNELS)
def reaching(channel: str) -> frozenset[str]:
    """Return every subscription that receives an event on ``channel``: its own name and each pattern.

    Empty for ``/meta/**`` and ``/service/**``, which no subscription reaches.
    Cost: linear in the number of segments, then remembered.
    """
    if is_meta(channel) or is_service(channel):
        return frozenset()
    segments = channel.split("/")[1:]
    parents = ["".join(f"/{segment}" for segment in segments[:count]) for count in range(len(segments))]
    return frozenset([channel, f"{parents[-1]}/*", *(f"{parent}/**" for parent in parents)])


def matches(subscription: str, channel: str) -> bool:
    """Tell whether an event on ``channel`` goes to a subscriber of ``subscription`` (a name or a pattern)."""
    return subscription in reaching(channel)
