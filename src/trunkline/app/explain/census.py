"""A census of a list: how many records there are of each kind that the rules tell apart, and a sample of them.

The database groups; what comes back is some hundred rows, however long the list is.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from trunkline.domain.eligibility import Window
from trunkline.domain.enums import Hold, RecordStatus, RecordType
from trunkline.domain.filters import Condition

HOURS_AHEAD = 24
"""Hours for which due times are told apart."""
NOT_SCHEDULED = -1
LATER = HOURS_AHEAD + 1
"""Values of ``CensusGroup.due_hour`` beside 0 (due) and 1 to ``HOURS_AHEAD``."""


class CensusQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which list, at which moment. ``condition`` is the filter that applies, None for none."""

    contact_centre_id: int
    list_id: int
    now_s: int
    max_attempts: int
    condition: Condition | None = None


class CensusGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Records that are alike. ``due_hour`` n means that the due time lies in the n-th hour from now.

    ``is_exhausted`` records have used up the list's attempts. Records that are finished are not told apart by window,
    attempts and due time: those are None, False and ``NOT_SCHEDULED``.
    """

    window: Window | None
    status: RecordStatus
    record_type: RecordType
    hold: Hold
    is_dialable: bool
    is_exhausted: bool
    due_hour: int
    passes_filter: bool
    records: int


def equal_parts(first: int, last: int, size: int) -> list[tuple[int, int]]:
    """The numbers from first to last in at most ``size`` parts of like length, each (from, until), end exclusive."""
    count = last - first + 1
    size = min(size, count)
    edges = [first + count * part // size for part in range(size + 1)]
    return list(pairwise(edges))
