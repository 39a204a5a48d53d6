"""Connects: the polls that bring events, and the heartbeats of sockets. Source: Bayeux 1.0, 4.2."""

from __future__ import annotations

from trunkline.bayeux import channels, extensions, messages
from trunkline.bayeux.effects import Hold
from trunkline.bayeux.extensions import TimeSync
from trunkline.bayeux.messages import quoted
from trunkline.bayeux.request import Message, Request
from trunkline.bayeux.sessions import HeldConnect, Session
from trunkline.strict_json import Json


def connect(request: Request, session: Session, message: Message, channel: str, message_id: object) -> None:
    """Answer a connect, or hold it until there is something to say."""
    hub = request.hub
    connection_type = message.get("connectionType")
    if connection_type is None:
        _refuse_connect(request, message_id, messages.CONNECTION_TYPE_MISSING, "retry")
        return
    if connection_type not in hub.config.connection_types:
        error = f"301:{quoted(connection_type)}:Connection types not supported"
        _refuse_connect(request, message_id, error, "none")
        return
    if hub.config.max_inactive_ms and request.now_ms - session.active_ms > hub.config.max_inactive_ms:
        # As by any newer connect: an answer to the older one would be acted on.
        hub.supersede(session, request.effects)
        hub.close(session, "inactive", request.effects)
        _refuse_connect(request, message_id, messages.UNKNOWN_CLIENT, "none")
        return
    ext = message.get("ext")
    number = extensions.acknowledged(ext) if session.acks else None
    if number is not None:
        hub.acknowledge(session, number, request.exchange, request.effects)
    elif session.acks or session.written_in != session.socket:
        hub.settle(session, request.carrier, request.effects)
    hub.supersede(session, request.effects)
    hub.attach(session, request.socket, request.effects)
    if session.is_pushed_to and session.queue:
        request.woken.append(session)
    timeout_ms = _read_advice(request, session, message.get("advice"))
    encoded_id = messages.encoded_id_field(message_id)
    time_sync = request.time_sync(ext) if ext else None
    is_first = not session.has_connected
    session.has_connected = True
    browser = None if request.origin.is_multiplexed else request.origin.browser
    if hub.polls_of(browser) >= hub.config.max_sessions_per_browser:
        _connect_later(request, session, message_id)
    # Held only when alone: clients wait for the other replies of a batch.
    elif is_first or not request.is_alone or timeout_ms == 0 or hub.is_closing or _has_news(session):
        _answer_connect(request, session, encoded_id, time_sync)
    else:
        until_ms = request.now_ms + timeout_ms
        hub.hold(
            session,
            HeldConnect(request.exchange, encoded_id, until_ms, request.socket is not None, time_sync, browser),
        )
        request.is_held = True
        if request.socket is None:
            request.effects.append(Hold(request.exchange, session.client_id, until_ms))


def _has_news(session: Session) -> bool:
    """Tell whether events wait for this connect."""
    return bool(session.queue) and not session.is_pushed_to


def _answer_connect(request: Request, session: Session, encoded_id: bytes, time_sync: TimeSync | None) -> None:
    """Answer a connect at once, with what is queued and not pushed."""
    hub = request.hub
    taken = [] if session.is_pushed_to else hub.take(session, request.exchange)
    request.events += hub.rendered(session, taken)
    request.connect_replies.append(
        hub.connect_reply(session, encoded_id, time_sync, request.now_ms, carries=bool(taken))
    )
    hub.rest(session, request.now_ms)


def _connect_later(request: Request, session: Session, message_id: object) -> None:
    """Answer a connect of a browser that has as many polls open as it should: it comes back after a while.

    Events wait for that; they go out with the answer when there are some already.
    """
    hub, interval_ms = request.hub, request.hub.config.multi_session_interval_ms
    advice = {**hub.config.advice("retry" if interval_ms > 0 else "none"), "multiple-clients": True}
    if interval_ms <= 0:
        hub.rest(session, request.now_ms)
        error = "403:too_many_tabs:connect denied"
        request.connect_replies.append(messages.refusal(channels.CONNECT, message_id, error, advice=advice))
        return
    advice["interval"] = interval_ms
    session.grace_ms = interval_ms + hub.config.max_interval_ms
    taken = hub.take(session, request.exchange)
    request.events += hub.rendered(session, taken)
    fields: dict[str, object] = {"successful": True, "advice": advice}
    if ext := hub.number_reply(session, carries=bool(taken)):
        fields["ext"] = ext
    request.connect_replies.append(messages.reply(channels.CONNECT, message_id, fields))
    hub.rest(session, request.now_ms)


def _read_advice(request: Request, session: Session, advice: Json) -> int:
    """Set the session's grace and return the timeout, both for this connect only.

    The client may shorten the timeout and ask for a longer interval; neither may grow past what the
    operator set, so that a session does not outlive its client by more than twice ``max_interval_ms``.
    """
    config = request.hub.config
    asked = advice if type(advice) is dict else {}
    timeout_ms = _milliseconds(asked.get("timeout"), config.timeout_ms, config.timeout_ms)
    interval_ms = _milliseconds(asked.get("interval"), 0, config.max_interval_ms)
    session.grace_ms = max(interval_ms, config.interval_ms) + config.max_interval_ms
    return timeout_ms


def _refuse_connect(request: Request, message_id: object, error: str, reconnect: str) -> None:
    advice = request.hub.config.advice(reconnect)
    request.connect_replies.append(messages.refusal(channels.CONNECT, message_id, error, advice=advice))


def _milliseconds(asked: Json, default: int, most: int) -> int:
    """Return a client's wish within 0..``most``, or ``default`` when it is not a sensible number."""
    if type(asked) not in (int, float) or asked < 0:
        return default
    return int(min(asked, most))
