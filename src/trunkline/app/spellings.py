"""Spellings of a number: the same contact, with its country code and without.

Contacts are compared by ``canonical_number``, which knows no countries. So an entry of a suppression list is kept in
E.164 whenever its number can be read so, with the region of the list or file that it comes from; and a record's number
is looked up both as it stands and as the E.164 number that its calling list's default region makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import phonenumbers

from trunkline.domain.numbers import canonical_number

CACHED = 65_536
"""Numbers remembered, some 15 MB: the library takes 50 microseconds a number, and lists are called again and again."""


@lru_cache(maxsize=CACHED)
def e164(number: str, region: str) -> str | None:
    """The number with ``+`` and country code; None when it is none, read in that region (two letters, or empty).

    Numbers that can only be dialed within their town are none.
    """
    if "@" in number:
        return None
    try:
        parsed = phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(parsed) is not phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def number_keys(number: str, region: str) -> tuple[str, ...]:
    """The keys by which a record's number is looked up: as it stands, then as an international one, if it differs."""
    plain = canonical_number(number)
    if number.startswith("+") or "@" in number:
        return (plain,)
    international = e164(number, region)
    if international is None or international[1:] == plain:
        return (plain,)
    return (plain, international[1:])


def spelled(number: str, regions: Iterable[str]) -> tuple[str, ...]:
    """The spellings under which a number is entered: E.164 as each region reads it, else the number as it was given.

    Regions in which such a number exists come before those in which it only has a length that numbers have there.
    """
    if number.startswith("+"):
        return (e164(number, "") or number,)
    found = dict.fromkeys(found for region in regions if (found := e164(number, region)) is not None)
    if len(found) > 1:
        found = {one: None for one in found if phonenumbers.is_valid_number(phonenumbers.parse(one))} or found
    return tuple(found) or (number,)


def as_typed(key: str) -> tuple[str, ...]:
    """The keys that an international number (its digits) has when it is typed without its country code."""
    international = e164(f"+{key}", "") if key.isdigit() else None
    if international is None:
        return ()
    parsed = phonenumbers.parse(international)
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return (phonenumbers.national_significant_number(parsed), canonical_number(national))
