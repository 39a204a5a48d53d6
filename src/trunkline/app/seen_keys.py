"""A set of texts in little memory: which chain keys and numbers a long file had already.

A Python set would cost about 100 bytes a text; this one costs 8 to 16. It holds 64-bit hashes, so that two different
texts are taken for one with a chance of about one in ten million for a file of a million keys.
"""

from __future__ import annotations

from array import array

from trunkline.errors import TooLarge

MAX_KEYS = 10_000_000
"""128 MiB of table; a longer file is split."""
_FIRST_SLOTS = 1 << 12
_MASK_64 = (1 << 64) - 1


class SeenKeys:
    """Texts that came by. Open addressing with linear steps, at most two thirds full."""

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0
        self._max_keys = max_keys

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: str) -> bool:
        value = _value(key)
        return self._slots[self._place(value)] == value

    def add(self, key: str) -> None:
        """Remember a text; ``TooLarge`` when there are more than ``max_keys``."""
        value = _value(key)
        place = self._place(value)
        if self._slots[place] == value:
            return
        if self._count >= self._max_keys:
            raise TooLarge(f"the file has more than {self._max_keys} different keys to remember; split it")
        self._slots[place] = value
        self._count += 1
        if self._count * 3 > len(self._slots) * 2:
            self._grow()

    def _place(self, value: int) -> int:
        """Where the value is, or the empty slot where it belongs."""
        slots = self._slots
        mask = len(slots) - 1
        place = value & mask
        while slots[place] not in (0, value):
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        for value in old:
            if value:
                self._slots[self._place(value)] = value


def _value(key: str) -> int:
    # The interpreter's hash is seeded afresh in every process: nobody can write a file that makes the table slow.
    return (hash(key) & _MASK_64) or 1
