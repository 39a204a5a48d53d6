"""How long the attempt log and ended do-not-call entries are kept, and that the log has room for what comes."""

from __future__ import annotations

import msgspec

from trunkline.app.ports import Clock, Store

EVERY_MS = 3_600_000
"""Between two looks: parts of the log are made months ahead, and an hour more or less of old rows harms nobody."""
PORTION = 5_000
"""Rows deleted at once: short enough that nobody waits for it."""
PORTIONS = 100
"""Portions of one look: half a million rows an hour, more than are written."""
DAY_MS = 86_400_000


class Retention(msgspec.Struct, kw_only=True):
    """Keeps attempts for ``attempt_ms`` and entries of suppression lists for ``ended_ms`` after their end."""

    store: Store
    clock: Clock
    attempt_ms: int
    ended_ms: int
    next_ms: int = 0

    async def tidy(self) -> None:
        """Make room and let go of what is old; does nothing until its hour has come."""
        now_ms = self.clock.now_ms()
        if now_ms < self.next_ms:
            return
        self.next_ms = now_ms + EVERY_MS
        await self.store.make_attempt_parts(now_ms)
        for _ in range(PORTIONS):
            if await self.store.drop_attempts(now_ms - self.attempt_ms, PORTION) < PORTION:
                break
        for _ in range(PORTIONS):
            if await self.store.drop_suppressions((now_ms - self.ended_ms) // 1000, PORTION) < PORTION:
                break
