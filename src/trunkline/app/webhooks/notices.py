"""What there is to tell a webhook: reports from the attempt log, and the states of campaign groups.

The attempt log is the outbox of the reports: it was committed with the change, and each webhook keeps its place in it
as a delivery cursor. A group's state is told as it is now: of the changes that a receiver missed while it was away the
last one of each group is kept, and the time of the change last told is the cursor. Source: outbound domain 4.7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import AttemptQuery, CursorKey, Store
from trunkline.app.writer import Writer
from trunkline.contract import notices
from trunkline.contract.notices import REPORTED_STEPS, About, GroupFigures
from trunkline.domain.attempts import AttemptStep, StoredAttempt
from trunkline.domain.campaigns import Campaign, GroupState
from trunkline.domain.notices import GroupEvent, group_event
from trunkline.domain.objects import ObjectKind
from trunkline.domain.webhooks import Notice, Webhook
from trunkline.errors import NotFound

PAGE = 500
"""Rows of the log read at once: about 300 KB."""
MAX_TAIL = 5_000
"""Newest rows of the log in memory, shared by all webhooks: some seconds of the busiest centre (about 5 MB)."""
MAX_NAMES = 10_000
"""Names of agents that are remembered; then they are read again."""
MAX_CHANGES = 1_000
"""Changes of groups that wait for one receiver; beyond, only each group's last one is kept."""
NOTE_EVERY = 1_000
"""Rows that concern a webhook not, after which its place is written all the same: a restart reads no more than that."""
TOLD_STEPS = (*REPORTED_STEPS, AttemptStep.TREATED)
"""Steps of the attempt log that some webhook may be told of."""
PERIOD_MS = 10_000
"""Between two notices of a loaded group that does not change (campaigngroup-states-interval)."""

_encode = msgspec.json.Encoder().encode
Json = dict[str, object]
Figures = Callable[[int, int], GroupFigures]
"""Contact centre and campaign group -> its figures of the last sample."""


class Batch(NamedTuple):
    """What one delivery carries. ``settle`` is called when it got through."""

    delivery_id: str
    body: bytes
    notices: int
    settle: Callable[[], None]


class Names:
    """Names of agents by number."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[tuple[int, int], str] = {}

    async def learn(self, contact_centre_id: int, user_ids: Iterable[int]) -> None:
        """Make sure that ``name`` knows these."""
        missing = sorted({one for one in user_ids if (contact_centre_id, one) not in self._names})
        if not missing:
            return
        if len(self._names) + len(missing) > MAX_NAMES:
            self._names.clear()
        for user in await self._store.users(contact_centre_id, missing):
            self._names[contact_centre_id, user.caller.user_id] = user.caller.user_name

    def name(self, contact_centre_id: int, user_id: int | None) -> str | None:
        """The agent's name; None for nobody and for one that was deleted."""
        return None if user_id is None else self._names.get((contact_centre_id, user_id))


