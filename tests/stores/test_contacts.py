"""Preview sessions, log-ins, imports."""

from __future__ import annotations

from tests.stores.storage import AGENT, CAMPAIGN, CENTRE, LIST, Storage, ask, save
from trunkline.app.ports import AgentSession, ImportProgress, ImportState, PreviewSession, Store


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
