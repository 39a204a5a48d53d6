"""Bayeux 1.0 server core: messages in, effects out. Pure, and usable without the rest of Trunkline.

The manual page is the docstring of ``Server``; the transports carry out the effects it returns.
"""

from __future__ import annotations

from trunkline.bayeux.config import Config
from trunkline.bayeux.effects import (
    Answer,
    Close,
    Confirmed,
    Delivery,
    Effect,
    Hold,
    Published,
    Send,
    SessionClosed,
    SessionOpened,
    Subscribed,
    Unsubscribed,
)
from trunkline.bayeux.extensions import Position, Recovery, positions_in
from trunkline.bayeux.messages import read_form_body, read_json_body
from trunkline.bayeux.policy import DENIED, AllowList, Policy
from trunkline.bayeux.protocol import Server
from trunkline.bayeux.request import Origin

__all__ = [
    "DENIED",
    "AllowList",
    "Answer",
    "Close",
    "Config",
    "Confirmed",
    "Delivery",
    "Effect",
    "Hold",
    "Origin",
    "Policy",
    "Position",
    "Published",
    "Recovery",
    "Send",
    "Server",
    "SessionClosed",
    "SessionOpened",
    "Subscribed",
    "Unsubscribed",
    "positions_in",
    "read_form_body",
    "read_json_body",
]
