"""Webhooks: who is told over HTTP of what happens, how a delivery is signed, and when a failed one is tried again.

**Signature.** The SHA-256 HMAC of ``<id>.<timestamp>.<body>`` under the webhook's secret, in hexadecimal digits. The
timestamp (Unix seconds) is that of the try, so that a receiver may refuse what is old; the id stays the same over all
tries of a delivery, so that a receiver recognises a repetition.

**Tries.** A delivery that failed is tried again after 1, 2, 4 ... 300 seconds, each shortened by up to half by chance,
so that receivers are not met by everybody at once. When nothing got through for ``give_up_ms`` the webhook is stopped:
it keeps its place and goes on when somebody resumes or changes it.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from trunkline.errors import MissingParameter, OutOfRange, TooLarge

MAX_URL = 2000
"""Characters of an address: what servers and proxies commonly bear."""
MIN_SECRET = 16
"""Characters: what is shorter can be guessed from one signed delivery."""
MAX_SECRET = 256
MAX_BATCH = 500
"""Notices in one delivery: about 600 KB."""
FIRST_WAIT_MS = 1000
MAX_WAIT_MS = 300_000
"""Five minutes: how late a receiver that came back hears of it at most."""


class Notice(StrEnum):
    """What a webhook tells of."""

    GROUP_STATE = "group-state"
    """Where campaign groups stand, at each change and every ten seconds while loaded."""
    CALL_REPORT = "call-report"
    """Each attempt, at its beginning and at its end."""
    TREATMENT = "treatment"
    """Decisions of treatments whose step names this webhook (HttpHook)."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told over HTTP of what happens.

    ``url`` is https; plain http only into the networks that the operator allows. ``secret`` signs; it is never shown.
    ``campaign_ids`` limits the notices to those campaigns, empty for all. ``max_batch`` above 1 sends several notices
    as an array; with 1 each delivery is one object.
    """

    contact_centre_id: int
    webhook_id: int
    name: str
    description: str = ""
    url: str = ""
    notices: tuple[Notice, ...] = ()
    secret: str = ""
    campaign_ids: tuple[int, ...] = ()
    max_batch: int = 1
    is_enabled: bool = True

    def tells(self, notice: Notice, campaign_id: int | None) -> bool:
        """True when somebody is to be told of this notice about that campaign."""
        return notice in self.notices and (not self.campaign_ids or campaign_id in self.campaign_ids)

    @property
    def reads_log(self) -> bool:
        """True when what it tells is in the attempt log."""
        return Notice.CALL_REPORT in self.notices or Notice.TREATMENT in self.notices

    def __repr__(self) -> str:
        return f"Webhook(webhook_id={self.webhook_id}, name={self.name!r})"


def check_url(url: str) -> None:
    """Raise unless ``url`` is the address of a web server, without credentials or fragment.

    Where it leads is judged at each connection: a name's address may change after this. ``MissingParameter`` when it is
    empty, ``TooLarge`` when it is too long, ``OutOfRange`` for the rest.
    """
    if not url:
        raise MissingParameter("url is required")
    if len(url) > MAX_URL:
        raise TooLarge(f"url is longer than {MAX_URL} characters")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise OutOfRange("url may hold printable ASCII characters without spaces and backslashes only")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutOfRange("url is malformed") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OutOfRange("url must begin with https:// and name a host")
    if port == 0:
        raise OutOfRange("url names the port 0")
    if parts.username is not None or parts.password is not None:
        raise OutOfRange("url must not hold credentials; deliveries are signed")
    if parts.fragment:
        raise OutOfRange("url must not hold a fragment (#)")


def check_webhook(webhook: Webhook) -> None:
    """Raise ``MissingParameter`` or ``OutOfRange`` unless the webhook can be used."""
    check_url(webhook.url)
    if not webhook.secret:
        raise MissingParameter("secret is required")
    if not MIN_SECRET <= len(webhook.secret) <= MAX_SECRET:
        raise OutOfRange(f"secret must have {MIN_SECRET} to {MAX_SECRET} characters")
    if not webhook.notices:
        raise MissingParameter("notices is required: at least one kind")
    if not 1 <= webhook.max_batch <= MAX_BATCH:
        raise OutOfRange(f"maxBatch must lie between 1 and {MAX_BATCH}")


def signature(secret: str, delivery_id: str, timestamp_s: int, body: bytes) -> str:
    """The signature of a delivery: 64 hexadecimal digits."""
    signed = f"{delivery_id}.{timestamp_s}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class DeliveryState(StrEnum):
    """How a webhook's deliveries fare."""

    DELIVERING = "delivering"
    RETRYING = "retrying"
    """The last try failed; the next one has a time."""
    STOPPED = "stopped"
    """Nothing got through for so long that no more is tried until somebody resumes."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a webhook's deliveries are. Times are Unix ms; ``last_status`` is that of HTTP, None without an answer.

    ``failures`` counts those in a row, ``failing_since_ms`` is when the first of them was.
    """

    state: DeliveryState = DeliveryState.DELIVERING
    delivered: int = 0
    delivered_at_ms: int | None = None
    failures: int = 0
    failing_since_ms: int | None = None
    failed_at_ms: int | None = None
    next_try_ms: int | None = None
    last_status: int | None = None
    last_error: str = ""


def succeeded(progress: Progress, now_ms: int, status: int, count: int = 1) -> Progress:
    """The progress after ``count`` notices got through."""
    return Progress(
        delivered=progress.delivered + count,
        delivered_at_ms=now_ms,
        failed_at_ms=progress.failed_at_ms,
        last_status=status,
    )


def failed(
    progress: Progress,
    now_ms: int,
    *,
    status: int | None,
    error: str,
    chance: float,
    give_up_ms: int,
    retry_after_s: int | None = None,
    is_final: bool = False,
) -> Progress:
    """The progress after a failed try.

    ``chance`` lies in [0, 1). ``retry_after_s`` is the receiver's wish, which only ever lengthens the wait.
    ``is_final`` stops at once: the receiver said that it is gone for good.
    """
    since_ms = now_ms if progress.failing_since_ms is None else progress.failing_since_ms
    failures = progress.failures + 1
    is_over = is_final or now_ms - since_ms >= give_up_ms
    wait_ms = max(backoff_ms(failures, chance), 1000 * (retry_after_s or 0))
    return msgspec.structs.replace(
        progress,
        state=DeliveryState.STOPPED if is_over else DeliveryState.RETRYING,
        failures=failures,
        failing_since_ms=since_ms,
        failed_at_ms=now_ms,
        next_try_ms=None if is_over else now_ms + wait_ms,
        last_status=status,
        last_error=error,
    )


def resumed(progress: Progress) -> Progress:
    """The progress when somebody wants it tried again at once; how long it failed is forgotten."""
    return msgspec.structs.replace(
        progress, state=DeliveryState.DELIVERING, failures=0, failing_since_ms=None, next_try_ms=None
    )


def backoff_ms(failures: int, chance: float) -> int:
    """Milliseconds to wait after that many failures in a row (from 1): between half of the step and the whole."""
    step_ms = min(MAX_WAIT_MS, FIRST_WAIT_MS << min(failures - 1, 20))
    return step_ms - int(step_ms * chance / 2)
