"""Do-not-call entries, preview sessions, log-ins, imports."""

from __future__ import annotations

from tests.stores.storage import AGENT, CAMPAIGN, CENTRE, LIST, Storage, ask, save, suppression
from trunkline.app.ports import AgentSession, ImportProgress, ImportState, PreviewSession, Store, Suppression
from trunkline.domain.enums import DoNotCallKind

NUMBER, CUSTOMER = DoNotCallKind.NUMBER, DoNotCallKind.CUSTOMER


def test_numbers_and_customers_are_suppressed(storage: Storage) -> None:
    """Entries are found as asked for: numbers in any spelling, customers exactly, each kind for itself."""

    async def check(store: Store) -> None:
        await save(store, suppressions=[suppression("+1 415 555 0100"), suppression("c1", CUSTOMER)])
        numbers = ["0014155550100", "+14155550100", "4155550100", "c1"]
        found = await ask(store, "suppressed", CENTRE, CAMPAIGN, numbers, ["c1", "C1", "+1 415 555 0100"])
        assert found == {(NUMBER, "0014155550100"), (NUMBER, "+14155550100"), (CUSTOMER, "c1")}
        assert await ask(store, "suppressed", CENTRE, CAMPAIGN, [], []) == set()
        assert await ask(store, "suppressed", 2, CAMPAIGN, numbers, ["c1"]) == set()

    storage.run(check)


def test_the_scope_of_an_entry(storage: Storage) -> None:
    """An entry for a campaign holds in it alone; one for the contact centre holds everywhere, also without campaign."""

    async def check(store: Store) -> None:
        entries = [
            suppression("+1001"),
            suppression("+1002", campaign_id=CAMPAIGN),
            suppression("+1003", campaign_id=200),
            suppression("+1004", campaign_id=200),
            suppression("+1004"),
        ]
        await save(store, suppressions=entries)
        numbers = ["+1001", "+1002", "+1003", "+1004"]

        async def hits(campaign_id: int | None) -> set[str]:
            return {value for _, value in await ask(store, "suppressed", CENTRE, campaign_id, numbers, [])}

        assert await hits(CAMPAIGN) == {"+1001", "+1002", "+1004"}
        assert await hits(200) == {"+1001", "+1003", "+1004"}
        assert await hits(None) == {"+1001", "+1004"}

    storage.run(check)


def test_an_entry_made_twice(storage: Storage) -> None:
    """Entering a contact again, in the same unit or later, is no error."""

    async def check(store: Store) -> None:
        twice = [suppression("+1001", added_by=1, reason="asked"), suppression("001001", added_by=2)]
        await save(store, suppressions=twice)
        await save(store, suppressions=[*twice, Suppression(contact_centre_id=2, kind=NUMBER, value="+1001")])
        assert await ask(store, "suppressed", CENTRE, CAMPAIGN, ["+1001"], []) == {(NUMBER, "+1001")}

    storage.run(check)


def test_many_contacts_at_once(storage: Storage) -> None:
    """A question about hundreds of numbers finds exactly those entered."""

    async def check(store: Store) -> None:
        await save(store, suppressions=[suppression(f"+1{n:05d}") for n in range(0, 600, 3)])
        numbers = [f"+1{n:05d}" for n in range(600)]
        found = await ask(store, "suppressed", CENTRE, CAMPAIGN, numbers, [])
        assert found == {(NUMBER, number) for number in numbers[::3]}

    storage.run(check)


def test_preview_sessions(storage: Storage) -> None:
    """Sessions begin and end, both as often as somebody likes; each agent has its own, by campaign."""

    async def check(store: Store) -> None:
        session = PreviewSession(CENTRE, AGENT, CAMPAIGN)
        assert not await ask(store, "has_preview_session", session)
        await save(store, preview_sessions={session: False})
        await save(store, preview_sessions={session: True, PreviewSession(CENTRE, AGENT, 50): True})
        await save(store, preview_sessions={session: True, PreviewSession(CENTRE, 8, 60): True})
        assert await ask(store, "has_preview_session", session)
        assert not await ask(store, "has_preview_session", PreviewSession(2, AGENT, CAMPAIGN))
        assert await ask(store, "preview_sessions", CENTRE, AGENT) == [50, CAMPAIGN]
        await save(store, preview_sessions={session: False, PreviewSession(CENTRE, AGENT, 70): True})
        assert not await ask(store, "has_preview_session", session)
        assert await ask(store, "preview_sessions", CENTRE, AGENT) == [50, 70]

    storage.run(check)


def test_agent_sessions(storage: Storage) -> None:
    """A log-in is kept, replaced and forgotten."""

    async def check(store: Store) -> None:
        session = AgentSession(
            contact_centre_id=CENTRE, user_id=AGENT, device_id="d1", state_name="Ready", started_at_ms=5, place="p"
        )
        moved = AgentSession(
            contact_centre_id=CENTRE, user_id=AGENT, device_id="d2", state_name="NotReady", started_at_ms=6
        )
        whose = (CENTRE, AGENT)
        assert await ask(store, "agent_session", *whose) is None
        await save(store, agent_sessions={whose: session, (CENTRE, 8): None})
        assert await ask(store, "agent_session", *whose) == session
        assert await ask(store, "agent_session", 2, AGENT) is None
        await save(store, agent_sessions={whose: moved})
        assert await ask(store, "agent_session", *whose) == moved
        await save(store, agent_sessions={whose: None})
        assert await ask(store, "agent_session", *whose) is None

    storage.run(check)


def test_imports(storage: Storage) -> None:
    """How far an import is; of two steps in one unit the last counts."""

    async def check(store: Store) -> None:
        key = (CENTRE, LIST, "file-1")

        def step(done: int, state: ImportState = ImportState.RUNNING) -> ImportProgress:
            return ImportProgress(
                contact_centre_id=CENTRE,
                list_id=LIST,
                import_id="file-1",
                state=state,
                source_rows_done=done,
                records_added=done - 1,
                rows_refused=1,
                file_digest="ab12",
                started_at_ms=3,
            )

        assert await ask(store, "import_progress", *key) is None
        await save(store, imports=[step(10)])
        await save(store, imports=[step(20), step(30, ImportState.DONE)])
        assert await ask(store, "import_progress", *key) == step(30, ImportState.DONE)
        assert await ask(store, "import_progress", CENTRE, 11, "file-1") is None

    storage.run(check)
