"""What the pre-dial validation said, written down: a refused record is treated, an unanswered one waits."""

from __future__ import annotations

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.hand_out.validation import SettleValidation
from trunkline.app.treating import Ending, Outcome, treat
from trunkline.app.view import Decision, View
from trunkline.contract.validation import mark_of, question
from trunkline.domain.attempts import AttemptRow, AttemptStep, attempt_row
from trunkline.domain.chains import given_back
from trunkline.domain.enums import CallResult, Hold, RecordStatus
from trunkline.domain.records import Happening, Record, is_open, moved

RULE = "pre-dial validation"


async def settle_validation(view: View, asked: Asked, command: SettleValidation, rules: Rules) -> Decision:
    """Treat a record with the result that the validation gave, or hold it until the validation is asked again.

    Nothing happens to a record that lies on a desk or whose fate was decided meanwhile. One that was changed since it
    was asked about gets the result of the race, when there is one; else it is asked about again.
    """
    campaign = command.campaign
    key = (campaign.contact_centre_id, command.list_id, command.chain_id)
    chain = await view.chain(*key)
    record = next((one for one in chain if one.chain_n == command.chain_n), None)
    if record is None or record.status not in (RecordStatus.READY, RecordStatus.RETRIEVED):
        return Decision(is_silent=True)
    if any(not entry.is_settled for entry in await view.entries_of_chain(*key)):
        return Decision(is_silent=True)
    is_as_asked = _mark_now(view, command, record) == command.mark
    result = command.call_result if is_as_asked else command.race_result
    if command.call_result is not None and result is not None:
        outcome = _treated(view, command, chain, record, result)
        attempts = [_row(view, command, record, result), *outcome.attempts]
        records = outcome.records
    elif command.call_result is None and is_as_asked:
        records, attempts = _held(chain, record, command.held_until_s), [_row(view, command, record, None)]
    else:
        return Decision(is_silent=True)
    is_buffered = await view.buffer_entry(*key) is not None
    return Decision(
        records=records,
        off_buffer=[key] if is_buffered else [],
        attempts=attempts,
        list_id=command.list_id,
        campaign_id=campaign.campaign_id,
        is_silent=True,
    )


def _mark_now(view: View, command: SettleValidation, record: Record) -> bytes:
    calling_list = view.book.list_by_id(record.contact_centre_id, record.list_id)
    return mark_of(question(command.campaign, calling_list.name, record))


def _treated(view: View, command: SettleValidation, chain: list[Record], record: Record, result: CallResult) -> Outcome:
    """What follows the result, as after a call; it counts as no attempt, because nobody was called."""
    campaign = command.campaign
    taken = [moved(one, Happening.TAKEN) if _is_taken_along(one) else one for one in chain]
    refused = next(one for one in taken if one.chain_n == record.chain_n)
    refused = msgspec.structs.replace(refused, call_result=result, campaign_id=campaign.campaign_id, hold=Hold.NONE)
    calling_list = view.book.list_by_id(record.contact_centre_id, record.list_id)
    return treat(view, calling_list, taken, refused, Ending(campaign_group_id=campaign.group_id))


def _is_taken_along(record: Record) -> bool:
    """True for a record that would come to a desk with its chain."""
    return is_open(record.status) and record.status is not RecordStatus.RETRIEVED


def _held(chain: list[Record], record: Record, until_s: int) -> list[Record]:
    """The chain given back, its record not before ``until_s``; a promised time stays as it is."""
    returned = {one.chain_n: one for one in given_back(chain)}
    held = returned.get(record.chain_n, record)
    if held.due_at_s is None or held.hold is not Hold.NONE:
        held = msgspec.structs.replace(held, due_at_s=until_s, hold=Hold.VALIDATION)
    changed = {**returned, record.chain_n: held}
    return [changed[one.chain_n] for one in chain if changed.get(one.chain_n, one) != one]


def _row(view: View, command: SettleValidation, record: Record, result: CallResult | None) -> AttemptRow:
    detail: dict[str, str | int | float | bool | None] = {"rule": RULE, "said": command.said}
    detail |= {"until_s": command.held_until_s} if result is None else {"call_result": result.value}
    return attempt_row(
        record,
        AttemptStep.BLOCKED,
        view.now_ms,
        "",
        campaign_id=command.campaign.campaign_id,
        campaign_group_id=command.campaign.group_id,
        agent_id=None,
        detail=detail,
    )
