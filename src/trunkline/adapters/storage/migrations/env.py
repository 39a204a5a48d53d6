"""What alembic runs to turn migrations into SQL. Nothing here connects: ``migrate`` runs the text itself.

The transaction is ``migrate``'s too, because the version must be read, and the lock held, inside it.
"""

from __future__ import annotations

from alembic import context

context.configure(
    dialect_name=context.config.attributes["dialect_name"],
    output_buffer=context.config.attributes["output"],
    as_sql=True,
    literal_binds=True,
)
context.run_migrations()
