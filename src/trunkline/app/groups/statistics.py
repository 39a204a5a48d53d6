"""Statistics of campaign groups and calling lists, in bounded time.

- **Attempts** are counted incrementally: each look reads what came to the attempt log since the last one. Exact. Only
  the log is counted, so a server that starts finds the same figures as the one before it, as far back as the log is
  kept.
- **Records** of a list are counted by reading the list. A count is used for ten seconds at least, and for fifty times
  as long as it took, so that counting takes a fiftieth of the database's time however long the list is
  (``domain.statistics.Counted``); only one list is counted at a time. Exact at ``counted_at_ms``.
- **Agents and buffers** are read when they are asked for. Exact.
- **Busy factor and time to complete** come from a sample every ``SAMPLE_EVERY_MS`` over the last half hour. How many
  chains were finished at its beginning is read from the log after a start of the server; who was busy before it is not
  known then: the busy factor begins with the first sample.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from trunkline.app.directory import ReferenceBook
from trunkline.app.groups.control import inside, works_in
from trunkline.app.groups.keeper import GroupKeeper
from trunkline.app.groups.reads import AttemptCount
from trunkline.app.ports import Clock, Store, StoredRow
from trunkline.contract import notices
from trunkline.domain.attempts import AttemptStep
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import GroupStatus, RequestType
from trunkline.domain.events import NothingToPreview
from trunkline.domain.group_control import Control, ControlRefused, Wish
from trunkline.domain.statistics import (
    WINDOW_MS,
    AgentCounts,
    Counted,
    GroupStatistics,
    ListStatistics,
    Sample,
    Tally,
    busy_factor,
    time_to_complete_s,
    waiting,
)

COUNT_WAIT_S = 2.0
"""Seconds that somebody who asks waits for a count in the making; it is shown as unknown after that."""
SAMPLE_EVERY_MS = 10_000
"""Time between two samples: 180 of them are the half hour that rates are taken over."""
FRESH_MS = 1_000
"""Attempts are read at most once a second for each group, however many ask."""
OVERLAP_MS = 60_000
"""Rows of the log are looked for so far behind the newest one known: their times are the writer's, which may step."""


