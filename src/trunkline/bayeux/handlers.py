"""What becomes of a message: found by its channel."""

from __future__ import annotations

from collections.abc import Callable

from trunkline.bayeux import channels, messages
from trunkline.bayeux.connects import connect
from trunkline.bayeux.effects import Published
from trunkline.bayeux.request import Broadcast, Message, Request
from trunkline.bayeux.sessions import Session
from trunkline.bayeux.subscriptions import subscribe, unsubscribe


def handle(request: Request, message: Message) -> None:
    """Process one message that is not a handshake."""
    message_id = messages.id_of(message, request.hub.config.max_id_length)
    channel = message.get("channel")
    if type(channel) is not str:
        request.refuse(None, message_id, messages.CHANNEL_MISSING)
        return
    if message_id is None:
        request.refuse(channel, messages.NO_ID, messages.MESSAGE_ID_INVALID)
        return
    session = request.hub.sessions.find(message.get("clientId"), request.origin.principal)
    if session is None:
        if channel == channels.CONNECT:
            request.connect_replies.append(request.hub.unknown_client(message_id))
        else:
            request.refuse(channel, message_id, messages.UNKNOWN_CLIENT)
        return
    if request.socket is not None and request.socket == session.socket and request.origin.has_taken_all:
        request.hub.settle_socket(session, request.effects)
        if session.queue:
            request.woken.append(session)
    if channel != channels.CONNECT:
        session.active_ms = request.now_ms
    handler = _HANDLERS.get(channel, publish)
    handler(request, session, message, channel, message_id)


def disconnect(request: Request, session: Session, message: Message, channel: str, message_id: object) -> None:
    """End the session at its client's wish."""
    request.hub.settle(session, request.carrier, request.effects)
    request.hub.close(session, "disconnect", request.effects)
    request.replies.append(messages.reply(channel, message_id, {"successful": True}))


def publish(request: Request, session: Session, message: Message, channel: str, message_id: object) -> None:
    """Pass on what the policy lets through."""
    if channels.is_meta(channel):
        request.refuse(channel, message_id, messages.CHANNEL_CREATE_DENIED)
    elif len(channel) > request.hub.config.max_channel_length or not channels.is_name(channel):
        request.refuse(channel, message_id, messages.CHANNEL_INVALID)
    elif "data" not in message:
        request.refuse(channel, message_id, messages.DATA_MISSING)
    elif (reason := request.policy.may_publish(request.origin.principal, channel)) is not None:
        request.refuse(channel, message_id, f"403:{reason}:publish denied")
    else:
        published = message["data"]
        request.effects.append(Published(session.client_id, request.origin.principal, channel, published))
        if not channels.is_service(channel):
            request.broadcasts.append(Broadcast(channel, messages.encode(published)))
        request.replies.append(messages.reply(channel, message_id, {"successful": True}))


_HANDLERS: dict[str, Callable[[Request, Session, Message, str, object], None]] = {
    channels.CONNECT: connect,
    channels.DISCONNECT: disconnect,
    channels.SUBSCRIBE: subscribe,
    channels.UNSUBSCRIBE: unsubscribe,
}
