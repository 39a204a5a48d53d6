"""What a document would do to a contact centre: judged by the checks that its changes would meet, written nowhere.

Each entry is judged on top of those before it, as ``trunkline apply`` would carry them out one by one. One that is
refused leaves everything as it was, and the others are judged all the same: a document's faults are told at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from trunkline.app.administration.accounts import Accounts
from trunkline.app.administration.applying import Entry, Plan, Step, kinds_needed, placed
from trunkline.app.administration.items import Draft, Item
from trunkline.app.administration.objects import Administration
from trunkline.app.administration.store import AdminStore, PretendedStore
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Chance, Clock
from trunkline.contract.admin_kinds import Kind
from trunkline.contract.admin_requests import new_value, patched_value, written
from trunkline.domain.people import Caller
from trunkline.domain.permissions import check_permission
from trunkline.errors import Refused, Unavailable

RETRY_AFTER_S = 5
"""A document of some hundred objects is judged in about that time."""


class Outcome(StrEnum):
    """What would become of an entry."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class Judged(msgspec.Struct, frozen=True):
    """An entry and its outcome; ``refusal`` is what ``trunkline apply`` would say and end with."""

    entry: Entry
    outcome: Outcome
    refusal: Refused | None = None


class DryRuns:
    """One per process: one document is judged at a time, for it costs as much as applying it."""

    def __init__(
        self,
        store: AdminStore,
        clock: Clock,
        chance: Chance,
        book: Callable[[], ReferenceBook],
        validation_urls: frozenset[str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._chance = chance
        self._book = book
        self._validation_urls = validation_urls
        self._turn = asyncio.Lock()

    async def judge(self, caller: Caller, entries: list[Entry], reason: str = "") -> list[Judged]:
        """The outcomes, in the order of the entries. ``reason`` is what would be said with each change.

        Raises ``Forbidden`` when the caller may not read what the entries name, ``Unavailable`` while another document
        is judged. Cost: for each entry that is made or changed what a change costs but for its commit.
        """
        needed = kinds_needed(entries)
        for kind in needed:
            check_permission(kind.reads, caller)
        if self._turn.locked():
            raise Unavailable("another document is being judged", RETRY_AFTER_S)
        async with self._turn:
            pretended = PretendedStore(self._store, self._book())
            run = _Run(caller, self._administration(pretended), reason)
            await run.begin(needed)
            return [await run.judged(entry) for entry in entries]

    def _administration(self, pretended: PretendedStore) -> Administration:
        async def unhashed(password: str) -> str:
            return ""

        async def nobody(agent: Caller) -> None:
            """Nobody is logged out."""

        async def fresh() -> None:
            """The pretended book is always fresh."""

        accounts = Accounts(pretended, self._clock, self._chance, unhashed, nobody)
        return Administration(pretended, self._clock, lambda: pretended.book, fresh, accounts, self._validation_urls)


class _Run:
    """One document on its way."""

    def __init__(self, caller: Caller, administration: Administration, reason: str) -> None:
        self._caller = caller
        self._reason = reason
        self._administration = administration
        self._plan = Plan({})

    async def begin(self, kinds: Iterable[Kind]) -> None:
        """Read what is there."""
        present = {
            kind.kind: [_shown(kind, item) for item in await self._administration.items(self._caller, kind)]
            for kind in kinds
        }
        self._plan = Plan(present)

    async def judged(self, entry: Entry) -> Judged:
        """Judge an entry and take in what it would do."""
        await asyncio.sleep(0)  # agents are served between two entries
        try:
            step = self._plan.step(entry)
            if not step.is_needed:
                return Judged(entry, Outcome.UNCHANGED)
            item = await self._carried_out(step)
        except Refused as error:
            self._plan.refuse(entry)
            return Judged(entry, Outcome.REFUSED, error)
        self._plan.done(step, _shown(entry.kind, item))
        if step.is_new:
            return Judged(entry, Outcome.MADE)
        return Judged(entry, Outcome.UNCHANGED if item.version == step.version else Outcome.CHANGED)

    async def _carried_out(self, step: Step) -> Item:
        kind, caller = step.entry.kind, self._caller
        centre = caller.contact_centre_id
        try:
            check_permission(kind.writes, caller)
            body = written(kind, {**step.fields, "referenceId": step.entry.fields.get("referenceId")})
            if step.is_new:
                value = new_value(kind, centre, 0, body.fields)
                draft = Draft(value=value, reference=body.reference, reason=self._reason, password=body.password)
                return await self._administration.create(caller, kind, draft)

            def make(present: Item) -> Draft:
                value = patched_value(kind, centre, step.object_id, present.value, body.fields)
                return Draft(value=value, reason=self._reason)

            return await self._administration.replace(caller, kind, step.object_id, step.version, make)
        except Refused as error:
            raise placed(step.entry, error) from None


def _shown(kind: Kind, item: Item) -> dict[str, object]:
    """An object as a plan looks at it."""
    return {**kind.shape.write(item.value), "id": item.object_id, "version": item.version}
