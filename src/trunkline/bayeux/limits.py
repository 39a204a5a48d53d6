"""How often one address may open a session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

_BURST_S = 5
"""An address may use up this many seconds' worth of handshakes at once."""
_MAX_ADDRESSES = 10_000
"""Addresses remembered, about 200 bytes each. Whoever comes from more addresses than that at once is forgotten, which
gives the first of them their burst again."""


class HandshakeLimiter:
    """A bucket of handshakes for each address, filled evenly."""

    def __init__(self, per_s: int) -> None:
        self._per_ms = per_s / 1000
        self._most = float(per_s * _BURST_S)
        self._buckets: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def may_open(self, address: Hashable, now_ms: int) -> bool:
        """Take one handshake of this address, if there is one. Cost: constant."""
        left, since_ms = self._buckets.get(address, (self._most, now_ms))
        left = min(self._most, left + (now_ms - since_ms) * self._per_ms)
        is_granted = left >= 1
        self._buckets[address] = (left - 1 if is_granted else left, now_ms)
        self._buckets.move_to_end(address)
        if len(self._buckets) > _MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return is_granted
