"""Calling-time rule files: those that come with the program, and those of the installation beside or instead of them.

A file with faults never takes part: the rules that were read before stay, and a sentence says what is wrong and where.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

from trunkline.domain.calling_times import CallingTimes
from trunkline.domain.rule_documents import read_document
from trunkline.errors import OutOfRange, TooLarge

MAX_FILE_BYTES = 1_000_000
"""A rule file has some kilobytes; the parser takes about a second for this many."""
MAX_FILES = 100
"""Files of one installation: one for each body of law it works under."""

RuleLibrary = Mapping[str, CallingTimes]
"""Calling-time rules by name."""


def parse(text: str, place: str) -> CallingTimes:
    """The rules in the text of a file; ``OutOfRange`` tells file, line or place of what is wrong.

    Every scalar is read as text, so that ``10:00`` is an hour and not the number 600.
    """
    if len(text) > MAX_FILE_BYTES:
        raise TooLarge(f"{place}: a rule file has at most {MAX_FILE_BYTES} characters")
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise OutOfRange(f"{place}: is not UTF-8")
    try:
        document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts, lists and mappings, nothing else
    except yaml.MarkedYAMLError as error:
        at = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise OutOfRange(f"{place}{at}: {error.problem or 'is not YAML'}") from None
    except (yaml.YAMLError, RecursionError):
        raise OutOfRange(f"{place}: is not YAML") from None
    try:
        return read_document(document)
    except OutOfRange as error:
        raise OutOfRange("\n".join(f"{place}: {line}" for line in str(error).splitlines())) from None


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
        self._names: dict[str, str] = {}
        if texts:
            self.replace(texts)

    def replace(self, texts: Mapping[str, str]) -> list[str]:
        """Take the installation's files (text by file name); returns what is wrong with them.

        A file that is wrong leaves in use what is in use under its name; one that is gone leaves the built-in rules.
        """
        known = self.library
        self.faults = []
        if len(texts) > MAX_FILES:
            self.faults.append(f"there are more than {MAX_FILES} rule files; the rest is not read")
        found: dict[str, CallingTimes] = dict(builtin())
        names: dict[str, str] = {}
        for place, text in sorted(texts.items())[:MAX_FILES]:
            try:
                times = parse(text, place)
            except OutOfRange as error:
                self.faults.extend(str(error).splitlines())
                name = self._names.get(place)
                if name is not None and name in known:
                    found[name], names[place] = known[name], name
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
