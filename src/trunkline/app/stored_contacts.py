"""Entries of suppression lists and questions about the attempt log, as stores take and give them.

Conventions as in ``app.ports``: times ending in ``_s`` are Unix seconds, in ``_ms`` Unix milliseconds.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from trunkline.domain.attempts import AttemptStep
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.suppression import CENTRE_LIST, Contact, contact_key


class SuppressionKey(NamedTuple):
    """Which entry of which list; ``campaign_id`` 0 stands for the whole contact centre."""

    contact_centre_id: int
    kind: DoNotCallKind
    value_key: str
    suppression_list_id: int
    campaign_id: int


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """A do-not-call entry of a suppression list. ``campaign_id`` None means the whole contact centre.

    List 0 is the contact centre's own, which always applies. ``expires_at_s`` None means never.

    ``value`` is a number as the list holds it, a customer id or an account; they are compared by
    ``domain.suppression.contact_key``. An entry made again changes nothing, unless it reaches further.
    """

    contact_centre_id: int
    kind: DoNotCallKind
    value: str
    campaign_id: int | None = None
    suppression_list_id: int = CENTRE_LIST
    expires_at_s: int | None = None
    added_at_ms: int = 0
    added_by: int | None = None
    source: str = ""
    reason: str = ""

    @property
    def contact(self) -> Contact:
        """What the entry is looked up by."""
        return (self.kind, contact_key(self.kind, self.value))

    @property
    def key(self) -> SuppressionKey:
        """The primary key."""
        return SuppressionKey(self.contact_centre_id, *self.contact, self.suppression_list_id, self.campaign_id or 0)

    def holds(self, now_s: int) -> bool:
        """True until the entry has ended."""
        return self.expires_at_s is None or self.expires_at_s > now_s

    def reaches_further(self, other: Suppression) -> bool:
        """True when this entry holds longer than that one of the same key."""
        if other.expires_at_s is None:
            return False
        return self.expires_at_s is None or self.expires_at_s > other.expires_at_s


class SuppressionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list's entries, by kind, key and campaign in the store's own order of texts.

    ``after`` is the key of the last entry of the page before. ``ends_after_s`` leaves out what has ended by then,
    ``ends_until_s`` what has not.
    """

    contact_centre_id: int
    suppression_list_id: int
    kind: DoNotCallKind | None = None
    value_key: str | None = None
    campaign_id: int | None = None
    ends_after_s: int | None = None
    ends_until_s: int | None = None
    after: SuppressionKey | None = None
    limit: int = 100


class SuppressionCount(NamedTuple):
    """How many entries a list has, and how many of them have ended."""

    entries: int
    ended: int


class AttemptQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A portion of the attempt log behind ``after_seq``, in the order of numbers, which is that of commits.

    ``contact_centre_id`` None reads those of all, for what serves all. ``since_ms`` is inclusive, ``until_ms``
    exclusive. No ``steps`` means all.
    """

    contact_centre_id: int | None
    after_seq: int = 0
    since_ms: int | None = None
    until_ms: int | None = None
    steps: tuple[AttemptStep, ...] = ()
    limit: int = 1000
