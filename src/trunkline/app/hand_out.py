"""The hand-out: which chain an agent gets next, and everything that is asked about it at that moment.

In this order: the agent's own callbacks that are due, due callbacks for anyone of the campaign, the group's buffer. The
buffer is filled when it runs low, in the same transaction. A chain was chosen when it was claimed, which may be a while
ago, so it is judged again before it goes to a desk: windows, do-not-call, attempts. Source: outbound domain 2.5, 2.6.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.ports import CallbackClaim, ChainKey, Claim, ClaimKind, ClaimList
from trunkline.app.view import View
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.desk import DeskEntry
from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, Hold, RecordStatus, RecordType
from trunkline.domain.records import Happening, Record, RecordKey, is_open, moved
from trunkline.domain.shares import PLACES
from trunkline.errors import NotFound, OutOfRange

MAX_CHAINS_EXAMINED = 50
"""Chains that the requests of one transaction together may examine in vain, because rules hold back one after the
other; whoever has not found any goes on in the next transaction. Everybody waits for a transaction: with 50 it takes
some hundredths of a second on a busy machine, and larger ones would not be faster a chain."""

PORTION = 100
"""Chains claimed at once at least: what a claim costs beside its chains (a look into each window) is shared by them."""

MAX_BUFFER = 1000
"""Chains in a group's buffer: a thousand agents take some minutes for them, and more would only grow old there."""

BUFFER_LEASE_MS = 600_000
"""How long a chain lies in a buffer before it goes back: long enough for a slow group to come to it, short enough that
other groups of the list are not kept from it for long."""


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
    search.found.is_unfinished = search.is_nearer
    return search.found


