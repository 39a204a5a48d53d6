"""The table: each option with its name, type, default, unit, range and sentence."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

ENVIRONMENT_PREFIX = "TRUNKLINE_"
_DAY_S = 86_400


def _says(
    sentence: str, unit: str = "", at_least: int | None = None, at_most: int | None = None, *, secret: bool = False
) -> Meta:
    return Meta(description=sentence, ge=at_least, le=at_most, extra={"unit": unit, "secret": secret})


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values that one process runs with."""

    data_dir: Annotated[
        str, _says("Folder for the SQLite database and everything else the server keeps; made when it is missing.")
    ] = "./trunkline-data"
    database_url: Annotated[
        str,
        _says(
            "PostgreSQL (13 or newer) as postgresql://user:password@host/name; empty: SQLite in data_dir.", secret=True
        ),
    ] = ""
    rules_dir: Annotated[
        str,
        _says("Folder with calling-time rule files of your own (*.yaml); empty: the folder rules in data_dir, if any."),
    ] = ""
    host: Annotated[str, _says("Address to listen on; 0.0.0.0 or :: for every interface.")] = "127.0.0.1"
    port: Annotated[int, _says("TCP port to listen on; 0 takes a free one.", "", 0, 65_535)] = 8080
    external_url: Annotated[
        str,
        _says("How clients reach this server, put in front of every uri in answers; empty: http://host:port."),
    ] = ""
    demo: Annotated[bool, _says("Fill an empty database with a demo contact centre and run its campaign.")] = False
    # 5: the documented samples name five agents; 20000: what one node is measured with.
    demo_agents: Annotated[int, _says("How many demo agents there are.", "agents", 5, 20_000)] = 5
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _says("The least severe lines that are written.")
    ] = "info"
    log_format: Annotated[
        Literal["console", "json"], _says("Lines for people (console) or one JSON object per line (json), on stderr.")
    ] = "console"
    csrf_protection: Annotated[
        bool, _says("Ask for the CSRF token on writes of cookie sessions. Clients written before tokens fail then.")
    ] = False
    session_cookie_secure: Annotated[
        bool, _says("Mark the session cookie Secure, so that browsers send it over HTTPS alone.")
    ] = False
    # 7 days: a session that lives longer than a working week without use belongs to nobody.
    http_session_idle_s: Annotated[
        int, _says("An HTTP session ends after this long without a request.", "seconds", 60, 7 * _DAY_S)
    ] = 1800
    # A cached entry is about 200 bytes: the maximum costs 200 MB.
    verified_credentials_max: Annotated[
        int, _says("How many verified passwords are remembered, to spare the costly check.", "entries", 1, 1_000_000)
    ] = 50_000
    verified_credentials_ttl_s: Annotated[
        int, _says("How long a verified password is remembered.", "seconds", 1, _DAY_S)
    ] = 900
    # Each check takes one core and 19 to 64 MiB while it runs.
    password_hash_concurrency: Annotated[
        int, _says("How many passwords are checked at the same time.", "checks", 1, 64)
    ] = 2
    # Proxies commonly cut a silent connection after 60 s; 5 min is the longest any is known to bear.
    cometd_timeout_ms: Annotated[
        int, _says("How long a /meta/connect is held when there is nothing to deliver.", "milliseconds", 0, 300_000)
    ] = 30_000
    cometd_interval_ms: Annotated[
        int, _says("How long clients wait between two /meta/connect.", "milliseconds", 0, 60_000)
    ] = 0
    cometd_max_interval_ms: Annotated[
        int,
        _says("A CometD session ends when no /meta/connect arrives for this long.", "milliseconds", 1000, 3_600_000),
    ] = 60_000
    cometd_websocket: Annotated[bool, _says("Offer WebSocket to CometD clients; without it they use long-polling.")] = (
        True
    )
    cometd_callback_polling: Annotated[
        bool, _says("Offer callback-polling (JSONP), for old pages of other sites; see the manual before.")
    ] = False
    cometd_max_messages: Annotated[int, _says("CometD messages in one request or frame.", "messages", 1, 1000)] = 64
    # Three is an array of messages with their data; the strict decoder's own limit is the upper end.
    cometd_max_depth: Annotated[int, _says("Nesting of a CometD message.", "levels", 3, 32)] = 32
    cometd_max_subscriptions: Annotated[
        int, _says("Subscriptions of one CometD session.", "subscriptions", 1, 1000)
    ] = 64
    # Each waiting session takes about 16 KiB.
    cometd_max_sessions: Annotated[int, _says("CometD sessions in all.", "sessions", 1, 1_000_000)] = 20_000
    cometd_max_sessions_per_user: Annotated[
        int, _says("CometD sessions of one user: tabs, desks, and those left behind by reloads.", "sessions", 1, 1000)
    ] = 64
    # A full mailbox of 10,000 and what happens while it is read, at 2 KB for each.
    cometd_max_queue_messages: Annotated[
        int, _says("Events that may wait for one session; then it must start anew.", "events", 1, 1_000_000)
    ] = 12_000
    cometd_max_queue_bytes: Annotated[
        int, _says("Bytes of events that may wait for one session.", "bytes", 65_536, 1 << 30)
    ] = 24 * 1024 * 1024
    cometd_max_unsent_bytes: Annotated[
        int, _says("Bytes that may wait for a WebSocket client that does not read.", "bytes", 65_536, 1 << 26)
    ] = 1024 * 1024
    # Browsers open six connections to one site by HTTP/1.1.
    cometd_max_polls_per_browser: Annotated[
        int, _says("Long polls held for one browser; further tabs poll every two seconds.", "polls", 1, 100)
    ] = 4
    cometd_max_handshakes_per_s: Annotated[
        int, _says("CometD handshakes of one address; five times as many at once.", "handshakes/s", 1, 100_000)
    ] = 200
    cometd_max_inactive_s: Annotated[
        int, _says("A CometD session that does nothing but poll ends after this long; 0: never.", "seconds", 0, _DAY_S)
    ] = 0
    head_deadline_s: Annotated[int, _says("The head of a request must arrive within this.", "seconds", 1, 600)] = 9
    body_deadline_s: Annotated[
        int, _says("The body of a request must arrive within this; long files get more.", "seconds", 1, 3600)
    ] = 28
    write_deadline_s: Annotated[int, _says("A client must take what is sent within this.", "seconds", 1, 600)] = 8
    keep_alive_s: Annotated[int, _says("A connection without a request is kept this long.", "seconds", 1, 3600)] = 75
    redelivery_s: Annotated[
        int, _says("An event that was not delivered waits this long for its user's next session.", "seconds", 0, _DAY_S)
    ] = 600
    # 400 days: thirteen months, so that a year can be compared with the last. At least one: the longest that an event
    # waits for its user, and a request for its repetition.
    journal_days: Annotated[
        int,
        _says(
            "The request audit is kept this long; clients that were away get missed events from it.",
            "days",
            1,
            3650,
        ),
    ] = 400
    # Attempt rules look back 366 days at most, so never less. Five years is what telemarketers in the United States
    # must keep (16 CFR 310.5); where the law asks for less, less is better.
    attempt_days: Annotated[
        int,
        _says("The log of attempts is kept this long; PostgreSQL drops whole months.", "days", 366, 7300),
    ] = 1830
    suppression_days: Annotated[
        int,
        _says("Do-not-call entries that have ended are kept this long, to tell who entered them.", "days", 0, 7300),
    ] = 1830
    repeat_window_s: Annotated[
        int,
        _says(
            "A request with the same referenceId is answered again, not done again, for this long.",
            "seconds",
            0,
            _DAY_S,
        ),
    ] = 600
    lease_s: Annotated[
        int, _says("A record stays on an agent's desk this long after the last touch.", "seconds", 60, 7 * _DAY_S)
    ] = 28_800
    logout_grace_s: Annotated[
        int, _says("After logout the agent's records stay on the desk this long.", "seconds", 0, 3600)
    ] = 60
    agent_logout_preview_call_result: Annotated[
        int,
        _says(
            "The call result of records whose agent logged out and did not finish them, with its treatment; "
            "-1 leaves them Stale.",
            "call result",
            -1,
            53,
        ),
    ] = -1
    # Long enough for a conversation that runs over, short enough that the person called still expects the call.
    callback_grace_s: Annotated[
        int,
        _says("A callback that nobody took for this long after its time is missed.", "seconds", 60, _DAY_S),
    ] = 1800
    # The strict decoder's own limit is the upper end.
    max_body_bytes: Annotated[int, _says("The largest request body.", "bytes", 1024, 65_536)] = 65_536
    max_pending_writes: Annotated[
        int, _says("How many writes may wait for their commit; the next one is answered 503.", "writes", 1, 1_000_000)
    ] = 8_000
    shutdown_grace_s: Annotated[
        int, _says("How long open requests may take to finish when the server stops.", "seconds", 0, 600)
    ] = 10
    allowed_origins: Annotated[
        tuple[str, ...],
        _says("Origins of browsers that may call, as https://desktop.example.com; the server's own always may."),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        _says("Addresses of proxies in front, whose X-Forwarded-For is believed when handshakes are counted."),
    ] = ()
    http_door: Annotated[
        bool,
        _says("Serve third-party programs at /lists, /records, /phones ..., for supervisors only."),
    ] = True
    outgoing_allowed_networks: Annotated[
        tuple[str, ...],
        _says("Networks of your own that webhooks and validations may lead to, as 10.1.0.0/16; without them: none."),
    ] = ()
    outgoing_ca_file: Annotated[
        str, _says("Certificate authorities (PEM) to trust besides the usual ones, for servers of your own.")
    ] = ""
    # What an original installation calls http-response-timeout; longer than a minute nobody who is to be called waits.
    http_response_timeout_s: Annotated[
        int, _says("How long a webhook or a validation may take to answer.", "seconds", 1, 60)
    ] = 5
    http_connection_pool_size: Annotated[
        int, _says("Questions of the pre-dial validation that are asked at the same time.", "connections", 1, 500)
    ] = 10
    validation_urls: Annotated[
        tuple[str, ...], _says("Addresses that campaigns may name for their pre-dial validation; no other is asked.")
    ] = ()
    validation_keep_s: Annotated[int, _says("How long the permission of a validation holds.", "seconds", 1, 3600)] = 300
    validation_timeout_call_result: Annotated[
        int,
        _says("Call result of a record that the validation did not answer about in time; -1: ask again.", "", -1, 53),
    ] = -1
    validation_race_condition_call_result: Annotated[
        int,
        _says(
            "Call result of a record that changed while it was validated and was refused; -1: ask again.", "", -1, 53
        ),
    ] = -1
    # A month: whoever is away longer is not coming back.
    webhook_give_up_s: Annotated[
        int, _says("A webhook that gets nothing through for this long is stopped.", "seconds", 60, 30 * _DAY_S)
    ] = _DAY_S
    metrics: Annotated[bool, _says("Serve Prometheus metrics at /metrics.")] = True

    def __repr__(self) -> str:
        shown = (
            f"{o.name}={'...' if o.is_secret and getattr(self, o.name) else getattr(self, o.name)!r}" for o in options()
        )
        return f"Config({', '.join(shown)})"

    def external_prefix(self, bound_port: int) -> str:
        """Return what stands in front of uris, without a slash at its end.

        ``bound_port`` is the port that the server really has, as ``port`` may be 0.
        """
        if self.external_url:
            return self.external_url.rstrip("/")
        # The wildcard addresses are good for listening only.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{bound_port}" if ":" in host else f"http://{host}:{bound_port}"


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option, as help and manual show it."""

    name: str
    """Key in the configuration file and in ``Config``."""
    kind: Literal["text", "number", "switch", "list"]
    default: str | int | bool | tuple[str, ...]
    sentence: str
    unit: str
    """Of a number; empty if it has none."""
    at_least: int | None
    at_most: int | None
    choices: tuple[str, ...]
    """Of a text; empty: any text."""
    is_secret: bool
    """The value is shown nowhere."""

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """The flag on the command line; a switch has also ``--no-...``."""
        return "--" + self.name.replace("_", "-")

    @property
    def short_flag(self) -> str:
        """A shorter spelling of the flag, for the options that people type most; empty if there is none."""
        return {"data_dir": "--data", "database_url": "--database"}.get(self.name, "")

    @property
    def values(self) -> str:
        """The values it takes, in words."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind == "number":
            return f"{self.at_least} to {self.at_most} {self.unit}".rstrip()
        return {"text": "text", "switch": "true, false", "list": "texts"}[self.kind]


def _read_table() -> list[Option]:
    table = []
    described = msgspec.inspect.type_info(Config)
    assert isinstance(described, msgspec.inspect.StructType)
    for field in described.fields:
        meta = field.type
        assert isinstance(meta, msgspec.inspect.Metadata)
        assert meta.extra is not None
        assert meta.extra_json_schema is not None
        inner: Any = meta.type
        kinds: dict[type, Literal["number", "switch", "list"]] = {
            msgspec.inspect.IntType: "number",
            msgspec.inspect.BoolType: "switch",
            msgspec.inspect.VarTupleType: "list",
        }
        table.append(
            Option(
                name=field.name,
                kind=kinds.get(type(inner), "text"),
                default=field.default,
                sentence=meta.extra_json_schema["description"],
                unit=meta.extra["unit"],
                at_least=getattr(inner, "ge", None),
                at_most=getattr(inner, "le", None),
                choices=tuple(getattr(inner, "values", ())),
                is_secret=meta.extra["secret"],
            )
        )
    return table


def options() -> list[Option]:
    """Return every option, in the order of the manual."""
    return list(_TABLE)


_TABLE = tuple(_read_table())
