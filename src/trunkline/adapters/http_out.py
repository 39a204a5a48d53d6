"""HTTP to other people's servers: with limits, without redirections, and never into the own network by accident.

A host name is resolved once for each connection, every address of it is judged, and the connection is made to the very
address that was judged; the name stays in the request and in the check of the certificate. So a name that leads
elsewhere at the second look gains nothing. No proxy of the environment is used: it would judge in our place.

It is built on the connection pool that httpx brings: there is no cookie, no decompression and no redirection to leave
out.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from trunkline.app.outgoing import NotAllowed, NotAnswered, NotAnsweredInTime, Reply
from trunkline.domain.addresses import Network, is_named, is_open_internet
from trunkline.errors import OutOfRange

MAX_ANSWER_BYTES = 65_536
"""Of a body: the answers that mean something have a few hundred."""
KEEP_ALIVE_S = 30.0
"""A connection without a request is closed after this: below the 60 s after which most servers do it themselves."""
MAX_ADDRESSES = 8
"""Addresses of one name that are tried: large sites have four to six."""
RESOLVER_THREADS = 4
"""Look-ups at once, on threads of their own: name servers that do not answer must not keep the rest of the program."""
MAX_WAIT_S = 86_400
"""The longest Retry-After that is believed."""

Resolved = list[tuple[Any, ...]]

if find_spec("sniffio") is None:
    # The pool tries to import it four times for each request. What is missing is looked for in all folders each time,
    # unless this says that it is missing: a third of the cost of a request.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Makes connections to judged addresses only. ``is_plain`` ones carry no TLS: those stay in named networks."""

    def __init__(self, allowed: Sequence[Network], resolvers: ThreadPoolExecutor, *, is_plain: bool) -> None:
        self._allowed = allowed
        self._resolvers = resolvers
        self._is_plain = is_plain
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge, and connect to what was judged."""
        failure: Exception | None = None
        addresses = self._judged(await self._addresses(host, port))
        # Each gets its share of the time: a family that is not routed here must not use up that of the other.
        share_s = None if timeout is None else timeout / len(addresses)
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a local socket is never somebody else's server."""
        raise NotAllowed("local sockets are not connected to")

    async def sleep(self, seconds: float) -> None:
        """Wait, as the pool asks between two tries."""
        await self._inner.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        def look_up() -> Resolved:
            return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))

        try:
            found = await asyncio.get_running_loop().run_in_executor(self._resolvers, look_up)
        except (OSError, UnicodeError):
            raise NotAnswered("the host's name leads to no address") from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:MAX_ADDRESSES]

    def _judged(self, addresses: list[str]) -> list[str]:
        """All addresses, when each of them may be connected to.

        One that may not makes the name suspicious: nobody's public server shares its name with an internal one.
        """
        for text in addresses:
            address = ip_address(text)
            if is_named(address, self._allowed):
                continue
            if not is_open_internet(address):
                raise NotAllowed("the host leads to an internal address (see outgoing_allowed_networks)")
            if self._is_plain:
                raise NotAllowed("outside the allowed networks only https is used")
        if not addresses:
            raise NotAnswered("the host's name leads to no address")
        return addresses


class HttpOut:
    """Implements ``app.outgoing.Outgoing``.

    ``connections`` is how many are open at once; who finds all in use waits within the time that it has.
    ``ca_file`` names further certificate authorities (PEM), for servers of the own house; ``OutOfRange`` when it holds
    none.
    """

    def __init__(
        self, *, connections: int, allowed: Sequence[Network] = (), ca_file: str = "", version: str = ""
    ) -> None:
        self._user_agent = f"Trunkline/{version}" if version else "Trunkline"
        self._ca_file = ca_file
        self._resolvers = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")
        self._limits: dict[str, Any] = {
            "max_connections": connections,
            "max_keepalive_connections": connections,
            "keepalive_expiry": KEEP_ALIVE_S,
            "http1": True,
            "http2": False,
        }
        self._plain = httpcore.AsyncConnectionPool(
            **self._limits, network_backend=_GuardedBackend(allowed, self._resolvers, is_plain=True)
        )
        self._secure_backend = _GuardedBackend(allowed, self._resolvers, is_plain=False)
        self._secure: httpcore.AsyncConnectionPool | None = None
        if ca_file:
            self._secure = self._make_secure()

    async def close(self) -> None:
        """Close all connections."""
        await self._plain.aclose()
        if self._secure is not None:
            await self._secure.aclose()
        self._resolvers.shutdown(wait=False, cancel_futures=True)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> Reply:
        """See ``app.outgoing.Outgoing``; a body of more than ``MAX_ANSWER_BYTES`` counts as no answer."""
        request = self._request(url, headers, body, timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except (TimeoutError, httpcore.TimeoutException):
            raise NotAnsweredInTime(f"no answer within {timeout_s:g} s") from None
        except httpcore.ProtocolError:
            raise NotAnswered("what came back is not HTTP") from None
        except (httpcore.NetworkError, httpcore.ConnectionNotAvailable, OSError, ssl.SSLError) as error:
            raise NotAnswered(_reason(error)) from None

    def _request(self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> httpcore.Request:
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL:
            raise NotAllowed("the url is malformed") from None
        if parts.scheme not in ("http", "https") or not parts.host:
            raise NotAllowed("the url must begin with https:// and name a host")
        host = parts.netloc
        given = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
        return httpcore.Request(
            "POST",
            httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path),
            headers=[
                (b"Host", host),
                (b"User-Agent", self._user_agent.encode("ascii")),
                (b"Accept", b"*/*"),
                (b"Content-Type", b"application/json"),
                (b"Content-Length", b"%d" % len(body)),
                *given,
            ],
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)},
        )

    async def _exchange(self, request: httpcore.Request) -> Reply:
        response = await self._pool_of(request).handle_async_request(request)
        try:
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_stream():
                size += len(part)
                if size > MAX_ANSWER_BYTES:
                    raise NotAnswered(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
                parts.append(part)
        finally:
            await response.aclose()
        return Reply(response.status, b"".join(parts), _retry_after_s(response.headers))

    def _pool_of(self, request: httpcore.Request) -> httpcore.AsyncConnectionPool:
        if request.url.scheme == b"http":
            return self._plain
        if self._secure is None:
            # Reading the authorities takes a moment, and most installations that send nothing never need it.
            self._secure = self._make_secure()
        return self._secure

    def _make_secure(self) -> httpcore.AsyncConnectionPool:
        context = httpx.create_ssl_context()
        if self._ca_file:
            try:
                context.load_verify_locations(cafile=self._ca_file)
            except OSError:  # what cannot be read, and (as SSLError) what holds no certificate
                raise OutOfRange(f"outgoing_ca_file: {self._ca_file} holds no certificates (PEM)") from None
        return httpcore.AsyncConnectionPool(**self._limits, ssl_context=context, network_backend=self._secure_backend)


def _reason(error: Exception) -> str:
    """What went wrong, in words that hold nothing of the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "TLS could not be agreed on"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ConnectError):
        return "the connection could not be made"
    return "the connection broke"


def _retry_after_s(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Seconds of Retry-After; None for none, and for a date, which nobody needs here."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            text = value.strip()
            return min(int(text), MAX_WAIT_S) if text.isdigit() and len(text) < 10 else None
    return None
