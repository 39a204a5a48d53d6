"""What a document asks of a contact centre, against what is there: which objects to make and to change, in what order.

A document sets the fields that it names; what it leaves out stays as it is. Nothing is deleted. Objects come after
those that they name, so that a document may hold everything from formats to campaign groups in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from trunkline.app.administration.store import PROVISIONAL
from trunkline.contract.admin_documents import SECTIONS, fields_of, hooks_in, names_in
from trunkline.contract.admin_kinds import KINDS, Kind
from trunkline.contract.admin_requests import PASSWORD, new_value
from trunkline.domain.objects import ObjectKind
from trunkline.domain.treatments import TreatmentPlan, numbered
from trunkline.errors import InvalidState, MissingParameter, OutOfRange, Refused, TooLarge

Json = dict[str, Any]

MAX_ENTRIES = 10_000
"""Objects of one document."""


class Entry(msgspec.Struct, frozen=True):
    """One object of a document. ``place`` says where it is: ``campaigns[2]``."""

    kind: Kind
    name: str
    fields: Json
    place: str


class Step(msgspec.Struct, frozen=True):
    """What becomes of an entry: made when ``object_id`` is 0, else changed, or nothing when ``changes`` is empty.

    ``fields`` go to the API. ``changes`` are those of them that are different, with the values before and after.
    """

    entry: Entry
    object_id: int
    version: int
    fields: Json
    changes: tuple[tuple[str, Any, Any], ...]

    @property
    def is_new(self) -> bool:
        """True when there is no such object yet."""
        return self.object_id == 0

    @property
    def is_needed(self) -> bool:
        """True when there is anything to do."""
        return self.is_new or bool(self.changes)


def placed(entry: Entry, error: Refused) -> Refused:
    """A refusal of the server with the place in the document."""
    return Refused(f"{entry.place} ({entry.kind.title} {entry.name}): {error}", error.code)


def entries_of(document: Any) -> list[Entry]:
    """The objects of a document, each after those that it names. Raises ``OutOfRange`` naming the place of a fault."""
    if not isinstance(document, dict):
        raise OutOfRange(f"a document is an object with some of the keys {', '.join(SECTIONS)}")
    found: dict[tuple[str, str], Entry] = {}
    for section, items in document.items():
        kind = SECTIONS.get(section)
        if kind is None:
            raise OutOfRange(f"{str(section)[:64]} is not known; there are {', '.join(SECTIONS)}")
        for at, item in enumerate(_list(section, items)):
            entry = _entry(kind, item, f"{section}[{at}]")
            if (kind.kind, entry.name) in found:
                raise OutOfRange(f"{entry.place}: there is another {kind.title} named {entry.name} in this document")
            found[kind.kind, entry.name] = entry
    if len(found) > MAX_ENTRIES:
        raise TooLarge(f"a document holds at most {MAX_ENTRIES} objects")
    return _in_order(found)


def _list(section: str, items: Any) -> list[Any]:
    if items is None:
        return []
    if not isinstance(items, list):
        raise OutOfRange(f"{section} must be a list")
    return items


def _entry(kind: Kind, item: Any, place: str) -> Entry:
    if not isinstance(item, dict):
        raise OutOfRange(f"{place} must be an object")
    name = item.get("name")
    if name is None:
        raise MissingParameter(f"{place}.name is required")
    if not isinstance(name, str):
        raise OutOfRange(f"{place}.name must be a string; put it in quotes")
    return Entry(kind, name, item, place)


def _in_order(found: dict[tuple[str, str], Entry]) -> list[Entry]:
    """Entries after those that they name, otherwise as they stand."""
    ordered: dict[tuple[str, str], Entry] = {}
    for start in found:
        stack: list[tuple[tuple[str, str], bool]] = [(start, False)]
        on_way: set[tuple[str, str]] = set()
        while stack:
            key, is_done = stack.pop()
            if key in ordered or key not in found:
                continue
            entry = found[key]
            if is_done:
                ordered[key] = entry
                on_way.discard(key)
                continue
            if key in on_way:
                raise OutOfRange(f"{entry.place}: the objects of this document name each other in a circle")
            on_way.add(key)
            stack.append((key, True))
            named = names_in(entry.kind, entry.fields) | hooks_in(entry.kind, entry.fields)
            stack += [(other, False) for other in sorted(named, reverse=True)]
    return list(ordered.values())


def kinds_needed(entries: Iterable[Entry]) -> list[Kind]:
    """Kinds whose objects must be known: those of the entries, and those that they name."""
    needed: set[str] = set()
    for entry in entries:
        needed |= {entry.kind.kind, *(kind for kind, _ in names_in(entry.kind, entry.fields))}
    return [kind for kind in KINDS.values() if kind.kind in needed]


class Plan:
    """Objects of a contact centre by kind and name, as they are and as the steps so far make them."""

    def __init__(self, present: dict[str, list[Json]]) -> None:
        self._shown = {(kind, item["name"]): item for kind, items in present.items() for item in items}
        self._provisional = 0
        self._refused: set[tuple[str, str]] = set()

    def step(self, entry: Entry) -> Step:
        """What becomes of an entry. Raises ``OutOfRange`` for what the entry may not say, naming the place."""
        wire = fields_of(entry.kind, entry.fields, entry.place, self._number)
        before = self._shown.get((entry.kind.kind, entry.name))
        if before is None:
            self._read(entry, wire)
            return Step(entry, 0, 0, wire, ())
        if entry.kind.is_user:
            # Whether it is the password that the user has cannot be seen; it is for new users.
            wire.pop(PASSWORD, None)
        shape = entry.kind.shape
        own = {name: value for name, value in before.items() if (field := shape.field(name)) and not field.is_given}
        whole = self._read(entry, {**own, **wire})
        changes = tuple(
            (name, own.get(name), whole.get(name)) for name in wire if name in whole and own.get(name) != whole[name]
        )
        secrets = tuple(
            (field.wire_name, "", "") for field in shape.fields if field.is_secret and field.wire_name in wire
        )
        return Step(entry, before["id"], before["version"], wire, (*changes, *secrets))

    def done(self, step: Step, shown: Json) -> None:
        """Take in an object as the API shows it after its step."""
        self._shown[step.entry.kind.kind, step.entry.name] = shown

    def pretend(self, step: Step) -> None:
        """Take in an object as a dry run would make it."""
        key = (step.entry.kind.kind, step.entry.name)
        if step.is_new:
            self._provisional += 1
            self._shown[key] = {**step.fields, "id": PROVISIONAL + self._provisional, "version": 1}
        else:
            self._shown[key] = {**self._shown[key], **step.fields}

    def refuse(self, entry: Entry) -> None:
        """Take in that an entry is refused: what it says comes to nothing."""
        self._refused.add((entry.kind.kind, entry.name))

    def name(self, kind: Kind, number: int) -> str | int:
        """The name of an object; its number when nothing has it."""
        found = (name for (of, name), item in self._shown.items() if of == kind.kind and item["id"] == number)
        return next(found, number)

    def _number(self, kind: Kind, name: str, place: str) -> int:
        found = self._shown.get((kind.kind, name))
        if found is None and (kind.kind, name) in self._refused:
            raise OutOfRange(f"{place}: the {kind.title} named {name} is refused itself")
        if found is None:
            raise OutOfRange(f"{place}: there is no {kind.title} named {name}")
        number: int = found["id"]
        return number

    def _read(self, entry: Entry, wire: Json) -> Json:
        """The object as the API would show it, so that what is meant alike compares alike."""
        fields = {name: value for name, value in wire.items() if name not in (PASSWORD, "referenceId")}
        try:
            value = new_value(entry.kind, 0, 1, fields)
        except (OutOfRange, MissingParameter, InvalidState) as error:
            raise OutOfRange(f"{entry.place}: {error}") from None
        if entry.kind.kind == ObjectKind.TREATMENT and isinstance(value, TreatmentPlan):
            value = numbered(value)
        return entry.kind.shape.write(value)
