"""For receivers of webhooks: whether a delivery comes from this server, and is new."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from trunkline.errors import TrunklineError

TOLERANCE_S = 300
"""Five minutes: clocks differ, and a recorded delivery must not be of use for long."""


class WebhookNotAuthentic(TrunklineError):
    """The delivery does not come from somebody who knows the secret, or is too old."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float, tolerance_s: int = TOLERANCE_S) -> str:
    """Check a delivery; returns its id, the same for every repetition of it.

    ``headers`` are those of the request, their names in any case; ``body`` is the request's, byte for byte, before any
    decoding; ``now_s`` is the receiver's clock (Unix seconds). Raises ``WebhookNotAuthentic``.
    """
    given = {name.lower(): value for name, value in headers.items()}
    delivery_id, timestamp = given.get("trunkline-delivery", ""), given.get("trunkline-timestamp", "")
    if not delivery_id or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        raise WebhookNotAuthentic("the delivery has no id or no timestamp")
    if abs(now_s - int(timestamp)) > tolerance_s:
        raise WebhookNotAuthentic("the delivery is too old, or one of the clocks is wrong")
    signed = f"{delivery_id}.{timestamp}.".encode() + body
    expected = "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.get("trunkline-signature", "").encode()):
        raise WebhookNotAuthentic("the signature is not that of the secret")
    return delivery_id
