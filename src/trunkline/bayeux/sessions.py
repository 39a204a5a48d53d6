"""Sessions: what one client has subscribed to, what waits for it, and when it is given up.

Life of a session::

    opened ──> idle ──connect──> held ──events, timeout, another connect──> idle ──too long──> closed
                 │ <──────────────┘ connection broke                          │
                 └──────────── disconnect, overflow, kick ────────────────────┴──> closed

Life of an event: *queued*, then *written* into the answer of a connect or, on a socket, by itself; then *settled*: by
a later connect, by the client's next message on the socket, or, with the ack extension, by the number of the reply that
the client says it processed. Until it is settled it can still be put back, when its client turns out not to have it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import chain

import msgspec

from trunkline.bayeux.config import Config
from trunkline.bayeux.extensions import TimeSync

# Channels of which one session remembers the last mark. Servers deliver on a few dozen; a server that
# made one channel per call would grow each session of "/**" for ever. Forgetting the oldest only means
# that a redelivery on that channel could repeat an event.
_MARKED_CHANNELS = 512


class Entry(msgspec.Struct, frozen=True):
    """One event, encoded once and shared by every session that it goes to."""

    encoded: bytes
    channel: str
    mark: int
    is_lazy: bool = False


class HeldConnect(msgspec.Struct, frozen=True):
    """A connect that waits: where to answer and with which (encoded) id, until when at the latest."""

    exchange: Hashable
    encoded_id: bytes
    until_ms: int
    on_socket: bool = False
    time_sync: TimeSync | None = None
    browser: str | None = None


@dataclass(slots=True, eq=False)
class Session:
    """One client. ``deadline_ms`` ends the held connect when there is one, else the session."""

    client_id: str
    principal: Hashable
    deadline_ms: int
    scheduled_ms: int | None = None
    """The deadline under which the session stands in the queue of deadlines; never later than the true one."""
    has_connected: bool = False
    held: HeldConnect | None = None
    grace_ms: int = 0
    """How long it lives after the present connect ends."""
    subscriptions: set[str] = field(default_factory=set)
    queue: list[Entry] = field(default_factory=list)
    queued_bytes: int = 0
    written: list[Entry] = field(default_factory=list)
    written_bytes: int = 0
    written_in: Hashable = None
    """The exchange whose answer carried ``written``, or the socket."""
    last_marks: dict[str, int] = field(default_factory=dict)
    socket: Hashable = None
    """The socket that the client speaks on at present; ``None``: it polls."""
    acks: bool = False
    """The client numbers the replies that it processed."""
    replays: bool = False
    """Events carry their position."""
    reply_number: int = 0
    """Of the last reply to a connect, with ``acks``."""
    written_number: int = 0
    """Of the reply that carried ``written``, with ``acks``."""
    active_ms: int = 0
    """When it last did more than poll."""

    @property
    def is_pushed_to(self) -> bool:
        """Events go out on the socket at once, without a connect: acknowledged ones come with replies only."""
        return self.socket is not None and not self.acks

    def is_subscribed(self, reaching: frozenset[str]) -> bool:
        """Tell whether one of the subscriptions is among those that ``channels.reaching`` gave."""
        return not self.subscriptions.isdisjoint(reaching)

    def is_over(self, config: Config) -> bool:
        """Tell whether the queue is beyond its limits."""
        return len(self.queue) > config.max_queue_messages or self.queued_bytes > config.max_queue_bytes

    def enqueue(self, entry: Entry) -> None:
        """Append an event; the caller asks ``is_over`` afterwards."""
        self.queue.append(entry)
        self.queued_bytes += len(entry.encoded)
        if entry.mark > self.last_marks.get(entry.channel, 0):
            self.last_marks[entry.channel] = entry.mark
            if len(self.last_marks) > _MARKED_CHANNELS:
                del self.last_marks[next(iter(self.last_marks))]

    def has(self, entry: Entry) -> bool:
        """Tell whether the event is queued, or written and not settled. Cost: constant when marks grow."""
        if not 0 < entry.mark <= self.last_marks.get(entry.channel, 0):
            return False
        return any(
            known.mark == entry.mark and known.channel == entry.channel for known in chain(self.queue, self.written)
        )

    def take(self, exchange: Hashable, most_bytes: int) -> list[Entry]:
        """Move events of the queue into the answer of ``exchange``, or onto the socket; return them, oldest first.

        They have ``most_bytes`` together, or are one that is larger. What was written elsewhere before must be
        settled, or the queue empty.
        """
        taken, size = self.queue, self.queued_bytes
        if not taken:
            return taken
        if size > most_bytes:
            count, size = 1, len(taken[0].encoded)
            while count < len(taken) and size + len(taken[count].encoded) <= most_bytes:
                size += len(taken[count].encoded)
                count += 1
            taken = taken[:count]
        self.written = self.written + taken if self.written else taken
        self.written_bytes += size
        self.written_in = exchange
        self.queue = self.queue[len(taken) :]
        self.queued_bytes -= size
        return taken

    def settle(self) -> dict[str, int]:
        """Forget what was written; return the highest mark of each channel in it."""
        highest: dict[str, int] = {}
        for entry in self.written:
            if entry.mark > highest.get(entry.channel, 0):
                highest[entry.channel] = entry.mark
        self.written = []
        self.written_bytes = 0
        self.written_in = None
        return highest

    def put_back(self) -> None:
        """Return what was written, and did not arrive, to the head of the queue."""
        self.queue = self.written + self.queue
        self.queued_bytes += self.written_bytes
        self.written = []
        self.written_bytes = 0
        self.written_in = None

    def begin_anew(self, channel: str, offset: int, recovered: list[Entry]) -> None:
        """Have everything of ``channel`` that came after ``offset`` sent, whatever of it was queued before.

        What was written is forgotten as well: put back, it would come before what is recovered, and a client that
        goes by positions would pass over what it missed.
        """
        newest = max([offset, *(entry.mark for entry in recovered)])

        def is_kept(entry: Entry) -> bool:
            return entry.channel != channel or not 0 < entry.mark <= newest

        self.queue = recovered + list(filter(is_kept, self.queue))
        self.queued_bytes = sum(len(entry.encoded) for entry in self.queue)
        self.written = list(filter(is_kept, self.written))
        self.written_bytes = sum(len(entry.encoded) for entry in self.written)
        self.last_marks[channel] = max(newest, self.last_marks.get(channel, 0))


class Sessions:
    """All sessions: by client id, by principal, and by deadline.

    Deadlines are a heap with lazy deletion: a session is entered again only when its deadline moves
    forward in time, and looked at again when the entered one comes up. No call walks over all sessions,
    except to rebuild the heap once most of its entries are dead.
    """

    def __init__(self) -> None:
        self._by_id: dict[str, Session] = {}
        self._by_principal: dict[Hashable, dict[str, Session]] = {}
        self._deadlines: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_id.values())

    def find(self, client_id: object, principal: Hashable) -> Session | None:
        """Return the session with this id if ``principal`` owns it. Foreign and unknown are alike."""
        session = self._by_id.get(client_id) if type(client_id) is str else None
        return session if session is not None and session.principal == principal else None

    def get(self, client_id: str) -> Session | None:
        """Return the session with this id, whoever owns it: for the server's own use."""
        return self._by_id.get(client_id)

    def of(self, principal: Hashable) -> Iterable[Session]:
        """Return the sessions of one principal, oldest first."""
        return self._by_principal.get(principal, _NONE).values()

    def count_of(self, principal: Hashable) -> int:
        """Return how many sessions the principal has."""
        return len(self._by_principal.get(principal, _NONE))

    def add(self, session: Session) -> None:
        """Enter a new session under its deadline. The id must be free."""
        self._by_id[session.client_id] = session
        self._by_principal.setdefault(session.principal, {})[session.client_id] = session
        self.reschedule(session)

    def remove(self, session: Session) -> None:
        """Take the session out; its entries among the deadlines die with it."""
        del self._by_id[session.client_id]
        siblings = self._by_principal[session.principal]
        del siblings[session.client_id]
        if not siblings:
            del self._by_principal[session.principal]
        self._drop_dead_entries()

    def reschedule(self, session: Session) -> None:
        """Take note that ``session.deadline_ms`` has changed. Cost: logarithmic, often nothing."""
        if session.scheduled_ms is None or session.deadline_ms < session.scheduled_ms:
            session.scheduled_ms = session.deadline_ms
            heappush(self._deadlines, (session.deadline_ms, session.client_id))
            self._drop_dead_entries()

    def next_deadline_ms(self) -> int | None:
        """Return when ``due`` should be asked next; the answer may be early, never late."""
        while self._deadlines:
            deadline_ms, client_id = self._deadlines[0]
            session = self._by_id.get(client_id)
            if session is not None and session.scheduled_ms == deadline_ms:
                return deadline_ms
            heappop(self._deadlines)
        return None

    def due(self, now_ms: int) -> Iterator[Session]:
        """Yield each session whose deadline has come; the caller moves the deadline or removes the session."""
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            deadline_ms, client_id = heappop(self._deadlines)
            session = self._by_id.get(client_id)
            if session is None or session.scheduled_ms != deadline_ms:
                continue
            session.scheduled_ms = None
            if session.deadline_ms > now_ms:
                self.reschedule(session)
            else:
                yield session

    def _drop_dead_entries(self) -> None:
        # At most five entries for each session, so that neither a stream of short-lived sessions nor
        # ever shorter connects fill the heap; the 64 keep small servers from rebuilding all the time.
        if len(self._deadlines) <= 64 + 4 * len(self._by_id):
            return
        self._deadlines = []
        for session in self._by_id.values():
            session.scheduled_ms = session.deadline_ms
            self._deadlines.append((session.deadline_ms, session.client_id))
        heapify(self._deadlines)


_NONE: dict[str, Session] = {}
