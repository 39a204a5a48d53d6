"""The outbox: events that were committed with a change, delivered after it, until somebody confirmed them.

The journal is the durable outbox and ``delivery_cursor`` says how far each user's deliveries on each channel are
confirmed. For users with an open CometD session a ``Mailbox`` in memory mirrors the unconfirmed end of their journal;
for all others nothing is kept, because the next session loads it. Source: decisions 8.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from trunkline.app.messages import Message, UserKey, rendered
from trunkline.app.ports import Clock, CursorKey, Store, StoredRow
from trunkline.app.replay import Position, Recovery, Replay
from trunkline.app.writer import Writer
from trunkline.contract.names import CHANNELS

__all__ = ["Courier", "Mailbox", "Message", "Outbox", "Position", "Recovery", "UserKey"]

MAX_MAILBOX = 10_000
"""Unconfirmed messages of one user in memory (about 10 MB): the newest are kept. Nobody reads five thousand answers of
the last ten minutes; a script that sent as many without listening learns the state from the reads."""

LOAD_ROWS = 200
"""Journal rows read at a time when a mailbox is loaded, newest first: usually one portion holds the last minutes."""


class Courier(Protocol):
    """Whoever has the open sessions."""

    def deliver(self, user: UserKey, messages: Sequence[Message]) -> None:
        """Hand messages to every session of the user that subscribed to their channels."""


class Mailbox:
    """The unconfirmed messages of one user, in order."""

    def __init__(self, loaded: asyncio.Future[None]) -> None:
        self.loaded = loaded
        self.messages: deque[Message] = deque(maxlen=MAX_MAILBOX)
        self.cursors: dict[str, int] = {}

    def waiting(self, since_ms: int, matches: Callable[[str], bool]) -> list[Message]:
        """Messages of the matching channels that nobody confirmed and that are not too old."""
        return [
            m
            for m in self.messages
            if m.at_ms >= since_ms and m.mark > self.cursors.get(m.channel, -1) and matches(m.channel)
        ]

    def drop_settled(self, since_ms: int) -> None:
        """Forget the confirmed and the outdated from the front."""
        messages = self.messages
        while messages:
            first = messages[0]
            if first.at_ms >= since_ms and first.mark > self.cursors.get(first.channel, -1):
                return
            messages.popleft()


class Outbox:
    """Delivers committed events and keeps what was not confirmed for ``redelivery_ms``.

    ``api_url`` yields the prefix of addresses in messages.
    """

    def __init__(
        self, store: Store, clock: Clock, redelivery_ms: int = 600_000, api_url: Callable[[], str] = lambda: "/api/v2"
    ) -> None:
        self._store = store
        self._clock = clock
        self._redelivery_ms = redelivery_ms
        self._api_url = api_url
        self._mailboxes: dict[UserKey, Mailbox] = {}
        self._replay = Replay(store, lambda stored: rendered(stored, clock.now_ms(), api_url()))
        self._courier: Courier | None = None
        self._writer: Writer | None = None
        self.published = 0

    def connect(self, courier: Courier, writer: Writer) -> None:
        """Join the outbox to the sessions and to the writer that keeps the cursors."""
        self._courier = courier
        self._writer = writer

    async def prepare(self) -> None:
        """Learn which journal this is; before the writer starts."""
        await self._replay.prepare()

    @property
    def epoch(self) -> str:
        """The name of the journal; empty before ``prepare``."""
        return self._replay.epoch

    async def recover(self, user: UserKey, positions: Mapping[str, Position]) -> dict[str, Recovery]:
        """What the user missed on each channel since a position: see ``Replay.recover``."""
        return await self._replay.recover(user, positions)

    def publish(self, rows: Sequence[StoredRow]) -> None:
        """Deliver rows that were just committed. Cost for users without a session: one look-up each."""
        self._replay.note(rows)
        mailboxes = self._mailboxes
        if not mailboxes:
            return
        now_ms = self._clock.now_ms()
        fresh: dict[UserKey, list[Message]] = {}
        for stored in rows:
            user = (stored.row.contact_centre_id, stored.row.user_id)
            mailbox = mailboxes.get(user)
            if mailbox is None or not stored.row.events:
                continue
            messages = rendered(stored, now_ms, self._api_url())
            if mailbox.loaded.done():
                self._append(mailbox, messages, now_ms)
                fresh.setdefault(user, []).extend(messages)
            else:
                mailbox.messages.extend(messages)
        if self._courier is not None:
            for user, messages in fresh.items():
                self.published += len(messages)
                try:
                    self._courier.deliver(user, messages)
                except Exception as error:  # noqa: BLE001 - one user's defect must not cost the others their events
                    asyncio.get_running_loop().call_exception_handler(
                        {"message": "delivering failed", "exception": error}
                    )

    def _append(self, mailbox: Mailbox, messages: Sequence[Message], now_ms: int) -> None:
        mailbox.drop_settled(now_ms - self._redelivery_ms)
        # A full mailbox drops its oldest; the sessions' own limit has thrown the reader out before.
        mailbox.messages.extend(messages)

    async def open(self, user: UserKey) -> None:
        """Load a user's mailbox, so that a subscription can be served; returns at once when it is loaded."""
        mailbox = self._mailboxes.get(user)
        if mailbox is not None:
            await asyncio.shield(mailbox.loaded)
            return
        mailbox = Mailbox(asyncio.get_running_loop().create_future())
        self._mailboxes[user] = mailbox
        try:
            await self._load(user, mailbox)
        except BaseException as error:
            self._mailboxes.pop(user, None)
            if not mailbox.loaded.done():
                mailbox.loaded.set_exception(error)
                mailbox.loaded.exception()
            raise
        mailbox.loaded.set_result(None)

    async def _load(self, user: UserKey, mailbox: Mailbox) -> None:
        """Read cursors and the unconfirmed end of the journal; later commits come through ``publish``."""
        now_ms = self._clock.now_ms()
        since_ms = now_ms - self._redelivery_ms
        # Taken before the store is asked: what is noted now may be written while the answer is under way.
        noted = self._noted(user)
        stored_cursors = await self._store.cursors(*user)
        mailbox.cursors = {
            channel: max(noted.get(channel, -1), stored_cursors.get(channel, -1))
            for channel in noted.keys() | stored_cursors.keys()
        }
        recent: list[StoredRow] = []
        before_seq: int | None = None
        while len(recent) < MAX_MAILBOX:
            rows = await self._store.newest(*user, before_seq, LOAD_ROWS)
            recent += [stored for stored in rows if stored.row.at_ms >= since_ms]
            if len(rows) < LOAD_ROWS or rows[-1].row.at_ms < since_ms:
                break
            before_seq = rows[-1].seq
        loaded: deque[Message] = deque(maxlen=MAX_MAILBOX)
        # What is committed and not published yet comes through ``publish`` in a moment, and should not come twice.
        for stored in filter(self._replay.is_published, reversed(recent)):
            loaded.extend(rendered(stored, now_ms, self._api_url()))
        known = {message.mark for message in loaded}
        loaded.extend(message for message in mailbox.messages if message.mark not in known)
        mailbox.messages = loaded
        mailbox.drop_settled(since_ms)

    def _noted(self, user: UserKey) -> dict[str, int]:
        """Confirmations that are not in the store yet: an agent who reloads its page comes back sooner."""
        if self._writer is None:
            return {}
        noted = {channel: self._writer.delivered(CursorKey(*user, channel)) for channel in CHANNELS}
        return {channel: mark for channel, mark in noted.items() if mark >= 0}

    def waiting(self, user: UserKey, matches: Callable[[str], bool]) -> list[Message]:
        """What a new subscription of the user must get first, in order (decisions 8)."""
        mailbox = self._mailboxes.get(user)
        if mailbox is None:
            return []
        return mailbox.waiting(self._clock.now_ms() - self._redelivery_ms, matches)

    def confirmed(self, user: UserKey, channel: str, mark: int) -> None:
        """A session confirmed everything up to ``mark`` on a channel."""
        mailbox = self._mailboxes.get(user)
        if mailbox is None or mark <= mailbox.cursors.get(channel, -1):
            return
        mailbox.cursors[channel] = mark
        mailbox.drop_settled(self._clock.now_ms() - self._redelivery_ms)
        if self._writer is not None:
            self._writer.note_delivered(CursorKey(user[0], user[1], channel), mark)

    def forget(self, user: UserKey) -> None:
        """Drop a mailbox: the user has no session any more; the journal keeps what is unconfirmed."""
        mailbox = self._mailboxes.get(user)
        if mailbox is not None and mailbox.loaded.done():
            del self._mailboxes[user]

    @property
    def open_mailboxes(self) -> int:
        """Users with an open session."""
        return len(self._mailboxes)
