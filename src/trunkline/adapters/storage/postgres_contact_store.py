"""The part of the store on PostgreSQL that is about contacts: attempts, suppression lists, single persons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from trunkline.adapters.storage import postgres_attempts, postgres_contacts, postgres_keeping
from trunkline.adapters.storage.postgres_rows import columns, stored_of
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.adapters.storage.rows import encode
from trunkline.app.person_reads import ChainKey
from trunkline.app.ports import AttemptQuery, StoredRow, Suppression, SuppressionCount, SuppressionQuery
from trunkline.domain.attempts import StoredAttempt

T = TypeVar("T")


class ContactStore(ABC):
    """See ``app.ports.Store`` and ``app.person_reads.PersonStore``."""

    @abstractmethod
    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work on a connection for reading; of the class with this part."""

    @abstractmethod
    async def _write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work in a transaction; of the class with this part."""

    # Attempts and suppression lists

    async def attempts(self, query: AttemptQuery) -> list[StoredAttempt]:
        """See ``Store.attempts``."""
        return await self._read(lambda connection: postgres_attempts.portion(connection, query))

    async def newest_attempt(self) -> int:
        """See ``Store.newest_attempt``."""
        newest: int = await self._read(lambda connection: connection.fetchval(QUERIES["newest_attempt"]))
        return newest

    async def attempts_of_chain(
        self, contact_centre_id: int, list_id: int, chain_id: int, limit: int
    ) -> list[StoredAttempt]:
        """See ``Store.attempts_of_chain``."""
        chain = (contact_centre_id, list_id, chain_id)
        return await self._read(lambda connection: postgres_attempts.of_chain(connection, chain, limit))

    async def make_attempt_parts(self, now_ms: int) -> int:
        """See ``Store.make_attempt_parts``."""
        return await self._write(lambda connection: postgres_keeping.make_parts(connection, now_ms))

    async def drop_attempts(self, before_ms: int, limit: int) -> int:
        """See ``Store.drop_attempts``; whole months go, whatever the limit."""
        return await self._write(lambda connection: postgres_keeping.drop_parts(connection, before_ms))

    async def drop_suppressions(self, before_s: int, limit: int) -> int:
        """See ``Store.drop_suppressions``."""
        return await self._write(lambda connection: postgres_keeping.drop_suppressions(connection, before_s, limit))

    async def suppression_entries(self, query: SuppressionQuery) -> list[Suppression]:
        """See ``Store.suppression_entries``."""
        return await self._read(lambda connection: postgres_contacts.page(connection, query))

    async def suppression_counts(self, contact_centre_id: int, now_s: int) -> dict[int, SuppressionCount]:
        """See ``Store.suppression_counts``."""
        return await self._read(lambda connection: postgres_contacts.counts(connection, contact_centre_id, now_s))

    # Single persons

    async def attempts_about(
        self,
        contact_centre_id: int,
        number_keys: Collection[str],
        person_keys: Collection[str],
        after_seq: int,
        limit: int,
    ) -> list[StoredAttempt]:
        """See ``PersonStore.attempts_about``."""
        keys = (sorted(number_keys), sorted(person_keys))
        asked = (contact_centre_id, *keys, after_seq, limit)
        found = await self._read(lambda connection: connection.fetch(QUERIES["attempts_about"], *asked))
        return [postgres_attempts.attempt_of(row) for row in found]

    async def rename_attempts(
        self,
        contact_centre_id: int,
        about: Collection[str],
        numbers: Mapping[str, str],
        persons: Mapping[str, str],
        texts: Sequence[str],
    ) -> int:
        """See ``PersonStore.rename_attempts``."""
        keys = [list(each) for pair in (numbers, persons) for each in (pair.keys(), pair.values())]
        asked = (contact_centre_id, *keys, list(texts), list(about))
        tag = await self._write(lambda connection: connection.execute(QUERIES["rename_attempts"], *asked))
        return int(tag.rpartition(" ")[2])

    async def journal_about(
        self, contact_centre_id: int, texts: Sequence[str], after_seq: int, until_seq: int
    ) -> list[StoredRow]:
        """See ``PersonStore.journal_about``."""
        asked = (contact_centre_id, [text.encode() for text in texts], after_seq, until_seq)
        found = await self._read(lambda connection: connection.fetch(QUERIES["journal_about"], *asked))
        return [stored_of(row) for row in found]

    async def rewrite_journal(self, rows: Sequence[StoredRow]) -> None:
        """See ``PersonStore.rewrite_journal``."""
        if rows:
            new = columns((stored.seq, encode(stored.row.events)) for stored in rows)
            await self._write(lambda connection: connection.execute(QUERIES["rewrite_journal"], *new))

    async def forget_undo(self, chains: Collection[ChainKey]) -> int:
        """See ``PersonStore.forget_undo``."""
        if not chains:
            return 0
        keys = columns(sorted(chains))
        gone: int = await self._write(lambda connection: connection.fetchval(QUERIES["forget_undo"], *keys))
        return gone
