"""Reference data as PostgreSQL takes it: contact centres, people with their devices, lists, campaigns."""

from __future__ import annotations

from trunkline.adapters.storage import postgres_accounts, postgres_objects
from trunkline.adapters.storage.objects import PROVISIONED
from trunkline.adapters.storage.postgres_rows import columns
from trunkline.adapters.storage.postgres_server import QUERIES, Connection
from trunkline.app.administration.provisioning import accounts_of, provisioned
from trunkline.app.ports import Provision


async def write_provision(connection: Connection, provision: Provision) -> None:
    """Write all of it and bump the version, inside the caller's transaction. Of two with one key the last counts."""
    # First, because its lock makes two processes that provision take turns.
    await connection.execute(QUERIES["bump_version"])
    if provision.contact_centres:
        centres = columns(sorted(provision.contact_centres.items()))
        await connection.execute(QUERIES["put_contact_centres"], *centres)
    await postgres_accounts.put_all(connection, accounts_of(provision), PROVISIONED)
    objects, states = provisioned(provision)
    await postgres_objects.put_all(connection, objects)
    await postgres_objects.put_states(connection, states)
