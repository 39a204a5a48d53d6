"""Prometheus metrics of one server: gauges read at scrape time, so that counting costs the hot path nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from trunkline.app.outbox import Outbox
from trunkline.app.writer import Writer
from trunkline.web.auth import Authenticator
from trunkline.web.notifications import Notifications

Gauges = Mapping[str, tuple[str, Callable[[], float]]]


class Metrics:
    """The registry of one server."""

    def __init__(self, writer: Writer, outbox: Outbox, auth: Authenticator, notifications: Notifications) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        gauges: Gauges = {
            "trunkline_requests_written": ("Requests that went through the writer.", lambda: writer.requests),
            "trunkline_batches_written": ("Transactions that the writer made.", lambda: writer.batches),
            "trunkline_writes_pending": ("Requests waiting for the next transaction.", lambda: writer.pending),
            "trunkline_messages_published": ("CometD messages handed to sessions.", lambda: outbox.published),
            "trunkline_open_mailboxes": ("Users with a CometD session.", lambda: outbox.open_mailboxes),
            "trunkline_password_hashes": ("Password hashes computed.", lambda: auth.verifications),
            "trunkline_cometd_sessions": ("CometD sessions.", lambda: notifications.sessions),
            "trunkline_cometd_sockets": ("Open WebSockets.", lambda: notifications.cometd.sockets),
        }
        self.add(gauges)

    def add(self, gauges: Gauges) -> None:
        """Serve further figures: name -> what it says, and what reads it."""
        for name, (text, read) in gauges.items():
            Gauge(name, text, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """The metrics in the text format."""
        return generate_latest(self._registry)
