"""What lies on an agent's desk: leases, rights, and who may do what with a record handed out.

The chain is the unit of ownership: its records come to a desk together and leave it together
(outbound domain 2.3). Rights follow the call (Web Services API 10): a transfer moves them, during a
consultation the second agent may only look at the chain, in a conference everyone may write.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from trunkline.domain.records import RecordKey
from trunkline.errors import Forbidden, NotFound

MAX_SHARES = 16
"""Agents who share one record: more than any telephone conference with agents has parties."""


class Share(StrEnum):
    """How an agent who does not own a record takes part in its call."""

    CONSULTATION = "consultation"
    CONFERENCE = "conference"


class DeskEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A record handle and the desk it lies on.

    ``lease_until_ms`` is Unix milliseconds, None for an entry that never expires (demo data).
    ``is_settled`` marks a record whose fate is decided (rescheduled, cancelled, do-not-call): the
    handle stays readable until Complete, Reject or the end of the lease (decisions 5). ``permitted_at_ms`` is when
    every rule let the record go to this desk, Unix milliseconds; 0 when nobody asked them.
    """

    contact_centre_id: int
    handle: int
    list_id: int
    chain_id: int
    chain_n: int
    user_id: int
    device_id: str
    campaign_id: int
    attempt_guid: str
    lease_until_ms: int | None
    is_settled: bool = False
    shares: dict[int, Share] = {}
    permitted_at_ms: int = 0

    @property
    def record_key(self) -> RecordKey:
        """Key of the record that the handle stands for."""
        return (self.contact_centre_id, self.list_id, self.chain_id, self.chain_n)


def check_may_write(entry: DeskEntry | None, user_id: int) -> DeskEntry:
    """The entry, when this user may change its record.

    Raises ``NotFound`` for a handle that is unknown or another's (alike), ``Forbidden`` for one that is
    only consulted about it.
    """
    entry = check_may_read(entry, user_id)
    if entry.user_id != user_id and entry.shares[user_id] is not Share.CONFERENCE:
        raise Forbidden("during a consultation only the chain may be read")
    return entry


def check_may_read(entry: DeskEntry | None, user_id: int) -> DeskEntry:
    """The entry, when this user owns or shares its record; else ``NotFound``."""
    if entry is None or (entry.user_id != user_id and user_id not in entry.shares):
        raise NotFound("there is no record with this recordHandle on your desk")
    return entry


def shared(entry: DeskEntry, user_id: int, share: Share) -> DeskEntry:
    """The entry after another agent joined its call; ``Forbidden`` past ``MAX_SHARES``."""
    if user_id == entry.user_id:
        return entry
    if user_id not in entry.shares and len(entry.shares) >= MAX_SHARES:
        raise Forbidden(f"at most {MAX_SHARES} agents share a record")
    return msgspec.structs.replace(entry, shares={**entry.shares, user_id: share})


def left(entry: DeskEntry, user_id: int) -> DeskEntry:
    """The entry after an agent left its call."""
    shares = {who: share for who, share in entry.shares.items() if who != user_id}
    return msgspec.structs.replace(entry, shares=shares)


def transferred(entry: DeskEntry, user_id: int, device_id: str) -> DeskEntry:
    """The entry after its call was transferred: all rights move to the receiver."""
    return msgspec.structs.replace(left(entry, user_id), user_id=user_id, device_id=device_id)


LEASE_STEP_MS = 60_000
"""A touch moves the lease only when that gains a minute: an agent's keystrokes are not worth a write each."""


def touched(entry: DeskEntry, now_ms: int, lease_ms: int) -> DeskEntry:
    """The entry with its lease counted from now; the same object when that changes less than a minute."""
    until_ms = entry.lease_until_ms
    if until_ms is None or now_ms + lease_ms - until_ms < LEASE_STEP_MS:
        return entry
    return msgspec.structs.replace(entry, lease_until_ms=now_ms + lease_ms)
