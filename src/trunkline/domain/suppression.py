"""Suppression lists: who must not be called, and by which texts a contact is recognised."""

from __future__ import annotations

import msgspec

from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.numbers import canonical_number

CENTRE_LIST = 0
"""The contact centre's own list: it always applies, and what agents enter goes there."""

Contact = tuple[DoNotCallKind, str]
"""A kind and the key that ``contact_key`` makes: what entries are looked up by."""


class SuppressionList(msgspec.Struct, frozen=True, kw_only=True):
    """A list of contacts that must not be called.

    ``kind`` is what an entry names unless it says so itself. Entries hold in every campaign that names the list, or in
    ``campaign_id`` alone. A list that ``is_required`` applies to every campaign of the contact centre, named or not.
    ``default_expiry_days`` is how long an entry holds that brings no end, 0 for ever. ``region`` (two letters) is that
    of numbers without a country code. ``source`` is where the entries come from, such as "national register".
    """

    contact_centre_id: int
    suppression_list_id: int
    name: str
    description: str = ""
    kind: DoNotCallKind = DoNotCallKind.NUMBER
    campaign_id: int | None = None
    is_required: bool = False
    default_expiry_days: int = 0
    region: str = ""
    source: str = ""
    is_enabled: bool = True


def contact_key(kind: DoNotCallKind, value: str) -> str:
    """The text by which a number, a customer id or an account is looked up."""
    return canonical_number(value) if kind is DoNotCallKind.NUMBER else value
