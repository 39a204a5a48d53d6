"""A server at work: its parts, built in the order in which they depend on each other."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import structlog

from trunkline.adapters.rule_folder import RuleFolder
from trunkline.adapters.system import SystemChance, SystemClock
from trunkline.app.administration.accounts import Accounts
from trunkline.app.administration.dry_runs import DryRuns
from trunkline.app.administration.objects import Administration
from trunkline.app.asking import Asked, Rules
from trunkline.app.callbacks.rounds import CallbackRounds
from trunkline.app.directory import ReferenceBook
from trunkline.app.groups.keeper import GroupKeeper
from trunkline.app.groups.schedules import Scheduler
from trunkline.app.groups.statistics import Statistics, complete_finished
from trunkline.app.hand_out.desk_watch import DeskWatch
from trunkline.app.handlers import HANDLERS
from trunkline.app.imports.importer import Importer
from trunkline.app.imports.run import Site
from trunkline.app.outbox import Outbox
from trunkline.app.ports import Store, StoredRow
from trunkline.app.retention import DAY_MS, Retention
from trunkline.app.rule_files import IN_USE
from trunkline.app.rule_watch import RuleWatch
from trunkline.app.upkeep import Upkeep
from trunkline.app.writer import Writer
from trunkline.config import Config
from trunkline.domain.commands import EndSession
from trunkline.domain.enums import Door, RequestType
from trunkline.domain.people import Caller
from trunkline.errors import TrunklineError
from trunkline.outward import Outward
from trunkline.settings import bayeux_config, edge_settings, logout_call_result
from trunkline.web.auth import MAX_NAMESAKES, Authenticator
from trunkline.web.imports import ImportDoor
from trunkline.web.metrics import Metrics
from trunkline.web.notifications import Notifications
from trunkline.web.services import Services


class Running:
    """A server's parts, built in the order in which they depend on each other."""

    def __init__(self, config: Config, store: Store, book: ReferenceBook, epoch: str) -> None:
        clock, chance = SystemClock(), SystemChance()
        self.store = store
        self.log = structlog.get_logger("trunkline")
        self.outbox = Outbox(
            store, clock, config.redelivery_s * 1000, lambda: f"{self.settings.external_prefix}/api/v2"
        )
        self.outward = Outward(config, clock, chance, lambda: self.writer, self._report)
        rules = Rules(
            chance=chance,
            validation=self.outward.validator.judge,
            lease_ms=config.lease_s * 1000,
            grace_ms=config.logout_grace_s * 1000,
            repeat_window_ms=config.repeat_window_s * 1000,
            logout_call_result=logout_call_result(config),
            callback_grace_ms=config.callback_grace_s * 1000,
        )
        self.writer = Writer(store, clock, book, rules, HANDLERS, self._publish, config.max_pending_writes)
        self.auth = Authenticator(
            store,
            clock,
            max_verified=config.verified_credentials_max,
            verified_ttl_ms=config.verified_credentials_ttl_s * 1000,
            session_idle_ms=config.http_session_idle_s * 1000,
            concurrent_hashes=config.password_hash_concurrency,
            tell=self._ambiguous,
        )
        self.notifications = Notifications(
            self.outbox,
            bayeux_config(config, epoch),
            clock,
            chance.token,
            lambda: self.writer.book,
            config.cometd_max_unsent_bytes,
            config.max_body_bytes,
            is_cookie_secure=config.session_cookie_secure,
        )
        self.outbox.connect(self.notifications, self.writer)
        self.groups = GroupKeeper(store, self.writer, self._report)
        self.writer.on_adopt = self.groups.book_changed
        self.statistics = Statistics(store, clock, lambda: self.writer.book)
        self.upkeep = self._upkeep(config, clock)
        self.rule_watch = RuleWatch(
            RuleFolder(Path(config.rules_dir or Path(config.data_dir) / "rules")).changed,
            IN_USE,
            lambda fault: self.log.warning("rule file", fault=fault),
        )
        self.settings = edge_settings(config)
        self.services = self._services(config, clock, chance)

    def _upkeep(self, config: Config, clock: SystemClock) -> Upkeep:
        """What happens by the clock, in the order of a round."""
        store = self.store
        self.webhooks = self.outward.webhooks(store, self.writer, self.statistics.latest)
        scheduler = Scheduler(store, self.writer, self.groups, clock)
        desks = DeskWatch(store, self.writer, clock)
        due_callbacks = CallbackRounds(store, self.writer, clock, config.callback_grace_s)
        retention = Retention(
            store=store,
            clock=clock,
            attempt_ms=config.attempt_days * DAY_MS,
            ended_ms=config.suppression_days * DAY_MS,
        )
        return Upkeep(
            store,
            self.writer,
            clock,
            self._accounts_changed,
            self._report,
            config.journal_days * DAY_MS,
            steps=[
                scheduler.run_due,
                self.groups.advance,
                due_callbacks.serve_callbacks,
                desks.look,
                self.statistics.sample,
                self._complete_finished,
                retention.tidy,
            ],
        )

    def _services(self, config: Config, clock: SystemClock, chance: SystemChance) -> Services:
        """What the routes work with."""
        store = self.store
        accounts = Accounts(store, clock, chance, self.auth.hash, self._log_out)
        metrics = Metrics(self.writer, self.outbox, self.auth, self.notifications) if config.metrics else None
        if metrics is not None:
            metrics.add(self.outward.gauges(self.webhooks))
        return Services(
            settings=self.settings,
            store=store,
            clock=clock,
            writer=self.writer,
            outbox=self.outbox,
            auth=self.auth,
            notifications=self.notifications,
            report_defect=self._report_defect,
            imports=ImportDoor(
                Importer(
                    Site(store=store, submit=self.writer.submit, clock=clock, folder=self.settings.spool_dir or None)
                ),
                lambda: self.writer.book,
                self.settings.spool_dir,
            ),
            administration=Administration(
                store, clock, lambda: self.writer.book, self.upkeep.refresh, accounts, self.settings.validation_urls
            ),
            dry_runs=DryRuns(store, clock, chance, lambda: self.writer.book, self.settings.validation_urls),
            refresh=self.upkeep.refresh,
            metrics=metrics.text if metrics else None,
            webhooks=self.webhooks,
            groups=self.groups,
            statistics=self.statistics,
        )

    def _publish(self, rows: Sequence[StoredRow]) -> None:
        self.outbox.publish(rows)
        self.webhooks.committed()
        self.groups.notice(rows)
        self.statistics.notice(rows)

    async def _complete_finished(self) -> None:
        await complete_finished(self.groups, self.statistics, self.writer.book)

    async def _accounts_changed(self) -> None:
        for user in await self.auth.refresh():
            self.notifications.cometd.kick(user)

    def _ambiguous(self, reason: str, accounts: Sequence[Caller]) -> None:
        # By public id: names are masked in the log, and so are long numbers, which might be a telephone's.
        known = ", ".join(f"{one.contact_centre_name} {one.public_id}" for one in accounts[:MAX_NAMESAKES])
        remedy = "log in with the contact centre and a backslash before the name"
        self.log.warning("log-in refused", reason=reason, accounts=known, remedy=remedy)

    async def _log_out(self, agent: Caller) -> None:
        await self.writer.submit(
            Asked(caller=agent, command=EndSession(), request_type=RequestType.SESSION_END, door=Door.INSIDE)
        )

    def _report(self, step: str, error: BaseException) -> None:
        if isinstance(error, TrunklineError):
            self.log.warning("upkeep failed", step=step, reason=str(error))
        else:
            self.log.error("upkeep failed", step=step, exc_info=error)

    def _report_defect(self, error: BaseException, where: str) -> str:
        incident_id = secrets.token_hex(6)
        self.log.error("defect", incident=incident_id, where=where, exc_info=error)
        return incident_id

    async def start(self) -> None:
        """Begin to work; the caller listens afterwards."""
        self.rule_watch.look()
        self.rule_watch.start()
        await self.outbox.prepare()
        await self.writer.prepare()
        self.writer.start()
        self.upkeep.start()
        await self.webhooks.start()
        await self.notifications.cometd.start()

    async def answer_held(self) -> None:
        """Answer what is held, so that connections can close."""
        await self.notifications.cometd.stop()

    async def stop(self) -> None:
        """Write what was accepted, then let go of everything."""
        await self.rule_watch.stop()
        await self.upkeep.stop()
        await self.groups.stop()
        await self.outward.validator.stop()
        await self.webhooks.stop()
        await self.writer.stop()
        await self.outward.close()
        self.auth.close()
        await self.store.close()
