"""Mutations that follow from a seed: of JSON values, of how they are written, and of bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Json = Any

TEXTS = [
    *("", " ", "0", "-1", "1.0", "null", "x" * 127, "x" * 128, "x" * 129, "x" * 300, "ü", "😀", "\u2028", "\ufeff"),
    *("\u0000", "\ud800", "\udfff", "\ud83d\ude00", "\r\n", '"', "\\", "a:b,c", "../../etc/passwd", "=1+1", "/", "//"),
]
NUMBERS: list[Json] = [
    *(0, -0, 1, -1, 24, 25, 127, 128, 30_000, 60_001, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64 - 1),
    *(2**64, 10**30, -(10**25), 0.0, -0.0, 0.1, 1.5, -1.5, 1e19, -1e19, 1e100, 1e308, 5e-324, 2.0**63),
]
JUNK: list[Json] = [
    *(None, True, False, [], {}, [[]], [None], {"": ""}, {"a": {"b": {"c": []}}}, [{}], {"enabled": True}),
    *TEXTS,
    *NUMBERS,
]
FORMS_OF_BYTES = [
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xef\xbb\xbf",
    b"\x00",
    b"\\u0000",
    b"\\ud800",
    b"\\uD83D\\uDE00",
    b"1e400",
    b"-",
    b"NaN",
    b"Infinity",
    b"01",
    b"1.",
    b"99999999999999999999",
    b"0." + b"0" * 400 + b"1",
    b"9" * 4301,
    b"[]",
    b"{}",
    b",",
    b":",
    b'"',
    b"\\",
    b"//",
    b"'",
]


class Mutator:
    """Draws from one seed."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def one_in(self, count: int) -> bool:
        """True once in ``count`` times."""
        return self.chance.random() * count < 1

    def changed(self, value: Json) -> Json:
        """The value with one part changed, removed, added or repeated, at any depth."""
        chance = self.chance
        if isinstance(value, dict) and value and chance.random() < 0.9:
            key = chance.choice(list(value))
            kind = chance.random()
            if kind < 0.12:
                return {name: item for name, item in value.items() if name != key}
            if kind < 0.22:
                return {**value, chance.choice([key.upper(), *TEXTS[:14], "ext", "advice"]): chance.choice(JUNK)}
            return {**value, key: self.changed(value[key])}
        if isinstance(value, list) and value and chance.random() < 0.8:
            kind = chance.random()
            if kind < 0.1:
                return value * chance.choice((2, 3, 40))
            if kind < 0.2:
                return [*value, chance.choice(JUNK)]
            if kind < 0.3:
                return chance.sample(value, len(value))
            at = chance.randrange(len(value))
            return [*value[:at], self.changed(value[at]), *value[at + 1 :]]
        kind = chance.random()
        if kind < 0.1:
            return [value] * chance.choice((1, 2, 33))
        if kind < 0.15:
            return {chance.choice(TEXTS): value}
        if kind < 0.2:
            return _nested(value, chance.choice((5, 29, 31, 33, 40)))
        if kind < 0.3 and isinstance(value, str):
            return value + chance.choice(TEXTS)
        if kind < 0.4 and isinstance(value, int):
            return chance.choice((-value, value + 1, str(value), float(value)))
        return chance.choice(JUNK)

    def written(self, value: Json) -> bytes:
        """The value as JSON, now and then in an odd but equal spelling, or with a key twice."""
        if not self.one_in(8):
            return json.dumps(value, ensure_ascii=self.one_in(2)).encode("utf-8", "surrogatepass")
        return self._spelled(value).encode("utf-8", "surrogatepass")

    def _spelled(self, value: Json) -> str:
        chance = self.chance
        blank = chance.choice(("", "", " ", "\t\r\n"))
        if isinstance(value, dict):
            pairs = [(name, item) for name, item in value.items() for _ in range(2 if self.one_in(6) else 1)]
            text = ",".join(f"{self._spelled(name)}:{blank}{self._spelled(item)}" for name, item in pairs)
            return f"{blank}{{{text}}}"
        if isinstance(value, list):
            return f"[{blank}{','.join(map(self._spelled, value))}{blank}]"
        if isinstance(value, str) and self.one_in(2):
            return '"' + "".join(_escaped(letter) for letter in value) + '"'
        if type(value) is int and self.one_in(3):
            return f"{value}{chance.choice(('.0', 'e0', 'E+0', '.50'))}"
        return json.dumps(value)

    def damaged(self, sent: bytes) -> bytes:
        """The bytes with a few changed, cut, repeated or put in."""
        chance = self.chance
        at = chance.randrange(len(sent) + 1)
        to = min(len(sent), at + chance.choice((1, 1, 2, 8, 64)))
        kind = chance.randrange(9)
        if kind == 0:
            return sent[:at]
        if kind == 1:
            return sent[at:]
        if kind == 2:
            return sent[:at] + bytes([chance.randrange(256)]) + sent[at + 1 :]
        if kind == 3:
            return sent[:at] + sent[to:]
        if kind == 4:
            return sent[:to] + sent[at:to] * chance.choice((1, 2, 50)) + sent[to:]
        if kind == 5:
            return sent + sent
        if kind == 6:
            return chance.choice((b"[", b'{"a":')) * chance.choice((1, 31, 32, 2000)) + sent
        if kind == 7 and self.one_in(20):
            return sent + b" " * (65_536 - len(sent) + chance.choice((-1, 0, 1)))
        return sent[:at] + chance.choice(FORMS_OF_BYTES) + sent[at:]

    def often(self, value: Json, change: Callable[[Json], Json], times: tuple[int, ...]) -> Json:
        """The value changed as many times as one of ``times`` says."""
        for _ in range(self.chance.choice(times)):
            value = change(value)
        return value


def _nested(value: Json, depth: int) -> Json:
    for level in range(depth):
        value = [value] if level % 2 else {"x": value}
    return value


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code < 0x10000 else json.dumps(letter)[1:-1]
