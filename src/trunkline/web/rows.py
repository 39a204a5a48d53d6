"""A row of the route table: method, path, handler, and who may use it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from trunkline.domain.permissions import Permission

Handler = Callable[..., Awaitable[None]]


class Row(NamedTuple):
    """A route. ``ids`` says what each parameter of the path, or of the query, names: so tests know what is foreign.

    A row without a permission is for supervisors when it is below ``/api/v2/admin/``, else for everybody who is logged
    in; the access matrix refuses such rows.
    """

    method: str
    path: str
    handler: Handler
    permission: Permission | None = None
    ids: Mapping[str, str] = {}

    @property
    def needs(self) -> Permission:
        """The permission that is checked before anything is looked up."""
        if self.permission is not None:
            return self.permission
        return Permission.SUPERVISE if self.path.startswith("/api/v2/admin/") else Permission.OWN
