"""Use cases about callbacks: due ones go to their agent, late ones are missed, a supervisor moves them.

A personal callback that is due is put on its agent's desk and shown as ScheduledCall, when the agent is there and a
group of theirs that works the list is loaded. The lease is the grace time until the agent touches it: a callback that
nobody looks at is missed like one that nobody was there for. Campaign callbacks wait for the next agent who asks.
Source: outbound domain 2.4; ``docs/topics/callbacks.md``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from trunkline.app.access import Work
from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.hand_out.preview import MAX_DESK, hand_out
from trunkline.app.judging.calling_times import gate_of
from trunkline.app.judging.chains import Judged, judged, permitted_row
from trunkline.app.ports import Held, PreviewSession
from trunkline.app.records import MAX_DUE_S, is_worked, record_shown
from trunkline.app.treating import Ending, is_promised, miss
from trunkline.app.view import Decision, View
from trunkline.domain.callbacks import is_missed
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.chains import left_waiting
from trunkline.domain.enums import Door, Hold, RecordStatus, RecordType, RequestType
from trunkline.domain.events import Appearance
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import Happening, Record, RecordKey, is_open, moved
from trunkline.domain.validation import permits
from trunkline.errors import Forbidden, InvalidState, NotFound, OutOfRange, StaleVersion

MAX_SERVED = 50
"""Callbacks of one transaction: each reads its chain, and everybody waits for a transaction."""
MAX_SHOWN = 5
"""Due calls on one desk: after a morning off the agent is not buried under all of them; what waits too long meanwhile
goes to the colleagues."""


class ServeCallbacks(msgspec.Struct, frozen=True, kw_only=True):
    """Look after some due callbacks of a contact centre (see ``app.callbacks.rounds``).

    ``people`` are the owners who are there, enabled accounts only, by user id; ``serving_since_s`` is since when this
    server serves.
    """

    keys: tuple[RecordKey, ...]
    people: dict[int, Caller]
    serving_since_s: int


class ReassignCallback(msgspec.Struct, frozen=True, kw_only=True):
    """Give a callback to an agent, or (``owner`` None) to anyone of the campaign.

    ``due_at_s`` None keeps the time, or means now when that is over. ``version`` is the one that the asker saw.
    """

    list_name: str
    chain_id: int
    chain_n: int
    owner: Caller | None = None
    due_at_s: int | None = None
    version: int | None = None


class Push(msgspec.Struct, frozen=True):
    """What is asked in an agent's name when a callback is shown: the device to show it on."""

    device_id: str


def loaded_groups(book: ReferenceBook, record: Record) -> list[Campaign]:
    """The groups that could keep a callback now, those of its own campaign first."""
    groups = [
        group
        for group in book.groups_with_list(record.contact_centre_id, record.list_id)
        if group.status.is_loaded and group.is_enabled and record.list_id in group.open_lists()
    ]
    return sorted(groups, key=lambda group: (group.campaign_id != record.campaign_id, group.group_id))


def group_of_owner(book: ReferenceBook, record: Record) -> Campaign | None:
    """The loaded group in which the owner of a personal callback works, or None."""
    return next((group for group in loaded_groups(book, record) if record.agent_id in group.agents), None)


