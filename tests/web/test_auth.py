"""Log-ins: what is accepted, what is remembered and for how long, and what makes it forgotten."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import pytest

from tests.app.harness import HandClock, agent
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.ports import Provision, User
from trunkline.errors import NotAuthenticated, TrunklineError
from trunkline.web.auth import SESSION_COOKIE, Authenticator, hash_password
from trunkline.web.exchange import Exchange

HASH = hash_password("right")


def basic(name: str, password: str) -> dict[str, str]:
    """The header that a client sends."""
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def exchange(headers: dict[str, str]) -> Exchange:
    """A request with these headers."""

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is read or sent here")

    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Exchange({"type": "http", "method": "GET", "path": "/", "headers": sent}, nothing, nothing)


class Gate:
    """An authenticator over a store with two users who share one hash."""

    def __init__(self) -> None:
        """Nothing is written before ``run``."""
        self.store = MemoryStore()
        self.clock = HandClock()
        self.auth = Authenticator(self.store, self.clock, max_verified=2)

    async def write(self, *users: User) -> None:
        """Put accounts into the store."""
        await self.store.provision(Provision(contact_centres={1: "centre"}, users=list(users)))

    async def add_centre(self, centre: int, *users: User) -> None:
        """Make a contact centre with these accounts."""
        await self.store.provision(Provision(contact_centres={centre: f"centre{centre}"}, users=list(users)))

    async def may(self, headers: dict[str, str]) -> bool:
        """Whether these headers let somebody in."""
        try:
            await self.auth.caller(exchange(headers))
        except NotAuthenticated:
            return False
        return True


def at_the_gate(test: Callable[[Gate], Awaitable[None]]) -> None:
    """Run a test with agent1, agent2 and agent3, all with the password "right"."""

    async def run() -> None:
        gate = Gate()
        await gate.store.open()
        await gate.write(*(User(caller=agent(n), password_hash=HASH) for n in (1, 2, 3)))
        try:
            await test(gate)
        finally:
            gate.auth.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("agent1", "wrong"),
        basic("agent1", ""),
        basic("nobody", "right"),
        basic("AGENT1", "right"),
        {"authorization": "Basic"},
        {"authorization": "Basic !!!"},
        {"authorization": "Bearer abc"},
        {"authorization": "Basic " + base64.b64encode(b"agent1").decode()},
        {"authorization": "Basic " + base64.b64encode(b"agent1:\xff").decode()},
        {"authorization": "Basic " + "QUFB" * 500},
        {"cookie": f"{SESSION_COOKIE}=made-up"},
    ],
)
def test_nobody_gets_in_without_credentials(headers: dict[str, str]) -> None:
    """Missing, wrong and malformed credentials are told alike."""

    async def test(gate: Gate) -> None:
        assert not await gate.may(headers)

    at_the_gate(test)


def test_a_verified_password_is_remembered_and_slides() -> None:
    """One computation serves until fifteen minutes passed without use, then comes the next."""

    async def test(gate: Gate) -> None:
        auth = gate.auth
        for _ in range(5):
            assert await gate.may(basic("agent1", "right"))
            gate.clock.ms += 899_000
        assert auth.verifications == 1
        auth._hash_results.clear()
        gate.clock.ms += 1_000
        assert await gate.may(basic("agent1", "right"))
        assert auth.verifications == 2

    at_the_gate(test)


def test_requests_that_come_together_share_one_computation() -> None:
    """A hundred requests of one client at start-up cost one hash, as do users who share a stored hash."""

    async def test(gate: Gate) -> None:
        await asyncio.gather(*[gate.may(basic("agent1", "right")) for _ in range(100)])
        assert gate.auth.verifications == 1
        assert await gate.may(basic("agent2", "right"))
        assert gate.auth.verifications == 1
        assert not await gate.may(basic("agent2", "wrong"))
        assert gate.auth.verifications == 2

    at_the_gate(test)


def test_the_memory_is_bounded() -> None:
    """The least recently used entry goes; nobody is locked out by it."""

    async def test(gate: Gate) -> None:
        for n in (1, 2, 3, 1, 2, 3):
            assert await gate.may(basic(f"agent{n}", "right"))
        assert len(gate.auth._verified) == 2

    at_the_gate(test)


def test_no_password_lies_in_memory() -> None:
    """Keys are HMACs under a secret of the process: two authenticators remember the same log-in differently."""

    async def test(gate: Gate) -> None:
        other = Authenticator(gate.store, gate.clock)
        header = basic("agent1", "right")
        assert await gate.may(header)
        await other.caller(exchange(header))
        assert set(gate.auth._verified).isdisjoint(other._verified)
        other.close()

    at_the_gate(test)


def test_a_changed_account_is_forgotten() -> None:
    """A new password or a disabled account ends what was remembered, a new feature is seen, others stay."""

    async def test(gate: Gate) -> None:
        for n in (1, 2):
            assert await gate.may(basic(f"agent{n}", "right"))
        await gate.write(User(caller=agent(1), password_hash=hash_password("new")))
        richer = msgspec.structs.replace(agent(2), features=frozenset({"api-voice"}))
        await gate.write(User(caller=richer, password_hash=HASH))
        assert await gate.auth.refresh() == {(1, 1)}
        assert not await gate.may(basic("agent1", "right"))
        assert await gate.may(basic("agent1", "new"))
        assert (await gate.auth.caller(exchange(basic("agent2", "right")))).features == {"api-voice"}
        await gate.write(User(caller=agent(1), password_hash=hash_password("new"), is_enabled=False))
        await gate.auth.refresh()
        assert not await gate.may(basic("agent1", "new"))

    at_the_gate(test)


def test_a_session_cookie() -> None:
    """A log-in starts a session; its cookie alone authenticates until it is idle for half an hour or ended."""

    async def test(gate: Gate) -> None:
        first = exchange(basic("agent1", "right"))
        caller = await gate.auth.caller(first)
        gate.auth.start_session(first, caller, is_secure=True)
        (name, value), *_ = first.extra
        assert name == b"set-cookie"
        assert b"HttpOnly" in value
        assert b"Secure" in value
        cookie = {"cookie": "other=1; " + value.decode().split(";")[0]}
        for _ in range(3):
            gate.clock.ms += 1_799_000
            assert await gate.may(cookie)
        gate.clock.ms += 1_800_001
        assert not await gate.may(cookie)
        again = exchange(basic("agent1", "right"))
        gate.auth.start_session(again, await gate.auth.caller(again), is_secure=False)
        cookie = {"cookie": again.extra[0][1].decode().split(";")[0]}
        assert await gate.may(cookie)
        gate.auth.end_session(exchange(cookie))
        assert not await gate.may(cookie)

    at_the_gate(test)


def test_a_session_ends_with_its_password() -> None:
    """A cookie does not outlive a change of the password."""

    async def test(gate: Gate) -> None:
        first = exchange(basic("agent1", "right"))
        gate.auth.start_session(first, await gate.auth.caller(first), is_secure=False)
        cookie = {"cookie": first.extra[0][1].decode().split(";")[0]}
        await gate.write(User(caller=agent(1), password_hash=hash_password("new")))
        await gate.auth.refresh()
        assert not await gate.may(cookie)

    at_the_gate(test)


def test_a_store_that_fails_is_not_a_wrong_password() -> None:
    """While the database is away, log-ins fail as unavailable, not as denied."""

    async def test(gate: Gate) -> None:
        async def broken(_: str) -> list[User]:
            raise TrunklineError("away")

        gate.store.user_by_name = broken  # type: ignore[method-assign,assignment]
        with pytest.raises(TrunklineError, match="away"):
            await gate.auth.caller(exchange(basic("agent1", "right")))

    at_the_gate(test)


def test_a_password_that_changes_while_it_is_checked_is_not_remembered() -> None:
    """What was verified against the old account is forgotten with it, though the check ended after the change."""

    async def test(gate: Gate) -> None:
        header = basic("agent1", "right")
        checked = asyncio.ensure_future(gate.may(header))
        for _ in range(5):
            await asyncio.sleep(0)
        assert gate.auth.verifications == 1
        await gate.write(User(caller=agent(1), password_hash=hash_password("new")))
        await gate.auth.refresh()
        await checked
        assert not await gate.may(header)

    at_the_gate(test)


def test_who_joins_a_check_of_the_old_account_is_not_remembered() -> None:
    """Also a request that comes after the change, while the check that began before it is still under way."""

    async def test(gate: Gate) -> None:
        header = basic("agent1", "right")
        first = asyncio.ensure_future(gate.may(header))
        for _ in range(5):
            await asyncio.sleep(0)
        assert gate.auth.verifications == 1
        await gate.write(User(caller=agent(1), password_hash=hash_password("new")))
        await gate.auth.refresh()
        await asyncio.gather(first, gate.may(header))
        assert not await gate.may(header)

    at_the_gate(test)


def test_who_logs_in_while_accounts_are_compared_keeps_the_access() -> None:
    """An account that nobody asked the store about has not lost anything."""

    async def test(gate: Gate) -> None:
        assert await gate.may(basic("agent1", "right"))
        read = gate.store.users

        async def meanwhile(contact_centre_id: int, user_ids: Sequence[int] | None = None) -> list[User]:
            found = await read(contact_centre_id, user_ids)
            assert await gate.may(basic("agent2", "right"))
            return found

        gate.store.users = meanwhile  # type: ignore[method-assign]
        assert await gate.auth.refresh() == set()
        assert gate.auth.known_caller(exchange(basic("agent2", "right"))) is not None

    at_the_gate(test)


def twin(n: int, centre: int, password_hash: str, *, is_enabled: bool = True) -> User:
    """An account with the name of agent ``n`` in another contact centre, with a number of its own."""
    own: dict[str, Any] = {"contact_centre_id": centre, "contact_centre_name": f"centre{centre}", "user_id": 100 + n}
    own["public_id"] = f"{centre:016x}{n:016x}"
    return User(caller=msgspec.structs.replace(agent(n), **own), password_hash=password_hash, is_enabled=is_enabled)


async def who(gate: Gate, headers: dict[str, str]) -> tuple[int, int] | None:
    """The contact centre and number of whom these headers let in."""
    try:
        caller = await gate.auth.caller(exchange(headers))
    except NotAuthenticated:
        return None
    return caller.contact_centre_id, caller.user_id


def test_a_name_in_two_centres_is_nobody_s_when_the_password_fits_both() -> None:
    """With different passwords each is who they are; with one password only those get in who name their centre."""

    async def test(gate: Gate) -> None:
        told: list[tuple[str, list[tuple[int, int]]]] = []
        gate.auth._tell = lambda reason, found: told.append(
            (reason, [(one.contact_centre_id, one.user_id) for one in found])
        )
        await gate.add_centre(2, twin(1, 2, hash_password("left")))
        assert await who(gate, basic("agent1", "right")) == (1, 1)
        assert await who(gate, basic("agent1", "left")) == (2, 101)
        await gate.write(twin(1, 2, hash_password("right")))
        await gate.auth.refresh()
        for _ in range(3):
            assert await who(gate, basic("agent1", "right")) is None
        assert told == [("several accounts have this name and this password", [(1, 1), (2, 101)])]
        assert await who(gate, basic("agent1", "left")) is None
        assert await who(gate, basic("centre\\agent1", "right")) == (1, 1)
        assert await who(gate, basic("centre2\\agent1", "right")) == (2, 101)
        for name in ("centre3\\agent1", "\\agent1", "centre\\", "centre2\\agent2", "centre\\centre\\agent1"):
            assert await who(gate, basic(name, "right")) is None, name
        await gate.write(twin(1, 2, HASH, is_enabled=False))
        await gate.auth.refresh()
        assert await who(gate, basic("agent1", "right")) == (1, 1)

    at_the_gate(test)


def test_a_remembered_log_in_is_asked_again_when_a_namesake_comes() -> None:
    """Not before: other changes leave it, and so does a namesake a log-in that named its centre."""

    async def test(gate: Gate) -> None:
        bare, named = basic("agent1", "right"), basic("centre\\agent1", "right")
        await gate.add_centre(2, twin(2, 2, HASH))
        assert await gate.may(bare)
        assert await gate.may(named)
        await gate.auth.refresh()
        assert gate.auth.known_caller(exchange(bare)) is not None
        await gate.write(twin(1, 2, hash_password("right")))
        assert await gate.auth.refresh() == set()
        assert gate.auth.known_caller(exchange(bare)) is None
        assert gate.auth.known_caller(exchange(named)) is not None
        assert await who(gate, bare) is None

    at_the_gate(test)


def test_every_refusal_costs_the_same() -> None:
    """Unknown names, names of one account and of several: the same number of hashes; never more than four."""

    async def test(gate: Gate) -> None:
        async def cost(name: str) -> int:
            before = gate.auth.verifications
            assert not await gate.may(basic(name, "wrong"))
            return gate.auth.verifications - before

        names = ("agent1", "agent2", "nobody", "centre\\agent1", "centre\\nobody", "nowhere\\agent1")
        assert [await cost(name) for name in names] == [1] * 6
        for centre, costs in ((2, 2), (3, 3), (4, 4), (5, 4)):
            await gate.add_centre(centre, twin(1, centre, HASH if centre == 5 else hash_password(f"of {centre}")))
            await gate.auth.refresh()
            assert [await cost(name) for name in names] == [costs] * 6
        assert await who(gate, basic("agent1", "right")) is None
        assert await who(gate, basic("centre5\\agent1", "right")) == (5, 101)

    at_the_gate(test)
