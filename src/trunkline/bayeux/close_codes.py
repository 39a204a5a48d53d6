"""Why a WebSocket is closed. Source: RFC 6455, 7.4.1."""

from __future__ import annotations

NORMAL = 1000
GOING_AWAY = 1001
NOT_TEXT = 1003
INVALID = 1007
POLICY_VIOLATED = 1008
TOO_LARGE = 1009
FAILED = 1011