def is_late(book: ReferenceBook, record: Record, now_s: int, serving_since_s: int, grace_s: int) -> bool:
    """True when a callback counts as missed now; never while no group that works its list is loaded."""
    if record.due_at_s is None or now_s < max(record.due_at_s, serving_since_s) + grace_s:
        return False
    groups = loaded_groups(book, record)
    if not groups:
        return False
    able_since_s = max(serving_since_s, min(group.status_since_ms for group in groups) // 1000)
    gate = gate_of(groups[0], book.list_by_id(record.contact_centre_id, record.list_id), book, now_s)
    return is_missed(lambda at_s: gate.opens(record.window, at_s), record.due_at_s, able_since_s, now_s, grace_s)


async def serve_callbacks(view: View, asked: Asked, command: ServeCallbacks, rules: Rules) -> Decision:
    """Show due personal callbacks to their agents; let go of those that were kept waiting too long."""
    found = Decision(records=[], desk=[], notices=[], attempts=[], is_silent=True)
    shown: dict[int, int] = {}
    for key in command.keys:
        chain = await view.chain(*key[:3])
        record = next((one for one in chain if one.key == key), None)
        if record is None or record.status is not RecordStatus.READY or not is_promised(record):
            continue
        if record.due_at_s is None or record.due_at_s > view.now_s:
            continue
        owner = command.people.get(record.agent_id or 0) if record.record_type.is_personal else None
        part = None
        if owner is not None and shown.get(owner.user_id, 0) < MAX_SHOWN:
            part = await _pushed(view, owner, record, chain, shown, rules)
        if part is None and is_late(
            view.book, record, view.now_s, command.serving_since_s, rules.callback_grace_ms // 1000
        ):
            part = await _late(view, record, chain)
        if part is not None:
            _add(found, part)
    return found


async def _late(view: View, record: Record, chain: list[Record]) -> Decision:
    """What becomes of a callback that nobody took in time: put back by a rule that forbids the call, else missed."""
    campaign = loaded_groups(view.book, record)[0]
    (ruled,) = await judged(view, campaign, [chain], record.agent_id or 0)
    put_back = None if record.key in ruled.permitted else _put_back(record, chain, ruled)
    if put_back is not None:
        return put_back
    outcome = miss(view, _list_of(view, record), chain, record, Ending(agent_id=record.agent_id))
    return Decision(records=outcome.records, attempts=outcome.attempts)


def _put_back(record: Record, chain: list[Record], ruled: Judged) -> Decision | None:
    """The chain after rules that hold the callback back for a time or for good; None when they changed nothing."""
    changed = [one for one, was in zip(ruled.chain, chain, strict=True) if one is not was]
    is_open_still = any(one.key == record.key and is_open(one.status) for one in ruled.chain)
    waiting = [] if is_open_still else left_waiting(ruled.chain)
    return Decision(records=[*changed, *waiting], attempts=ruled.attempts) if changed else None


def _add(whole: Decision, part: Decision) -> None:
    whole.records = [*whole.records, *part.records]
    whole.desk = [*whole.desk, *part.desk]
    whole.notices = [*whole.notices, *part.notices]
    whole.attempts = [*whole.attempts, *part.attempts]


def _list_of(view: View, record: Record) -> CallingList:
    return view.book.list_by_id(record.contact_centre_id, record.list_id)


async def _pushed(
    view: View, owner: Caller, record: Record, chain: list[Record], shown: dict[int, int], rules: Rules
) -> Decision | None:
    """The callback on its agent's desk, or out of the way when a rule holds it back; None when it waits."""
    campaign = group_of_owner(view.book, record)
    device_id = None if campaign is None else await _device_of(view, owner, campaign)
    if campaign is None or device_id is None:
        return None
    desk = await view.desk_of(record.contact_centre_id, owner.user_id)
    if room_on(desk) <= shown.get(owner.user_id, 0):
        return None
    calling_list = _list_of(view, record)
    (ruled,) = await judged(view, campaign, [chain], owner.user_id)
    left = ruled.chain
    if record.key not in ruled.permitted:
        return _put_back(record, chain, ruled)
    if not permits(rules.validation(campaign, calling_list, record)):
        return None
    asked = Asked(caller=owner, command=Push(device_id), request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
    taken = [_taken(one, campaign) if is_open(one.status) else one for one in left]
    # Until the agent touches it, it stays for the grace time only.
    lease_ms = min(rules.lease_ms, rules.callback_grace_ms)
    entries = await hand_out(view, asked, campaign, taken, rules, ruled.permitted, lease_ms)
    at = next(i for i, one in enumerate(taken) if one.key == record.key)
    work = Work(campaign, calling_list, Held(entries[at], taken[at]))
    shown[owner.user_id] = shown.get(owner.user_id, 0) + 1
    return Decision(
        records=[one for one, was in zip(taken, chain, strict=True) if one is not was],
        desk=entries,
        notices=[(entries[at], record_shown(view, asked, work, entries[at], taken[at], Appearance.SCHEDULED_CALL))],
        attempts=[*ruled.attempts, permitted_row(view, asked, campaign, entries[at], taken[at])],
    )


def room_on(desk: Iterable[Held]) -> int:
    """How many more due calls an agent may be shown."""
    held = list(desk)
    waiting = sum(is_promised(one.record) and is_worked(one.entry, {one.record.chain_n: one.record}) for one in held)
    return max(0, min(MAX_SHOWN - waiting, MAX_DESK - len(held)))


def _taken(record: Record, campaign: Campaign) -> Record:
    return moved(record, Happening.TAKEN, campaign_id=campaign.campaign_id, hold=Hold.NONE)


async def _device_of(view: View, owner: Caller, campaign: Campaign) -> str | None:
    """The device on which the agent is reached: that of the log-in, or the first one of an agent who previews."""
    session = await view.agent_session(owner.contact_centre_id, owner.user_id)
    if session is not None:
        return session.device_id
    preview = PreviewSession(owner.contact_centre_id, owner.user_id, campaign.campaign_id)
    if owner.devices and await view.has_preview_session(preview):
        return owner.devices[0].device_id
    return None


async def reassign_callback(view: View, asked: Asked, command: ReassignCallback, rules: Rules) -> Decision:
    """Give a waiting, due or missed callback to somebody else, or another time; for supervisors and administrators.

    Raises ``NotFound`` for what is no callback, ``InvalidState`` for one on a desk, a time that is over, and an agent
    who works the list in no group, ``StaleVersion`` when it changed since the asker saw it.
    """
    caller = asked.caller
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("only a supervisor reassigns callbacks")
    calling_list = view.book.list_named(caller.contact_centre_id, command.list_name)
    chain = await view.chain(caller.contact_centre_id, calling_list.list_id, command.chain_id)
    record = next((one for one in chain if one.chain_n == command.chain_n and is_promised(one)), None)
    if record is None or not is_open(record.status):
        raise NotFound("there is no callback at this place of the list")
    if command.version is not None and command.version != record.version:
        raise StaleVersion("the callback was changed since you read it")
    if record.status not in (RecordStatus.READY, RecordStatus.MISSED_CALL_BACK):
        raise InvalidState("the callback lies on an agent's desk")
    due_at_s = _due_time(command.due_at_s, record, view.now_s)
    owner = command.owner
    groups = view.book.groups_with_list(record.contact_centre_id, record.list_id)
    if owner is not None and not _works_in(owner, groups):
        raise InvalidState("userName works in no campaign group that has this list")
    changed = moved(
        record,
        Happening.CALLBACK_SET,
        record_type=RecordType.CAMPAIGN_CALL_BACK if owner is None else RecordType.PERSONAL_CALL_BACK,
        agent_id=record.agent_id if owner is None else owner.user_id,
        due_at_s=due_at_s,
        treatments="",
        hold=Hold.NONE,
    )
    return Decision(records=[changed], list_id=calling_list.list_id, campaign_id=record.campaign_id)


def _due_time(wanted_s: int | None, record: Record, now_s: int) -> int:
    if wanted_s is None:
        return max(now_s, record.due_at_s or now_s)
    if wanted_s < now_s:
        raise InvalidState("timestamp lies in the past")
    if wanted_s >= MAX_DUE_S:
        raise OutOfRange("timestamp must be Unix seconds before the year 2100")
    return wanted_s


def _works_in(owner: Caller, groups: Iterable[Campaign]) -> bool:
    return any(owner.user_id in group.agents for group in groups)
