r"""Who is asking: HTTP Basic on any request, or the session cookie that a log-in was answered with.

A log-in names its account (``name``) or its contact centre too (``centre\name``). The same name may be in several
centres; then the password tells which account is meant, and when it fits several of them nobody is let in: no choice
that we could make would be right. Every refusal costs the same computations, so that none tells whether a name exists,
or how often.

Passwords are argon2id. Some clients send Basic on every request, so what was verified is remembered for a while:
bounded, keyed by an HMAC under a secret of this process (no password and no hash of one lies in memory), sliding, and
dropped when the account changes. Hashes are computed in threads, a bounded number at once.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from trunkline.app.ports import Clock, Namesake, Store, User
from trunkline.domain.people import Caller
from trunkline.errors import NotAuthenticated, Unavailable
from trunkline.web.exchange import Exchange, Headers

SESSION_COOKIE = "JSESSIONID"
"""Name of the original's session cookie (Web Services API 6)."""
MAX_CREDENTIAL_BYTES = 1024
"""An Authorization header longer than this names nobody we know."""
MAX_WAITING_VERIFICATIONS = 2000
"""Hash computations that log-ins may wait for: at 25 ms each on two threads about 25 s, as long as clients wait."""
MAX_NAMESAKES = 4
"""Accounts among which a password may choose. Each costs every refusal a computation; a name that more contact centres
have logs in with its centre."""
CENTRE_MARK = "\\"
"""Between a contact centre and a name."""
TELL_AGAIN_MS = 60_000
"""Before the operator is told again of one name."""
MAX_TOLD = 1000
"""Names that were told of lately, the oldest goes first."""
MAX_HTTP_SESSIONS = 100_000
"""Cookie sessions, about 300 bytes each; the least recently used goes first."""

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id with 19 MiB, two passes, one lane."""


class Found(msgspec.Struct, frozen=True):
    """The account of a log-in.

    ``rivals`` are the other accounts of its name, None for a log-in that named its contact centre.
    """

    user: User
    rivals: frozenset[Namesake] | None


class Verified(msgspec.Struct):
    """A caller whose password was verified; ``password_hash`` tells whether it still is the account's.

    When the ``rivals`` (see ``Found``) are no longer the same, the password may fit one of them too.
    """

    caller: Caller
    password_hash: str
    expires_ms: int
    rivals: frozenset[Namesake] | None


class HttpSession(msgspec.Struct):
    """What a session cookie stands for. ``last_used_ms`` slides with every request."""

    caller: Caller
    password_hash: str
    csrf_token: str
    last_used_ms: int


class Authenticator:
    """Finds the caller of a request. One per process.

    ``tell`` is called with a reason and the accounts among which a log-in could not choose.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        max_verified: int = 50_000,
        verified_ttl_ms: int = 900_000,
        session_idle_ms: int = 1_800_000,
        concurrent_hashes: int = 2,
        tell: Callable[[str, Sequence[Caller]], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._max_verified = max_verified
        self._verified_ttl_ms = verified_ttl_ms
        self._session_idle_ms = session_idle_ms
        self._secret = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()
        self._hash_results: OrderedDict[bytes, bool] = OrderedDict()
        self._sessions: OrderedDict[str, HttpSession] = OrderedDict()
        self._running: dict[bytes, tuple[asyncio.Future[Found | None], int]] = {}
        self._threads = ThreadPoolExecutor(concurrent_hashes, thread_name_prefix="argon2")
        self._decoy: str | None = None
        self._refreshes = 0
        self._tell = tell
        self._told: OrderedDict[str, int] = OrderedDict()
        self._hashes_a_refusal = 0  # not known before the store was asked
        self.verifications = 0

    def close(self) -> None:
        """Let the hash threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def caller(self, request: Headers) -> Caller:
        """The authenticated caller, or ``NotAuthenticated``."""
        known = self.known_caller(request)
        if known is not None:
            return known
        credentials = request.header(b"authorization")
        if credentials is None:
            raise NotAuthenticated("Access denied")
        return await self._verify(self._key(credentials), credentials)

    def known_caller(self, request: Headers) -> Caller | None:
        """The caller whose credentials were verified lately, or whose session lives; None for all others."""
        credentials = request.header(b"authorization")
        if credentials is None:
            session = self.session(request)
            return None if session is None else session.caller
        key = self._key(credentials)
        verified = self._verified.get(key)
        now_ms = self._clock.now_ms()
        if verified is None or verified.expires_ms <= now_ms:
            return None
        verified.expires_ms = now_ms + self._verified_ttl_ms
        self._verified.move_to_end(key)
        return verified.caller

    def _key(self, credentials: bytes) -> bytes:
        return hashlib.blake2b(credentials, key=self._secret, digest_size=24).digest()

    async def _verify(self, key: bytes, credentials: bytes) -> Caller:
        name, password = parse_basic(credentials)
        running, refreshes = self._running.get(key, (None, 0))
        if running is None:
            if len(self._running) * max(self._hashes_a_refusal, 1) >= MAX_WAITING_VERIFICATIONS:
                raise Unavailable("too many log-ins at once", retry_after_s=5)
            running = asyncio.ensure_future(self._find(name, password))
            refreshes = self._refreshes  # as the account was read, by whoever asked first
            self._running[key] = running, refreshes
            running.add_done_callback(lambda _: self._running.pop(key, None))
        found = await asyncio.shield(running)
        if found is None:
            raise NotAuthenticated("Access denied")
        user = found.user
        if refreshes != self._refreshes:
            # The account may have changed while its hash was computed: let this request in, remember nothing.
            return user.caller
        expires_ms = self._clock.now_ms() + self._verified_ttl_ms
        self._verified[key] = Verified(user.caller, user.password_hash, expires_ms, found.rivals)
        self._verified.move_to_end(key)
        while len(self._verified) > self._max_verified:
            self._verified.popitem(last=False)
        return user.caller

    async def _find(self, name: str, password: str) -> Found | None:
        """The only enabled account with this name and password; the same work is done when there is none."""
        if not self._hashes_a_refusal:
            await self._load_namesakes()
        centre, mark, own_name = name.partition(CENTRE_MARK)
        users = [user for user in await self._store.user_by_name(own_name if mark else name) if user.is_enabled]
        if mark:
            users = [user for user in users if user.caller.contact_centre_name == centre]
        asked = users if len(users) <= MAX_NAMESAKES else []
        found = [user for user in asked if await self._matches(user.password_hash, password)]
        if len(found) == 1:
            others = frozenset(_namesake(user) for user in users if user is not found[0])
            return Found(found[0], None if mark else others)
        for _ in range(len(asked), self._hashes_a_refusal):
            if self._decoy is None:
                self._decoy = HASHER.hash(secrets.token_hex(16))
            await self._matches(self._decoy, password)
        if found:
            self._tell_once(name, "several accounts have this name and this password", found)
        elif not asked and users:
            self._tell_once(name, f"more than {MAX_NAMESAKES} accounts have this name", users)
        return None

    def _tell_once(self, name: str, reason: str, users: list[User]) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._told.get(name, now_ms - TELL_AGAIN_MS) < TELL_AGAIN_MS:
            return
        self._told[name] = now_ms
        self._told.move_to_end(name)
        while len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)
        if self._tell is not None:
            self._tell(reason, [user.caller for user in users])

    async def _load_namesakes(self) -> dict[str, set[Namesake]]:
        """Accounts that share a name, by name. A refusal costs as many hashes as the commonest name has accounts."""
        shared: defaultdict[str, set[Namesake]] = defaultdict(set)
        for one in await self._store.namesakes():
            shared[one.user_name].add(one)
        most = max((len(accounts) for accounts in shared.values()), default=1)
        self._hashes_a_refusal = min(most, MAX_NAMESAKES)
        return shared

    async def _matches(self, password_hash: str, password: str) -> bool:
        """Compare; accounts that share one stored hash (demo users) share the computation."""
        material = password_hash.encode() + b"\0" + password.encode("utf-8", "surrogateescape")
        key = hashlib.blake2b(material, key=self._secret, digest_size=24).digest()
        known = self._hash_results.get(key)
        if known:
            return True
        self.verifications += 1
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._threads, verify, password_hash, password)
        if result:
            self._hash_results[key] = True
            while len(self._hash_results) > self._max_verified:
                self._hash_results.popitem(last=False)
        return result

    async def hash(self, password: str) -> str:
        """The encoded hash of a new password, computed in the threads of the log-ins."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, hash_password, password)

    def session(self, exchange: Headers) -> HttpSession | None:
        """The live session of the request's cookie, or the one it began, touched; None when there is none."""
        token = exchange.session_token or exchange.cookie(SESSION_COOKIE)
        session = self._sessions.get(token) if token else None
        if session is None or token is None:
            return None
        now_ms = self._clock.now_ms()
        if now_ms - session.last_used_ms > self._session_idle_ms:
            del self._sessions[token]
            return None
        session.last_used_ms = now_ms
        self._sessions.move_to_end(token)
        return session

    def start_session(self, exchange: Exchange, caller: Caller, *, is_secure: bool) -> HttpSession:
        """The request's session, or a new one whose cookie goes out with the answer."""
        session = self.session(exchange)
        if session is not None and _same_user(session.caller, caller):
            return session
        token = exchange.session_token = secrets.token_hex(20)
        session = HttpSession(caller, self._hash_of(exchange), secrets.token_hex(16), self._clock.now_ms())
        self._sessions[token] = session
        while len(self._sessions) > MAX_HTTP_SESSIONS:
            self._sessions.popitem(last=False)
        secure = "; Secure" if is_secure else ""
        cookie = f"{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{secure}"
        exchange.extra.append((b"set-cookie", cookie.encode()))
        return session

    def _hash_of(self, exchange: Exchange) -> str:
        credentials = exchange.header(b"authorization")
        verified = self._verified.get(self._key(credentials)) if credentials else None
        return verified.password_hash if verified else ""

    def end_session(self, exchange: Exchange) -> None:
        """Forget the request's session (EndContactCenterSession)."""
        token = exchange.cookie(SESSION_COOKIE)
        if token:
            self._sessions.pop(token, None)

    async def refresh(self) -> set[tuple[int, int]]:
        """Compare what is remembered with the accounts; drop what changed. Returns users who lost their access.

        Called when the directory's version moved: a new password, a disabled account, other roles or features.
        """
        self._refreshes += 1
        shared = await self._load_namesakes()
        for key, entry in list(self._verified.items()):
            if entry.rivals is not None and entry.rivals != _rivals(entry.caller, shared):
                del self._verified[key]
        remembered = {(e.caller.contact_centre_id, e.caller.user_id) for e in self._verified.values()}
        remembered |= {(s.caller.contact_centre_id, s.caller.user_id) for s in self._sessions.values()}
        current: dict[tuple[int, int], User] = {}
        for centre in {centre for centre, _ in remembered}:
            ids = [user_id for c, user_id in remembered if c == centre]
            for user in await self._store.users(centre, ids):
                current[centre, user.caller.user_id] = user
        lost: set[tuple[int, int]] = set()
        lost |= _refreshed(self._verified, remembered, current)
        lost |= _refreshed(self._sessions, remembered, current)
        return lost


def _namesake(user: User) -> Namesake:
    caller = user.caller
    return Namesake(caller.user_name, caller.contact_centre_id, caller.user_id, user.password_hash)


def _rivals(caller: Caller, shared: dict[str, set[Namesake]]) -> set[Namesake]:
    mine = (caller.contact_centre_id, caller.user_id)
    return {one for one in shared.get(caller.user_name, ()) if (one.contact_centre_id, one.user_id) != mine}


def _same_user(one: Caller, other: Caller) -> bool:
    return (one.contact_centre_id, one.user_id) == (other.contact_centre_id, other.user_id)


def _refreshed(
    entries: OrderedDict[bytes, Verified] | OrderedDict[str, HttpSession],
    asked: set[tuple[int, int]],
    current: dict[tuple[int, int], User],
) -> set[tuple[int, int]]:
    """Drop entries whose account changed its password or is gone, renew the callers of the others.

    Who came while the accounts were read is not among those ``asked`` for, and was verified by what they are now.
    """
    lost: set[tuple[int, int]] = set()
    remembered: OrderedDict[Any, Any] = entries
    for key, entry in list(remembered.items()):
        who = (entry.caller.contact_centre_id, entry.caller.user_id)
        if who not in asked:
            continue
        user = current.get(who)
        if user is None or not user.is_enabled or user.password_hash != entry.password_hash:
            del remembered[key]
            lost.add(who)
        else:
            entry.caller = user.caller
    return lost


def parse_basic(credentials: bytes) -> tuple[str, str]:
    """User name and password of a Basic header; ``NotAuthenticated`` for anything else."""
    scheme, _, encoded = credentials.partition(b" ")
    if scheme.lower() != b"basic" or len(credentials) > MAX_CREDENTIAL_BYTES:
        raise NotAuthenticated("Access denied")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise NotAuthenticated("Access denied") from None
    name, colon, password = text.partition(":")
    if not colon or not name or "\0" in text:
        raise NotAuthenticated("Access denied")
    return name, password


def verify(password_hash: str, password: str) -> bool:
    """True when the password is the hash's. Cost: about 25 ms and 19 MiB."""
    try:
        return HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


def hash_password(password: str) -> str:
    """The encoded argon2id hash of a password."""
    return HASHER.hash(password)
