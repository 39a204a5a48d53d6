"""Who may do what: the questions that the core asks, and a ready answer made of a list of names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Protocol

from trunkline.bayeux.channels import is_name, is_pattern, matches

DENIED = "denied_by_security_policy"
"""The usual reason; clients see it in the second part of the error."""

# Stands for a segment that no name can have, so that only patterns match it.
_ANY = "?"


class Policy(Protocol):
    """Each question is answered with ``None`` for yes, or a reason (one word, no colon) for no."""

    def may_handshake(self, principal: Hashable) -> str | None:
        """Judge opening a session. The reason is not shown: the error text is fixed."""

    def may_subscribe(self, principal: Hashable, channel: str) -> str | None:
        """Judge a subscription to ``channel``, a well-formed name or pattern outside ``/meta`` and ``/service``."""

    def may_publish(self, principal: Hashable, channel: str) -> str | None:
        """Judge a publish to ``channel``, a well-formed name outside ``/meta``."""


class AllowList:
    """Everyone may handshake; subscribing and publishing go by fixed names and patterns.

    A name is subscribable when it is listed or a listed pattern matches it; a pattern, when it is listed,
    lies within a listed pattern, or contains an entry of the list. The last is safe although it reaches
    wider than the list, because events are delivered by owner: it yields the subscriber's own events only.
    Raises ``ValueError`` for an entry that is neither name nor pattern.
    """

    def __init__(self, subscribable: Iterable[str], publishable: Iterable[str] = ()) -> None:
        self._subscribable = frozenset(subscribable)
        self._publishable = frozenset(publishable)
        for entry in self._subscribable | self._publishable:
            if not is_name(entry) and not is_pattern(entry):
                raise ValueError(f"{entry!r} is not a channel")

    def may_handshake(self, principal: Hashable) -> str | None:
        """Yes: whoever is authenticated may open a session."""
        return None

    def may_subscribe(self, principal: Hashable, channel: str) -> str | None:
        """See the class. Cost: linear in the length of the list."""
        if channel in self._subscribable:
            return None
        if is_pattern(channel):
            inside = channel.replace("**", _ANY + "/" + _ANY).replace("*", _ANY)
            allowed = any(matches(entry, inside) or matches(channel, entry) for entry in self._subscribable)
        else:
            allowed = any(matches(entry, channel) for entry in self._subscribable)
        return None if allowed else DENIED

    def may_publish(self, principal: Hashable, channel: str) -> str | None:
        """Yes when the channel is listed, or matched by a listed pattern (``/service/*`` matches nothing)."""
        return None if any(entry == channel or matches(entry, channel) for entry in self._publishable) else DENIED
