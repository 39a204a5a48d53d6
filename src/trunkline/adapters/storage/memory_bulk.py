"""Many records at once in memory: the reference model of ``app.bulk.Bulk``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

import msgspec

from trunkline.adapters.storage.memory_unit import Tables
from trunkline.app.ports import Conflict, ImportState
from trunkline.app.record_columns import RecordBlock
from trunkline.domain.enums import CallResult, DoNotCallKind, PhoneType, RecordStatus, RecordType
from trunkline.domain.numbers import canonical_number
from trunkline.domain.records import FieldValue, Record

_fields: Callable[[str], dict[str, FieldValue]] = msgspec.json.Decoder(dict[str, FieldValue]).decode


class MemoryBulk:
    """See ``app.bulk.Bulk``."""

    rows_at_once = 1000

    def __init__(self, tables: Callable[[], Tables]) -> None:
        self._tables = tables

    async def known(
        self, contact_centre_id: int, list_id: int | None, kind: DoNotCallKind, keys: Sequence[str]
    ) -> set[str]:
        """See ``Bulk.known``."""
        wanted = set(keys)
        return {
            key
            for record in self._tables().records.values()
            if record.contact_centre_id == contact_centre_id and list_id in (None, record.list_id)
            for key in (canonical_number(record.phone_number) if kind is DoNotCallKind.NUMBER else record.customer_id,)
            if key in wanted
        }

    async def all_suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, now_s: int, limit: int
    ) -> set[str] | None:
        """See ``Bulk.all_suppressed``."""
        found = self._suppressed(contact_centre_id, list_ids, kind, now_s)
        return set(found) if len(found) <= limit else None

    async def suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, keys: Sequence[str], now_s: int
    ) -> set[str]:
        """See ``Bulk.suppressed``."""
        return {*self._suppressed(contact_centre_id, list_ids, kind, now_s)} & {*keys}

    def _suppressed(
        self, contact_centre_id: int, list_ids: Sequence[int], kind: DoNotCallKind, now_s: int
    ) -> list[str]:
        return [
            key.value_key
            for key, entry in self._tables().suppressions.items()
            if key.contact_centre_id == contact_centre_id
            and key.kind is kind
            and key.suppression_list_id in list_ids
            and key.campaign_id == 0
            and (entry.expires_at_s is None or entry.expires_at_s > now_s)
        ]

    async def add(self, block: RecordBlock) -> None:
        """See ``Bulk.add``."""
        tables = self._tables()
        key = (block.contact_centre_id, block.list_id, block.import_id)
        progress = tables.imports.get(key)
        if (
            progress is None
            or progress.state is not ImportState.RUNNING
            or progress.file_digest != block.file_digest
            or progress.source_rows_done != block.row_before
        ):
            raise Conflict
        for record in records_of(block, tables.next_numbers):
            tables.records[record.key] = record
        tables.imports[key] = msgspec.structs.replace(
            progress,
            source_rows_done=block.row_after,
            records_added=progress.records_added + len(block),
            rows_refused=progress.rows_refused + block.rows_refused,
        )

    async def page(
        self, contact_centre_id: int, list_id: int, after: tuple[int, int] | None, limit: int
    ) -> list[Record]:
        """See ``Bulk.page``."""
        records = self._tables().records
        found = [
            records[key]
            for key in sorted(records)
            if key[:2] == (contact_centre_id, list_id) and (after is None or key[2:] > after)
        ]
        return found[:limit]


def records_of(block: RecordBlock, next_numbers: dict[str, int]) -> list[Record]:
    """The records of a block under fresh numbers."""
    names = [name for name in block.pieces[0].values if name not in ("number_key", "chain_key")]
    rows = chain.from_iterable(zip(*map(piece.column, names), strict=True) for piece in block.pieces)
    chains: dict[int, int] = {}
    made: list[Record] = []
    for values in rows:
        row = dict(zip(names, values, strict=True))
        ordinal = row.pop("chain")
        if ordinal not in chains:
            chains[ordinal] = next_numbers["chain"]
            next_numbers["chain"] += 1
        window = block.windows[row.pop("window")]
        fields = row.pop("other_fields")
        row["phone_type"] = PhoneType(row["phone_type"])
        row["record_type"] = RecordType(row["record_type"])
        row["status"] = RecordStatus(row["status"])
        row["call_result"] = CallResult(row["call_result"])
        made.append(
            Record(
                contact_centre_id=block.contact_centre_id,
                list_id=block.list_id,
                chain_id=chains[ordinal],
                record_id=next_numbers["record"],
                time_zone=window.time_zone,
                from_s=window.from_s,
                until_s=window.until_s,
                region=window.region,
                other_zones=window.other_zones,
                other_fields={} if fields is None else _fields(fields),
                **row,
            )
        )
        next_numbers["record"] += 1
    return made