class AttemptTail:
    """The newest end of the attempt log in memory, so that many webhooks read it once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: deque[StoredAttempt] = deque(maxlen=MAX_TAIL)
        self._from_seq = -1
        self.newest = -1

    def rest(self) -> None:
        """Nobody reads: forget everything."""
        self._rows.clear()
        self._from_seq = self.newest = -1

    async def follow(self) -> bool:
        """Read what was added since the last time; True when there was anything."""
        if self.newest < 0:
            self.newest = self._from_seq = await self._store.newest_attempt()
            return False
        was = self.newest
        while rows := await self._read(self.newest):
            for row in rows:
                if len(self._rows) == MAX_TAIL:
                    self._from_seq = self._rows[0].seq
                self._rows.append(row)
            self.newest = rows[-1].seq
            if len(rows) < PAGE:
                break
        return self.newest > was

    async def after(self, seq: int) -> list[StoredAttempt]:
        """The next rows behind a number, at most ``PAGE``; nothing newer than what was followed."""
        if seq >= self.newest:
            return []
        if seq >= self._from_seq:
            found: list[StoredAttempt] = []
            for row in self._rows:
                if row.seq > seq:
                    found.append(row)
                    if len(found) == PAGE:
                        break
            return found
        return await self._read(seq)

    async def _read(self, after_seq: int) -> list[StoredAttempt]:
        query = AttemptQuery(contact_centre_id=None, after_seq=after_seq, steps=TOLD_STEPS, limit=PAGE)
        return await self._store.attempts(query)


class CallReports:
    """The reports that one webhook is to get, from its place in the log on."""

    def __init__(self, tail: AttemptTail, names: Names, writer: Writer, webhook: Webhook) -> None:
        self._tail = tail
        self._names = names
        self._writer = writer
        self._webhook = webhook
        self._key = cursor_key(webhook, Notice.CALL_REPORT)
        self._read_to = -1
        self._noted = -1
        self._waiting: deque[StoredAttempt] = deque()

    def prepare(self, stored_cursor: int) -> None:
        """Begin behind what was delivered; a webhook that is new begins at the log's present end."""
        known = max(stored_cursor, self._writer.delivered(self._key))
        self._read_to = self._noted = self._tail.newest if known < 0 else known
        if known < 0:
            self._writer.note_delivered(self._key, self._read_to)

    @property
    def position(self) -> int:
        """The number of the last row that is settled."""
        return self._noted

    async def take(self, book: ReferenceBook) -> Batch | None:
        """The next reports, the same ones until they are settled; None when there are none."""
        webhook = self._webhook
        while len(self._waiting) < webhook.max_batch and (rows := await self._tail.after(self._read_to)):
            self._waiting.extend(row for row in rows if self._concerns(row))
            self._read_to = rows[-1].seq
        if not self._waiting:
            if self._read_to - self._noted >= NOTE_EVERY:
                self._note(self._read_to)
            return None
        rows = [self._waiting[at] for at in range(min(webhook.max_batch, len(self._waiting)))]
        agents = (stored.row.agent_id for stored in rows if stored.row.agent_id is not None)
        await self._names.learn(webhook.contact_centre_id, agents)
        bodies = [
            (notices.treatment if stored.row.step is AttemptStep.TREATED else notices.call_report)(
                stored.seq, stored.row, self._about(book, stored)
            )
            for stored in rows
        ]
        first, last = rows[0].seq, rows[-1].seq
        return Batch(
            f"{webhook.webhook_id}-call-{first}-{last}", body_of(webhook, bodies), len(rows), lambda: self._done(last)
        )

    def _concerns(self, stored: StoredAttempt) -> bool:
        row, webhook = stored.row, self._webhook
        if row.contact_centre_id != webhook.contact_centre_id:
            return False
        if row.step is not AttemptStep.TREATED:
            return webhook.tells(Notice.CALL_REPORT, row.campaign_id)
        is_named = webhook.name in str(row.detail.get("hooks", "")).split(",")
        return is_named and webhook.tells(Notice.TREATMENT, row.campaign_id)

    def _about(self, book: ReferenceBook, stored: StoredAttempt) -> About:
        row, centre = stored.row, stored.row.contact_centre_id
        campaign = None if row.campaign_group_id is None else book.group(centre, row.campaign_group_id)
        if campaign is None and row.campaign_id is not None:
            campaign = book.campaign_by_id(centre, row.campaign_id, row.agent_id)
        try:
            list_name = book.list_by_id(centre, row.list_id).name
        except NotFound:
            list_name = None
        return About(
            contact_centre_name=book.contact_centres.get(centre, ""),
            campaign=campaign,
            agent_group_name=agent_group_name(book, campaign),
            list_name=list_name,
            agent_name=self._names.name(centre, row.agent_id),
        )

    def _done(self, seq: int) -> None:
        while self._waiting and self._waiting[0].seq <= seq:
            self._waiting.popleft()
        self._note(seq if self._waiting else self._read_to)

    def _note(self, seq: int) -> None:
        self._noted = seq
        self._writer.note_delivered(self._key, seq)


class _Change(NamedTuple):
    state: GroupState
    event: GroupEvent


