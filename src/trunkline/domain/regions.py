"""Regions that calling-time rules can name: ``*``, countries, and parts of countries, by the codes of ISO 3166.

A rule for a region that is nowhere binds nobody, and nobody would notice: so its region must be one that there is.
Which countries there are is an argument; the parts are known here for countries whose laws differ from part to part.
"""

from __future__ import annotations

from collections.abc import Container

from trunkline.domain.calling_times import EVERYWHERE, is_region

_NAMES = {
    "AU": "ACT NSW NT QLD SA TAS VIC WA",
    "CA": "AB BC MB NB NL NS NT NU ON PE QC SK YT",
    "US": (
        "AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY "
        "OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY AS GU MP PR UM VI"
    ),
}
PARTS: dict[str, frozenset[str]] = {country: frozenset(names.split()) for country, names in _NAMES.items()}
"""Country -> its parts (ISO 3166-2), those of the United States with the district and the territories."""


def region_fault(region: object, countries: Container[str]) -> str | None:
    """Why no rule can be for this region, None when one can. ``countries`` are the two-letter codes that there are.

    Parts of countries that ``PARTS`` does not list are known by their form alone.
    """
    if not isinstance(region, str) or not is_region(region):
        return f"give {EVERYWHERE}, a country (US) or a part of one (US-TX)"
    if region == EVERYWHERE:
        return None
    country, _, part = region.partition("-")
    if country not in countries:
        return f"there is no country {country}"
    if part and country in PARTS and part not in PARTS[country]:
        return f"{country} has no part {part}; there are {', '.join(sorted(PARTS[country]))}"
    return None
