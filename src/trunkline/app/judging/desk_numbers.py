"""A number that comes to a desk without a hand-out: with a record that joins the chain, or as another number of one.

It may be stored whatever the rules say, but only a number that all of them let go carries a permission: without one the
auditor finds the call.
"""

from __future__ import annotations

import msgspec

from trunkline.app.judging.facts import blocked, blocked_row
from trunkline.app.view import View
from trunkline.domain.attempts import AttemptRow
from trunkline.domain.chains import carries
from trunkline.domain.desk import DeskEntry
from trunkline.domain.enums import Hold
from trunkline.domain.facts import Rule
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import Record


class DeskNumber(msgspec.Struct, frozen=True):
    """What the rules say of a number on a desk.

    ``permitted_at_ms`` is now when every rule lets it go, else 0; ``attempts`` is then the row for the attempt log that
    says which rule held it back.
    """

    permitted_at_ms: int = 0
    attempts: tuple[AttemptRow, ...] = ()


async def judged_number(view: View, entry: DeskEntry, record: Record) -> DeskNumber:
    """Judge a record that lies under an entry, or comes to its desk, by all rules of hand-out, as of now.

    The attempt that the desk is about does not count against itself. Once the record's fate is decided (a callback for
    tomorrow, say) its own time and owner say nothing about a call now. Nor does the list's filter of what lies here
    already: it chooses what is handed out, and what the agent wrote since may not fit it any more. Cost: as
    ``facts_of``, and the chain's records.
    """
    campaign = view.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id, entry.user_id)
    if campaign is None:
        return DeskNumber()
    asked, user_id = record, None if entry.is_settled else entry.user_id
    if entry.is_settled:
        asked = msgspec.structs.replace(record, due_at_s=None, hold=Hold.NONE)
    ((_, verdicts),) = await blocked(view, campaign, [asked], user_id, own_attempt=entry.attempt_guid)
    if record.key == entry.record_key:
        verdicts = [verdict for verdict in verdicts if verdict.rule is not Rule.FILTER]
    if verdicts:
        why = blocked_row(record, verdicts[0], view.now_ms, campaign, entry.user_id, view.book)
        return DeskNumber(attempts=(why,))
    if not entry.is_settled and not carries(record):
        chain = await view.chain(*record.key[:3])
        if any(carries(other) for other in chain if other.key != record.key):
            return DeskNumber()  # the next call of this chain was promised or planned with another of its numbers
    return DeskNumber(permitted_at_ms=view.now_ms)


def is_another_number(record: Record, before: Record) -> bool:
    """True when the record got another number, not the same one in another spelling."""
    return canonical_number(record.phone_number) != canonical_number(before.phone_number)
