"""How two spellings of one number are recognised as the same."""

from __future__ import annotations

_KEPT = frozenset("0123456789*#")


def canonical_number(number: str) -> str:
    """The text by which contacts are compared: a number's digits (and ``*#``), or an address in lower case.

    A leading ``00`` is read as ``+``; punctuation is dropped. Two spellings of one number compare alike; the
    national and the international form do not, because that needs the list's region.
    """
    if "@" in number:
        return number.strip().lower()
    digits = "".join(c for c in number if c in _KEPT)
    if not digits:
        return number.strip().lower()  # a name of a messaging service
    if not number.lstrip().startswith("+") and digits.startswith("00"):
        return digits[2:]
    return digits
