"""Work on suppression lists: entries added, removed and looked up, each change with a row in the audit.

The contact centre's own list has no object; its name is ``own``. Entries are added and removed through the writer like
every other change, so the server's requests see them from the next one on.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.numbers import NumberReader
from trunkline.app.ports import Store, StoredRow, Suppression, SuppressionKey, SuppressionQuery
from trunkline.app.spellings import e164, number_keys
from trunkline.app.view import Decision, View
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.import_specifications import NumberCheck
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Caller, Role
from trunkline.domain.records import MAX_PHONE_NUMBER, check_phone_number
from trunkline.domain.suppression import CENTRE_LIST, Contact, SuppressionList, contact_key
from trunkline.errors import Forbidden, NotFound, OutOfRange, TooLarge

OWN = "own"
"""The name of the contact centre's own list."""
MAX_ENTRIES_AT_ONCE = 5_000
"""Entries of one commit: some 100 ms of database work, which is how long an agent's request may wait behind it."""
MAX_VALUE = 64
"""Characters of a customer id or an account, as the original's do-not-call table has."""
MAX_TEXT = 255
"""Characters of a reason or a source, as the original's message column has."""
MAX_FOUND = 100
"""Entries of one contact in one list that a look-up shows: one for each campaign."""
EARLIEST_S, LATEST_S = 1_000_000_000, 4_102_444_800
"""2001-09-09 and 2100-01-01: a moment outside was meant otherwise (a date without separators, milliseconds)."""
DAY_S = 86_400

Submit = Callable[[Asked], Awaitable[StoredRow | None]]
"""``Writer.submit``."""


