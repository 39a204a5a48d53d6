"""The composition root: the only place that knows every room. Builds the program from its configuration."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import structlog
import uvloop

from trunkline import __version__, log
from trunkline.adapters.rule_folder import RuleFolder
from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.system import SystemChance, SystemClock
from trunkline.app import demo
from trunkline.app.asking import Rules
from trunkline.app.callback_rounds import CallbackRounds
from trunkline.app.directory import ReferenceBook
from trunkline.app.handlers import HANDLERS
from trunkline.app.import_files import TextFile
from trunkline.app.import_run import Site
from trunkline.app.imports import Importer, ImportOrder, import_alone
from trunkline.app.outbox import Outbox
from trunkline.app.ports import Store, StoredRow
from trunkline.app.retention import DAY_MS, Retention
from trunkline.app.rule_files import IN_USE
from trunkline.app.rule_watch import RuleWatch
from trunkline.app.upkeep import Upkeep
from trunkline.app.writer import Writer
from trunkline.bayeux import Config as BayeuxConfig
from trunkline.cli.explain import explain
from trunkline.cli.exports import export_list
from trunkline.cli.imports import import_list
from trunkline.cli.lists import lists
from trunkline.cli.main import cli as commands
from trunkline.cli.rules import rules
from trunkline.cli.treatments import treatments
from trunkline.config import Config
from trunkline.diagnosis import examine
from trunkline.domain.enums import CallResult
from trunkline.domain.import_specifications import NumberCheck
from trunkline.errors import AlreadyExists, TrunklineError
from trunkline.outward import Outward
from trunkline.web.app import Application
from trunkline.web.auth import Authenticator, hash_password
from trunkline.web.bounds import Bounds
from trunkline.web.imports import ImportDoor
from trunkline.web.metrics import Metrics
from trunkline.web.notifications import Notifications
from trunkline.web.server import Server, announce_port
from trunkline.web.services import Services, Settings

DEMO_PASSWORD = "demo"  # noqa: S105 - printed on the first screen of the README; the demo binds loopback only

commands.add_command(explain)
commands.add_command(import_list)
commands.add_command(export_list)
commands.add_command(lists)
commands.add_command(rules)
commands.add_command(treatments)


def database_url(config: Config) -> str:
    """Where the data are: the configured PostgreSQL, or SQLite in the data folder (which is made)."""
    if config.database_url:
        return config.database_url
    folder = Path(config.data_dir).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"sqlite:///{folder / 'trunkline.db'}"


def bayeux_config(config: Config, epoch: str) -> BayeuxConfig:
    """Settings of the CometD core; ``epoch`` names the journal."""
    connection_types = ["websocket"] if config.cometd_websocket else []
    connection_types += ["long-polling"]
    connection_types += ["callback-polling"] if config.cometd_callback_polling else []
    return BayeuxConfig(
        timeout_ms=config.cometd_timeout_ms,
        interval_ms=config.cometd_interval_ms,
        max_interval_ms=config.cometd_max_interval_ms,
        connection_types=tuple(connection_types),
        max_messages_per_request=config.cometd_max_messages,
        max_depth=config.cometd_max_depth,
        max_subscriptions_per_session=config.cometd_max_subscriptions,
        max_sessions=config.cometd_max_sessions,
        max_sessions_per_principal=config.cometd_max_sessions_per_user,
        max_queue_messages=config.cometd_max_queue_messages,
        max_queue_bytes=config.cometd_max_queue_bytes,
        max_sessions_per_browser=config.cometd_max_polls_per_browser,
        max_handshakes_per_s=config.cometd_max_handshakes_per_s,
        max_inactive_ms=config.cometd_max_inactive_s * 1000,
        replay_epoch=epoch,
    )


def bounds(config: Config) -> Bounds:
    """Deadlines of connections."""
    return Bounds(
        keep_alive_s=config.keep_alive_s,
        head_s=config.head_deadline_s,
        body_s=config.body_deadline_s,
        write_s=config.write_deadline_s,
        # A live client's heartbeats come every timeout; what has no session longer than that is nobody's.
        socket_idle_s=(config.cometd_timeout_ms + config.cometd_max_interval_ms) / 1000 + config.write_deadline_s,
    )


def logout_call_result(config: Config) -> CallResult | None:
    """The result of records that agents leave behind; None leaves them Stale."""
    number = config.agent_logout_preview_call_result
    return None if number < 0 else CallResult(number)


def edge_settings(config: Config) -> Settings:
    """Settings of the HTTP edge."""
    return Settings(
        version=__version__,
        external_prefix=config.external_url.rstrip("/"),
        max_body_bytes=config.max_body_bytes,
        csrf_protection=config.csrf_protection,
        session_cookie_secure=config.session_cookie_secure,
        allowed_origins=config.allowed_origins,
        callback_polling=config.cometd_callback_polling,
        trusted_proxies=frozenset(config.trusted_proxies),
        spool_dir=str(Path(config.data_dir)) if not config.database_url else "",
        http_door=config.http_door,
    )


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
        self.webhooks = self.outward.webhooks(store, self.writer)
        self.auth = Authenticator(
            store,
            clock,
            max_verified=config.verified_credentials_max,
            verified_ttl_ms=config.verified_credentials_ttl_s * 1000,
            session_idle_ms=config.http_session_idle_s * 1000,
            concurrent_hashes=config.password_hash_concurrency,
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
        callbacks = CallbackRounds(store, self.writer, clock, config.callback_grace_s)
        retention = Retention(
            store=store,
            clock=clock,
            attempt_ms=config.attempt_days * DAY_MS,
            ended_ms=config.suppression_days * DAY_MS,
        )
        self.upkeep = Upkeep(
            store,
            self.writer,
            clock,
            self._accounts_changed,
            self._report,
            config.journal_days * DAY_MS,
            steps=[callbacks.serve_callbacks, retention.tidy],
        )
        self.rule_watch = RuleWatch(
            RuleFolder(Path(config.rules_dir or Path(config.data_dir) / "rules")).changed,
            IN_USE,
            lambda fault: self.log.warning("rule file", fault=fault),
        )
        self.settings = edge_settings(config)
        metrics = Metrics(self.writer, self.outbox, self.auth, self.notifications) if config.metrics else None
        self.services = Services(
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
            metrics=metrics.text if metrics else None,
            webhooks=self.webhooks,
        )

    def _publish(self, rows: Sequence[StoredRow]) -> None:
        self.outbox.publish(rows)
        self.webhooks.committed()

    async def _accounts_changed(self) -> None:
        for user in await self.auth.refresh():
            self.notifications.cometd.kick(user)

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
        await self.services.imports.close()
        await self.outward.validator.stop()
        await self.webhooks.stop()
        await self.writer.stop()
        await self.outward.close()
        self.auth.close()
        await self.store.close()


async def run(config: Config, ready_fd: int | None) -> None:
    """Run the server until it is told to stop."""
    url = database_url(config)
    store = make_store(url, exclusive=True)
    await store.open()
    for warning in getattr(store, "warnings", ()):
        structlog.get_logger("trunkline").warning("database", warning=warning)
    if config.demo:
        await make_demo(config, store)
    running = Running(config, store, ReferenceBook(await store.directory()), await store.epoch())

    def on_ready(port: int) -> None:
        if not running.settings.external_prefix:
            running.settings.external_prefix = config.external_prefix(port)
        running.log.info("listening", url=running.settings.external_prefix, version=__version__)
        if ready_fd is not None:
            announce_port(ready_fd, port)

    application = Application(running.services)
    server = Server(
        application,
        host=config.host,
        port=config.port,
        shutdown_grace_s=config.shutdown_grace_s,
        on_ready=on_ready,
        on_stop=running.answer_held,
        bounds=bounds(config),
        door=application.door,
        gate=application.door.gate if config.cometd_websocket else None,
    )
    await running.start()
    try:
        await server.serve()
    finally:
        await running.stop()
    if not server.started:
        raise TrunklineError(f"cannot listen on {config.host}:{config.port}")


async def make_demo(config: Config, store: Store) -> None:
    """Fill an empty database with the demo contact centre; nothing when it is there already."""
    await demo.seed(store, config.demo_agents, hash_password(DEMO_PASSWORD))
    calling_list = ReferenceBook(await store.directory()).list_named(demo.CENTRE_ID, demo.LIST_NAME)
    order = ImportOrder(import_id=demo.IMPORT_ID, numbers=NumberCheck.AS_GIVEN)
    # An older release's list under the same import id stays: the demo is made once for each data directory.
    with files("trunkline.demo").joinpath("calling_list_1.csv").open("rb") as file, suppress(AlreadyExists):
        await import_alone(store, SystemClock(), demo.administrator(), calling_list, order, TextFile(file))


async def make_attempt_parts(url: str) -> None:
    """Give a migrated database the parts of its attempt log that come next, so that no row has to be moved later."""
    store = make_store(url)
    await store.open()
    try:
        await store.make_attempt_parts(SystemClock().now_ms())
    finally:
        await store.close()


class Program:
    """What the commands of the command line work with; see ``trunkline.cli.main.Program``."""

    def serve(self, config: Config, ready_fd: int | None) -> None:
        """Run the server until it is told to stop."""
        log.configure(config.log_level, config.log_format)
        for chatty in ("alembic", "uvicorn.error"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        if config.demo or not config.database_url:
            migrate.upgrade(database_url(config))
        uvloop.run(run(config, ready_fd))

    def migrate(self, config: Config) -> tuple[str | None, str]:
        """Bring the database to the newest schema."""
        url = database_url(config)
        before = migrate.current(url)
        migrate.upgrade(url)
        asyncio.run(make_attempt_parts(url))
        return before, migrate.head()

    def pending_sql(self, config: Config) -> str:
        """The statements that ``migrate`` would run."""
        return migrate.pending_sql(database_url(config))

    def open_store(self, config: Config) -> Store:
        """A store on the configured database, not yet opened."""
        return make_store(database_url(config))

    def hash_password(self, password: str) -> str:
        """The encoded hash of a password."""
        return hash_password(password)

    def examine(self, config: Config) -> list[tuple[str, bool, str]]:
        """Findings of the doctor."""
        return asyncio.run(examine(config, database_url(config)))


def cli() -> None:
    """Entry point of the ``trunkline`` command."""
    commands.main(args=sys.argv[1:], prog_name="trunkline", obj=Program(), standalone_mode=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    cli()
