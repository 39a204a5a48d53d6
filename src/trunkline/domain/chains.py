"""Order and fate of the records of one contact.

At most one record of an open chain *carries* it: the one that a callback or a treatment is to dial next. The others
wait with it (CHAIN_READY) and must not be called before it, so they go back to waiting when the chain is given back.
"""

from __future__ import annotations

from collections.abc import Sequence

from trunkline.domain.enums import RecordStatus
from trunkline.domain.records import Happening, Record, is_open, moved
from trunkline.domain.treatments import READ_BACK


def carries(record: Record) -> bool:
    """True for the record that a callback or a treatment chose to be dialed next."""
    return record.record_type in READ_BACK and record.due_at_s is not None


def given_back(chain: Sequence[Record]) -> list[Record]:
    """Those records of a chain that were taken, as they are after it was given back unworked."""
    taken = [record for record in chain if record.status is RecordStatus.RETRIEVED]
    has_carrier = any(carries(record) for record in taken)
    return [
        moved(record, Happening.RETURNED if carries(record) or not has_carrier else Happening.CHAIN_POSTPONED)
        for record in taken
    ]


def left_waiting(chain: Sequence[Record]) -> list[Record]:
    """The records that wait for one that was closed meanwhile, Ready again; none while any other is still open."""
    still_open = [record for record in chain if is_open(record.status)]
    if any(record.status is not RecordStatus.CHAIN_READY for record in still_open):
        return []
    return [moved(record, Happening.RETURNED) for record in still_open]


def worked_record(chain: Sequence[Record]) -> Record | None:
    """The record that was to be dialed: the carrier, else the first of those that were taken; None when none was."""
    taken = [record for record in chain if record.status is RecordStatus.RETRIEVED]
    return next((record for record in taken if carries(record)), taken[0] if taken else None)
