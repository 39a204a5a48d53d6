"""Checks in front of every route: origin, cross-site tokens, preflight. Source: Web Services API 6; conformance 97."""

from __future__ import annotations

import hmac

from trunkline.domain.people import Caller
from trunkline.errors import Forbidden
from trunkline.web.auth import SESSION_COOKIE
from trunkline.web.exchange import Exchange, Header, Headers
from trunkline.web.services import Services, Settings

CSRF_HEADER = b"x-csrf-token"
_ALLOWED_METHODS = b"GET,POST,PUT,DELETE,OPTIONS"
_ALLOWED_HEADERS = (
    b"X-Requested-With,Content-Type,Accept,Origin,Cookie,authorization,ssid,surl,ContactCenterId,X-CSRF-TOKEN"
)
MAX_ADDRESS = 64
"""Characters of an address; one of the sixth version has 45."""
PREFLIGHT_CACHE_S = 120
"""How long a browser may remember a preflight (documented example)."""
_WRITES = frozenset({"POST", "PUT", "DELETE"})


def check_source(request: Headers, settings: Settings) -> bytes | None:
    """Refuse a browser's request from a page that is neither ours nor allowed; return the origin of a foreign one."""
    origin = request.header(b"origin")
    if origin is None or is_own(request, origin):
        return None
    if origin.decode("latin-1") not in settings.allowed_origins:
        raise Forbidden("this Origin is not allowed")
    return origin


def check_origin(exchange: Headers, settings: Settings) -> None:
    """Check where a request comes from; add the CORS headers when it is a page of another site that may call."""
    origin = check_source(exchange, settings)
    if origin is not None:
        exchange.extra.extend(_cors(origin))
        exchange.extra.append((b"access-control-expose-headers", b"X-CSRF-HEADER,X-CSRF-TOKEN"))


def check_script_source(exchange: Exchange, settings: Settings) -> None:
    """Refuse callback-polling by a page of strangers: such a page can load scripts with the user's own log-in.

    Browsers say where a script is wanted (Sec-Fetch-Site); those that do not are refused unless the request has
    credentials of its own, which a page cannot give to a script.
    """
    site = exchange.header(b"sec-fetch-site")
    if site in (b"same-origin", b"none") or (site is None and exchange.header(b"authorization") is not None):
        return
    referer = (exchange.header(b"referer") or b"").decode("latin-1")
    if any(referer == origin or referer.startswith(f"{origin}/") for origin in settings.allowed_origins):
        return
    raise Forbidden("callback-polling is not allowed from this page")


def is_own(exchange: Headers, origin: bytes) -> bool:
    """True when the origin is the host that the request itself names."""
    host = exchange.header(b"host")
    return host is not None and origin in (b"http://" + host, b"https://" + host)


def address_of(request: Headers, peer: str | None, trusted_proxies: frozenset[str]) -> str | None:
    """Where a request comes from: its peer, or behind a proxy of ours the last address that the proxy did not make up.

    Without trusted proxies nobody's word is taken for it.
    """
    if peer not in trusted_proxies:
        return peer
    forwarded = (request.header(b"x-forwarded-for") or b"").decode("latin-1").split(",")
    foreign = [hop for entry in forwarded if (hop := entry.strip()) and hop not in trusted_proxies]
    return foreign[-1][:MAX_ADDRESS] if foreign else peer


def _cors(origin: bytes) -> list[Header]:
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


async def preflight(exchange: Exchange, settings: Settings) -> None:
    """Answer a browser's question whether it may send; without authentication, as browsers ask."""
    origin = exchange.header(b"origin") or b""
    headers: list[Header] = [(b"content-length", b"0")]
    if is_own(exchange, origin) or origin.decode("latin-1") in settings.allowed_origins:
        headers += _cors(origin)
        headers += [
            (b"access-control-allow-methods", _ALLOWED_METHODS),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", b"%d" % PREFLIGHT_CACHE_S),
        ]
    await exchange.send({"type": "http.response.start", "status": 204, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": b""})


def check_csrf(exchange: Exchange, services: Services, caller: Caller) -> None:
    """Hand out the token with every GET, ask for it on every write of a client that sends a session cookie."""
    if exchange.method == "GET":
        session = services.auth.start_session(exchange, caller, is_secure=services.settings.session_cookie_secure)
        exchange.extra.append((b"x-csrf-header", b"X-CSRF-TOKEN"))
        exchange.extra.append((CSRF_HEADER, session.csrf_token.encode()))
        return
    if exchange.method not in _WRITES:
        return
    has_credentials = exchange.header(b"authorization") is not None
    if has_credentials and exchange.cookie(SESSION_COOKIE) is None:
        return
    known = services.auth.session(exchange)
    sent = exchange.header(CSRF_HEADER) or b""
    if known is None or not hmac.compare_digest(known.csrf_token.encode(), sent):
        raise Forbidden("Missing or invalid Csrf token")