class _Feed:
    """What is known of a group's attempts since it was loaded."""

    def __init__(self, loaded_at_ms: int) -> None:
        self.loaded_at_ms = loaded_at_ms
        self.seq = 0
        self.newest_at_ms = loaded_at_ms
        self.read_at_ms = -FRESH_MS
        self.lists: dict[int, Tally] = {}
        self.samples: deque[Sample] = deque(maxlen=WINDOW_MS // SAMPLE_EVERY_MS + 1)
        self.lock = asyncio.Lock()

    def take(self, found: Iterable[AttemptCount]) -> None:
        """Add what came since the last look."""
        for count in found:
            tally = self.lists.setdefault(count.list_id, Tally())
            if count.step is AttemptStep.ENDED:
                tally.results[count.call_result] += count.rows
                tally.callbacks_completed += count.rows if count.is_callback else 0
                tally.leads += count.leads
            elif count.step is AttemptStep.CALLBACK_MISSED:
                tally.callbacks_missed += count.rows
            self.seq = max(self.seq, count.newest_seq)
            self.newest_at_ms = max(self.newest_at_ms, count.newest_at_ms)

    def begin(self, at_ms: int, found: Iterable[AttemptCount]) -> None:
        """Look back: how many chains were finished at the beginning of the last half hour, or when it was loaded."""
        leads: Counter[int] = Counter()
        for count in found:
            leads[count.list_id] += count.leads
        self.samples.append(Sample(at_ms, 0, 0, leads))

    def sampled(self, sample: Sample) -> None:
        """Take a sample; of those that are older than the window only the newest is kept, as its beginning."""
        self.samples.append(sample)
        while len(self.samples) > 1 and self.samples[1].at_ms <= sample.at_ms - WINDOW_MS:
            self.samples.popleft()

    def total(self) -> Tally:
        """All lists together."""
        total = Tally()
        for tally in self.lists.values():
            total.add(tally)
        return total


class Statistics:
    """Answers what supervisors, webhooks and the console want to know of groups and lists."""

    def __init__(self, store: Store, clock: Clock, book: Callable[[], ReferenceBook]) -> None:
        self._store = store
        self._clock = clock
        self._book = book
        self._feeds: dict[tuple[int, int], _Feed] = {}
        self._counted: dict[tuple[int, int], Counted] = {}
        self._counting: dict[tuple[int, int], asyncio.Task[Counted]] = {}
        self._one_count = asyncio.Lock()
        self._dry: set[tuple[int, int]] = set()
        self._latest: dict[tuple[int, int], GroupStatistics] = {}
        self._sampled_at_ms = 0

    async def of_group(self, campaign: Campaign, wait_s: float = COUNT_WAIT_S) -> GroupStatistics:
        """Figures of a group. For one that is not loaded those of its last time, or zero.

        A list that was never counted is waited for, ``wait_s`` at most.
        """
        now_ms = self._clock.now_ms()
        feed = await self._fed(campaign)
        agents = await self.agents(campaign)
        levels = await self._store.buffer_levels(campaign.contact_centre_id, campaign.group_id)
        lists = [await self._list_in_group(campaign, feed, entry.list_id, levels, wait_s) for entry in campaign.lists]
        open_chains = [one.counted.counts.open_chains for one in lists if one is not None and one.counted is not None]
        total = feed.total()
        known = [one for one in lists if one is not None]
        return GroupStatistics(
            campaign=campaign,
            at_ms=now_ms,
            tally=total,
            agents=agents,
            waiting=tuple(
                waiting(
                    is_running=campaign.status is GroupStatus.RUNNING,
                    has_obstacle=campaign.status is GroupStatus.IN_ACTIVE,
                    in_preview=agents.in_preview,
                    is_dry=(campaign.contact_centre_id, campaign.group_id) in self._dry,
                )
            ),
            busy_factor=busy_factor(feed.samples),
            time_to_complete_s=time_to_complete_s(
                sum(open_chains) if len(open_chains) == len(known) else None, total.leads, feed.samples, None, now_ms
            ),
            buffered=sum(levels.values()),
            lists=tuple(known),
        )

    def latest(self, contact_centre_id: int, campaign_group_id: int) -> notices.GroupFigures:
        """Figures of the last sample for those who cannot wait; nothing is known of a group that is not loaded."""
        figures = self._latest.get((contact_centre_id, campaign_group_id))
        if figures is None:
            return notices.GroupFigures()
        return notices.GroupFigures(
            busy_factor=figures.busy_factor,
            hit_ratio=figures.tally.hit_ratio,
            overdial_rate=figures.tally.overdial_rate,
            time_to_complete_s=figures.time_to_complete_s,
            lists=tuple(
                notices.ListFigures(
                    list_name=one.calling_list.name,
                    hit_ratio=one.tally.hit_ratio,
                    time_to_complete_s=one.time_to_complete_s,
                )
                for one in figures.lists
            ),
        )

    async def of_list(self, calling_list: CallingList) -> ListStatistics:
        """Figures of a list over all groups that have it and are loaded."""
        centre, list_id = calling_list.contact_centre_id, calling_list.list_id
        groups = [c for c in self._book().groups_with_list(centre, list_id) if c.status is not GroupStatus.NOT_LOADED]
        tally, buffered = Tally(), 0
        for campaign in groups:
            feed = await self._fed(campaign)
            tally.add(feed.lists.get(list_id, Tally()))
            buffered += (await self._store.buffer_levels(centre, campaign.group_id)).get(list_id, 0)
        return ListStatistics(
            calling_list=calling_list,
            tally=tally,
            counted=await self.counted(calling_list),
            buffered=buffered,
            groups=tuple(groups),
        )

    async def agents(self, campaign: Campaign) -> AgentCounts:
        """The group's agents at the moment."""
        centre, members, book = campaign.contact_centre_id, campaign.agents, self._book()
        logged_in = members.intersection(await self._store.logged_in(centre))
        previewing = await self._store.preview_users(centre, campaign.campaign_id)
        holding = await self._store.desk_users(centre, campaign.campaign_id)
        in_preview = {user_id for user_id in previewing if works_in(book, campaign, user_id)}
        holders = {user_id for user_id in holding if works_in(book, campaign, user_id)}
        taking_part = in_preview | (holders & logged_in)
        return AgentCounts(
            assigned=len(members),
            logged_in=len(logged_in),
            in_preview=len(in_preview),
            with_records=len(holders),
            taking_part=len(taking_part),
            busy=len(taking_part & holders),
        )

    async def counted(self, calling_list: CallingList, wait_s: float = COUNT_WAIT_S) -> Counted | None:
        """The newest count of a list; begins another one when it is old. None while there is none yet."""
        key = (calling_list.contact_centre_id, calling_list.list_id)
        known = self._counted.get(key)
        if known is not None and not known.is_old(self._clock.now_ms()):
            return known
        task = self._counting.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._count(calling_list), name="count")
            self._counting[key] = task
            task.add_done_callback(lambda done: self._count_done(key, done))
        if known is None:
            await asyncio.wait({task}, timeout=wait_s)
        return self._counted.get(key)

    def notice(self, rows: Sequence[StoredRow]) -> None:
        """Look at committed rows: who asked for a record, and whether there was one."""
        for stored in rows:
            row = stored.row
            if row.request_type is not RequestType.PREVIEW_RECORD_REQUEST or row.campaign_id is None:
                continue
            campaign = self._book().campaign_by_id(row.contact_centre_id, row.campaign_id, row.user_id)
            if campaign is not None:
                key = (row.contact_centre_id, campaign.group_id)
                is_dry = any(isinstance(event, NothingToPreview) for event in row.events)
                (self._dry.add if is_dry else self._dry.discard)(key)

    async def sample(self) -> None:
        """Look at every loaded group, when it is time; a step of upkeep."""
        now_ms = self._clock.now_ms()
        if 0 <= now_ms - self._sampled_at_ms < SAMPLE_EVERY_MS:
            return
        self._sampled_at_ms = now_ms
        book = self._book()
        loaded = [c for centre in book.contact_centres for c in book.groups_of(centre) if c.status.is_loaded]
        for campaign in loaded:
            figures = await self.of_group(campaign, wait_s=0)
            feed = await self._fed(campaign)
            agents = figures.agents
            leads = {list_id: tally.leads for list_id, tally in feed.lists.items()}
            feed.sampled(Sample(now_ms, agents.taking_part, agents.busy, leads))
            self._latest[campaign.contact_centre_id, campaign.group_id] = figures
        known = {(campaign.contact_centre_id, campaign.group_id) for campaign in loaded}
        self._dry &= known
        self._latest = {key: figures for key, figures in self._latest.items() if key in known}

    async def has_finished(self, campaign: Campaign) -> bool:
        """True when no chain of the group's lists may be called any more, and there were some."""
        chains = 0
        for list_id in (entry.list_id for entry in campaign.lists):
            counted = await self.counted(self._book().list_by_id(campaign.contact_centre_id, list_id), wait_s=0)
            # A count from before the group was loaded may have been made before its records came.
            if counted is None or counted.counted_at_ms < campaign.loaded_at_ms or counted.counts.open_chains:
                return False
            chains += counted.counts.chains
        return chains > 0

    async def _list_in_group(
        self, campaign: Campaign, feed: _Feed, list_id: int, levels: dict[int, int], wait_s: float
    ) -> ListStatistics | None:
        calling_list = next(
            (one for one in self._book().lists_of(campaign.contact_centre_id) if one.list_id == list_id), None
        )
        if calling_list is None:
            return None
        counted = await self.counted(calling_list, wait_s)
        now_ms = self._clock.now_ms()
        tally = feed.lists.get(list_id, Tally())
        open_chains = None if counted is None else counted.counts.open_chains
        return ListStatistics(
            calling_list=calling_list,
            tally=tally,
            counted=counted,
            buffered=levels.get(list_id, 0),
            time_to_complete_s=time_to_complete_s(open_chains, tally.leads, feed.samples, list_id, now_ms),
        )

    async def _fed(self, campaign: Campaign) -> _Feed:
        """The group's attempts up to now, at most ``FRESH_MS`` old."""
        key = (campaign.contact_centre_id, campaign.group_id)
        feed = self._feeds.get(key)
        if feed is None or feed.loaded_at_ms != campaign.loaded_at_ms:
            feed = self._feeds[key] = _Feed(campaign.loaded_at_ms)
        async with feed.lock:
            now_ms = self._clock.now_ms()
            if not 0 <= now_ms - feed.read_at_ms < FRESH_MS:
                if not feed.samples:
                    begin_ms = max(feed.loaded_at_ms, now_ms - WINDOW_MS)
                    is_older = feed.loaded_at_ms < begin_ms
                    whole = (*key, feed.loaded_at_ms, 0, begin_ms)
                    feed.begin(begin_ms, await self._store.attempt_counts(*whole) if is_older else [])
                since_ms = max(feed.loaded_at_ms, feed.newest_at_ms - OVERLAP_MS)
                feed.take(await self._store.attempt_counts(*key, since_ms, feed.seq))
                feed.read_at_ms = now_ms
        return feed

    async def _count(self, calling_list: CallingList) -> Counted:
        async with self._one_count:
            began_ns = self._clock.monotonic_ns()
            now_ms = self._clock.now_ms()
            counts = await self._store.record_counts(
                calling_list.contact_centre_id, calling_list.list_id, calling_list.max_attempts
            )
            took_ms = (self._clock.monotonic_ns() - began_ns) // 1_000_000
            return Counted(counts=counts, counted_at_ms=now_ms, took_ms=took_ms)

    def _count_done(self, key: tuple[int, int], task: asyncio.Task[Counted]) -> None:
        self._counting.pop(key, None)
        # A count that failed is made again when somebody asks.
        if not task.cancelled() and task.exception() is None:
            self._counted[key] = task.result()


async def complete_finished(keeper: GroupKeeper, statistics: Statistics, book: ReferenceBook) -> None:
    """Complete the running groups that complete themselves and have nothing left to call; a step of upkeep."""
    for centre in book.contact_centres:
        for campaign in book.groups_of(centre):
            if not campaign.completes_itself or not campaign.fetches:
                continue
            if await statistics.has_finished(campaign):
                with suppress(ControlRefused):  # somebody was faster
                    await keeper.control(inside(centre), campaign.group_id, Wish(control=Control.COMPLETE))
