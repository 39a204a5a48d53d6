"""What a database holds after the crashes, read past the server."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import asyncpg


class Stock:
    """A database: a folder with SQLite's file, or the address of a PostgreSQL database."""

    def __init__(self, where: Path | str) -> None:
        self._where = where

    def version_of(self, agent_n: int) -> int:
        """The version of the record on an agent's desk: one more for each change of it."""
        statement = (
            "SELECT r.version FROM record r JOIN desk d ON r.list_id = d.list_id AND r.chain_id = d.chain_id"
            f" AND r.chain_n = d.chain_n WHERE d.handle = {1_000_000 + agent_n}"
        )
        return int(self._rows(statement)[0][0])

    def copies(self) -> dict[str, int]:
        """How many records each added number has."""
        rows = self._rows("SELECT phone_number, count(*) FROM record WHERE phone_number LIKE '+1646%' GROUP BY 1")
        return {number: int(count) for number, count in rows}

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        if isinstance(self._where, Path):
            connection = sqlite3.connect(f"file:{self._where / 'trunkline.db'}?mode=ro", uri=True)
            try:
                return connection.execute(statement).fetchall()
            finally:
                connection.close()
        return asyncio.run(self._fetched(statement, self._where))

    async def _fetched(self, statement: str, url: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()
