"""Names, patterns, and which subscription an event reaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.bayeux.channels import is_meta, is_name, is_pattern, is_service, matches, reaching

SEGMENT = st.text("abZ09-_!~()$@ #+.{}", min_size=1, max_size=4)
NAME = st.lists(SEGMENT, min_size=1, max_size=5).map(lambda segments: "/" + "/".join(segments))


@pytest.mark.item(18)
@pytest.mark.parametrize("name", ["/a", "/v2/me/outbound", "/a b", "/A-_!~()$@", "/x#+.{}", "/notifications/services"])
def test_names_are_accepted_with_the_wide_alphabet(name: str) -> None:
    """A name may hold the specification's marks and those that the Java server adds."""
    assert is_name(name)
    assert not is_pattern(name)


@pytest.mark.item(18, 19)
@pytest.mark.parametrize(
    "name",
    ["", "/", "a", "//a", "/a/", "/a//b", "/a\n", "/ä", "/a\\b", '/a"', "/a:b", "/a*", "/*/a", "/***", "/a/**/b"],
)
def test_malformed_names_are_neither_name_nor_pattern(name: str) -> None:
    """Empty segments, foreign characters and wildcards that are not the last segment are refused."""
    assert not is_name(name)
    assert not is_pattern(name)


@pytest.mark.parametrize("pattern", ["/*", "/**", "/a/*", "/v2/me/**"])
def test_patterns_end_in_a_wildcard_segment(pattern: str) -> None:
    """A wildcard as last segment makes a pattern, which is not a name."""
    assert is_pattern(pattern)
    assert not is_name(pattern)


@pytest.mark.item(19, 21)
@pytest.mark.parametrize(
    ("subscription", "channel", "is_match"),
    [
        ("/a", "/a", True),
        ("/a", "/a/b", False),
        ("/*", "/a", True),
        ("/*", "/a/b", False),
        ("/**", "/a", True),
        ("/**", "/a/b/c", True),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a", False),
        ("/a/*", "/a/b/c", False),
        ("/a/**", "/a/b", True),
        ("/a/**", "/a/b/c", True),
        ("/a/**", "/a", False),
        ("/a/**", "/ab/c", False),
        ("/**", "/meta/connect", False),
        ("/meta/**", "/meta/connect", False),
        ("/**", "/service/x", False),
        ("/service/x", "/service/x", False),
    ],
)
def test_patterns_match_as_the_specification_says(subscription: str, channel: str, is_match: bool) -> None:  # noqa: FBT001
    """``*`` is one segment, ``**`` one or more, neither matches the parent, nothing reaches meta or service."""
    assert matches(subscription, channel) is is_match


def test_meta_and_service_are_told_apart_from_lookalikes() -> None:
    """Only the reserved trees count, not names that begin alike."""
    assert [is_meta(name) for name in ("/meta", "/meta/x", "/metal", "/a/meta")] == [True, True, False, False]
    assert [is_service(name) for name in ("/service/x", "/services", "/service")] == [True, False, False]


@pytest.mark.item(19)
@given(NAME, NAME)
def test_matching_agrees_with_a_walk_over_the_segments(channel: str, other: str) -> None:
    """The prepared set of subscriptions gives what comparing segment by segment gives."""
    if is_meta(channel) or is_service(channel):
        assert reaching(channel) == frozenset()
        return
    segments = channel.split("/")[1:]
    for pattern in (other, f"{other}/*", f"{other}/**", "/*", "/**", channel, f"{channel}/**"):
        assert matches(pattern, channel) is _walk(pattern.split("/")[1:], segments)


def _walk(pattern: list[str], segments: list[str]) -> bool:
    if not pattern or not segments:
        return pattern == segments
    if pattern == ["**"]:
        return True
    if pattern == ["*"]:
        return len(segments) == 1
    return pattern[0] == segments[0] and _walk(pattern[1:], segments[1:])
