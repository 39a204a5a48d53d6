"""Keys of the requests of the last minutes, so that a first request is recognised as one without asking the store.

Only ever says "certainly new" or "ask": a key that is here may be older than the window, and the store decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

GENERATION_KEYS = 250_000
"""Keys of one generation, about 20 MB."""
MAX_GENERATIONS = 8
"""Generations kept: two million requests in the window; a server that has more of them asks its store."""


class RecentKeys:
    """Keys in generations by time. ``window_ms`` is how long a repetition counts as one."""

    def __init__(self, window_ms: int, generation_keys: int = GENERATION_KEYS) -> None:
        self._window_ms = window_ms
        self._generation_keys = generation_keys
        self._generations: deque[tuple[int, set[int]]] = deque()
        self._complete_from_ms: int | None = None

    def begin(self, known: Iterable[int], now_ms: int, *, is_complete: bool) -> None:
        """Start with the keys that the store has of the window; without all of them nothing is certain for a while."""
        self._generations.append((now_ms, set(known)))
        self._complete_from_ms = now_ms - self._window_ms if is_complete else now_ms

    def is_new(self, key: int, now_ms: int) -> bool:
        """True when no request of the window had this key; False when the store must be asked."""
        if self._complete_from_ms is None or self._complete_from_ms > now_ms - self._window_ms:
            return False
        return not any(key in keys for _, keys in self._generations)

    def add(self, keys: Iterable[int], now_ms: int) -> None:
        """Remember keys that were committed."""
        generations = self._generations
        if not generations:
            return
        started_ms, newest = generations[-1]
        if len(newest) >= self._generation_keys or now_ms - started_ms > self._window_ms:
            newest = set()
            generations.append((now_ms, newest))
            self._retire(now_ms)
        newest.update(keys)

    def _retire(self, now_ms: int) -> None:
        """Drop generations that ended before the window, and the oldest when there are too many."""
        generations = self._generations
        while len(generations) > 1 and generations[1][0] < now_ms - self._window_ms:
            generations.popleft()
        while len(generations) > MAX_GENERATIONS:
            generations.popleft()
            self._complete_from_ms = generations[0][0]
