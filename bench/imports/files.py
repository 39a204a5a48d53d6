"""The list that is imported: rows of people who do not exist, the same in every run."""

from __future__ import annotations

from pathlib import Path

AREAS = ("212", "646", "415", "713", "305", "312", "206", "702", "602", "404")
"""Area codes of ten states in six zones."""
BLOCKED_EVERY = 100
"""One number of so many is on the do-not-call list."""
REPEATED_EVERY = 200
"""One row of so many has the number of the row before it."""
_ROWS_AT_ONCE = 10_000


def write(path: Path, rows: int) -> None:
    """A CSV file with a number as people write it, a customer id and four custom fields."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("phone,first_name,last_name,account,balance,customer_id\n")
        for begin in range(0, rows, _ROWS_AT_ONCE):
            lines = (
                f"({_area(n)}) {_exchange(n)}-{_line(n)},First{n % 5000},Last{n % 7000},ACC{n * 7},{n % 1000}.50,C{n}\n"
                for n in range(begin, min(begin + _ROWS_AT_ONCE, rows))
            )
            file.write("".join(lines))


def blocked(rows: int) -> list[str]:
    """Numbers of the list in canonical form that must not be called."""
    return [f"1{_area(n)}{_exchange(n)}{_line(n)}" for n in range(0, rows, BLOCKED_EVERY)]


def _number(n: int) -> int:
    return n - 1 if n % REPEATED_EVERY == REPEATED_EVERY - 1 else n


def _area(n: int) -> str:
    return AREAS[_number(n) % len(AREAS)]


def _exchange(n: int) -> int:
    return 200 + _number(n) // (len(AREAS) * 10_000) % 800


def _line(n: int) -> str:
    return f"{_number(n) // len(AREAS) % 10_000:04d}"
