"""A suppression list emptied, so that it can be deleted: counted first, then in portions through the writer.

Only a list that applies nowhere is emptied. While the entries of one that applies go, portion by portion, people
would be called who must not be; who wants that says so first, by switching the list off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from trunkline.app.administration.rules import users_of
from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Clock, Store, SuppressionKey, SuppressionQuery
from trunkline.app.suppression.entries import MAX_ENTRIES_AT_ONCE, Submit, check_may_suppress, text_of
from trunkline.app.view import Decision, View
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller
from trunkline.domain.suppression import CENTRE_LIST, SuppressionList
from trunkline.errors import AlreadyInUse, MissingParameter, NotFound

OnStep = Callable[[int], None]
"""Told how many entries are gone."""


class EmptyEntries(msgspec.Struct, frozen=True, kw_only=True):
    """A portion of a list's entries, to remove. The first and the last portion leave a row in the audit."""

    suppression_list_id: int
    keys: Sequence[SuppressionKey]
    is_noted: bool


class EmptyingReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of it. ``left`` are entries that others added meanwhile; ``ended`` of the entries held no more."""

    list_name: str
    entries: int
    ended: int = 0
    left: int = 0
    is_dry_run: bool = False


async def empty_entries(view: View, asked: Asked, command: EmptyEntries, rules: Rules) -> Decision:
    """Remove the entries, unless the list has come to apply somewhere in the meantime."""
    check_may_suppress(asked.caller)
    check_applies_nowhere(view.book, asked.caller.contact_centre_id, command.suppression_list_id)
    return Decision(lifted=command.keys, is_silent=not command.is_noted)


def check_applies_nowhere(book: ReferenceBook, contact_centre_id: int, suppression_list_id: int) -> None:
    """Raise ``AlreadyInUse`` while a list keeps anybody from being called, ``NotFound`` when it is gone."""
    if suppression_list_id == CENTRE_LIST:
        raise AlreadyInUse("the contact centre's own list always applies; remove its entries one by one")
    stored = book.object(contact_centre_id, ObjectKind.SUPPRESSION_LIST, suppression_list_id)
    if stored is None or not isinstance(stored.value, SuppressionList):
        raise NotFound("the suppression list no longer exists")
    if not stored.value.is_enabled:
        return
    if stored.value.is_required:
        raise AlreadyInUse("the suppression list applies to every campaign; switch it off first")
    for user in users_of(book, ObjectKind.SUPPRESSION_LIST, contact_centre_id, suppression_list_id):
        if user.kind is ObjectKind.CAMPAIGN:
            raise AlreadyInUse(f"the suppression list applies to the campaign {user.value.name}; switch it off first")


class Emptying:
    """Empties suppression lists; one per process. ``submit`` is the writer's."""

    def __init__(self, store: Store, clock: Clock, submit: Submit) -> None:
        self._store = store
        self._clock = clock
        self._submit = submit

    async def count(self, caller: Caller, target: SuppressionList) -> EmptyingReport:
        """How many entries would go; changes nothing. Cost: reads all entries of the contact centre."""
        check_may_suppress(caller)
        counts = await self._store.suppression_counts(target.contact_centre_id, self._clock.now_s())
        entries, ended = counts.get(target.suppression_list_id, (0, 0))
        return EmptyingReport(list_name=target.name, entries=entries, ended=ended, is_dry_run=True)

    async def empty(
        self,
        caller: Caller,
        book: ReferenceBook,
        target: SuppressionList,
        reason: str,
        *,
        door: Door = Door.INSIDE,
        on_step: OnStep = lambda _: None,
    ) -> EmptyingReport:
        """Remove all entries of a list, for good, ended ones too; ``reason`` is kept in the audit.

        Broken off it is simply asked for again. Raises ``AlreadyInUse`` for a list that applies somewhere.
        """
        reason = text_of("reason", reason)
        if not reason:
            raise MissingParameter("reason is required")
        found = await self.count(caller, target)
        check_applies_nowhere(book, target.contact_centre_id, target.suppression_list_id)
        query = SuppressionQuery(
            contact_centre_id=target.contact_centre_id,
            suppression_list_id=target.suppression_list_id,
            limit=MAX_ENTRIES_AT_ONCE,
        )
        gone = 0
        is_last = False
        while not is_last:
            page = await self._store.suppression_entries(query)
            is_last = len(page) < query.limit
            keys = [entry.key for entry in page]
            # The first row stands in the audit with the first entry that goes, also when the rest is broken off.
            count = f"{gone + len(keys)}" if is_last else f"begins with {found.entries}"
            note = f"{count} from {target.name}: {reason}"
            await self._submit(
                Asked(
                    caller=caller,
                    command=EmptyEntries(
                        suppression_list_id=target.suppression_list_id, keys=keys, is_noted=is_last or not gone
                    ),
                    request_type=RequestType.SUPPRESSION_EMPTY,
                    door=door,
                    reference=note,
                )
            )
            gone += len(keys)
            on_step(gone)
            if page:
                # What was removed is not looked at again: its dead rows would make each page dearer than the last.
                query = msgspec.structs.replace(query, after=page[-1].key)
        left = (await self.count(caller, target)).entries
        return EmptyingReport(list_name=target.name, entries=gone, ended=found.ended, left=left)
