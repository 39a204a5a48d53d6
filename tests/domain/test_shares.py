"""How a portion is divided between lists: by their shares, exactly, and fair over time."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from trunkline.domain.shares import PLACES, Turns, divided

shares = st.dictionaries(st.integers(1, 6), st.integers(0, 40), min_size=1, max_size=6)


@given(shares, st.lists(st.integers(0, 150), max_size=20))
def test_portions_follow_the_shares(given_shares: dict[int, int], portions: list[int]) -> None:
    """Each portion is given out whole; after any number of portions no list is a round ahead or behind."""
    turns: dict[int, int] = {}
    total: dict[int, int] = dict.fromkeys(given_shares, 0)
    weight = sum(given_shares.values())
    for portion in portions:
        parts = divided(turns, given_shares, portion)
        assert sum(parts.values()) == (portion if weight else 0)
        assert all(part >= 0 for part in parts.values())
        for list_id, part in parts.items():
            total[list_id] += part
    given_out = sum(total.values())
    for list_id, share in given_shares.items():
        if share == 0:
            assert total[list_id] == 0
        else:
            due = Fraction(given_out * share, weight)
            assert abs(total[list_id] - due) < len(given_shares)


def test_small_portions_take_turns() -> None:
    """One at a time, three lists with shares 2, 1 and 1 come in an even mixture, the same every time."""
    turns: dict[int, int] = {}
    order = [next(k for k, v in divided(turns, {1: 20, 2: 10, 3: 10}, 1).items() if v) for _ in range(8)]
    assert order == [1, 2, 3, 1, 1, 2, 3, 1]


@given(st.lists(st.integers(1, 30), min_size=3, max_size=30))
def test_a_list_that_is_dry_leaves_no_debt(portions: list[int]) -> None:
    """While one list is left out the others keep their proportion; when it comes back it gets its share, no more."""
    turns = Turns()
    both = {1: 10, 2: 30}
    kept = {1: 0, 2: 0}
    for portion in portions:
        turns.divide("group", {**both, 3: 10}, 1)
        for list_id, part in turns.divide("group", both, portion).items():
            kept[list_id] += part
    assert abs(kept[1] - Fraction(sum(portions), 4)) <= 3 + len(portions) // 5
    assert turns.divide("group", {**both, 3: 10}, 5 * 100)[3] in range(95, 106 + len(portions))


def test_places_only_go_up() -> None:
    """Portions lie behind each other, also of one millisecond, and when the clock goes back."""
    turns = Turns()
    first, second, third, fourth = (turns.places(now_ms) for now_ms in (5, 5, 3, 9_000))
    assert first + PLACES <= second
    assert second + PLACES <= third
    assert third + PLACES <= fourth
    assert fourth == 9_000 << 20
