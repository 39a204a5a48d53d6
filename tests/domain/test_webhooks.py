"""Rules of webhooks: addresses, signatures, and the machine of tries."""

from __future__ import annotations

import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.webhooks import (
    MAX_WAIT_MS,
    DeliveryState,
    Notice,
    Progress,
    Webhook,
    backoff_ms,
    check_url,
    check_webhook,
    failed,
    resumed,
    signature,
    succeeded,
)
from trunkline.errors import MissingParameter, OutOfRange, Refused

GOOD = Webhook(
    contact_centre_id=1,
    webhook_id=2,
    name="crm",
    url="https://crm.example/hooks?x=1",
    notices=(Notice.CALL_REPORT,),
    secret="0123456789abcdef",
)
DAY_MS = 86_400_000


def test_a_good_webhook_is_taken() -> None:
    """Also with a port, an IPv6 address, and plain http (which only leads into allowed networks)."""
    check_webhook(GOOD)
    for url in ("https://crm.example:8443/", "https://[2606:4700::1]/x", "http://crm.internal/x"):
        check_url(url)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": ""}, "url is required"),
        ({"url": "ftp://crm.example/"}, "must begin with https"),
        ({"url": "https:///x"}, "name a host"),
        ({"url": "crm.example/hooks"}, "must begin with https"),
        ({"url": "https://user:secret@crm.example/"}, "credentials"),
        ({"url": "https://crm.example/#part"}, "fragment"),
        ({"url": "https://crm.example/a b"}, "printable"),
        ({"url": "https://crm.example\\@internal/"}, "backslashes"),
        ({"url": "https://crm.example/\r\nX: y"}, "printable"),
        ({"url": "https://crm.example/\u00e4"}, "ASCII"),
        ({"url": "https://crm.example:99999/"}, "malformed"),
        ({"url": "https://crm.example:0/"}, "port 0"),
        ({"url": "https://[::1/"}, "malformed"),
        ({"url": "https://crm.example/" + "x" * 2000}, "longer than"),
        ({"secret": ""}, "secret is required"),
        ({"secret": "short"}, "16 to 256"),
        ({"secret": "x" * 257}, "16 to 256"),
        ({"notices": ()}, "notices is required"),
        ({"max_batch": 0}, "maxBatch"),
        ({"max_batch": 501}, "maxBatch"),
    ],
)
def test_a_bad_webhook_is_refused(changes: dict[str, object], words: str) -> None:
    """With a sentence that names the place, and never the secret."""
    with pytest.raises((MissingParameter, OutOfRange)) as caught:
        check_webhook(msgspec.structs.replace(GOOD, **changes))
    assert words in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused(text: str) -> None:
    """Checking an address ends with a refusal or none, never with another error."""
    try:
        check_url(text)
    except Refused:
        return
    assert "://" in text


def test_the_secret_is_in_no_representation() -> None:
    """What is logged by accident holds no secret."""
    assert GOOD.secret not in repr(GOOD)
    assert GOOD.secret not in f"{[GOOD]}"


def test_a_webhook_tells_of_what_it_names() -> None:
    """By kind, and by campaign when it names any."""
    assert GOOD.tells(Notice.CALL_REPORT, 7)
    assert not GOOD.tells(Notice.GROUP_STATE, 7)
    narrow = msgspec.structs.replace(GOOD, campaign_ids=(7,))
    assert narrow.tells(Notice.CALL_REPORT, 7)
    assert not narrow.tells(Notice.CALL_REPORT, 8)
    assert not narrow.tells(Notice.CALL_REPORT, None)


def test_the_signature_is_the_documented_one() -> None:
    """HMAC-SHA256 of id, timestamp and body; each of them changes it."""
    expected = hmac.new(b"key", b"calls-7.1700000000.{}", hashlib.sha256).hexdigest()
    assert signature("key", "calls-7", 1_700_000_000, b"{}") == expected
    others = {
        signature("key2", "calls-7", 1_700_000_000, b"{}"),
        signature("key", "calls-8", 1_700_000_000, b"{}"),
        signature("key", "calls-7", 1_700_000_001, b"{}"),
        signature("key", "calls-7", 1_700_000_000, b"{ }"),
    }
    assert len(others | {expected}) == 5


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_a_limit(failures: int, chance: float) -> None:
    """Between half of the step and the whole of it; the step doubles up to five minutes."""
    step_ms = min(MAX_WAIT_MS, 1000 * 2 ** min(failures - 1, 20))
    assert step_ms / 2 <= backoff_ms(failures, chance) <= step_ms


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ok", "fail", "gone", "resume"]),
        st.integers(0, DAY_MS),
        st.floats(0, 1, exclude_max=True),
        st.one_of(st.none(), st.integers(0, 1000)),
    ),
    max_size=40,
)


@given(STEPS)
def test_the_machine_of_tries(steps: list[tuple[str, int, float, int | None]]) -> None:
    """Against a plain account: it retries with a time, or it stops after failing for a day, or it delivers."""
    progress, now_ms, since_ms, delivered, failures = Progress(), 0, None, 0, 0
    for what, later_ms, chance, retry_after_s in steps:
        now_ms += later_ms
        if what == "ok":
            progress = succeeded(progress, now_ms, 200, 3)
            since_ms, failures, delivered = None, 0, delivered + 3
        elif what == "resume":
            progress = resumed(progress)
            since_ms, failures = None, 0
        else:
            since_ms = now_ms if since_ms is None else since_ms
            failures += 1
            progress = failed(
                progress,
                now_ms,
                status=410 if what == "gone" else None,
                error="no answer",
                chance=chance,
                give_up_ms=DAY_MS,
                retry_after_s=retry_after_s,
                is_final=what == "gone",
            )
            is_over = what == "gone" or now_ms - since_ms >= DAY_MS
            assert (progress.state is DeliveryState.STOPPED) == is_over
            assert (progress.next_try_ms is None) == is_over
            if progress.next_try_ms is not None:
                assert progress.next_try_ms - now_ms >= max(500, 1000 * (retry_after_s or 0))
        if what in ("ok", "resume"):
            assert progress.state is DeliveryState.DELIVERING
            assert progress.next_try_ms is None
        assert (progress.delivered, progress.failures) == (delivered, failures)
        assert progress.failing_since_ms == since_ms
