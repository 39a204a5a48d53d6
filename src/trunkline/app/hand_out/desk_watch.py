"""Do-not-call once more: what lies on desks is asked for again by the clock, because people enter themselves any time.

In preview agents dial themselves, so the desk is the last place where the server can stop a call. A record that an
entry names is taken out of dialing, and the agent is told by the unsolicited RecordCancel (outbound domain 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.judging.chains import ruled
from trunkline.app.judging.facts import blocked_row, facts_of
from trunkline.app.ports import Clock, DeskKey, Held, Store
from trunkline.app.records import is_worked, settled
from trunkline.app.rescue import SYSTEM, soon_gone, withdrawn
from trunkline.app.view import Decision, View
from trunkline.app.writer import Writer
from trunkline.domain.chains import given_back
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.facts import Rule
from trunkline.domain.verdicts import blocking

WATCH_EVERY_MS = 15_000
"""Between two looks at all desks: sooner than most people who look at a record dial its number. Twenty thousand records
are asked for in a third of a second, which is two per cent of one processor."""
PAGE = 200
"""Entries asked for at once: some 2 ms on the writer's connection."""
FIRST = DeskKey(-1, -1)
ALL_BUT_SUPPRESSION = frozenset(Rule) - {Rule.SUPPRESSION}
"""Do-not-call alone is asked again: nothing sets it aside, and it holds during a call as before it. Hours and attempts
were asked at the hand-out, and the agent may be in the call by now."""


class WithdrawSuppressed(msgspec.Struct, frozen=True, kw_only=True):
    """Take these from their desks when do-not-call entries name them."""

    keys: tuple[DeskKey, ...]


class DeskWatch:
    """Looks at all desks, a page after the other, beside the writer; what is found is decided again inside it."""

    def __init__(self, store: Store, writer: Writer, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._looked_at_ms = clock.now_ms()

    async def look(self) -> None:
        """Look once in ``WATCH_EVERY_MS``, and at once when the clock was set back."""
        now_ms = self._clock.now_ms()
        if 0 <= now_ms - self._looked_at_ms < WATCH_EVERY_MS:
            return
        self._looked_at_ms = now_ms
        after = FIRST
        while page := await self._store.desk_page(after, PAGE):
            last = page[-1].entry
            after = DeskKey(last.contact_centre_id, last.handle)
            async with self._store.begin() as unit:
                named = await _named(View(unit, self._writer.book, now_ms), page)
            if named:
                keys = tuple(DeskKey(held.entry.contact_centre_id, held.entry.handle) for held in named)
                command = WithdrawSuppressed(keys=keys)
                await self._writer.submit(
                    Asked(caller=SYSTEM, command=command, request_type=RequestType.UNSOLICITED, door=Door.INSIDE)
                )


async def withdraw_suppressed(view: View, asked: Asked, command: WithdrawSuppressed, rules: Rules) -> Decision:
    """Take records from desks that must not be called any more; their agents are told and may still report a call.

    The attempt stays one until it is reported or its lease ends: the agent may have dialed before the entry came.
    """
    found = [await view.held(key.contact_centre_id, key.handle) for key in command.keys]
    decision = Decision(is_silent=True)
    for held in await _named(view, [one for one in found if one is not None]):
        entry, record = held.entry, held.record
        campaign = view.book.campaign_by_id(entry.contact_centre_id, entry.campaign_id)
        if campaign is None:
            continue
        judged = await facts_of(view, campaign, [record], entry.user_id)
        verdicts = [verdict for facts in judged for verdict in blocking(facts, ALL_BUT_SUPPRESSION)]
        if not verdicts:  # its list was deleted since: there is no list to give it back to, its lease ends it
            continue
        event = withdrawn(view, entry)
        (returned,) = given_back([record])
        why = blocked_row(record, verdicts[0], view.now_ms, campaign, entry.user_id, view.book)
        decision.records = [*decision.records, ruled(returned, verdicts, view.now_s, may_hold=True)]
        decision.desk = [*decision.desk, soon_gone(settled(entry), view.now_ms)]
        decision.attempts = [*decision.attempts, why]
        decision.notices = [*decision.notices, *([(entry, event)] if event is not None else [])]
    return decision


async def _named(view: View, page: Sequence[Held]) -> list[Held]:
    """What is worked of a page and named by a do-not-call entry that holds in its campaign."""
    by_campaign: dict[tuple[int, int], list[Held]] = {}
    for held in page:
        if is_worked(held.entry, {held.record.chain_n: held.record}):
            by_campaign.setdefault((held.entry.contact_centre_id, held.entry.campaign_id), []).append(held)
    named: list[Held] = []
    for (centre, campaign_id), worked in by_campaign.items():
        campaign = view.book.campaign_by_id(centre, campaign_id)
        if campaign is not None:
            hits = await view.suppressed(campaign, [held.record for held in worked])
            named += [held for held in worked if hits.get(held.record.key)]
    return named
