"""What the hand-out asks of a store: chains to take for a campaign group, and the buffer in which they wait.

Conventions as in ``app.ports``: times ending in ``_s`` are Unix seconds, in ``_ms`` Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeAlias

import msgspec

from trunkline.domain.eligibility import Window
from trunkline.domain.filters import Condition, ParsedFilter
from trunkline.domain.records import Record

ChainKey: TypeAlias = tuple[int, int, int]
"""Contact centre, list, chain."""

EVERYTHING = ParsedFilter()
"""Selects every record and brings no order."""

MAX_CLAIM = 1000
"""Chains taken at once: they stay locked until the transaction ends, and their lease runs before anybody sees them."""


class ClaimKind(StrEnum):
    """Which records are claimed."""

    DUE = "due"
    """Those that had a time, which has come: campaign callbacks, retries, holds that ended."""
    FRESH = "fresh"
    """Those that never had one."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Chains of one list to take for a campaign group, ``limit`` of them, into its buffer.

    A chain may be taken when one of its records may be called: status READY, a dialable contact type, a type that is
    for anyone (no personal one, not NO_CALL), attempts below ``max_attempts``, a window that ``opens`` (asked once
    for each window of the list) and the filter's condition (``selection``); and when none of its records is out
    already. Order: the priority of the type (``TYPE_PRIORITY``), then one window after the other, the one whose first
    READY record comes first (by due time, then chain) before the others, then due time, chain and place in it. A filter
    with an order puts its own behind the priority.

    All open records of the chain become RETRIEVED for ``campaign_id``, and the chain lies in the buffer of the group at
    ``first_place``, the next one ``place_step`` behind it, until ``lease_until_ms``. ``passed_over`` are chains to
    leave where they are.
    """

    contact_centre_id: int
    campaign_group_id: int
    campaign_id: int
    list_id: int
    max_attempts: int
    kind: ClaimKind
    limit: int
    now_s: int
    taken_at_ms: int
    lease_until_ms: int
    opens: Callable[[Window], bool]
    first_place: int = 0
    place_step: int = 1
    selection: ParsedFilter = EVERYTHING
    passed_over: frozenset[int] = frozenset()


class ClaimList(msgspec.Struct, frozen=True, kw_only=True):
    """A list in which a callback is looked for; see ``Claim``."""

    list_id: int
    max_attempts: int
    opens: Callable[[Window], bool]
    condition: Condition | None = None


class CallbackClaim(msgspec.Struct, frozen=True, kw_only=True):
    """The one callback that an agent is to get next, taken into the buffer of the group like any other chain.

    The agent's own come first: personal types that ``user_id`` owns, due or without a time; then the due callbacks for
    anyone. Within a type the oldest, then the list's place in ``lists``, then the chain. What else must be true is said
    at ``Claim``; ``condition`` is that of the list's filter. ``passed_over`` are chains (list, chain).
    """

    contact_centre_id: int
    campaign_group_id: int
    campaign_id: int
    lists: tuple[ClaimList, ...]
    user_id: int
    now_s: int
    taken_at_ms: int
    lease_until_ms: int
    place: int = 0
    passed_over: frozenset[tuple[int, int]] = frozenset()


class Claimed(msgspec.Struct, frozen=True):
    """What a claim took, in order. ``is_contested``: nothing, but there are chains that another program has locked."""

    chains: tuple[ChainKey, ...] = ()
    is_contested: bool = False


class BufferEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A chain taken for a campaign group, not yet on a desk; smaller ``place`` is handed out sooner."""

    contact_centre_id: int
    list_id: int
    chain_id: int
    campaign_group_id: int
    place: int
    taken_at_ms: int
    lease_until_ms: int

    @property
    def chain_key(self) -> ChainKey:
        """Key of the chain."""
        return (self.contact_centre_id, self.list_id, self.chain_id)


class Buffered(msgspec.Struct, frozen=True):
    """A buffer entry with the records of its chain by place; none when they were deleted."""

    entry: BufferEntry
    records: list[Record]


class BufferSize(msgspec.Struct, frozen=True, order=True):
    """How many chains wait in a group's buffer."""

    contact_centre_id: int
    campaign_group_id: int
    chains: int
