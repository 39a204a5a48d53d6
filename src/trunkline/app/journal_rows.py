"""Journal rows that a request causes beside its own."""

from __future__ import annotations

import msgspec

from trunkline.app.stored import JournalRow
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.events import AnyEvent


def notice_row(cause: JournalRow, entry: DeskEntry, event: AnyEvent) -> JournalRow:
    """The row of an event that somebody else's request, or nobody's, caused about what lies on a desk."""
    return msgspec.structs.replace(
        cause,
        contact_centre_id=entry.contact_centre_id,
        user_id=entry.user_id,
        campaign_id=entry.campaign_id,
        list_id=entry.list_id,
        handle=entry.handle,
        request_type=RequestType.UNSOLICITED,
        door=Door.INSIDE,
        reference=None,
        request_key=None,
        events=(event,),
    )


def told_row(cause: JournalRow, user_id: int, event: AnyEvent) -> JournalRow:
    """The row of an event that a user of the same contact centre is told without having asked."""
    return msgspec.structs.replace(
        cause,
        user_id=user_id,
        list_id=None,
        handle=None,
        request_type=RequestType.UNSOLICITED,
        door=Door.INSIDE,
        outcome=0,
        reference=None,
        request_key=None,
        elapsed_ns=0,
        events=(event,),
    )


def again(row: JournalRow, now_ms: int) -> JournalRow:
    """The row of a repeated request: the same acknowledgement; the key stays with the first."""
    return msgspec.structs.replace(row, at_ms=now_ms, request_key=None)
