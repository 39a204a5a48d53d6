"""A supervisor moves callbacks: to another agent, to the campaign, to another time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.harness import NOON_S, House, agent, run_in_house
from tests.app.test_callbacks import ANN, BOB, CAMPAIGN, GRACE_S, Clockwork, chain, log_in
from tests.app.test_treating import statuses
from trunkline.app.callbacks.deciding import ReassignCallback
from trunkline.domain.enums import RecordStatus, RecordType
from trunkline.domain.people import Role
from trunkline.errors import Forbidden, InvalidState, NotFound, OutOfRange, StaleVersion

BOSS = agent(9, Role.SUPERVISOR)
S, T = RecordStatus, RecordType


async def reassign(house: House, who: Any = BOSS, **values: Any) -> None:
    """Ask for it."""
    await house.ask(who, ReassignCallback, **{"list_name": "List", "chain_id": 1, "chain_n": 0, **values})


def test_a_supervisor_gives_a_callback_to_somebody_else() -> None:
    """Ann's callback becomes Bob's, then anyone's; the time stays, or is the one given."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await reassign(house, owner=BOB)
        first = (await house.chain(1))[0]
        assert (first.record_type, first.agent_id, first.due_at_s) == (T.PERSONAL_CALL_BACK, 2, NOON_S + 600)
        await log_in(house)
        assert await clockwork.turn(600) == []
        await reassign(house, due_at_s=NOON_S + 3600)
        first = (await house.chain(1))[0]
        assert (first.record_type, first.due_at_s) == (T.CAMPAIGN_CALL_BACK, NOON_S + 3600)

    run_in_house(test, chain())


def test_a_missed_callback_gets_a_new_chance() -> None:
    """A campaign's missed callback is made somebody's, due now, with its siblings waiting along."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await clockwork.turn(600 + GRACE_S)
        assert statuses(await house.chain(1)) == [S.MISSED_CALL_BACK, S.CHAIN_READY]
        await log_in(house, BOB)
        await reassign(house, owner=BOB)
        assert (await house.chain(1))[0].due_at_s == house.clock.now_s()
        (shown,) = await clockwork.turn()
        assert shown.agent_name == "agent2"

    run_in_house(test, chain(**CAMPAIGN))


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"who": ANN}, Forbidden),
        ({"list_name": "Nowhere"}, NotFound),
        ({"list_name": "Other"}, NotFound),
        ({"chain_id": 99}, NotFound),
        ({"chain_n": 1}, NotFound),
        ({"chain_n": 5}, NotFound),
        ({"owner": BOSS}, InvalidState),
        ({"due_at_s": NOON_S - 1}, InvalidState),
        ({"due_at_s": 2**40}, OutOfRange),
        ({"version": 5}, StaleVersion),
    ],
)
def test_refused_reassignments_change_nothing(values: dict[str, Any], refusal: type[Exception]) -> None:
    """Each is told with its reason."""

    async def test(house: House) -> None:
        before = await house.chain(1)
        with pytest.raises(refusal):
            await reassign(house, **values)
        assert await house.chain(1) == before

    run_in_house(test, chain())


def test_a_callback_on_a_desk_is_its_agent_s() -> None:
    """It cannot be reassigned while somebody has it."""

    async def test(house: House) -> None:
        clockwork = Clockwork(house)
        await log_in(house)
        await clockwork.turn(600)
        with pytest.raises(InvalidState, match="desk"):
            await reassign(house, owner=BOB)

    run_in_house(test, chain())
