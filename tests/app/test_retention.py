"""How long things are kept: once an hour, by the clock, each kind by its own time."""

from __future__ import annotations

from tests.app.harness import CENTRE, NOON_S, House, record, run_in_house
from trunkline.app.ports import AttemptQuery, Changes, Suppression
from trunkline.app.retention import DAY_MS, EVERY_MS, Retention
from trunkline.domain.attempts import AttemptStep, attempt_row
from trunkline.domain.enums import DoNotCallKind

NOW_MS = NOON_S * 1000


def test_what_is_old_goes_once_an_hour() -> None:
    """Attempts go by age, entries by the time since their end, what holds stays; in between nothing happens."""

    async def test(house: House) -> None:
        async def left() -> tuple[int, int]:
            attempts = await house.store.attempts(AttemptQuery(contact_centre_id=CENTRE))
            counts = await house.store.suppression_counts(CENTRE, 0)
            return len(attempts), counts[0].entries

        ends = (NOON_S - 5 * 86_400 - 1, NOON_S - 5 * 86_400 + 1, None)
        entries = [
            Suppression(contact_centre_id=CENTRE, kind=DoNotCallKind.CUSTOMER, value=f"c{n}", expires_at_s=end)
            for n, end in enumerate(ends)
        ]
        ages_ms = (401 * DAY_MS, 400 * DAY_MS - 1, 0)
        rows = [attempt_row(record(1), AttemptStep.ENDED, NOW_MS - age_ms, "g") for age_ms in ages_ms]
        async with house.store.begin() as unit:
            await unit.save(Changes(suppressions=entries, attempts=rows))
        retention = Retention(store=house.store, clock=house.clock, attempt_ms=400 * DAY_MS, ended_ms=5 * DAY_MS)
        await retention.tidy()
        assert await left() == (2, 2)
        house.clock.ms += EVERY_MS - 1
        await retention.tidy()
        assert await left() == (2, 2)
        house.clock.ms += 1
        await retention.tidy()
        assert await left() == (1, 1)

    run_in_house(test, [])
