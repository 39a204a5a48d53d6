"""Bayeux 1.0 server core: messages in, effects out. Pure, and usable without the rest of Trunkline.

The manual page is the docstring of ``Server``; the transports carry out the effects it returns.
"""

from __future__ import annotations

from trunkline.bayeux.config import Config
from trunkline.bayeux.effects import (
    Answer,
    Confirmed,
    Delivery,
    Effect,
    Hold,
    Published,
    SessionClosed,
    SessionOpened,
    Subscribed,
    Unsubscribed,
)
from trunkline.bayeux.messages import read_form_body, read_json_body
from trunkline.bayeux.policy import DENIED, AllowList, Policy
from trunkline.bayeux.protocol import Server

__all__ = [
    "DENIED",
    "AllowList",
    "Answer",
    "Config",
    "Confirmed",
    "Delivery",
    "Effect",
    "Hold",
    "Policy",
    "Published",
    "Server",
    "SessionClosed",
    "SessionOpened",
    "Subscribed",
    "Unsubscribed",
    "read_form_body",
    "read_json_body",
]
