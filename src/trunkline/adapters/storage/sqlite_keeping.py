"""How long SQLite keeps rows: what is old goes in portions."""

from __future__ import annotations

from trunkline.adapters.storage.sqlite_connection import Statements


def drop_attempts(statements: Statements, before_ms: int, limit: int) -> int:
    """See ``Store.drop_attempts``; inside a transaction."""
    next_seq: int = statements.value("first_attempt_seq", {})
    gone = statements.run("drop_attempts", {"before_ms": before_ms, "limit": limit})
    if gone:
        # The newest row may be among them, and its number must not come again.
        statements.run("move_pool", {"name": "attempt", "next_value": next_seq})
    return gone


def drop_suppressions(statements: Statements, before_s: int, limit: int) -> int:
    """See ``Store.drop_suppressions``; inside a transaction."""
    return statements.run("drop_suppressions", {"before_s": before_s, "limit": limit})
