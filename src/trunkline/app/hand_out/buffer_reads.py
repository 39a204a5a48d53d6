"""What one batch of requests reads of the buffers: chains ahead of their hand-out, sizes, agents; each once."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from trunkline.app.ports import Buffered, ChainKey, Unit

FIRST_READ = 4
"""Chains read at first: mostly one agent asks, and a few of the next ones may be held back by a rule."""

MAX_READ = 64
"""Chains read at once when a batch goes through many; each read doubles until then."""

_Group = tuple[int, int]
"""Contact centre and campaign group."""


class BufferReads:
    """The buffers under one unit. ``met`` are the chains that were given out of them, or past them."""

    def __init__(self, unit: Unit) -> None:
        self.met: set[ChainKey] = set()
        self._unit = unit
        self._ahead: dict[_Group, deque[Buffered]] = {}
        self._next_read = FIRST_READ
        self._sizes: dict[_Group, int] = {}
        self._agents: dict[tuple[int, int], Collection[int]] = {}

    async def next(self, group: _Group) -> Buffered | None:
        """The next chain of a group's buffer, each once."""
        ahead = self._ahead.setdefault(group, deque())
        if not ahead:
            met = [key for key in self.met if key[0] == group[0]]
            ahead.extend(await self._unit.buffered(*group, met, self._next_read))
            self._next_read = min(self._next_read * 2, MAX_READ)
        if not ahead:
            return None
        found = ahead.popleft()
        self.met.add(found.entry.chain_key)
        if group in self._sizes:
            self._sizes[group] -= 1
        return found

    def ahead(self, group: _Group) -> Sequence[Buffered]:
        """What is read already."""
        return self._ahead.get(group, ())

    def grown(self, group: _Group, chains: int) -> None:
        """A claim added chains, which may come before those that are read already."""
        if chains:
            self._ahead.pop(group, None)
            self._sizes[group] = self._sizes.get(group, 0) + chains

    async def size(self, group: _Group) -> int:
        """Chains of a group's buffer that were not given out yet."""
        if group not in self._sizes:
            self._sizes[group] = await self._unit.buffer_size(*group)
        return self._sizes[group]

    async def agents(self, contact_centre_id: int, campaign_id: int) -> Collection[int]:
        """User ids of those who take preview records of a campaign."""
        key = (contact_centre_id, campaign_id)
        if key not in self._agents:
            self._agents[key] = frozenset(await self._unit.preview_users(*key))
        return self._agents[key]
