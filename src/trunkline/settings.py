"""What each part of a server is told, from the options."""

from __future__ import annotations

from pathlib import Path

from trunkline import __version__
from trunkline.bayeux import Config as BayeuxConfig
from trunkline.config import Config
from trunkline.domain.enums import CallResult
from trunkline.web.bounds import Bounds
from trunkline.web.services import Settings


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
        validation_urls=frozenset(config.validation_urls),
    )
