"""The endpoint and the outbox as the server joins them, over a store in memory, without sockets or time of their own.

Requests and lines are objects that keep what the server says, so that a test decides what reaches the client, when,
and whether the server hears of what did not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from tests.app.harness import House, agent
from trunkline.adapters.storage.memory import MemoryStore
from trunkline.app.handlers import HANDLERS
from trunkline.app.messages import rendered
from trunkline.app.outbox import Outbox, UserKey
from trunkline.app.ports import Changes, JournalRow, JournalSpan, StoredRow
from trunkline.app.writer import Writer
from trunkline.bayeux import Config
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import Acknowledgement, RecordAcknowledged
from trunkline.domain.people import Caller
from trunkline.web.direct import DirectRequest
from trunkline.web.notifications import GuardedSocket, Notifications

OUTBOUND, INTERNAL = "/v2/me/outbound", "/me/internal"
OWNERS = (agent(1), agent(2))
REDELIVERY_MS = 5_000
_named = re.compile(rb'"owner(\d+)-(\d+)"')


class Fact(NamedTuple):
    """One message that was committed for an owner on a channel."""

    number: int
    mark: int
    at_ms: int
    seq: int


class SlowStore(MemoryStore):
    """A store whose reads wait, one by one, while it is slow."""

    def __init__(self) -> None:
        """Quick."""
        super().__init__()
        self.is_slow = False
        self._waiting: list[asyncio.Future[None]] = []

    def read_on(self) -> None:
        """Let the oldest read go on, up to its next wait."""
        if self._waiting:
            self._waiting.pop(0).set_result(None)

    def hurry(self) -> None:
        """Be quick again."""
        self.is_slow = False
        while self._waiting:
            self.read_on()

    async def _wait(self) -> None:
        if self.is_slow:
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]

    async def cursors(self, contact_centre_id: int, user_id: int) -> dict[str, int]:
        """The cursors."""
        await self._wait()
        return await super().cursors(contact_centre_id, user_id)

    async def newest(self, contact_centre_id: int, user_id: int, before_seq: int | None, limit: int) -> list[StoredRow]:
        """The rows."""
        await self._wait()
        found = await super().newest(contact_centre_id, user_id, before_seq, limit)
        await self._wait()
        return found

    async def rows_after(self, contact_centre_id: int, user_id: int, after_seq: int, limit: int) -> list[StoredRow]:
        """The rows."""
        await self._wait()
        found = await super().rows_after(contact_centre_id, user_id, after_seq, limit)
        await self._wait()
        return found

    async def journal_span(self) -> JournalSpan:
        """The span."""
        await self._wait()
        return await super().journal_span()


class Posted:
    """A request that was posted: what ``Notifications.serve`` takes, without a connection."""

    def __init__(self, messages: list[dict[str, Any]], hear: Callable[[bytes], None]) -> None:
        """``hear`` is told the body of an answer with status 200."""
        self.body: bytes = msgspec.json.encode(messages)
        self.on_lost: Callable[[], None] | None = None
        self.response_complete = False
        self.is_known_lost = False
        self.line = self
        self._hear = hear

    def address(self) -> None:
        """Nowhere."""

    def header(self, name: bytes) -> bytes:
        """The type of the body, which is all that is asked."""
        return b"application/json"

    def cookie(self, name: str) -> None:
        """None was given."""

    def hold(self) -> None:
        """Wait."""

    def answer(self, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]], *, is_last: bool) -> bool:
        """Take the answer, the only one."""
        if self.is_known_lost:
            return False
        assert not self.response_complete, "an exchange is answered once"
        self.response_complete = True
        assert status in (200, 409)
        if status == 200:
            self._hear(body)
        return True

    def tell_lost(self) -> None:
        """Let the server notice that the client is gone."""
        if not self.is_known_lost:
            self.is_known_lost = True
            if self.on_lost is not None:
                self.on_lost()


class Line:
    """A socket's other side: what was sent is unsent while it is slow."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        """``hear`` is told each frame."""
        self.hear = hear
        self.is_slow = False
        self.is_closed = False
        self.unsent = 0
        self.socket: GuardedSocket | None = None

    def send(self, body: bytes) -> None:
        """Take a frame."""
        assert not self.is_closed, "nothing is sent behind the end"
        if self.is_slow:
            self.unsent += len(body)
        self.hear(body)

    def close(self, code: int) -> None:
        """End."""
        self.is_closed = True

    def abort(self) -> None:
        """End at once."""
        self.is_closed = True

    def unsent_bytes(self) -> int:
        """What has not left the process."""
        return self.unsent

    def hurry(self) -> None:
        """Send what was unsent."""
        self.is_slow, self.unsent = False, 0

    def gone(self) -> None:
        """Let the server notice that the connection is gone."""
        self.is_closed = True
        if self.socket is not None:
            self.socket.gone()


