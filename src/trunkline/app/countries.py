"""The countries that there are, as the numbering plans of the phonenumbers library know them."""

from __future__ import annotations

import phonenumbers

COUNTRIES: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""Two capital letters each (ISO 3166)."""
