"""The cookie that tells browsers apart. It is given, never asked for: sessions are bound to their principal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]

BROWSER_COOKIE = "BAYEUX_BROWSER"
_NAME = BROWSER_COOKIE.encode()
_MAX_VALUE_LENGTH = 64
"""Characters of a value that is believed; ours have 40."""


class BrowserCookie(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes of the cookie."""

    secure: bool = False
    """Set it where the site is served by HTTPS alone."""
    same_site: Literal["Lax", "Strict", "None"] | None = "Lax"
    """``None`` as text is needed by pages of other sites, and needs ``secure``."""
    domain: str | None = None
    """Host name without port; ``None`` binds the cookie to the exact host."""

    def header(self, value: str) -> tuple[bytes, bytes]:
        """Return the Set-Cookie header for ``value``."""
        text = f"{BROWSER_COOKIE}={value}; Path=/; HttpOnly"
        text += "; Secure" if self.secure else ""
        text += f"; SameSite={self.same_site}" if self.same_site else ""
        text += f"; Domain={self.domain}" if self.domain else ""
        return b"set-cookie", text.encode("ascii")


def browser_of(cookies: bytes | None) -> str | None:
    """Return the value in a Cookie header, ``None`` when it was not sent."""
    if cookies is None or _NAME not in cookies:
        return None
    for pair in cookies.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == _NAME and value:
            return value[:_MAX_VALUE_LENGTH].decode("latin-1")
    return None
