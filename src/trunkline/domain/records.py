"""A calling-list record and its legal changes of status.

``TRANSITIONS`` is the whole machine (outbound domain 2.1): the manual's picture is drawn from it
and every change of status in the program goes through ``next_status``.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.domain.eligibility import Window
from trunkline.domain.enums import CallResult, Hold, PhoneType, RecordStatus, RecordType
from trunkline.errors import InvalidState, OutOfRange, TooLarge


class Happening(StrEnum):
    """What can befall a record."""

    TAKEN = "taken"
    """Handed out: to a desk or into a group's buffer, the whole chain at once."""
    RETURNED = "returned"
    """Given back unworked: rejected, filter changed, group stopped or unloaded; what it waited for is gone."""
    FINISHED = "finished"
    """Final result stored."""
    CHAIN_ENDED = "chain ended"
    """Another record of the chain ended the chain."""
    RETRY_SCHEDULED = "retry scheduled"
    CALLBACK_SET = "callback set"
    CHAIN_POSTPONED = "chain postponed"
    """A sibling carries the chain's callback; this one waits with it."""
    CANCELLED = "cancelled"
    DO_NOT_CALL = "do not call"
    LEASE_ENDED = "lease ended"
    """The agent left, or never reported within the lease."""
    AGENT_FAILED = "agent failed"
    CALLBACK_MISSED = "callback missed"
    DELEGATED = "delegated"
    RESET = "reset"
    """A supervisor makes it callable again, as if it had never been called."""


_S = RecordStatus
_OPEN = (_S.READY, _S.RETRIEVED, _S.CHAIN_READY, _S.MISSED_CALL_BACK)
_CLOSED = (_S.UPDATED, _S.STALE, _S.CANCELLED, _S.AGENT_ERROR, _S.CHAIN_UPDATED, _S.DELEGATED, _S.NO_RECORD_STATUS)

TRANSITIONS: dict[tuple[RecordStatus, Happening], RecordStatus] = {
    (_S.READY, Happening.TAKEN): _S.RETRIEVED,
    (_S.CHAIN_READY, Happening.TAKEN): _S.RETRIEVED,
    (_S.MISSED_CALL_BACK, Happening.TAKEN): _S.RETRIEVED,
    (_S.RETRIEVED, Happening.RETURNED): _S.READY,
    (_S.CHAIN_READY, Happening.RETURNED): _S.READY,
    (_S.RETRIEVED, Happening.FINISHED): _S.UPDATED,
    (_S.RETRIEVED, Happening.CHAIN_ENDED): _S.CHAIN_UPDATED,
    (_S.READY, Happening.CHAIN_ENDED): _S.CHAIN_UPDATED,
    (_S.CHAIN_READY, Happening.CHAIN_ENDED): _S.CHAIN_UPDATED,
    (_S.MISSED_CALL_BACK, Happening.CHAIN_ENDED): _S.CHAIN_UPDATED,
    (_S.RETRIEVED, Happening.RETRY_SCHEDULED): _S.READY,
    (_S.RETRIEVED, Happening.CALLBACK_SET): _S.READY,
    (_S.READY, Happening.CALLBACK_SET): _S.READY,
    (_S.RETRIEVED, Happening.CHAIN_POSTPONED): _S.CHAIN_READY,
    (_S.READY, Happening.CHAIN_POSTPONED): _S.CHAIN_READY,
    **{(status, Happening.CANCELLED): _S.CANCELLED for status in _OPEN},
    **{(status, Happening.DO_NOT_CALL): _S.UPDATED for status in _OPEN},
    (_S.RETRIEVED, Happening.LEASE_ENDED): _S.STALE,
    (_S.RETRIEVED, Happening.AGENT_FAILED): _S.AGENT_ERROR,
    (_S.READY, Happening.CALLBACK_MISSED): _S.MISSED_CALL_BACK,
    (_S.RETRIEVED, Happening.CALLBACK_MISSED): _S.MISSED_CALL_BACK,
    (_S.MISSED_CALL_BACK, Happening.RETRY_SCHEDULED): _S.READY,
    (_S.MISSED_CALL_BACK, Happening.CALLBACK_SET): _S.READY,
    (_S.MISSED_CALL_BACK, Happening.AGENT_FAILED): _S.AGENT_ERROR,
    (_S.RETRIEVED, Happening.DELEGATED): _S.DELEGATED,
    **{(status, Happening.RESET): _S.READY for status in (*_CLOSED, _S.MISSED_CALL_BACK, _S.READY, _S.CHAIN_READY)},
}
"""(status, what happens) -> next status; a pair that is missing is illegal."""


