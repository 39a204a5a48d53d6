"""What the routes work with: built once by the composition root, handed to every route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from trunkline.app.administration.dry_runs import DryRuns
from trunkline.app.administration.objects import Administration
from trunkline.app.directory import ReferenceBook
from trunkline.app.groups.keeper import GroupKeeper
from trunkline.app.groups.statistics import Statistics
from trunkline.app.outbox import Outbox
from trunkline.app.ports import Clock, Store
from trunkline.app.webhooks.delivery import Webhooks
from trunkline.app.writer import Writer
from trunkline.web.auth import Authenticator
from trunkline.web.imports import ImportDoor
from trunkline.web.notifications import Notifications


class Settings:
    """Settings of the edge. ``external_prefix`` stands in front of every ``uri``."""

    def __init__(
        self,
        *,
        version: str,
        external_prefix: str,
        max_body_bytes: int,
        csrf_protection: bool,
        session_cookie_secure: bool,
        allowed_origins: tuple[str, ...],
        callback_polling: bool,
        trusted_proxies: frozenset[str],
        spool_dir: str,
        http_door: bool = True,
        validation_urls: frozenset[str] = frozenset(),
    ) -> None:
        self.version = version
        self.external_prefix = external_prefix
        self.max_body_bytes = max_body_bytes
        self.csrf_protection = csrf_protection
        self.session_cookie_secure = session_cookie_secure
        self.allowed_origins = allowed_origins
        self.callback_polling = callback_polling
        self.trusted_proxies = trusted_proxies
        self.spool_dir = spool_dir
        self.http_door = http_door
        self.validation_urls = validation_urls


class Services:
    """Everything a route may use.

    ``report_defect`` logs an error of ours and returns its incident id. ``refresh`` renews the book at once after the
    reference data changed, and ends the sessions of those who lost their access.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        clock: Clock,
        writer: Writer,
        outbox: Outbox,
        auth: Authenticator,
        notifications: Notifications,
        report_defect: Callable[[BaseException, str], str],
        imports: ImportDoor,
        webhooks: Webhooks,
        administration: Administration,
        dry_runs: DryRuns,
        refresh: Callable[[], Awaitable[None]],
        groups: GroupKeeper,
        statistics: Statistics,
        metrics: Callable[[], bytes] | None = None,
    ) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.writer = writer
        self.outbox = outbox
        self.auth = auth
        self.notifications = notifications
        self.report_defect = report_defect
        self.imports = imports
        self.webhooks = webhooks
        self.administration = administration
        self.dry_runs = dry_runs
        self.refresh = refresh
        self.groups = groups
        self.statistics = statistics
        self.metrics = metrics

    @property
    def book(self) -> ReferenceBook:
        """The reference data as they stand now."""
        return self.writer.book