class GroupStates:
    """The states of groups that one webhook is to get."""

    def __init__(self, writer: Writer, webhook: Webhook, figures: Figures, now_ms: int) -> None:
        self._writer = writer
        self._webhook = webhook
        self._figures = figures
        self._key = cursor_key(webhook, Notice.GROUP_STATE)
        self._changes: deque[_Change] = deque()
        self._periodic_at_ms = now_ms

    def prepare(self, stored_cursor: int, states: Iterable[GroupState]) -> None:
        """Begin with what changed since the last change that was told; a new webhook begins with the present."""
        told = max(stored_cursor, self._writer.delivered(self._key))
        mine = [state for state in states if state.contact_centre_id == self._webhook.contact_centre_id]
        if told < 0:
            self._writer.note_delivered(self._key, max((state.changed_at_ms for state in mine), default=0))
            return
        for state in sorted((one for one in mine if one.changed_at_ms > told), key=lambda one: one.changed_at_ms):
            event = group_event(None, state)
            if event is not None:
                self._changes.append(_Change(state, event))

    def changed(self, before: GroupState | None, after: GroupState) -> None:
        """A group changed state."""
        event = group_event(before, after)
        if after.contact_centre_id != self._webhook.contact_centre_id or event is None:
            return
        if len(self._changes) >= MAX_CHANGES:
            last = {change.state.key: change for change in self._changes}
            self._changes = deque(sorted(last.values(), key=lambda change: change.state.changed_at_ms))
        self._changes.append(_Change(after, event))

    def due_in_ms(self, now_ms: int) -> int:
        """How long until the loaded groups are told again."""
        return max(0, self._periodic_at_ms - now_ms)

    async def take(self, book: ReferenceBook, now_ms: int) -> Batch | None:
        """The next notices; those told by the clock alone are skipped while others wait."""
        if now_ms >= self._periodic_at_ms:
            self._periodic_at_ms = now_ms + PERIOD_MS
            waiting = {change.state.key for change in self._changes}
            for state in book.group_states:
                if (
                    state.key[0] == self._webhook.contact_centre_id
                    and state.status.is_loaded
                    and state.key not in waiting
                ):
                    self._changes.append(_Change(state, GroupEvent.PERIODIC))
        told: list[Json] = []
        taken: list[_Change] = []
        for change in self._changes:
            if len(told) == self._webhook.max_batch:
                break
            taken.append(change)
            body = self._body(book, change, now_ms)
            if body is not None:
                told.append(body)
        if not told:
            self._done(taken)
            return None
        newest = taken[-1].state
        delivery_id = f"{self._webhook.webhook_id}-group-{newest.campaign_group_id}-{now_ms}"
        return Batch(delivery_id, body_of(self._webhook, told), len(told), lambda: self._done(taken))

    def skip_periodic(self) -> None:
        """Drop what the clock alone asks for: a receiver that is away learns the present when it is back."""
        self._changes = deque(change for change in self._changes if change.event is not GroupEvent.PERIODIC)

    def _body(self, book: ReferenceBook, change: _Change, now_ms: int) -> Json | None:
        """The notice; None for a group that was deleted since or that this webhook does not tell of."""
        state, is_periodic = change.state, change.event is GroupEvent.PERIODIC
        campaign = book.group(*state.key)
        if campaign is None or not self._webhook.tells(Notice.GROUP_STATE, campaign.campaign_id):
            return None
        campaign = msgspec.structs.replace(
            campaign,
            status=state.status,
            dial_mode=state.dial_mode,
            optimize_by=state.optimize_by,
            optimize_goal=state.optimize_goal,
        )
        about = About(
            contact_centre_name=book.contact_centres.get(state.contact_centre_id, ""),
            campaign=campaign,
            agent_group_name=agent_group_name(book, campaign),
        )
        figures = self._figures(*state.key) if state.status.is_loaded else GroupFigures()
        return notices.group_state(about, change.event, now_ms if is_periodic else state.changed_at_ms, figures)

    def _done(self, taken: Sequence[_Change]) -> None:
        for change in taken:
            if self._changes and self._changes[0] is change:
                self._changes.popleft()
            if change.event is GroupEvent.PERIODIC:
                continue
            told_ms = change.state.changed_at_ms
            # Several groups may change in one millisecond: the place stays before it until all of them are told.
            waiting = (one.state.changed_at_ms for one in self._changes if one.event is not GroupEvent.PERIODIC)
            self._writer.note_delivered(self._key, min(told_ms, min(waiting, default=told_ms + 1) - 1))


def cursor_key(webhook: Webhook, notice: Notice) -> CursorKey:
    """Where a webhook's place is kept: user 0 is nobody."""
    return CursorKey(webhook.contact_centre_id, 0, f"webhook/{webhook.webhook_id}/{notice.value}")


def agent_group_name(book: ReferenceBook, campaign: Campaign | None) -> str:
    """GSW_GROUP_NAME."""
    if campaign is None:
        return ""
    stored = book.object(campaign.contact_centre_id, ObjectKind.AGENT_GROUP, campaign.agent_group_id)
    return stored.value.name if stored is not None else ""


def body_of(webhook: Webhook, bodies: Sequence[Json]) -> bytes:
    """One object, or an array of them for a webhook that takes several."""
    return _encode(bodies[0] if webhook.max_batch == 1 else bodies)
