"""Which contact centre a command works for, and in whose name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from trunkline.app.ports import Store
from trunkline.config import CENTRE_VARIABLE, Config
from trunkline.domain.people import Caller, Role
from trunkline.errors import Refused


class OpensStore(Protocol):
    """The part of the program that commands on the database work with; see ``trunkline.cli.main.Program``."""

    def open_store(self, config: Config) -> Store:
        """A store on the configured database, not yet opened."""


def command_line_caller(contact_centres: Mapping[int, str], name: str) -> Caller:
    """An administrator of the contact centre that is named, or of the only one; raises ``Refused``."""
    found = [centre for centre, title in contact_centres.items() if name in ("", title)]
    if len(found) != 1:
        names = ", ".join(sorted(contact_centres.values())) or "none"
        raise Refused(f"name one contact centre with --contact-centre or {CENTRE_VARIABLE}; there are: {names}")
    return Caller(
        contact_centre_id=found[0],
        contact_centre_name=contact_centres[found[0]],
        user_id=0,
        public_id="",
        user_name="command line",
        roles=(Role.ADMINISTRATOR,),
    )
