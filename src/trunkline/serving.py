"""Serving: from the configuration to a server that listens, and back."""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib.resources import files

import structlog
import uvloop

from trunkline import __version__, log
from trunkline.adapters.storage import make_store, migrate
from trunkline.adapters.system import SystemClock
from trunkline.app import demo
from trunkline.app.directory import ReferenceBook
from trunkline.app.imports.files import TextFile
from trunkline.app.imports.importer import ImportOrder, import_alone
from trunkline.app.ports import Store
from trunkline.config import Config
from trunkline.domain.import_specifications import NumberCheck
from trunkline.errors import AlreadyExists, TrunklineError
from trunkline.running import Running
from trunkline.settings import bounds
from trunkline.web.app import Application
from trunkline.web.auth import hash_password
from trunkline.web.server import Server, announce_port

DEMO_PASSWORD = "demo"  # noqa: S105 - printed on the first screen of the README; the demo binds loopback only


def serve(config: Config, url: str, ready_fd: int | None) -> None:
    """Run the server on the database at ``url``, in this process, until it is told to stop."""
    log.configure(config.log_level, config.log_format)
    for chatty in ("alembic", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if config.demo or not config.database_url:
        migrate.upgrade(url)
    uvloop.run(run(config, url, ready_fd))


async def run(config: Config, url: str, ready_fd: int | None) -> None:
    """Run the server on the database at ``url`` until it is told to stop."""
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
