"""A number that comes by itself is called by the clock of the place where it is, as if it had been imported."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.harness import NOON_S, House, agent, record, run_in_house
from trunkline.app.imports.numbers import NumberReader
from trunkline.app.imports.places import regions_of, zones_of
from trunkline.app.judging.number_places import place_of_number
from trunkline.domain import commands
from trunkline.domain.enums import CallbackType
from trunkline.domain.events import RecordAcknowledged, RecordShown
from trunkline.domain.records import FieldChanges

ANN = agent(1)
IN_NEW_YORK = record(1, 0, time_zone="America/New_York", region="US-NY")


@pytest.mark.parametrize(
    "number",
    ["+1 646 555 0177", "(213) 555-0123", "+1 416 555 0123", "+44 20 7946 0958", "+49 1512 3456789", "800 234 5678"],
)
def test_a_place_is_that_of_an_import(number: str) -> None:
    """Zones and state of a number are those that an import into a list of the United States finds."""
    read = NumberReader("US").read(number)
    assert read is not None
    assert place_of_number(number, "US") == (zones_of([read[1]])[0], regions_of([read[1]])[0])
    assert place_of_number(number, "US")[0]


@pytest.mark.parametrize("number", ["4711", "agent@example.com", "+1 999 555 0123", "555-0123"])
def test_what_is_no_number_is_nowhere(number: str) -> None:
    """Short codes, addresses and numbers of no plan have neither zone nor state."""
    assert place_of_number(number, "") == ((), "")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"phone_number": "213 555 0123"}, ("America/Los_Angeles", "US-CA")),
        ({"phone_number": "+12135550123", "time_zone": "America/Denver"}, ("America/Denver", "US-CA")),
        ({"phone_number": "4711"}, ("Europe/Paris", "")),
    ],
)
def test_a_record_that_is_added(fields: dict[str, Any], where: tuple[str, str]) -> None:
    """It gets zone and state of its number; a zone that is named stays; only without either it is the list's."""

    async def test(house: House) -> None:
        (event,) = await house.ask(ANN, commands.AddRecord, list_name="List", **fields)
        assert isinstance(event, RecordAcknowledged)
        assert event.record is not None
        assert (event.record.time_zone, event.record.region) == where

    run_in_house(test, [], list_changes={"default_region": "US", "default_time_zone": "Europe/Paris"})


@pytest.mark.parametrize("operation", [commands.UpdateRecord, commands.RescheduleRecord])
@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"phone_number": "+1 213 555 0144"}, ("America/Los_Angeles", "US-CA")),
        ({"phone_number": "+1 213 555 0144", "time_zone": "America/Denver"}, ("America/Denver", "US-CA")),
        ({"phone_number": IN_NEW_YORK.phone_number.replace("+", "00")}, ("America/New_York", "US-NY")),
        ({"phone_number": "4711"}, ("America/New_York", "US-NY")),
    ],
)
def test_another_number_is_somewhere_else(
    operation: type[commands.UpdateRecord | commands.RescheduleRecord], changes: dict[str, Any], where: tuple[str, str]
) -> None:
    """A number that an agent changes, at once or for a callback, takes its place along; another spelling does not."""
    callback: dict[str, Any] = {"callback_type": CallbackType.PERSONAL, "due_at_s": NOON_S + 3600}
    more = callback if operation is commands.RescheduleRecord else {}

    async def test(house: House) -> None:
        shown = (await house.preview(ANN))[0]
        assert isinstance(shown, RecordShown)
        await house.ask(ANN, operation, handle=shown.handle, changes=FieldChanges(**changes), **more)
        (after,) = await house.chain(1)
        assert (after.time_zone, after.region) == where

    run_in_house(test, [IN_NEW_YORK])
