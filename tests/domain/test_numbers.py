"""Spellings of one number, and names that are no numbers."""

from __future__ import annotations

import pytest

from trunkline.domain.numbers import canonical_number


@pytest.mark.parametrize("spelling", ["+1 (212) 555-0100", "0012125550100", "+12125550100", " +1.212.555.0100 "])
def test_spellings_of_one_number(spelling: str) -> None:
    """Punctuation and the two signs of a country code make no difference."""
    assert canonical_number(spelling) == "12125550100"


def test_names_are_told_apart() -> None:
    """Addresses and names compare without regard to case, and two of them are never the same by accident."""
    assert canonical_number("Ann@Example.org") == "ann@example.org"
    assert canonical_number("john.doe") == canonical_number(" John.Doe ") != canonical_number("jane.roe")


def test_service_codes_keep_their_signs() -> None:
    """``*`` and ``#`` are part of what is dialed."""
    assert canonical_number("*98#") == "*98#"
