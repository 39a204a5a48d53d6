"""The ready-made allow-list."""

from __future__ import annotations

import pytest

from trunkline.bayeux import DENIED, AllowList


@pytest.mark.item(94)
@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        ("/v2/me", None),
        ("/v2/me/outbound", None),
        ("/v2/me/a/b", DENIED),
        ("/me/internal", None),
        ("/me/other", DENIED),
        ("/me/*", None),
        ("/**", None),
        ("/v2/**", None),
        ("/v2/me/*", None),
        ("/chat/**", DENIED),
        ("/*", DENIED),
    ],
)
def test_subscribable_are_listed_names_and_patterns_that_contain_them(channel: str, reason: str | None) -> None:
    """Names by list or listed pattern; patterns by list or because a listed name is inside."""
    policy = AllowList(["/v2/me", "/v2/me/*", "/me/internal"])
    assert policy.may_subscribe("ann", channel) == reason


@pytest.mark.item(95)
@pytest.mark.parametrize(
    ("listed", "pattern", "reason"),
    [
        ("/**", "/a/*", None),
        ("/**", "/a/**", None),
        ("/a/**", "/a/b/*", None),
        ("/a/*", "/a/**", None),
        ("/a/**", "/**", None),
        ("/a/*", "/a/b/*", DENIED),
        ("/a/**", "/*", DENIED),
        ("/a/**", "/b/*", DENIED),
        ("/a/x/y", "/a/*", DENIED),
    ],
)
def test_patterns_within_or_around_a_listed_pattern_are_subscribable(
    listed: str, pattern: str, reason: str | None
) -> None:
    """One must lie in the other; patterns beside each other have nothing in common."""
    assert AllowList([listed]).may_subscribe("ann", pattern) == reason


@pytest.mark.item(94, 95)
def test_nobody_publishes_unless_the_channel_is_listed() -> None:
    """Publishing is closed by default and opened by name or pattern."""
    assert AllowList(["/**"]).may_publish("ann", "/a") == DENIED
    policy = AllowList([], ["/service/echo", "/chat/*"])
    assert policy.may_publish("ann", "/service/echo") is None
    assert policy.may_publish("ann", "/service/other") == DENIED
    assert policy.may_publish("ann", "/chat/room") is None


def test_everyone_may_handshake() -> None:
    """Who gets here is authenticated already."""
    assert AllowList([]).may_handshake("ann") is None


def test_an_entry_that_is_no_channel_is_refused() -> None:
    """A typing error in the list shows at once."""
    with pytest.raises(ValueError, match="v2/me"):
        AllowList(["v2/me"])
