"""What is kept about single persons in the reference model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

import msgspec

from trunkline.adapters.storage.memory_unit import Tables
from trunkline.app.person_reads import ChainKey
from trunkline.app.ports import StoredRow
from trunkline.domain.attempts import StoredAttempt


class PersonRows(ABC):
    """See ``app.person_reads.PersonStore``."""

    @abstractmethod
    def _now(self) -> Tables:
        """The tables as they are now; of the class with this part."""

    async def attempts_about(
        self,
        contact_centre_id: int,
        number_keys: Collection[str],
        person_keys: Collection[str],
        after_seq: int,
        limit: int,
    ) -> list[StoredAttempt]:
        """See ``PersonStore.attempts_about``."""
        found = [one for one in self._now().attempts if _is_about(one, contact_centre_id, number_keys, person_keys)]
        return [one for one in found if one.seq > after_seq][:limit]

    async def rename_attempts(
        self,
        contact_centre_id: int,
        about: Collection[str],
        numbers: Mapping[str, str],
        persons: Mapping[str, str],
        texts: Sequence[str],
    ) -> int:
        """See ``PersonStore.rename_attempts``."""
        log = self._now().attempts
        count = 0
        for place, stored in enumerate(log):
            if _is_about(stored, contact_centre_id, about, persons):
                row = stored.row
                holds = any(text in msgspec.json.encode(row.detail).decode() for text in texts)
                row = msgspec.structs.replace(
                    row,
                    number_key=numbers.get(row.number_key, row.number_key),
                    person_key=persons.get(row.person_key, row.person_key),
                    detail={} if holds else row.detail,
                )
                log[place] = StoredAttempt(stored.seq, row)
                count += 1
        return count

    async def journal_about(
        self, contact_centre_id: int, texts: Sequence[str], after_seq: int, until_seq: int
    ) -> list[StoredRow]:
        """See ``PersonStore.journal_about``."""
        return [
            stored
            for stored in self._now().journal
            if stored.row.contact_centre_id == contact_centre_id
            and after_seq < stored.seq <= until_seq
            and any(text in msgspec.json.encode(stored.row.events).decode() for text in texts)
        ]

    async def rewrite_journal(self, rows: Sequence[StoredRow]) -> None:
        """See ``PersonStore.rewrite_journal``."""
        tables = self._now()
        new = {stored.seq: stored.row.events for stored in rows}
        for place, stored in enumerate(tables.journal):
            if stored.seq in new:
                row = msgspec.structs.replace(stored.row, events=new[stored.seq], reference=None, request_key=None)
                tables.journal[place] = StoredRow(stored.seq, row)

    async def forget_undo(self, chains: Collection[ChainKey]) -> int:
        """See ``PersonStore.forget_undo``."""
        tables = self._now()
        gone = [key for key in tables.undos if key[0][:3] in chains]
        for key in gone:
            del tables.undos[key]
        return len(gone)


def _is_about(
    stored: StoredAttempt, contact_centre_id: int, numbers: Collection[str], persons: Collection[str]
) -> bool:
    row = stored.row
    return row.contact_centre_id == contact_centre_id and (row.number_key in numbers or row.person_key in persons)
