"""What is kept about one person: shown as a whole, or erased.

A person is a number or a customer. Theirs are the records with that number, those of the customers whom these name, or
those of the customer asked for; the other records of the same chains (a chain is one contact); and what the attempt log
and the journal hold about these. Who shares a number with others is asked for as a customer.

Erasing goes in an order in which nothing comes back. The records first, through the writer, so that whatever an agent
does next meets the blanked ones: their numbers and fields go, open ones are cancelled, those on a desk are taken away.
Then the attempt log: rows stay, so that counts and audits stay right, under keys drawn by chance that lead to nobody;
nothing keeps which. Then the events of the journal. Entries of suppression lists stay: whoever asked not to be called
must not be called because their data were erased.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from trunkline.app.asking import Asked, Rules
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Clock, Store, StoredRow, Suppression
from trunkline.app.rescue import withdrawn
from trunkline.app.spellings import as_typed, e164, number_keys
from trunkline.app.suppression.entries import OWN, AddEntries, EntryMaker, Given, Submit, existing_of, list_named
from trunkline.app.suppression.matching import account_of, list_of
from trunkline.app.view import Decision, View
from trunkline.domain.attempts import StoredAttempt
from trunkline.domain.enums import DoNotCallKind, Door, RecordType, RequestType
from trunkline.domain.people import Caller
from trunkline.domain.permissions import Permission, check_permission
from trunkline.domain.persons import Traces, blanked, blanked_event
from trunkline.domain.records import MAX_PHONE_NUMBER, Happening, Record, RecordKey, is_open, moved
from trunkline.domain.suppression import Contact
from trunkline.errors import MissingParameter, OutOfRange, TooLarge

MAX_RECORDS = 1000
"""Records of one person: more are a switchboard, or a customer id that stands for everybody."""
MAX_ATTEMPTS = 100_000
"""Rows of the attempt log about one person: nobody is called that often."""
ATTEMPTS_AT_ONCE = 1000
JOURNAL_ROWS = 20_000
"""Rows of the journal looked at in one question: a fraction of a second each."""
MAX_REASON = 255


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is meant: one of the two. ``region`` (two letters) is that of a number without a country code."""

    number: str = ""
    customer_id: str = ""
    region: str = ""


class EraseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """``reason`` goes into the audit. ``is_to_suppress`` enters the person into the contact centre's own list first."""

    reason: str
    is_dry_run: bool = False
    is_to_suppress: bool = False
    door: Door = Door.INSIDE


class PersonData(msgspec.Struct, kw_only=True):
    """Everything that is kept about a person."""

    traces: Traces
    records: list[Record]
    attempts: list[StoredAttempt]
    journal: list[StoredRow]
    suppressions: list[Suppression]

    @property
    def person_keys(self) -> frozenset[str]:
        """Keys of the person in the attempt log."""
        customers = {f"c{customer_id}" for customer_id in self.traces.customer_ids}
        return frozenset({f"#{chain_id}" for _, chain_id in self.traces.chains} | customers)


class EraseReport(msgspec.Struct, kw_only=True, rename="camel"):
    """What was erased, or would be."""

    is_dry_run: bool
    records: int = 0
    attempts: int = 0
    journal_rows: int = 0
    undo_records: int = 0
    suppressions_kept: int = 0


class EraseRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Blank the records of some chains that are a person's; the audit's row says why."""

    chains: Sequence[tuple[int, int]]


class NoteExport(msgspec.Struct, frozen=True):
    """Leave a row in the audit: somebody was given all data of a person."""


async def note_export(view: View, asked: Asked, command: NoteExport, rules: Rules) -> Decision:
    """Change nothing; the audit gets its row."""
    check_permission(Permission.ADMINISTER, asked.caller)
    return Decision()


async def erase_records(view: View, asked: Asked, command: EraseRecords, rules: Rules) -> Decision:
    """Blank all records of the chains; open ones are cancelled and leave their desk."""
    check_permission(Permission.ADMINISTER, asked.caller)
    centre = asked.caller.contact_centre_id
    decision = Decision()
    records, off_desk, notices = [], [], []
    for list_id, chain_id in command.chains:
        for record in await view.chain(centre, list_id, chain_id):
            if is_open(record.status):
                # Also what lies in a buffer is judged by its type when it is handed out.
                record_type = RecordType.NO_CALL
                records.append(blanked(moved(record, Happening.CANCELLED, record_type=record_type)))
            else:
                records.append(blanked(record))
        for entry in await view.entries_of_chain(centre, list_id, chain_id):
            off_desk.append(entry)
            event = None if entry.is_settled else withdrawn(view, entry)
            if event is not None:
                notices.append((entry, event))
    decision.records, decision.off_desk, decision.notices = records, off_desk, notices
    return decision


class Persons:
    """Shows and erases. ``submit`` is the writer's, ``draw`` yields an unguessable text."""

    def __init__(
        self, store: Store, submit: Submit, clock: Clock, book: Callable[[], ReferenceBook], draw: Callable[[], str]
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._book = book
        self._draw = draw

    async def export(self, caller: Caller, person: Person, door: Door = Door.INSIDE) -> dict[str, Any]:
        """Everything that is kept about a person, as one JSON object; leaves a row in the audit.

        ``Forbidden`` unless the caller is an administrator.
        """
        check_permission(Permission.ADMINISTER, caller)
        data = await self._find(caller, person)
        await self._submit(
            Asked(caller=caller, command=NoteExport(), request_type=RequestType.PERSON_EXPORT, door=door)
        )
        return shown(data, self._book())

    async def erase(self, caller: Caller, person: Person, order: EraseOrder) -> EraseReport:
        """Erase what is kept about a person, or say what would be. Doing it again finds nothing more.

        ``Forbidden`` unless the caller is an administrator, ``MissingParameter`` without a reason.
        """
        check_permission(Permission.ADMINISTER, caller)
        reason = order.reason.strip()
        if not reason:
            raise MissingParameter("reason is required: the audit keeps why the data of a person were erased")
        if len(reason) > MAX_REASON or not reason.isprintable():
            raise OutOfRange(f"reason has 1 to {MAX_REASON} printable characters")
        data = await self._find(caller, person)
        report = EraseReport(
            is_dry_run=order.is_dry_run,
            records=len(data.records),
            attempts=len(data.attempts),
            journal_rows=len(data.journal),
            suppressions_kept=len(data.suppressions),
        )
        if order.is_dry_run:
            return report
        if order.is_to_suppress:
            await self._suppress(caller, person, order)
        chains = sorted({(record.list_id, record.chain_id) for record in data.records})
        kind = RequestType.PERSON_ERASE
        command = EraseRecords(chains=chains)
        await self._submit(Asked(caller=caller, command=command, request_type=kind, door=order.door, reference=reason))
        centre = caller.contact_centre_id
        report.undo_records = await self._store.forget_undo([(centre, *chain) for chain in chains])
        await self._rename(centre, data)
        # Asked for again: an agent may have worked on the record until a moment ago.
        rows = await self._journal(centre, data.traces)
        report.journal_rows = len(rows)
        await self._store.rewrite_journal([_blanked_row(stored, data.traces) for stored in rows])
        return report

    async def _suppress(self, caller: Caller, person: Person, order: EraseOrder) -> None:
        book = self._book()
        target = list_named(book, caller.contact_centre_id, OWN)
        maker = EntryMaker(book, target, self._clock.now_ms(), caller.user_id, region=person.region)
        kind = DoNotCallKind.CUSTOMER if person.customer_id else DoNotCallKind.NUMBER
        given = Given(value=person.customer_id or person.number, kind=kind.value, reason=order.reason, source="erasure")
        command = AddEntries(suppression_list_id=target.suppression_list_id, entries=[maker.entry(given)])
        request_type = RequestType.SUPPRESSION_ADD
        await self._submit(
            Asked(caller=caller, command=command, request_type=request_type, door=order.door, reference=order.reason)
        )

    async def _rename(self, contact_centre_id: int, data: PersonData) -> None:
        about, persons = data.traces.number_keys, data.person_keys
        numbers = about | {one.row.number_key for one in data.attempts}
        texts = sorted({text for text in (*numbers, *data.traces.customer_ids) if text})
        drawn = {key: f"x{self._draw()}" for key in sorted(numbers | persons) if key}
        renamed = [{key: drawn[key] for key in keys if key} for keys in (numbers, persons)]
        await self._store.rename_attempts(contact_centre_id, about, renamed[0], renamed[1], texts)

    async def _find(self, caller: Caller, person: Person) -> PersonData:
        if bool(person.number) == bool(person.customer_id):
            raise MissingParameter("either a number or a customer id is required")
        if len(person.number or person.customer_id) > MAX_PHONE_NUMBER:
            raise TooLarge(f"a number or customer id has at most {MAX_PHONE_NUMBER} characters")
        if person.number and person.region and e164(person.number, person.region) is None:
            raise OutOfRange("number cannot be a number of region or an international one")
        centre = caller.contact_centre_id
        keys = (
            frozenset(key for key in number_keys(person.number, person.region) if key) if person.number else frozenset()
        )
        records = await self._records(centre, keys, person.customer_id)
        customers = {record.customer_id for record in records if record.customer_id}
        customers |= {person.customer_id} if person.customer_id else set()
        chains = frozenset((record.list_id, record.chain_id) for record in records)
        traces = Traces(keys, frozenset(customers), chains, frozenset(key for one in keys for key in as_typed(one)))
        data = PersonData(traces=traces, records=records, attempts=[], journal=[], suppressions=[])
        data.attempts = await self._attempts(centre, data)
        data.journal = await self._journal(centre, traces)
        data.suppressions = await self._suppressions(centre, data)
        return data

    async def _records(self, contact_centre_id: int, keys: frozenset[str], customer_id: str) -> list[Record]:
        lists = [entry.list_id for entry in self._book().lists_of(contact_centre_id)]
        found: dict[RecordKey, Record] = {}
        asked: set[Contact] = set()
        contacts: set[Contact] = {(DoNotCallKind.NUMBER, key) for key in keys}
        contacts |= {(DoNotCallKind.CUSTOMER, customer_id)} if customer_id else set()
        async with self._store.begin() as unit:
            while contacts:
                for kind, value in sorted(contacts):
                    for record in await unit.records_of_contact(contact_centre_id, lists, kind, value, MAX_RECORDS + 1):
                        found[record.key] = record
                for chain in sorted({key[:3] for key in found}):
                    found.update({record.key: record for record in await unit.chain(*chain)})
                if len(found) > MAX_RECORDS:
                    raise TooLarge(f"more than {MAX_RECORDS} records belong to this number or customer id")
                asked |= contacts
                named = {(DoNotCallKind.CUSTOMER, one.customer_id) for one in found.values() if one.customer_id}
                contacts = named - asked
        return [found[key] for key in sorted(found)]

    async def _attempts(self, contact_centre_id: int, data: PersonData) -> list[StoredAttempt]:
        found: list[StoredAttempt] = []
        keys = (sorted(data.traces.number_keys), sorted(data.person_keys))
        while len(found) < MAX_ATTEMPTS:
            after_seq = found[-1].seq if found else 0
            portion = await self._store.attempts_about(contact_centre_id, *keys, after_seq, ATTEMPTS_AT_ONCE)
            found += portion
            if len(portion) < ATTEMPTS_AT_ONCE:
                break
        return found

    async def _journal(self, contact_centre_id: int, traces: Traces) -> list[StoredRow]:
        texts = [f'"phone_number":"+{key}"' for key in traces.number_keys if key.isdigit()]
        texts += [f'"phone_number":{_literal(key)}' for key in traces.number_keys if key]
        texts += [f'"customer_id":{_literal(customer_id)}' for customer_id in traces.customer_ids]
        texts += [f'"list_id":{list_id},"chain_id":{chain_id},' for list_id, chain_id in traces.chains]
        # However a number is typed, it ends in its last two digits; which of those rows are meant is seen afterwards.
        texts += [f'{key[-2:]}"' for key in traces.number_keys if key.isdigit()]
        span = await self._store.journal_span()
        found: list[StoredRow] = []
        for after_seq in range(span.pruned_to, span.newest, JOURNAL_ROWS):
            rows = await self._store.journal_about(contact_centre_id, texts, after_seq, after_seq + JOURNAL_ROWS)
            found += [one for one in rows if any(traces.has_event(event) for event in one.row.events)]
        return found

    async def _suppressions(self, contact_centre_id: int, data: PersonData) -> list[Suppression]:
        book = self._book()
        contacts: set[Contact] = {(DoNotCallKind.NUMBER, key) for key in data.traces.number_keys if key}
        for record in data.records:
            contacts.update((DoNotCallKind.NUMBER, key) for key in _keys_of(book, record) if key)
            if record.customer_id:
                contacts.add((DoNotCallKind.CUSTOMER, record.customer_id))
            account = account_of(record, list_of(book, record))
            if account is not None:
                contacts.add((DoNotCallKind.ACCOUNT, account))
        contacts.update((DoNotCallKind.CUSTOMER, customer_id) for customer_id in data.traces.customer_ids)
        return await existing_of(self._store, book, contact_centre_id, sorted(contacts))


def _keys_of(book: ReferenceBook, record: Record) -> tuple[str, ...]:
    calling_list = list_of(book, record)
    return number_keys(record.phone_number, "" if calling_list is None else calling_list.default_region)


def _literal(text: str) -> str:
    return msgspec.json.encode(text).decode()


def _blanked_row(stored: StoredRow, traces: Traces) -> StoredRow:
    events = tuple(blanked_event(event) if traces.has_event(event) else event for event in stored.row.events)
    return StoredRow(stored.seq, msgspec.structs.replace(stored.row, events=events))


def shown(data: PersonData, book: ReferenceBook) -> dict[str, Any]:
    """The data as one JSON object; fields by their names, with lists by name."""
    names = {}
    for record in data.records:
        calling_list = list_of(book, record)
        names[record.list_id] = None if calling_list is None else calling_list.name
    return {
        "records": [{**_camel(record), "callingList": names[record.list_id]} for record in data.records],
        "attempts": [{"seq": one.seq, **_camel(one.row), "step": one.row.step.name} for one in data.attempts],
        "requests": [
            {"seq": one.seq, **_camel(one.row), "requestType": one.row.request_type.name} for one in data.journal
        ],
        "suppressions": [_camel(entry) for entry in data.suppressions],
    }


def _camel(struct: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(struct, str_keys=True)
    return {_camel_name(name): value for name, value in found.items()}


def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
