"""A CometD client as it should be, whose network is in the hands of a test, and what it must have seen in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.bayeux.post_office import INTERNAL, OUTBOUND, REDELIVERY_MS, Line, Posted, PostOffice, identified
from trunkline.bayeux.channels import matches
from trunkline.domain.people import Caller

CHANNELS = (OUTBOUND, INTERNAL)
Event = tuple[str, int]
"""Channel and number."""


@dataclass(eq=False)
class Parcel:
    """What the server sent at once and the client has not read."""

    messages: list[dict[str, Any]]
    carrier: object
    is_dropped: bool = False
    is_doubtful: bool = False
    """The client said something afterwards, which the server takes for a sign that it got this."""

    @property
    def events(self) -> set[Event]:
        return {(m["channel"], number) for m in self.messages if "data" in m and (number := _number(m))}


@dataclass(eq=False)
class Owner:
    """What all clients of one user know together."""

    caller: Caller
    seen: set[Event] = field(default_factory=set)
    risked: set[Event] = field(default_factory=set)
    claimed: set[tuple[str, int]] = field(default_factory=set)


class Reader:
    """One client. It acts by ``go``, reads by ``read``; its connections break by ``lose``."""

    def __init__(self, office: PostOffice, owner: Owner, *, acks: bool, replays: bool, is_on_socket: bool) -> None:
        self.office = office
        self.owner = owner
        self.user = owner.caller.user_id
        self.acks = acks
        self.replays = replays
        self.is_on_socket = is_on_socket
        self.names: list[str] = [OUTBOUND, INTERNAL]
        self.ghosts: list[Posted | Line] = []
        self.last: dict[str, int] = {}
        self.is_eager = False
        self.line: Line | None = None
        self._forget_session()

    def _forget_session(self) -> None:
        self.client_id = ""
        self.is_subscribed = False
        self.must_resume = False
        self.connecting: Posted | Line | None = None
        self.subscribing: Posted | Line | None = None
        self.ack = 0
        self.parcels: list[Parcel] = []
        self.owed: set[Event] = set()
        self.sent: set[Event] = set()
        self.listens_to: set[str] = set()
        self.in_session: dict[str, list[int]] = {channel: [] for channel in CHANNELS}

    # Acting

    def go(self) -> bool:
        """Do what comes next: shake hands, subscribe, connect. Tell whether there was anything to do."""
        if not self.client_id:
            self._handshake()
        elif self.must_resume and self.is_eager:
            self._resume()
        elif self.must_resume:
            self.lose(is_told=False)
            self._forget_session()
            self._handshake()
        elif not self.is_subscribed and self.subscribing is None:
            self.subscribing = self._say(self._subscription())
        elif not self.is_subscribed and not self.is_eager:
            return False
        elif self.connecting is None:
            self.connect()
        else:
            return False
        return True

    def _handshake(self) -> None:
        ext = {name: True for name, wanted in (("ack", self.acks), ("replay", self.replays)) if wanted}
        self._say({"channel": "/meta/handshake", "version": "1.0", "ext": ext})

    def _resume(self) -> None:
        """Say where it stopped, in the session that is there, and in one request with the connect.

        Alone, the answer could go to the poll that broke, and the connect behind it would count that as delivered.
        """
        self.lose(is_told=False)
        self.must_resume = False
        self.connecting = self.subscribing = self._say(self._subscription(), self._connect())

    def _subscription(self) -> dict[str, Any]:
        message: dict[str, Any] = {"channel": "/meta/subscribe", "subscription": self.names}
        if self.replays:
            epoch = self.office.outbox.epoch
            # Who begins has no position: it is told one.
            message["ext"] = {
                "replay": {
                    channel: {"epoch": epoch, "offset": self.last[channel]}
                    if channel in self.last
                    else {"epoch": "", "offset": 0}
                    for channel in CHANNELS
                    if self._covers(channel)
                }
            }
            self.owner.claimed |= {(c, self.last[c]) for c in CHANNELS if c in self.last and self._covers(c)}
        return message

    def connect(self) -> None:
        """Poll, or beat."""
        self.connecting = self._say(self._connect())

    def _connect(self) -> dict[str, Any]:
        message: dict[str, Any] = {"channel": "/meta/connect", "connectionType": "long-polling"}
        if self.acks:
            message["ext"] = {"ack": self.ack}
        return message

    def shake_again(self) -> None:
        """Begin a session where another was begun before, on a socket even on the same one."""
        if not self.is_on_socket:
            self.lose(is_told=False)
        line = self.line
        self._forget_session()
        self.line = line
        self._handshake()

    def unsubscribe(self) -> None:
        """Take the subscriptions back; the next ``go`` subscribes again."""
        if self.client_id and self.is_subscribed:
            self.is_subscribed = False
            self._say({"channel": "/meta/unsubscribe", "subscription": self.names})

    def disconnect(self) -> None:
        """Leave, without reading what is under way."""
        if self.client_id:
            self.owner.risked |= self.sent
            self._say({"channel": "/meta/disconnect"})
            self.lose(is_told=True)
            self._forget_session()

    def _say(self, *messages: dict[str, Any]) -> Posted | Line:
        """Send messages together, by the present transport."""
        for message in messages:
            message["id"] = self.client_id
            if self.client_id:
                message["clientId"] = self.client_id
        if any(message["channel"] in ("/meta/connect", "/meta/disconnect") for message in messages):
            self._doubt(None)
        if not self.is_on_socket:
            posted = Posted(list(messages), lambda body: self._hear(body, posted))
            self.office.post(self.owner.caller, posted)
            return posted
        if self.line is not None and self.line.is_closed:
            self.lose(is_told=True)
        if self.line is None:
            self.line = line = Line(lambda body: self._hear(body, line))
        elif not self.line.unsent:
            self._doubt(self.line)
        # Kept here: what is said may end the line.
        line = self.line
        self.office.frame(line, self.owner.caller, list(messages))
        return line

    def _doubt(self, carrier: object) -> None:
        """What is under way counts as delivered now: what came on a socket, or, for ``None``, by HTTP."""
        if self.acks:
            return
        for parcel in self.parcels:
            if parcel.carrier is carrier or (carrier is None and isinstance(parcel.carrier, Posted)):
                parcel.is_doubtful = True
                self.owner.risked |= parcel.events
                if parcel.is_dropped:
                    self.owed -= parcel.events
        self.parcels = [each for each in self.parcels if not (each.is_dropped and each.is_doubtful)]

    # What the server says

    def _hear(self, body: bytes, carrier: Posted | Line) -> None:
        messages: list[dict[str, Any]] = msgspec.json.decode(body)
        assert messages, "an answer is never an empty array"
        for message in messages:
            if "data" not in message and message["successful"] and message["id"] == self.client_id:
                if message["channel"] == "/meta/subscribe":
                    self._is_heard_by_the_server(message)
                elif message["channel"] == "/meta/unsubscribe":
                    self.listens_to.clear()
        self._own([message for message in messages if "data" in message])
        parcel = Parcel(messages, carrier, is_dropped=carrier in self.ghosts)
        self.parcels.append(parcel)
        self.sent |= parcel.events

    def _own(self, events: list[dict[str, Any]]) -> None:
        """Whatever was sent, read or not, is the owner's."""
        for event in events:
            owner, number = identified(msgspec.json.encode(event["data"]))
            assert owner in (0, self.user), "nothing of another owner ever"
            event["number"] = number
            assert ("ext" in event) is (self.replays and number != 0)

    def _is_heard_by_the_server(self, reply: dict[str, Any]) -> None:
        """The subscription holds from now on: what waits is owed, and what will be published."""
        said = reply.get("ext", {}).get("replay", {})
        since_ms = self.office.clock.ms - REDELIVERY_MS
        for channel in filter(self._covers, CHANNELS):
            if channel not in self.listens_to and not said.get(channel, {}).get("recovered"):
                confirmed, had = self.office.confirmed[self.user, channel], self.in_session[channel]
                self.owed |= {
                    (channel, fact.number)
                    for fact in self.office.published_facts(self.user, channel)
                    if fact.at_ms >= since_ms and fact.mark > confirmed and fact.number not in had
                }
            self.listens_to.add(channel)

    def _covers(self, channel: str) -> bool:
        return any(name == channel or matches(name, channel) for name in self.names)

    def owe(self, events: set[Event]) -> None:
        """These were published."""
        self.owed |= {event for event in events if event[0] in self.listens_to} - self.sent

    def read(self, most: int = 1000) -> bool:
        """Read what is under way; tell whether there was anything."""
        if self.line is not None:
            self.line.hurry()
        parcels = [parcel for parcel in self.parcels if not parcel.is_dropped][:most]
        for parcel in parcels:
            if parcel in self.parcels:
                self.parcels.remove(parcel)
                for message in parcel.messages:
                    self._process(message, parcel)
        if self.line is not None and self.line.is_closed and not any(p.carrier is self.line for p in self.parcels):
            self.lose(is_told=True)
            return True
        return bool(parcels)

    def _process(self, message: dict[str, Any], parcel: Parcel) -> None:
        if "data" in message:
            if message["number"] and self.client_id:
                self._take(message)
        elif message["channel"] == "/meta/handshake":
            self._meet(message)
        elif message["id"] != self.client_id:
            pass  # of a session that was given up
        elif not message["successful"]:
            assert message["error"] == "402::Unknown client"
            self.lose(is_told=True)
            self._forget_session()
        elif message["channel"] == "/meta/connect":
            if self.connecting is parcel.carrier:
                self.connecting = None
            if self.acks:
                self.ack = message["ext"]["ack"]
        elif message["channel"] == "/meta/subscribe":
            self.subscribing = None
            self.is_subscribed = True
            self._begin_from(message)

    def _meet(self, reply: dict[str, Any]) -> None:
        """A session is there."""
        assert reply["successful"]
        asked = {name: True for name, wanted in (("ack", self.acks), ("replay", self.replays)) if wanted}
        assert reply.get("ext", {}) == asked
        parcels, line = self.parcels, self.line
        self._forget_session()
        self.parcels, self.line, self.client_id = parcels, line, reply["clientId"]

    def _begin_from(self, reply: dict[str, Any]) -> None:
        if not self.replays:
            return
        for channel, said in reply["ext"]["replay"].items():
            if channel not in self.last:
                assert not said["recovered"]
                self.last[channel] = said["offset"]
            elif not said["recovered"]:
                self.on_gap()
                self.last[channel] = max(said["offset"], self.last[channel])

    on_gap: Callable[[], None]

    def _take(self, message: dict[str, Any]) -> None:
        """One event: it is in its place."""
        channel, number = message["channel"], message["number"]
        fact = self.office.fact(channel, number)
        self.owner.seen.add((channel, number))
        self.owed.discard((channel, number))
        had = self.in_session[channel]
        if self.replays:
            assert message["ext"]["replay"] == {"epoch": self.office.outbox.epoch, "offset": fact.mark}
            last = self.last.get(channel)
            if last is None or fact.mark <= last:
                return
            missed = [each for each in self.office.facts[self.user, channel] if last < each.mark < fact.mark]
            assert not missed, "a client that replays has no hole"
            self.last[channel] = fact.mark
        elif self.acks:
            assert not had or number > had[-1], "in order, without a double"
        else:
            assert not had or number > max(had) or number in had, "in order, apart from repetitions"
        had.append(number)

    # What goes wrong

    def lose(self, *, is_told: bool) -> None:
        """The poll or the socket breaks; what was under way on it never arrives. The server may be told later."""
        carriers = dict.fromkeys(each for each in (self.connecting, self.subscribing, self.line) if each is not None)
        for carrier in carriers:
            self.ghosts.append(carrier)
            for parcel in self.parcels:
                if parcel.carrier is carrier:
                    parcel.is_dropped = True
                    if parcel.is_doubtful:
                        self.owed -= parcel.events
        self.parcels = [each for each in self.parcels if not (each.is_dropped and each.is_doubtful)]
        if carriers:
            # Without acknowledgement nobody else knows what did not arrive.
            self.must_resume = self.replays and not self.acks and bool(self.client_id)
        self.connecting = self.subscribing = self.line = None
        if is_told:
            self.tell()

    def tell(self) -> None:
        """The server notices what broke: what was under way goes out again."""
        ghosts, self.ghosts = self.ghosts, []
        self.parcels = [each for each in self.parcels if not each.is_dropped]
        for ghost in ghosts:
            if isinstance(ghost, Posted):
                ghost.tell_lost()
            else:
                ghost.gone()

    def forget(self, *, keeps_position: bool) -> None:
        """The client's program begins anew."""
        self.lose(is_told=False)
        self._forget_session()
        if not keeps_position:
            self.last = {}


def _number(message: dict[str, Any]) -> int:
    number: int = message["number"]
    return number
