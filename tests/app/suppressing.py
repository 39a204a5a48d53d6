"""Suppression lists for tests: made, filled, read."""

from __future__ import annotations

import io
from typing import Any

from tests.app.harness import CENTRE, House, agent
from trunkline.app.directory import ReferenceBook
from trunkline.app.ports import ObjectChanges, ObjectWrite, Suppression, SuppressionQuery
from trunkline.app.suppression.entries import (
    AddEntries,
    EntryMaker,
    Given,
)
from trunkline.app.suppression.importing import SuppressionOrder, SuppressionReport, import_entries
from trunkline.domain.enums import DoNotCallKind
from trunkline.domain.objects import ObjectKind
from trunkline.domain.people import Role
from trunkline.domain.suppression import SuppressionList

ANN, BOB, CHIEF = agent(1), agent(2), agent(9, Role.SUPERVISOR)
NUMBER, CUSTOMER, ACCOUNT = DoNotCallKind.NUMBER, DoNotCallKind.CUSTOMER, DoNotCallKind.ACCOUNT


async def make_list(house: House, name: str = "Register", **values: Any) -> SuppressionList:
    """A suppression list that the house knows of."""
    made = SuppressionList(contact_centre_id=CENTRE, suppression_list_id=0, name=name, **values)
    write = ObjectWrite(
        contact_centre_id=CENTRE, kind=ObjectKind.SUPPRESSION_LIST, object_id=0, expected_version=0, value=made
    )
    (stored,) = await house.store.change_objects(ObjectChanges(at_ms=1, changed_by=9, writes=(write,)))
    house.writer.adopt(ReferenceBook(await house.store.directory()))
    assert isinstance(stored.value, SuppressionList)
    return stored.value


async def enter(house: House, target: SuppressionList, *values: str, **about: str) -> None:
    """The chief enters contacts."""
    maker = EntryMaker(house.writer.book, target, house.clock.now_ms(), 9)
    entries = [maker.entry(Given(value=value, reason="asked", **about)) for value in values]
    await house.ask(CHIEF, AddEntries, suppression_list_id=target.suppression_list_id, entries=entries)


async def bring(house: House, target: SuppressionList, text: str | bytes, **order: Any) -> SuppressionReport:
    """The chief imports a file."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    about = (house.store, house.writer.submit, house.clock, house.writer.book, CHIEF, target)
    return await import_entries(*about, SuppressionOrder(**order), file)


async def entries_of(house: House, target: SuppressionList) -> list[Suppression]:
    """All entries of a list."""
    return await house.store.suppression_entries(
        SuppressionQuery(contact_centre_id=CENTRE, suppression_list_id=target.suppression_list_id, limit=1000)
    )
