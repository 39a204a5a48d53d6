"""What happens to a record after each call result."""

from __future__ import annotations

import msgspec


class TreatmentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to a record after each call result."""

    contact_centre_id: int
    treatment_id: int
    name: str
    description: str = ""
    is_enabled: bool = True
