"""Replay: what a client missed since the position it names, from the journal; or, told plainly, that there is a gap.

A position is the epoch, which names the journal, and an offset: the mark of the last message that the client had, or
what an earlier recovery answered. It does not depend on sessions, mailboxes or confirmations, so it outlives them all.

Why nothing is missing and nothing comes twice: numbers grow in the order of commits, and each commit is published a
moment after it. The answer is cut at the last row that was published: what lies before is read here, or was noted
by ``note`` because it was committed behind the reader's back; what lies behind, though it may be readable
already, is about to be published to the client, which has subscribed by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from trunkline.app.messages import Message, UserKey, mark_behind, seq_of
from trunkline.app.ports import Store, StoredRow
from trunkline.contract.names import CHANNELS
from trunkline.errors import Defect

MAX_REPLAYED = 10_000
"""Messages in one answer, and rows looked at for one channel (about 10 MB). Together they fit into a session's queue;
who missed more has read the state anew sooner than it would have applied them one by one."""

READ_ROWS = 200
"""Journal rows read at a time: a few milliseconds, after which others have their turn."""


class Position(msgspec.Struct, frozen=True):
    """How far a client is on one channel. ``offset`` is the mark of a message; 0: from the beginning."""

    epoch: str
    offset: int


class Recovery(msgspec.Struct, frozen=True):
    """What was missed on one channel, in order; empty when ``is_recovered`` is false, which means a gap.

    ``offset`` is what the client continues from: it lies behind all that is known now, whatever the channel, so that
    a channel on which nothing happens needs no search the next time.
    """

    is_recovered: bool
    offset: int
    messages: list[Message]


class _Track:
    """What was found on one channel so far."""

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.rows = 0
        self.messages: list[Message] = []


class Replay:
    """Reads the journal for whoever comes back. ``render`` turns a row into messages."""

    def __init__(self, store: Store, render: Callable[[StoredRow], list[Message]]) -> None:
        self.epoch = ""
        self._store = store
        self._render = render
        self._published_seq = 0
        self._noted: dict[UserKey, list[list[StoredRow]]] = {}

    async def prepare(self) -> None:
        """Learn the journal's name and its end; before the first row is published."""
        self.epoch = await self._store.epoch()
        self._published_seq = (await self._store.journal_span()).newest

    def note(self, rows: Sequence[StoredRow]) -> None:
        """Take notice of rows that are being published. Cost when nobody recovers: none worth naming."""
        if not rows:
            return
        self._published_seq = rows[-1].seq
        if self._noted:
            for stored in rows:
                for noted in self._noted.get((stored.row.contact_centre_id, stored.row.user_id), ()):
                    noted.append(stored)

    def is_published(self, stored: StoredRow) -> bool:
        """Tell whether a row was published, by this server or an earlier one; unprepared, nobody publishes."""
        return not self.epoch or stored.seq <= self._published_seq

    async def recover(self, user: UserKey, positions: Mapping[str, Position]) -> dict[str, Recovery]:
        """What the user missed on each of the channels; names that are no channels of ours are left out.

        There is a gap when the epoch is another one, when the offset lies beyond the journal's end, when rows behind
        it were pruned, and when there are more than ``MAX_REPLAYED`` messages. The caller has opened the user's
        mailbox, and subscribes the client before it waits for anything else: what is published from then on is not
        in the answer. Raises ``Unavailable``.
        """
        if not self.epoch:
            raise Defect("the outbox is not prepared")
        asked = {channel: position for channel, position in positions.items() if channel in CHANNELS}
        end = mark_behind(self._published_seq)
        tracks = {
            channel: _Track(position.offset)
            for channel, position in asked.items()
            if position.epoch == self.epoch and 0 <= position.offset <= end
        }
        noted: list[StoredRow] = []
        self._noted.setdefault(user, []).append(noted)
        try:
            await self._read(user, tracks, noted)
        finally:
            self._forget(user, noted)
        end = mark_behind(self._published_seq)
        return {
            channel: Recovery(is_recovered=True, offset=end, messages=[m for m in track.messages if m.mark <= end])
            if (track := tracks.get(channel)) is not None
            else Recovery(is_recovered=False, offset=end, messages=[])
            for channel in asked
        }

    async def _read(self, user: UserKey, tracks: dict[str, _Track], noted: list[StoredRow]) -> None:
        """Fill the tracks; those that cannot be filled without a gap are dropped."""
        read_to = -1
        is_more = True
        while tracks and is_more:
            # The row of an offset is read too: the client may have had only a part of its messages.
            read_to = max(read_to, min(seq_of(track.offset) for track in tracks.values()) - 1)
            rows = await self._store.rows_after(*user, read_to, READ_ROWS)
            self._lay(rows, tracks)
            is_more = len(rows) == READ_ROWS
            if rows:
                read_to = rows[-1].seq
        if not tracks:
            return
        # Asked last: what went while the rows were read is among it.
        pruned = mark_behind((await self._store.journal_span()).pruned_to)
        for channel in [channel for channel, track in tracks.items() if track.offset < pruned]:
            del tracks[channel]
        self._lay([stored for stored in noted if stored.seq > read_to], tracks)

    def _lay(self, rows: Sequence[StoredRow], tracks: dict[str, _Track]) -> None:
        for stored in rows:
            for channel in [c for c, track in tracks.items() if seq_of(track.offset) <= stored.seq]:
                tracks[channel].rows += 1
                if tracks[channel].rows > MAX_REPLAYED:
                    del tracks[channel]
            for message in self._render(stored) if stored.row.events else ():
                track = tracks.get(message.channel)
                if track is not None and message.mark > track.offset:
                    track.messages.append(message)
            while sum(len(track.messages) for track in tracks.values()) > MAX_REPLAYED:
                del tracks[max(tracks, key=lambda channel: len(tracks[channel].messages))]

    def _forget(self, user: UserKey, noted: list[StoredRow]) -> None:
        left = [other for other in self._noted[user] if other is not noted]
        if left:
            self._noted[user] = left
        else:
            del self._noted[user]
