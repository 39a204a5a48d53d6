"""How a webhook's deliveries fare, as an administrator sees it. Times are Unix milliseconds, as in the audit."""

from __future__ import annotations

from typing import Any

from trunkline.domain.webhooks import DeliveryState, Progress


def deliveries_object(progress: Progress | None, *, position: int = -1, newest: int = -1) -> dict[str, Any]:
    """``deliveries`` of an answer; ``progress`` None stands for a webhook that is switched off.

    ``position`` is the number of the last row of the attempt log that is settled, ``newest`` that of the newest row;
    -1 where the webhook reads no log.
    """
    if progress is None:
        return {"state": "disabled"}
    return {
        "state": progress.state.value,
        "delivered": progress.delivered,
        "deliveredAt": progress.delivered_at_ms,
        "failures": progress.failures,
        "failingSince": progress.failing_since_ms,
        "failedAt": progress.failed_at_ms,
        "nextTryAt": progress.next_try_ms if progress.state is DeliveryState.RETRYING else None,
        "lastStatus": progress.last_status,
        "lastError": progress.last_error or None,
        "position": position if position >= 0 else None,
        "behind": max(0, newest - position) if min(newest, position) >= 0 else None,
    }