class AddEntries(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of one list. Only the last portion of an import leaves a row in the audit."""

    suppression_list_id: int
    entries: Sequence[Suppression]
    is_last: bool = True


class RemoveEntries(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of entries to remove; those that are not there are no fault."""

    keys: Sequence[SuppressionKey]


def check_may_suppress(caller: Caller) -> None:
    """Raise ``Forbidden`` unless the caller is a supervisor or an administrator."""
    if not caller.has_role(Role.SUPERVISOR, Role.ADMINISTRATOR):
        raise Forbidden("only a supervisor or an administrator works on suppression lists")


async def add_entries(view: View, asked: Asked, command: AddEntries, rules: Rules) -> Decision:
    """Add entries; those that are there already stay as they are, unless the new ones reach further."""
    check_may_suppress(asked.caller)
    _check_list(view.book, asked.caller.contact_centre_id, command.suppression_list_id)
    return Decision(suppressions=command.entries, is_silent=not command.is_last)


async def remove_entries(view: View, asked: Asked, command: RemoveEntries, rules: Rules) -> Decision:
    """Remove entries."""
    check_may_suppress(asked.caller)
    return Decision(lifted=[key for key in command.keys if key.contact_centre_id == asked.caller.contact_centre_id])


def _check_list(book: ReferenceBook, contact_centre_id: int, suppression_list_id: int) -> None:
    if suppression_list_id == CENTRE_LIST:
        return
    if book.object(contact_centre_id, ObjectKind.SUPPRESSION_LIST, suppression_list_id) is None:
        raise NotFound("the suppression list no longer exists")


def list_named(book: ReferenceBook, contact_centre_id: int, name: str) -> SuppressionList:
    """The suppression list of that name, ``own`` for the contact centre's own; else ``NotFound``."""
    if name == OWN:
        return SuppressionList(contact_centre_id=contact_centre_id, suppression_list_id=CENTRE_LIST, name=OWN)
    stored = book.object_named(contact_centre_id, ObjectKind.SUPPRESSION_LIST, name)
    if stored is None or not isinstance(stored.value, SuppressionList):
        raise NotFound("there is no suppression list with this name")
    return stored.value


def lists_of(book: ReferenceBook, contact_centre_id: int) -> list[SuppressionList]:
    """The contact centre's own list and all others, by number."""
    values = [stored.value for stored in book.objects_of(contact_centre_id, ObjectKind.SUPPRESSION_LIST)]
    return [list_named(book, contact_centre_id, OWN), *(one for one in values if isinstance(one, SuppressionList))]


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as a person, a file or a program gives it; empty texts stand for what is not given.

    ``campaign`` is a campaign's name. ``expires`` is a date (the entry holds to its end, UTC), a moment with its zone,
    or Unix seconds; ``never`` overrules the list's default. ``added`` is a moment in the past, for entries that come
    from another list.
    """

    value: str
    kind: str = ""
    campaign: str = ""
    expires: str = ""
    reason: str = ""
    source: str = ""
    added: str = ""


class Wrong(OutOfRange):
    """An entry cannot be taken; ``field`` is the one at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field = field
        self.reason = message


class EntryMaker:
    """Makes entries of one list of what is given.

    ``region`` (two letters) is that of numbers without a country code; empty: the list's own. ``default_reason``
    stands for a reason that is not given, ``source`` for a source, before the list's own.
    """

    def __init__(
        self,
        book: ReferenceBook,
        target: SuppressionList,
        now_ms: int,
        added_by: int | None,
        *,
        region: str = "",
        default_reason: str = "",
        source: str = "",
    ) -> None:
        self.target = target
        self.region = region or target.region
        # Without a region only numbers with a country code are read, and those are the same in every region.
        self._numbers = NumberReader(self.region or "US", NumberCheck.POSSIBLE)
        self._book = book
        self._now_ms = now_ms
        self._added_by = added_by or None
        self._reason = text_of("reason", default_reason)
        self._source = text_of("source", source) or target.source
        self._campaigns: dict[str, int] = {}

    def entry(self, given: Given) -> Suppression:
        """The entry; ``Wrong`` says what cannot be taken and why."""
        kind = self._kind(given.kind)
        return Suppression(
            contact_centre_id=self.target.contact_centre_id,
            kind=kind,
            value=self.value(kind, given.value),
            campaign_id=self._campaign(given.campaign),
            suppression_list_id=self.target.suppression_list_id,
            expires_at_s=self._expiry(given.expires),
            added_at_ms=self._added(given.added),
            added_by=self._added_by,
            source=text_of("source", given.source) or self._source,
            reason=text_of("reason", given.reason) or self._reason,
        )

    def _kind(self, text: str) -> DoNotCallKind:
        if not text:
            return self.target.kind
        try:
            return DoNotCallKind(text.strip().lower())
        except ValueError:
            raise Wrong("kind", f"must be one of {', '.join(DoNotCallKind)}") from None

    def value(self, kind: DoNotCallKind, text: str) -> str:
        """A number in E.164, or a customer id or account as it is kept."""
        text = text.strip()
        if not text:
            raise Wrong("value", "is empty")
        if kind is not DoNotCallKind.NUMBER:
            if len(text) > MAX_VALUE or not text.isprintable():
                raise Wrong("value", f"must have 1 to {MAX_VALUE} printable characters")
            return text
        if len(text) > MAX_PHONE_NUMBER:
            raise Wrong("value", f"is longer than {MAX_PHONE_NUMBER} characters")
        if "@" in text:
            if not text.isprintable():
                raise Wrong("value", "holds characters that cannot be printed")
            return text
        return self._number(text)

    def _number(self, text: str) -> str:
        try:
            check_phone_number(text, None)
        except OutOfRange:
            raise Wrong("value", "is no telephone number") from None
        if not self.region and not text.startswith("+"):
            raise Wrong("value", "has no country code; give the region that its numbers are of")
        found = self._numbers.read(text)
        number = e164(text, self.region) if found is None else found[0]
        if number is None:
            raise Wrong("value", f"cannot be a number of {self.region or 'any country'} or an international one")
        return number

    def _campaign(self, name: str) -> int | None:
        if not name:
            return self.target.campaign_id
        if name not in self._campaigns:
            try:
                found = self._book.campaign(self.target.contact_centre_id, name)
            except NotFound:
                raise Wrong("campaign", "is no campaign of this contact centre") from None
            self._campaigns[name] = found.campaign_id
        return self._campaigns[name]

    def _expiry(self, text: str) -> int | None:
        text = text.strip()
        if text.lower() == "never":
            return None
        if not text:
            days = self.target.default_expiry_days
            return self._now_ms // 1000 + days * DAY_S if days else None
        expires_at_s = moment_s("expires_at", text, is_end=True)
        if expires_at_s * 1000 <= self._now_ms:
            raise Wrong("expires_at", "is over already")
        return expires_at_s

    def _added(self, text: str) -> int:
        if not text.strip():
            return self._now_ms
        return min(moment_s("added_at", text.strip(), is_end=False) * 1000, self._now_ms)


def moment_s(field: str, text: str, *, is_end: bool) -> int:
    """Unix seconds of a date (its begin, or its end), a moment with a zone, or Unix seconds; raises ``Wrong``."""
    found: int | None = None
    if text.isascii() and text.isdigit():
        found = int(text) if len(text) <= len(str(LATEST_S)) else 0
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise Wrong(field, "must be a date such as 2027-01-31, or a moment such as 2027-01-31T17:00Z") from None
        if moment.tzinfo is not None:
            found = int(moment.timestamp())
        elif moment.time() == time() and len(text) <= len("2027-01-31"):
            found = int((moment.replace(tzinfo=UTC) + timedelta(days=is_end)).timestamp())
        else:
            raise Wrong(field, "has a time of day but no zone; add Z or an offset such as +01:00")
    if not EARLIEST_S <= found < LATEST_S:
        raise Wrong(field, "must lie between the years 2001 and 2100")
    return found


def text_of(field: str, text: str) -> str:
    """The text as it is kept; raises ``Wrong``."""
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise Wrong(field, f"is longer than {MAX_TEXT} characters")
    if not text.isprintable():
        raise Wrong(field, "holds characters that cannot be printed")
    return text


class Found(msgspec.Struct, frozen=True):
    """An entry that names a contact, the list it stands in, and whether it holds."""

    list_name: str
    entry: Suppression
    holds: bool


async def look_up(
    store: Store, book: ReferenceBook, contact_centre_id: int, kind: DoNotCallKind, value: str, region: str, now_s: int
) -> list[Found]:
    """Every entry of every list that names a contact, ended ones too; lists that do not exist any more are left out.

    A number is looked up as it is given and as a number of ``region``.
    """
    if not value.strip() or len(value) > MAX_PHONE_NUMBER:
        raise TooLarge(f"a contact has 1 to {MAX_PHONE_NUMBER} characters")
    is_number = kind is DoNotCallKind.NUMBER
    keys = number_keys(value.strip(), region) if is_number else (contact_key(kind, value.strip()),)
    found: list[Found] = []
    for target in lists_of(book, contact_centre_id):
        for key in keys:
            query = SuppressionQuery(
                contact_centre_id=contact_centre_id,
                suppression_list_id=target.suppression_list_id,
                kind=kind,
                value_key=key,
                limit=MAX_FOUND,
            )
            found += [Found(target.name, e, e.holds(now_s)) for e in await store.suppression_entries(query)]
    return found


async def existing(store: Store, keys: Sequence[SuppressionKey]) -> list[Suppression]:
    """The entries of those keys that there are."""
    found: list[Suppression] = []
    for key in keys:
        query = SuppressionQuery(
            contact_centre_id=key.contact_centre_id,
            suppression_list_id=key.suppression_list_id,
            kind=key.kind,
            value_key=key.value_key,
            campaign_id=key.campaign_id,
            limit=1,
        )
        found += await store.suppression_entries(query)
    return found


async def existing_of(
    store: Store, book: ReferenceBook, contact_centre_id: int, contacts: Sequence[Contact]
) -> list[Suppression]:
    """Every entry of every list that names one of the contacts, ended ones too."""
    found: list[Suppression] = []
    for target in lists_of(book, contact_centre_id):
        for kind, value_key in contacts:
            query = SuppressionQuery(
                contact_centre_id=contact_centre_id,
                suppression_list_id=target.suppression_list_id,
                kind=kind,
                value_key=value_key,
                limit=MAX_FOUND,
            )
            found += await store.suppression_entries(query)
    return found
