"""Chains that leave a group's buffer unworked: the lease ended, the group stopped, its lists or rules changed.

They become READY again, as they were. Whatever a request does to their records meanwhile (do-not-call, cancel) stays.
"""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.judging.chains import put_away
from trunkline.app.ports import Buffered, ChainKey, Clock, Store
from trunkline.app.rescue import SYSTEM
from trunkline.app.view import Decision, View
from trunkline.app.writer import Writer
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.objects import ObjectKind
from trunkline.domain.records import Record

MAX_RETURNED = 200
"""Chains returned in one transaction; what is left goes with the next one."""

_END_OF_TIME_MS = 2**62


class ReturnBuffer(msgspec.Struct, frozen=True, kw_only=True):
    """Give back what lies in a group's buffer; without a group, what has lain in any for longer than its lease.

    ``is_everything``: in all buffers, whatever their lease.
    """

    group: tuple[int, int] | None = None
    is_everything: bool = False


class Returned(msgspec.Struct, frozen=True):
    """Chains that leave a buffer: for ``Decision.records`` and ``off_buffer``. ``is_all``: none is left behind."""

    records: list[Record]
    off_buffer: list[ChainKey]
    is_all: bool


async def returned(view: View, contact_centre_id: int, campaign_group_id: int) -> Returned:
    """A portion of a group's buffer, to be given back by whoever stops, unloads or completes the group.

    What is left behind goes by itself within a second or so once the group does not run.
    """
    found: list[Buffered] = []
    while len(found) < MAX_RETURNED:
        one = await view.next_buffered(contact_centre_id, campaign_group_id)
        if one is None:
            return _given_back(found, is_all=True)
        found.append(one)
    return _given_back(found, is_all=False)


def _given_back(found: list[Buffered], *, is_all: bool) -> Returned:
    pairs = [pair for one in found for pair in zip(one.records, put_away(one.records), strict=True)]
    changed = [after for before, after in pairs if after is not before]
    return Returned(changed, [one.entry.chain_key for one in found], is_all)


async def return_buffer(view: View, asked: Asked, command: ReturnBuffer, rules: Rules) -> Decision:
    """Carry out ``ReturnBuffer``; unfinished while there is more, and each round takes some away."""
    if command.group is not None:
        given_back = await returned(view, *command.group)
    else:
        until_ms = _END_OF_TIME_MS if command.is_everything else view.now_ms
        found = await view.buffers_ended(until_ms, MAX_RETURNED)
        given_back = _given_back(found, is_all=len(found) < MAX_RETURNED)
    return Decision(
        records=given_back.records,
        off_buffer=given_back.off_buffer,
        is_silent=True,
        is_unfinished=not given_back.is_all,
    )


class BufferKeeper:
    """Sees to it that no chain stays in a buffer that nobody empties. ``round`` is called every second or so."""

    def __init__(self, store: Store, writer: Writer, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._book: ReferenceBook | None = None
        self._terms: dict[tuple[int, int], object] = {}

    async def round(self) -> None:
        """Return what has lain too long, what belongs to groups that do not run, what was claimed on old terms."""
        async with self._store.begin() as unit:
            sizes = await unit.buffer_sizes()
            ended = await unit.buffers_ended(self._clock.now_ms(), 1) if sizes else []
        changed = self._changed()
        book = self._writer.book
        for size in sizes:
            group = (size.contact_centre_id, size.campaign_group_id)
            campaign = book.group(*group)
            if campaign is None or not campaign.hands_out_fresh or not campaign.is_enabled or group in changed:
                await self._submit(ReturnBuffer(group=group))
        if ended:
            await self._submit(ReturnBuffer())

    async def begin(self) -> None:
        """At the start of a server: nothing is in anybody's hands."""
        self._changed()
        await self._submit(ReturnBuffer(is_everything=True))

    async def _submit(self, command: ReturnBuffer) -> None:
        await self._writer.submit(
            Asked(caller=SYSTEM, command=command, request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
        )

    def _changed(self) -> set[tuple[int, int]]:
        """Groups whose lists, filters or rules are others than at the last look."""
        book = self._writer.book
        if book is self._book:
            return set()
        terms = {
            (campaign.contact_centre_id, campaign.group_id): _terms(book, campaign)
            for centre in book.contact_centres
            for campaign in book.groups_of(centre)
        }
        changed = {group for group, old in self._terms.items() if terms.get(group) != old}
        self._book, self._terms = book, terms
        return changed


def _terms(book: ReferenceBook, campaign: Campaign) -> object:
    """What chains were claimed under: which lists, their filters and limits, the rules; with versions."""
    centre = campaign.contact_centre_id

    def version(kind: ObjectKind, object_id: int | None) -> int:
        stored = None if object_id is None else book.object(centre, kind, object_id)
        return 0 if stored is None else stored.version

    lists = []
    for list_id in campaign.open_lists():
        calling_list = book.value(CallingList, centre, ObjectKind.CALLING_LIST, list_id)
        if calling_list is not None and calling_list.is_enabled:
            filter_id = calling_list.filter_id
            lists.append((list_id, filter_id, version(ObjectKind.FILTER, filter_id), calling_list.max_attempts))
    return lists, campaign.rule_set_id, version(ObjectKind.RULE_SET, campaign.rule_set_id)