def is_open(status: RecordStatus) -> bool:
    """True while a record may still be called some day."""
    return status in _OPEN


def next_status(status: RecordStatus, happening: Happening) -> RecordStatus:
    """The status after ``happening``; ``InvalidState`` when the machine has no such step."""
    try:
        return TRANSITIONS[status, happening]
    except KeyError:
        raise InvalidState(f"a record in status {status.name} cannot be {happening}") from None


FieldValue = str | int | float | bool | None
MAX_FIELDS = 100
"""Custom fields a record may carry: wide formats of the field have 30 to 60 columns."""
MAX_FIELD_NAME = 64
"""The length of an identifier in the databases that such lists come from."""
MAX_FIELD_TEXT = 4096
"""Characters of one value: a note, not a document; 100 of them still fit a message."""
MAX_PHONE_NUMBER = 128
"""Column contact_info."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a calling list: one number of one customer (outbound domain 1.1).

    ``due_at_s`` and ``called_at_s`` are Unix seconds or None. ``agent_id`` is the user who owns a
    personal callback or worked the record last. ``region`` and ``other_zones``: see ``Window``. ``hold`` says why
    there is a due time that neither a callback nor a treatment gave. ``version`` grows with every stored change.
    """

    contact_centre_id: int
    list_id: int
    chain_id: int
    chain_n: int
    record_id: int
    phone_number: str
    phone_type: PhoneType = PhoneType.HOME_PHONE
    record_type: RecordType = RecordType.GENERAL
    status: RecordStatus = RecordStatus.READY
    call_result: CallResult = CallResult.UNKNOWN
    attempts: int = 0
    due_at_s: int | None = None
    called_at_s: int | None = None
    time_zone: str = "PST"
    from_s: int = 28_800
    until_s: int = 64_800
    region: str = ""
    other_zones: tuple[str, ...] = ()
    campaign_id: int | None = None
    agent_id: int | None = None
    customer_id: str | None = None
    treatments: str = ""
    hold: Hold = Hold.NONE
    other_fields: dict[str, FieldValue] = {}
    version: int = 1

    @property
    def window(self) -> Window:
        """When this record may be called."""
        return Window(self.time_zone, self.from_s, self.until_s, self.region, self.other_zones)

    @property
    def key(self) -> RecordKey:
        """The primary key."""
        return (self.contact_centre_id, self.list_id, self.chain_id, self.chain_n)


RecordKey = tuple[int, int, int, int]
"""contact centre, list, chain, place in the chain."""


class FieldChanges(msgspec.Struct, frozen=True, kw_only=True):
    """Values to write into a record; None leaves a field as it is."""

    phone_number: str | None = None
    phone_type: PhoneType | None = None
    time_zone: str | None = None
    from_s: int | None = None
    until_s: int | None = None
    call_result: CallResult | None = None
    attempts: int | None = None
    other_fields: dict[str, FieldValue] | None = None

    def apply(self, record: Record) -> Record:
        """The record with these values; ``TooLarge`` when its custom fields grow over ``MAX_FIELDS``."""
        changed = {name: value for name in _PLAIN if (value := getattr(self, name)) is not None}
        if self.other_fields:
            merged = {**record.other_fields, **self.other_fields}
            if len(merged) > MAX_FIELDS:
                raise TooLarge(f"a record holds at most {MAX_FIELDS} custom fields")
            changed["other_fields"] = merged
        return msgspec.structs.replace(record, **changed) if changed else record


_PLAIN = ("phone_number", "phone_type", "time_zone", "from_s", "until_s", "call_result", "attempts")
_DIALING_CHARACTERS = frozenset("0123456789+()-./ *#,;xXABCDabcd")


def check_phone_number(number: str, phone_type: PhoneType | None) -> None:
    """Raise ``OutOfRange`` unless the text can be dialed (or is an address, for e-mail and messaging)."""
    if not number.strip() or not number.isprintable():
        raise OutOfRange("phoneNumber must hold printable characters")
    if len(number) > MAX_PHONE_NUMBER:
        raise TooLarge(f"phoneNumber is longer than {MAX_PHONE_NUMBER} characters")
    if phone_type is not None and not phone_type.is_dialable:
        return
    if phone_type is None and "@" in number:
        return
    if not set(number) <= _DIALING_CHARACTERS or not any(c.isdigit() for c in number):
        raise OutOfRange("phoneNumber may hold digits, + ( ) - . / * # , ; x and spaces, and at least one digit")


def moved(record: Record, happening: Happening, **changes: object) -> Record:
    """The record after ``happening``, with further field changes; raises ``InvalidState`` as the machine says."""
    return msgspec.structs.replace(record, status=next_status(record.status, happening), **changes)
