"""Upkeep: what it does once in a while, and again when that failed."""

from __future__ import annotations

import pytest

from tests.app.harness import House, run_in_house
from trunkline.app.ports import Provision
from trunkline.app.upkeep import Upkeep
from trunkline.errors import Unavailable


def test_a_change_of_accounts_is_told_until_somebody_took_it() -> None:
    """A database that is away when accounts are compared does not leave a lost access open for good."""

    async def test(house: House) -> None:
        told: list[int] = []

        async def on_change() -> None:
            told.append(house.writer.book.version)
            if len(told) == 1:
                raise Unavailable("the database is away")

        upkeep = Upkeep(house.store, house.writer, house.clock, on_change, lambda *_: None, 1)
        await upkeep.refresh()
        assert told == []
        await house.store.provision(Provision(contact_centres={1: "another name"}))
        with pytest.raises(Unavailable):
            await upkeep.refresh()
        await upkeep.refresh()
        await upkeep.refresh()
        assert len(told) == 2

    run_in_house(test, [])
