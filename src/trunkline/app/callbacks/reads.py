"""What is asked of a store about callbacks: which there are, by time, and who is there to take them."""

from __future__ import annotations

from typing import Protocol

import msgspec

from trunkline.domain.enums import RecordStatus, RecordType
from trunkline.domain.records import Record

CALLBACK_TYPES = frozenset(
    {RecordType.PERSONAL_RESCHEDULED, RecordType.PERSONAL_CALL_BACK, RecordType.CAMPAIGN_CALL_BACK}
)
"""Records with a time that somebody was promised, or with an owner in whose place nobody comes by himself."""

CallbackPlace = tuple[int, int, int, int]
"""``due_at_s``, list, chain, place in the chain: the order of callbacks."""

FIRST: CallbackPlace = (-(2**62), 0, 0, 0)
LAST_DUE_S = 2**62


class CallbackQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of callbacks in one status, by ``CallbackPlace``.

    ``status`` is READY (waiting or due), RETRIEVED (on a desk) or MISSED_CALL_BACK. ``until_s`` is the latest due time,
    Unix seconds. ``after`` is the place of the last one of the page before. None asks for all.
    """

    contact_centre_id: int
    status: RecordStatus = RecordStatus.READY
    list_id: int | None = None
    agent_id: int | None = None
    campaign_id: int | None = None
    record_type: RecordType | None = None
    since_s: int | None = None
    until_s: int | None = None
    after: CallbackPlace | None = None
    limit: int = 100

    @property
    def begin(self) -> CallbackPlace:
        """The place behind which the page begins."""
        if self.after is not None:
            return self.after
        return FIRST if self.since_s is None else (self.since_s, 0, -1, -1)

    @property
    def last_due_s(self) -> int:
        """The latest due time that is asked for."""
        return LAST_DUE_S if self.until_s is None else self.until_s


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """An agent who is there: logged in on a device (None: not), taking preview records of some campaigns."""

    user_id: int
    device_id: str | None = None
    campaign_ids: frozenset[int] = frozenset()


class CallbackReads(Protocol):
    """The questions."""

    async def callbacks(self, query: CallbackQuery) -> list[Record]:
        """A page of callbacks. Cost: the rows up to the page's end that are passed over."""

    async def presences(self, contact_centre_id: int) -> list[Presence]:
        """Everybody of a contact centre who is there, by user id."""


def place_of(record: Record) -> CallbackPlace:
    """Where a callback stands in the order of callbacks."""
    return (record.due_at_s or 0, record.list_id, record.chain_id, record.chain_n)


def is_asked(record: Record, query: CallbackQuery) -> bool:
    """What the stores select, in words of the domain."""
    return (
        record.contact_centre_id == query.contact_centre_id
        and record.record_type in CALLBACK_TYPES
        and record.status is query.status
        and record.due_at_s is not None
        and record.due_at_s <= query.last_due_s
        and query.list_id in (None, record.list_id)
        and (query.agent_id is None or record.agent_id == query.agent_id)
        and (query.campaign_id is None or record.campaign_id == query.campaign_id)
        and query.record_type in (None, record.record_type)
        and place_of(record) > query.begin
    )
