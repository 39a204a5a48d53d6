"""The real clock and real chance."""

from __future__ import annotations

import secrets
import time
import uuid


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def now_s(self) -> int:
        """Unix seconds."""
        return int(time.time())

    def monotonic_ns(self) -> int:
        """Nanoseconds that never jump back."""
        return time.monotonic_ns()


class SystemChance:
    """The operating system's randomness."""

    def token(self) -> str:
        """160 random bits in 40 hexadecimal digits."""
        return secrets.token_hex(20)

    def fraction(self) -> float:
        """A number in [0, 1)."""
        return secrets.randbelow(1 << 53) / (1 << 53)

    def uuid(self) -> str:
        """A random uuid."""
        return str(uuid.uuid4())
