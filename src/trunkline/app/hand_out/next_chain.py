"""The hand-out: which chain an agent gets next, and everything that is asked about it at that moment.

In this order: the agent's own callbacks that are due, due callbacks for anyone of the campaign, the group's buffer. The
buffer is filled when it runs low, in the same transaction; retries that become due meanwhile are put before it. A chain
was chosen when it was claimed, which may be a while ago, so it is judged again before it goes to a desk: windows,
do-not-call, attempts. Source: outbound domain 2.5, 2.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.judging.calling_times import opens
from trunkline.app.judging.chains import Judged, in_hand, judged, put_away
from trunkline.app.lists.filters import parsed_for
from trunkline.app.ports import EVERYTHING, CallbackClaim, ChainKey, Claim, ClaimKind, ClaimList
from trunkline.app.view import View
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.filters import COLUMNS, Filter, IsNull, ParsedFilter
from trunkline.domain.objects import ObjectKind
from trunkline.domain.records import Record, RecordKey
from trunkline.domain.shares import AHEAD, PLACES
from trunkline.domain.validation import permits
from trunkline.errors import NotFound, OutOfRange

MAX_CHAINS_EXAMINED = 50
"""Chains that the requests of one transaction together may examine in vain, because rules hold back one after the
other; whoever has not found any goes on in the next transaction. Everybody waits for a transaction: with 50 it takes
some hundredths of a second on a busy machine, and larger ones would not be faster a chain."""

PORTION = 100
"""Chains claimed at once at least: what a claim costs beside its chains (a look into each window) is shared by them."""

DUE_PORTION = 20
"""Due chains of a list claimed at once beside a buffer that is not low; those beyond come with the next look."""

MAX_BUFFER = 1000
"""Chains in a group's buffer: a thousand agents take some minutes for them, and more would only grow old there."""

BUFFER_LEASE_MS = 600_000
"""How long a chain lies in a buffer before it goes back: long enough for a slow group to come to it, short enough that
other groups of the list are not kept from it for long."""


NOTHING = ParsedFilter(condition=IsNull(COLUMNS["record_id"]))
"""Selects no record: what a filter that cannot be read is taken for."""

MAX_WAITING = 20
"""Chains that one request passes over because the pre-dial validation has not answered about them yet: it is asked
about each, and whoever asks again a moment later finds the answers."""


class Found(msgspec.Struct):
    """What a search came to: a record that may be called with its chain, or none; and what it changed on the way.

    ``permitted`` are the records of the chain that may be called now. ``attempts`` tell which rule held what back.
    """

    chosen: Record | None = None
    chain: list[Record] = []
    permitted: set[RecordKey] = set()
    changed: dict[RecordKey, Record] = {}
    off_buffer: list[ChainKey] = []
    attempts: list[AttemptRow] = []
    is_unfinished: bool = False


async def next_chain(view: View, asked: Asked, campaign: Campaign, rules: Rules) -> Found:
    """The next chain for the asking agent.

    Unfinished searches come to an end. One is unfinished when rules took a chain out of its way, which it will not meet
    again (the first search of a transaction has the whole limit), or when there are chains that another program has
    locked, until that one's transaction ends.
    """
    search = _Search(view, asked, campaign, rules)
    while view.chains_examined < MAX_CHAINS_EXAMINED:
        chain = await search.next()
        if chain is None:
            search.found.is_unfinished = search.is_contested
            return search.found
        if await search.judge(chain):
            return search.found
        view.chains_examined += 1
        if search.waiting >= MAX_WAITING:
            return search.found
    search.found.is_unfinished = search.is_nearer
    return search.found