class PostOffice:
    """One server after the other on one journal, and what is true of it."""

    def __init__(self, config: Config, max_unsent_bytes: int) -> None:
        """A server is running; nothing was committed."""
        self.loop = asyncio.new_event_loop()
        self.store = SlowStore()
        self.house = House(store=self.store)
        self.run(self.house.open([]))
        self.clock = self.house.clock
        self.facts: dict[tuple[int, str], list[Fact]] = {
            (owner.user_id, channel): [] for owner in OWNERS for channel in (OUTBOUND, INTERNAL)
        }
        self.confirmed: dict[tuple[int, str], int] = dict.fromkeys(self.facts, -1)
        self.on_confirmed: Callable[[int, str, int], None] = lambda owner, channel, mark: None
        self._by_number: dict[tuple[str, int], Fact] = {}
        self.is_overflowed: set[str] = set()
        self._config = config
        self._max_unsent_bytes = max_unsent_bytes
        self._unpublished: list[StoredRow] = []
        self._ids = 0
        self._count = 0
        self._begin()

    def run(self, work: Any) -> Any:
        """Run something to its end."""
        return self.loop.run_until_complete(work)

    def _random_id(self) -> str:
        self._ids += 1
        return f"c{self._ids}"

    def _begin(self) -> None:
        self.outbox = Outbox(self.store, self.clock, REDELIVERY_MS)
        self.run(self.outbox.prepare())
        self.notifications = Notifications(
            self.outbox,
            msgspec.structs.replace(self._config, replay_epoch=self.outbox.epoch),
            self.clock,
            self._random_id,
            lambda: self.house.writer.book,
            self._max_unsent_bytes,
            65_536,
            is_cookie_secure=False,
        )
        self.cometd = self.notifications.cometd
        self.hub = self.notifications.server._hub
        self.outbox.connect(self.notifications, self.house.writer)
        hear, told = self.notifications.confirmed, self.notifications.closed

        def confirmed(principal: UserKey, channel: str, mark: int) -> None:
            key = (principal[1], channel)
            self.on_confirmed(*key, mark)
            self.confirmed[key] = max(mark, self.confirmed[key])
            hear(principal, channel, mark)

        def closed(client_id: str, principal: UserKey, reason: str) -> None:
            if reason == "overflow":
                self.is_overflowed.add(client_id)
            told(client_id, principal, reason)

        self.notifications.confirmed = confirmed  # type: ignore[method-assign, assignment]
        self.notifications.closed = closed  # type: ignore[method-assign, assignment]
        self.loop.set_exception_handler(self._fail)
        self.failures: list[Any] = []

    def _fail(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context)

    def restart(self, *, is_crash: bool) -> None:
        """End the server and begin another; a crash loses the confirmations that were not written."""
        self.store.hurry()
        self.settle()
        if is_crash:
            writer = cast("Any", self.house.writer)
            writer._cursors.clear()
        else:
            self.run(self.cometd.stop())
        self.run(self.house.writer.stop())
        self._unpublished = []
        self.house.writer = Writer(
            self.store, self.clock, self.house.writer.book, self.house.rules, HANDLERS, lambda rows: None
        )
        self.run(self._start())
        self._begin()
        for user, channel in self.confirmed:
            self.confirmed[user, channel] = self.run(self.store.cursors(1, user)).get(channel, -1)

    async def _start(self) -> None:
        self.house.writer.start()

    def settle(self) -> None:
        """Let go on whatever can."""
        if self.cometd._tasks:
            self.run(self._idle())
        if self.failures:
            raise self.failures.pop(0)["exception"]

    async def _idle(self) -> None:
        before = -1
        while self.cometd._tasks and before != len(self.store._waiting):
            before = len(self.store._waiting)
            for _ in range(8):
                await asyncio.sleep(0)

    def post(self, caller: Caller, posted: Posted) -> None:
        """Have a request served."""

        async def serve() -> None:
            self.notifications.serve(cast("DirectRequest", posted), caller, None)

        self.run(serve())
        self.settle()

    def frame(self, line: Line, caller: Caller, messages: list[dict[str, Any]]) -> None:
        """Have a frame processed."""

        async def receive() -> None:
            if line.socket is None:
                line.socket = self.notifications.open_socket(line, caller, None, lambda: True)
            line.socket.received(msgspec.json.encode(messages))

        self.run(receive())
        self.settle()

    def commit(self, owner: Caller, doors: Sequence[Door]) -> None:
        """Write a row with an event for each door."""
        events = []
        for door in doors:
            self._count += 1
            events.append(
                RecordAcknowledged(
                    device_id="d1",
                    what=Acknowledgement.UPDATED,
                    application_id=5,
                    campaign_name=f"owner{owner.user_id}-{self._count}",
                    door=door,
                )
            )
        row = JournalRow(
            contact_centre_id=1,
            user_id=owner.user_id,
            at_ms=self.clock.ms,
            request_type=RequestType.UPDATE_CALL_COMPLETION_STATS,
            events=tuple(events),
        )
        stored = StoredRow(self.run(self._save(row)), row)
        self._unpublished.append(stored)
        for message in rendered(stored, 0, ""):
            _, number = identified(message.body)
            fact = Fact(number, message.mark, row.at_ms, stored.seq)
            self.facts[owner.user_id, message.channel].append(fact)
            self._by_number[message.channel, number] = fact

    async def _save(self, row: JournalRow) -> int:
        async with self.store.begin() as unit:
            (seq,) = await unit.save(Changes(journal=[row]))
        return seq

    def publish(self) -> list[StoredRow]:
        """Publish what was committed; returns it."""
        rows, self._unpublished = self._unpublished, []
        self.outbox.publish(rows)
        return rows

    def published_facts(self, owner: int, channel: str) -> list[Fact]:
        """What was published, or is in the journal of a server that began later."""
        first = self._unpublished[0].seq if self._unpublished else 1 << 60
        return [fact for fact in self.facts[owner, channel] if fact.seq < first]

    def fact(self, channel: str, number: int) -> Fact:
        """What was committed under that number."""
        return self._by_number[channel, number]

    def pass_time(self, duration_ms: int) -> None:
        """Let time pass, and tick once."""
        self.clock.ms += duration_ms
        self.cometd._tick()

    def close(self) -> None:
        """End for good."""
        self.store.hurry()
        self.settle()
        self.run(self.house.close())
        self.loop.close()


def identified(encoded: bytes) -> tuple[int, int]:
    """Owner and number of a message; zeros for one that tells of no event."""
    found = _named.search(encoded)
    return (int(found[1]), int(found[2])) if found else (0, 0)
