"""Subscriptions: all channels of a message or none. Source: Bayeux 1.0, 4.4 and 4.5."""

from __future__ import annotations

from trunkline.bayeux import channels, extensions, messages
from trunkline.bayeux.effects import Confirmed, Subscribed, Unsubscribed
from trunkline.bayeux.extensions import Position, Recovery
from trunkline.bayeux.policy import DENIED
from trunkline.bayeux.request import Message, Request, entry_of
from trunkline.bayeux.sessions import Session
from trunkline.strict_json import Json


def subscribe(request: Request, session: Session, message: Message, channel: str, message_id: object) -> None:
    """Subscribe to all channels of the message, or to none."""
    subscription = message.get("subscription")
    names = _names(subscription)
    error = _subscribe_error(request, session, subscription, names)
    if error is not None:
        _refuse_subscription(request, channel, message_id, subscription, names, error)
        return
    fields: dict[str, object] = {"successful": True, "subscription": subscription}
    recovered: frozenset[str] = frozenset()
    most = request.hub.config.max_channels_per_subscribe
    if session.replays and (asked := extensions.positions(message.get("ext"), most)):
        recovered = _recover(request, session, names, asked, fields)
    for name in names:
        if name in session.subscriptions or channels.is_service(name):
            continue
        session.subscriptions.add(name)
        request.effects.append(Subscribed(session.client_id, request.origin.principal, name, recovered))
    request.replies.append(messages.reply(channel, message_id, fields))


def _recover(
    request: Request, session: Session, names: list[str], asked: dict[str, Position], fields: dict[str, object]
) -> frozenset[str]:
    """Queue what came after the client's positions; say in ``fields`` where that worked, and return there."""
    epoch = request.hub.config.replay_epoch
    said: dict[str, object] = {}
    recovered = set()
    for channel, position in asked.items():
        found = request.origin.recoveries.get(channel)
        if found is None or not any(name == channel or channels.matches(name, channel) for name in names):
            continue
        is_recovered = found.is_recovered and position.epoch == epoch and _has_room(request, session, found)
        said[channel] = {"recovered": is_recovered, "epoch": epoch, "offset": found.offset}
        if is_recovered:
            recovered.add(channel)
            request.hub.begin_anew(session, channel, position.offset, [entry_of(each) for each in found.deliveries])
            request.effects.append(Confirmed(request.origin.principal, channel, position.offset))
    fields["ext"] = {"replay": said}
    if recovered:
        request.woken.append(session)
    return frozenset(recovered)


def _has_room(request: Request, session: Session, found: Recovery) -> bool:
    """Tell whether what was missed fits into the queue, an eighth of which is left for what comes meanwhile.

    More would overflow with the next event, and when the client came back, again: better to tell of a gap.
    """
    config = request.hub.config
    count = len(session.queue) + len(found.deliveries)
    size = session.queued_bytes + sum(len(delivery.data) for delivery in found.deliveries)
    return 8 * count <= 7 * config.max_queue_messages and 8 * size <= 7 * config.max_queue_bytes


def _subscribe_error(request: Request, session: Session, subscription: Json, names: list[str]) -> str | None:
    """Return the error that refuses the whole message, or ``None``: all channels or none."""
    error = _subscription_error(request, subscription, names)
    if error is not None:
        return error
    if not request.origin.may_subscribe:
        return messages.SUBSCRIBE_FAILED
    for name in names:
        reason = DENIED if channels.is_meta(name) else None
        if reason is None and not channels.is_service(name):
            reason = request.policy.may_subscribe(request.origin.principal, name)
        if reason is not None:
            return f"403:{reason}:subscribe_denied"
    added = {name for name in names if not channels.is_service(name)} - session.subscriptions
    if len(session.subscriptions) + len(added) > request.hub.config.max_subscriptions_per_session:
        return "403:too_many_subscriptions:subscribe_denied"
    return None


def unsubscribe(request: Request, session: Session, message: Message, channel: str, message_id: object) -> None:
    """Take subscriptions back; one that is not there is no fault."""
    subscription = message.get("subscription")
    names = _names(subscription)
    error = _subscription_error(request, subscription, names)
    if error is not None:
        _refuse_subscription(request, channel, message_id, subscription, names, error)
        return
    for name in names:
        if name in session.subscriptions:
            session.subscriptions.remove(name)
            request.effects.append(Unsubscribed(session.client_id, request.origin.principal, name))
    fields = {"successful": True, "subscription": subscription}
    request.replies.append(messages.reply(channel, message_id, fields))


def _subscription_error(request: Request, subscription: Json, names: list[str]) -> str | None:
    config = request.hub.config
    if subscription is None or subscription == []:
        return messages.SUBSCRIPTION_MISSING
    if not names:
        return messages.SUBSCRIPTION_INVALID
    if len(names) > config.max_channels_per_subscribe:
        return "403:too_many_channels:subscribe_denied"
    for name in names:
        if len(name) > config.max_channel_length or not (channels.is_name(name) or channels.is_pattern(name)):
            return messages.SUBSCRIPTION_INVALID
    return None


def _refuse_subscription(
    request: Request, channel: str, message_id: object, subscription: Json, names: list[str], error: str
) -> None:
    fields = {"subscription": subscription} if names else {}
    request.replies.append(messages.refusal(channel, message_id, error, **fields))


def _names(subscription: Json) -> list[str]:
    """Return the channels of a ``subscription``, a string or an array of strings; none of anything else."""
    if type(subscription) is str:
        return [subscription]
    if type(subscription) is list and all(type(name) is str for name in subscription):
        return subscription
    return []
