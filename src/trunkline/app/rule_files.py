"""Calling-time rule files: those that come with the program, and those of the installation beside or instead of them.

A file with faults never takes part: the rules that were read before stay, and a sentence says what is wrong and where.
Where nothing was read before, as after a start, nobody is called by the rules that such a file stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

from trunkline.app.countries import COUNTRIES
from trunkline.domain.calling_times import EVERYWHERE, CallingTimes, RegionRule
from trunkline.domain.rule_documents import read_document
from trunkline.errors import OutOfRange, TooLarge

MAX_FILE_BYTES = 1_000_000
"""A rule file has some kilobytes; the parser takes about a second for this many."""
MAX_FILES = 100
"""Files of one installation: one for each body of law it works under."""

RuleLibrary = Mapping[str, CallingTimes]
"""Calling-time rules by name."""

_NAME = re.compile(r"""^["']?name["']?\s*:\s*["']?([a-z0-9][a-z0-9-]{0,63})["']?\s*(?:#.*)?$""", re.MULTILINE)


class _Loader(yaml.BaseLoader):
    """Makes texts, lists and mappings, nothing else; a key that is given twice is a fault, not the last one's."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as inherited
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(mapping) != len(node.value):
            seen = set()
            for key, _ in node.value:
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return mapping


def parse(text: str, place: str) -> CallingTimes:
    """The rules in the text of a file; ``OutOfRange`` tells file, line or place of what is wrong.

    Every scalar is read as text, so that ``10:00`` is an hour and not the number 600.
    """
    if len(text) > MAX_FILE_BYTES:
        raise TooLarge(f"{place}: a rule file has at most {MAX_FILE_BYTES} characters")
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise OutOfRange(f"{place}: is not UTF-8")
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - a base loader
    except yaml.MarkedYAMLError as error:
        at = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise OutOfRange(f"{place}{at}: {error.problem or 'is not YAML'}") from None
    except (yaml.YAMLError, RecursionError, ValueError):  # ValueError: an escape or a number that Python has none for
        raise OutOfRange(f"{place}: is not YAML") from None
    try:
        return read_document(document, COUNTRIES)
    except OutOfRange as error:
        raise OutOfRange("\n".join(f"{place}: {line}" for line in str(error).splitlines())) from None


def name_in(text: str, place: str) -> str:
    """The name of the rules in a file that cannot be read: its line ``name:``, else the name of the file."""
    found = _NAME.search(text[:MAX_FILE_BYTES])
    return found[1] if found else place.rpartition("/")[2].removesuffix(".yaml").lower()


def _closed(name: str, reason: str) -> CallingTimes:
    rule = RegionRule(region=EVERYWHERE, source=reason, week=((),) * 7)
    return CallingTimes(name=name, title=reason, version="none", checked_on=date.min, regions=(rule,))


@cache
def builtin() -> RuleLibrary:
    """The rules that come with the program."""
    found = {}
    for file in sorted(files("trunkline.rules").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".yaml"):
            times = parse(file.read_text(encoding="utf-8"), file.name)
            found[times.name] = times
    return MappingProxyType(found)


class RuleFiles:
    """The calling-time rules in use. ``library`` is replaced as a whole, never changed; then ``edition`` moves."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self.library: RuleLibrary = builtin()
        self.edition = 0
        self.faults: list[str] = []
        self._names: dict[str, str] | None = None
        if texts:
            self.replace(texts)

    def replace(self, texts: Mapping[str, str]) -> list[str]:
        """Take the installation's files (text by file name); returns what is wrong with them, a sentence each.

        A file that is wrong leaves in use what is in use under its name; one that is gone leaves the built-in rules.
        In the first files that are taken a wrong one closes the rules that it stands for: what they said before is not
        known, and the built-in rules of that name may permit more.
        """
        known, is_first = self.library, self._names is None
        before = self._names or {}
        self.faults = []
        if len(texts) > MAX_FILES:
            self.faults.append(f"there are more than {MAX_FILES} rule files; the rest is not read")
        found: dict[str, CallingTimes] = dict(builtin())
        names: dict[str, str] = {}
        for place, text in sorted(texts.items())[:MAX_FILES]:
            name = before.get(place)
            try:
                times = parse(text, place)
            except OutOfRange as error:
                faults = str(error).splitlines()
                self.faults.extend(faults)
                if is_first:
                    name = name_in(text, place)
                    times = _closed(name, f"{faults[0]}; nobody is called by these rules until the file is mended")
                elif name is not None and name in known:
                    times = known[name]
                else:
                    continue
            if times.name in names.values():
                self.faults.append(f"{place}: another file has the name {times.name} already")
                continue
            found[times.name], names[place] = times, times.name
        self._names = names
        if found != dict(known):
            self.library = MappingProxyType(found)
            self.edition += 1
        return self.faults


IN_USE = RuleFiles()
"""The rule files of this process. The composition root gives them the installation's own."""