class _Search:
    """One search: where it looks, and what it found."""

    def __init__(self, view: View, asked: Asked, campaign: Campaign, rules: Rules) -> None:
        self.found = Found()
        self.is_nearer = view.chains_examined > 0
        self.is_contested = False
        self._view = view
        self._asked = asked
        self._campaign = campaign
        self._rules = rules
        self._user_id = asked.caller.user_id
        self._lists = open_lists(view, campaign)
        self._opens = {list_id: opener(view, campaign, entry) for list_id, entry in self._lists.items()}
        self._passed: set[tuple[int, int]] = set()
        self._judged: set[RecordKey] = set()
        self._suppressed: set[RecordKey] = set()

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
                ClaimList(list_id=list_id, max_attempts=entry.max_attempts, opens=self._opens[list_id])
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

    async def _claim(self, list_id: int, part: int, places: tuple[int, int]) -> tuple[int, bool]:
        """Claim a list's part, due chains before fresh ones; how many there were, and whether some are locked."""
        taken = 0
        is_contested = False
        for kind in (ClaimKind.DUE, ClaimKind.FRESH):
            limit = part - taken
            if limit == 0:
                break
            is_fresh = kind is ClaimKind.FRESH
            claimed = await self._view.claim(
                Claim(
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
                    first_place=places[is_fresh],
                    place_step=max(1, PLACES // limit) if is_fresh else 1,
                )
            )
            taken += len(claimed.chains)
            is_contested = is_contested or claimed.is_contested
        return taken, is_contested

    # Judging

    async def judge(self, chain: list[Record]) -> bool:
        """True when a record of the chain may be called: it is in ``found`` then. If not, the chain is put away."""
        await self._look_up(chain)
        found = self.found
        chain_key = chain[0].key[:3]
        found.off_buffer.append(chain_key)
        now = [self._without_suppressed(record) for record in chain]
        callable_now = [record for record in now if self._is_callable(record)]
        if callable_now:
            found.chain = [_in_hand(record) for record in now]
            found.permitted = {record.key for record in callable_now}
            found.chosen = next(record for record in found.chain if record.key in found.permitted)
            kept = zip(chain, found.chain, strict=True)
            found.changed.update((record.key, record) for before, record in kept if record is not before)
            return True
        self._passed.add(chain_key[1:])
        self._view.passed_over.add(chain_key)
        put_back = [put_away(record) for record in now]
        found.changed.update((r.key, r) for before, r in zip(chain, put_back, strict=True) if r is not before)
        return False

    async def _look_up(self, chain: list[Record]) -> None:
        """Ask the do-not-call lists about the chain, and about those that come behind it."""
        if all(record.key in self._judged for record in chain):
            return
        campaign = self._campaign
        ahead = self._view.ahead(campaign.contact_centre_id, campaign.group_id)
        records = [*chain, *(record for other in ahead for record in other.records)]
        self._suppressed |= await self._view.suppressed(campaign.contact_centre_id, campaign.campaign_id, records)
        self._judged.update(record.key for record in records)

    def _without_suppressed(self, record: Record) -> Record:
        if record.key not in self._suppressed or not is_open(record.status):
            return record
        self.is_nearer = True
        self.found.attempts.append(
            attempt_row(
                record,
                AttemptStep.BLOCKED,
                self._view.now_ms,
                "",
                campaign_id=self._campaign.campaign_id,
                campaign_group_id=self._campaign.group_id,
                agent_id=self._user_id,
                detail={"rule": "suppression"},
            )
        )
        return out_of_dialing(record)

    def _is_callable(self, record: Record) -> bool:
        """True when this record itself may be called now by this agent (outbound domain 2.5)."""
        calling_list = self._lists.get(record.list_id)
        return (
            calling_list is not None
            and record.status in (RecordStatus.RETRIEVED, RecordStatus.READY)
            and record.phone_type.is_dialable
            and record.record_type is not RecordType.NO_CALL
            and (record.due_at_s is None or record.due_at_s <= self._view.now_s)
            and record.attempts < calling_list.max_attempts
            and (not record.record_type.is_personal or record.agent_id == self._user_id)
            and self._opens[record.list_id](record.window)
        )


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


def opener(view: View, campaign: Campaign, calling_list: CallingList) -> Callable[[Window], bool]:
    """Whether records of a window may be called now, for this campaign and list; asked once for each window."""
    known: dict[Window, bool] = {}
    now_s = view.now_s

    def opens(window: Window) -> bool:
        is_open_now = known.get(window)
        if is_open_now is None:
            try:
                is_open_now = window.is_open(now_s)
            except OutOfRange:  # its zone has left the time-zone database
                is_open_now = False
            known[window] = is_open_now
        return is_open_now

    return opens


def out_of_dialing(record: Record) -> Record:
    """The record after a do-not-call hit before dialing."""
    return moved(record, Happening.DO_NOT_CALL, record_type=RecordType.NO_CALL, call_result=CallResult.DO_NOT_CALL)


def put_away(record: Record) -> Record:
    """A record of a chain that leaves the buffer unworked."""
    return moved(record, Happening.RETURNED) if record.status is RecordStatus.RETRIEVED else record


def _in_hand(record: Record) -> Record:
    """A record of a chain that goes to a desk: open ones are RETRIEVED, and no hold binds them any more."""
    if not is_open(record.status):
        return record
    if record.status is not RecordStatus.RETRIEVED:
        record = moved(record, Happening.TAKEN)
    if record.hold is Hold.NONE:
        return record
    has_own_time = record.record_type not in (RecordType.GENERAL, RecordType.UNKNOWN, RecordType.NO_RECORD_TYPE)
    return msgspec.structs.replace(record, hold=Hold.NONE, due_at_s=record.due_at_s if has_own_time else None)


def permitted_row(view: View, asked: Asked, campaign: Campaign, entry: DeskEntry, record: Record) -> AttemptRow:
    """The row of the attempt log that says that every rule let the record go."""
    return attempt_row(
        record,
        AttemptStep.PERMITTED,
        view.now_ms,
        entry.attempt_guid,
        campaign_id=campaign.campaign_id,
        campaign_group_id=campaign.group_id,
        agent_id=asked.caller.user_id,
    )


def released_rows(view: View, entries: Sequence[DeskEntry], chain: Collection[Record]) -> list[AttemptRow]:
    """Rows that say that hand-outs came to nothing: one for each, however many of its records leave the desk."""
    records = {record.key: record for record in chain}
    rows: dict[str, AttemptRow] = {}
    for entry in sorted(entries, key=lambda one: (one.chain_n, one.handle)):
        record = records.get(entry.record_key)
        if entry.permitted_at_ms == 0 or entry.attempt_guid in rows or record is None:
            continue
        campaign = view.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id, entry.user_id)
        rows[entry.attempt_guid] = attempt_row(
            record,
            AttemptStep.RELEASED,
            view.now_ms,
            entry.attempt_guid,
            campaign_id=entry.campaign_id,
            campaign_group_id=campaign.group_id if campaign is not None else None,
            agent_id=entry.user_id,
        )
    return list(rows.values())
