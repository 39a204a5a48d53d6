"""Do-not-call: which entries keep a record from being called.

Asked when chains are claimed, again when one is handed out, and by whoever explains. Entries need no mirror: each
question goes to the table, so an entry holds from the commit that made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import Suppression, SuppressionKey
from trunkline.app.spellings import number_keys
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.records import Record, RecordKey
from trunkline.domain.suppression import CENTRE_LIST, Contact
from trunkline.errors import NotFound


def account_of(record: Record, calling_list: CallingList | None) -> str | None:
    """The account a record is about, when its list says which field holds it."""
    return None if calling_list is None else calling_list.account_in(record.other_fields)


def contacts_of(record: Record, calling_list: CallingList | None) -> list[Contact]:
    """Everything by which a record may be found in a suppression list."""
    region = "" if calling_list is None else calling_list.default_region
    contacts = [(DoNotCallKind.NUMBER, key) for key in number_keys(record.phone_number, region)]
    if record.customer_id:
        contacts.append((DoNotCallKind.CUSTOMER, record.customer_id))
    account = account_of(record, calling_list)
    if account is not None:
        contacts.append((DoNotCallKind.ACCOUNT, account))
    return contacts


def by_record(
    contacts: dict[RecordKey, list[Contact]], hits: dict[Contact, list[Suppression]]
) -> dict[RecordKey, list[Suppression]]:
    """Hits by the records whose contacts they are; records without one are left out."""
    found = {key: [entry for contact in each for entry in hits.get(contact, ())] for key, each in contacts.items()}
    return {key: entries for key, entries in found.items() if entries}


def amended(
    hits: dict[Contact, list[Suppression]],
    added: Iterable[Suppression],
    lifted: frozenset[SuppressionKey] | set[SuppressionKey],
    campaign: Campaign,
    suppression_list_ids: Sequence[int],
    now_s: int,
) -> dict[Contact, list[Suppression]]:
    """Stored hits after what a batch has lifted and added so far."""
    if lifted:
        hits = {contact: [e for e in entries if e.key not in lifted] for contact, entries in hits.items()}
    for entry in added:
        if (
            entry.contact_centre_id == campaign.contact_centre_id
            and entry.campaign_id in (None, campaign.campaign_id)
            and (entry.suppression_list_id == CENTRE_LIST or entry.suppression_list_id in suppression_list_ids)
            and entry.holds(now_s)
        ):
            hits.setdefault(entry.contact, []).append(entry)
    return hits


def list_of(book: ReferenceBook, record: Record) -> CallingList | None:
    """The record's calling list, None when it was deleted since."""
    try:
        return book.list_by_id(record.contact_centre_id, record.list_id)
    except NotFound:
        return None
