"""A person whose data are asked for or erased: what of a record or an event is theirs, and how it is blanked."""

from __future__ import annotations

import msgspec

from trunkline.domain.events import AnyEvent, RecordAcknowledged, RecordShown
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import Record

ERASED = ""
"""What stands for a number that was erased: it is nobody's and cannot be dialed."""


class Traces(msgspec.Struct, frozen=True):
    """By what a person's rows are recognised: keys of numbers, customer ids, chains (list, chain).

    ``spellings`` are the keys that the numbers have as somebody types them, without their country code too.
    """

    number_keys: frozenset[str]
    customer_ids: frozenset[str]
    chains: frozenset[tuple[int, int]]
    spellings: frozenset[str] = frozenset()

    def has_record(self, record: Record) -> bool:
        """True for a record of the person."""
        return (
            (record.list_id, record.chain_id) in self.chains
            or record.customer_id in self.customer_ids
            or (record.phone_number != ERASED and canonical_number(record.phone_number) in self.number_keys)
        )

    def has_event(self, event: AnyEvent) -> bool:
        """True for an event that names the person."""
        if isinstance(event, RecordShown):
            return self.has_record(event.record)
        if not isinstance(event, RecordAcknowledged):
            return False
        number = event.phone_number
        return (
            (event.record is not None and self.has_record(event.record))
            or (
                number is not None
                and number != ERASED
                and canonical_number(number) in self.number_keys | self.spellings
            )
            or event.customer_id in self.customer_ids
        )


def blanked(record: Record) -> Record:
    """The record without anything that tells whose it is; its place, results and times stay for the counts."""
    return msgspec.structs.replace(record, phone_number=ERASED, customer_id=None, other_fields={})


def blanked_event(event: AnyEvent) -> AnyEvent:
    """The event without anything that tells whom it was about."""
    if isinstance(event, RecordShown):
        return msgspec.structs.replace(event, record=blanked(event.record))
    if not isinstance(event, RecordAcknowledged):
        return event
    return msgspec.structs.replace(
        event,
        record=None if event.record is None else blanked(event.record),
        phone_number=None if event.phone_number is None else ERASED,
        customer_id=None,
    )