class _Search:
    """One search: where it looks, and what it found."""

    def __init__(self, view: View, asked: Asked, campaign: Campaign, rules: Rules) -> None:
        self.found = Found()
        self.is_nearer = view.chains_examined > 0
        self.is_contested = False
        self.waiting = 0
        self._view = view
        self._asked = asked
        self._campaign = campaign
        self._rules = rules
        self._user_id = asked.caller.user_id
        self._lists = open_lists(view, campaign)
        book, now_s = view.book, view.now_s
        self._opens = {list_id: opens(campaign, entry, book, now_s) for list_id, entry in self._lists.items()}
        self._filters = {list_id: _filter_of(view, entry) for list_id, entry in self._lists.items()}
        self._passed: set[tuple[int, int]] = set()
        self._known: dict[ChainKey, tuple[list[Record], Judged]] = {}

    async def next(self) -> list[Record] | None:
        """The records of the next chain to judge, None when there is none."""
        view, campaign = self._view, self._campaign
        group = (campaign.contact_centre_id, campaign.group_id)
        whose = (*group, self._user_id)
        if self._lists and whose not in view.without_callbacks:
            claimed = await view.claim_callback(self._callback_claim())
            if claimed.chains:
                return await view.chain(*claimed.chains[0])
            self.is_contested = self.is_contested or claimed.is_contested
            view.without_callbacks.add(whose)
        if not campaign.hands_out_fresh:
            return None
        if campaign.fetches:
            await self._fill()
        while (buffered := await view.next_buffered(*group)) is not None:
            if buffered.records:
                return buffered.records
            self.found.off_buffer.append(buffered.entry.chain_key)  # its records were deleted
        return None

    def _callback_claim(self) -> CallbackClaim:
        view, campaign = self._view, self._campaign
        return CallbackClaim(
            contact_centre_id=campaign.contact_centre_id,
            campaign_group_id=campaign.group_id,
            campaign_id=campaign.campaign_id,
            lists=tuple(
                ClaimList(
                    list_id=list_id,
                    max_attempts=entry.max_attempts,
                    opens=self._opens[list_id],
                    condition=self._filters[list_id].condition,
                )
                for list_id, entry in self._lists.items()
            ),
            user_id=self._user_id,
            now_s=view.now_s,
            taken_at_ms=view.now_ms,
            lease_until_ms=view.now_ms + BUFFER_LEASE_MS,
            passed_over=frozenset(self._passed),
        )

    # The buffer

    async def _fill(self) -> None:
        """Fill the group's buffer when it is below its lower mark: list by list, each its part of the portion."""
        view, campaign = self._view, self._campaign
        group = (campaign.contact_centre_id, campaign.group_id)
        if group in view.dry_groups:
            return
        size = await view.buffer_size(*group)
        present = await view.preview_agents(campaign.contact_centre_id, campaign.campaign_id)
        agents = max(1, len(campaign.agents.intersection(present)))
        if size >= min(campaign.min_buffer * agents, MAX_BUFFER) and size > 0:
            if size < MAX_BUFFER and self._rules.turns.looks_for_due(group, view.now_s):
                await self._claim_due()
            return
        wanted = min(max(campaign.opt_buffer * agents, PORTION), MAX_BUFFER) - size
        shares = {e.list_id: e.share for e in campaign.lists if e.list_id in self._lists}
        taken = contested = 0
        while shares and wanted > taken:
            # Due chains of all lists come first, then fresh ones, then what lists took for others that ran dry.
            places = (self._rules.turns.places(view.now_ms), self._rules.turns.places(view.now_ms))
            parts = self._rules.turns.divide(group, shares, wanted - taken)
            for list_id, part in parts.items():
                got, is_contested = await self._claim(list_id, part, places)
                taken += got
                contested += is_contested
                if got < part:
                    del shares[list_id]  # it ran dry: the others get its part
        if taken < wanted:
            view.dry_groups.add(group)
        self.is_contested = self.is_contested or bool(contested)

    async def _claim_due(self) -> None:
        """Claim what became due since the buffer was filled, to lie before it: a retry does not wait for its end."""
        first_place = self._rules.turns.places(self._view.now_ms) - AHEAD
        for list_id in self._lists:
            claim = self._claim_of(list_id, ClaimKind.DUE, DUE_PORTION, first_place)
            claimed = await self._view.claim(claim)
            first_place += len(claimed.chains)

    async def _claim(self, list_id: int, part: int, places: tuple[int, int]) -> tuple[int, bool]:
        """Claim a list's part, due chains before fresh ones; how many there were, and whether some are locked."""
        taken = 0
        is_contested = False
        for kind in (ClaimKind.DUE, ClaimKind.FRESH):
            limit = part - taken
            if limit == 0:
                break
            is_fresh = kind is ClaimKind.FRESH
            claimed = await self._view.claim(self._claim_of(list_id, kind, limit, places[is_fresh]))
            taken += len(claimed.chains)
            is_contested = is_contested or claimed.is_contested
        return taken, is_contested

    def _claim_of(self, list_id: int, kind: ClaimKind, limit: int, first_place: int) -> Claim:
        return Claim(
            contact_centre_id=self._campaign.contact_centre_id,
            campaign_group_id=self._campaign.group_id,
            campaign_id=self._campaign.campaign_id,
            list_id=list_id,
            max_attempts=self._lists[list_id].max_attempts,
            kind=kind,
            limit=limit,
            now_s=self._view.now_s,
            taken_at_ms=self._view.now_ms,
            lease_until_ms=self._view.now_ms + BUFFER_LEASE_MS,
            opens=self._opens[list_id],
            # Fresh chains of all lists lie between each other.
            first_place=first_place,
            place_step=max(1, PLACES // limit) if kind is ClaimKind.FRESH else 1,
            selection=self._filters[list_id],
        )

    # Judging

    async def judge(self, chain: list[Record]) -> bool:
        """True when a record of the chain may be called: it is in ``found`` then. If not, the chain is put away."""
        judged = await self._judged(chain)
        found = self.found
        chain_key = chain[0].key[:3]
        found.attempts += judged.attempts
        self.is_nearer = self.is_nearer or judged.is_changed
        chosen = next((record for record in judged.chain if record.key in judged.permitted), None)
        if chosen is not None and not self._is_validated(chosen):
            self.waiting += 1
            self._passed.add(chain_key[1:])
            self._change(chain, judged.chain)
            return False
        found.off_buffer.append(chain_key)
        if chosen is not None:
            found.chain = [in_hand(record) for record in judged.chain]
            found.permitted = judged.permitted
            found.chosen = next(record for record in found.chain if record.key == chosen.key)
            self._change(chain, found.chain)
            return True
        self._passed.add(chain_key[1:])
        self._view.passed_over.add(chain_key)
        self._change(chain, put_away(judged.chain))
        return False

    def _change(self, before: Sequence[Record], after: Sequence[Record]) -> None:
        self.found.changed.update((new.key, new) for old, new in zip(before, after, strict=True) if new is not old)

    async def _judged(self, chain: list[Record]) -> Judged:
        """Judge the chain; once one was held back, those behind it too: one question to the store for all of them."""
        known = self._known.pop(chain[0].key[:3], None)
        if known is not None and known[0] == chain:
            return known[1]
        ahead: list[list[Record]] = []
        if self._view.chains_examined or self._passed:
            waiting = self._view.ahead(self._campaign.contact_centre_id, self._campaign.group_id)
            ahead = [other.records for other in waiting if other.records]
        first, *others = await judged(self._view, self._campaign, [chain, *ahead], self._user_id)
        self._known.update((one[0].key[:3], (one, each)) for one, each in zip(ahead, others, strict=True))
        return first

    def _is_validated(self, record: Record) -> bool:
        """What the pre-dial validation says; a record that waits for its answer stays in the buffer."""
        return permits(self._rules.validation(self._campaign, self._lists[record.list_id], record))


def open_lists(view: View, campaign: Campaign) -> dict[int, CallingList]:
    """The lists of a campaign that may be called, in its order; one that was deleted since is left out."""
    found: dict[int, CallingList] = {}
    for list_id in campaign.open_lists():
        try:
            calling_list = view.book.list_by_id(campaign.contact_centre_id, list_id)
        except NotFound:
            continue
        if calling_list.is_enabled:
            found[list_id] = calling_list
    return found


def _filter_of(view: View, calling_list: CallingList) -> ParsedFilter:
    """The filter of a list; one with fields that the list no longer has selects nothing (``app.judging.facts``)."""
    centre = calling_list.contact_centre_id
    used = view.book.value(Filter, centre, ObjectKind.FILTER, calling_list.filter_id)
    if used is None or not used.is_enabled:
        return EVERYTHING
    return _parsed(calling_list, used.criteria, used.order_by)


@lru_cache(maxsize=256)
def _parsed(calling_list: CallingList, criteria: str, order_by: str) -> ParsedFilter:
    try:
        return parsed_for(calling_list, criteria, order_by)
    except OutOfRange:
        return NOTHING
