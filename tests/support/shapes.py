"""The table of types as a check: every key of an answer or a message is known and has its JSON type.

The table is ``trunkline/contract/data/types.json``; its notation is explained there.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from trunkline import contract

Json = Any
DATA = Path(contract.__file__).parent / "data"
_PRIMITIVES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "scalar": (str, int, float, bool),
}


@cache
def table(name: str = "types") -> Json:
    """One of the JSON files beside the contract."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def check_types(message: Json) -> None:
    """Raise ``AssertionError`` naming the first key that is unknown or of another type.

    ``message`` is an HTTP answer, a CometD message with channel and data, or such data alone.
    """
    assert type(message) is dict, "a message is an object"
    if "statusCode" in message:
        _check(message, "answer", "answer")
        return
    content = message.get("data", message)
    kind = content.get("messageType")
    assert type(kind) is str, "a message has a messageType"
    assert kind in table()["objects"], f"messageType {kind} is not in the table"
    if content is not message:
        assert kind in table()["channels"].get(message["channel"], ()), f"{kind} on {message['channel']}"
    _check(content, kind, kind)


def _check(value: Json, kind: str, place: str) -> None:
    if kind.endswith("?"):
        if value is None:
            return
        kind = kind[:-1]
    if kind.startswith("["):
        assert type(value) is list, f"{place} is no list"
        for number, item in enumerate(value):
            assert kind != "[nothing]", f"{place} is not empty"
            _check(item, kind[1:-1], f"{place}[{number}]")
    elif kind in _PRIMITIVES:
        assert type(value) in _PRIMITIVES[kind], f"{place} is {type(value).__name__}, not {kind}"
    else:
        assert type(value) is dict, f"{place} is no object"
        keys = {**table()["objects"][kind], **_exceptions(kind, value)}
        for key, item in value.items():
            known = keys.get(key)
            if known is None and not (kind == "userData" and key.startswith("GSW_")):
                known = keys.get("*")
            assert known is not None, f"{place}.{key} is not in the table"
            _check(item, known, f"{place}.{key}")


def _exceptions(kind: str, value: dict[str, Json]) -> dict[str, str]:
    found: dict[str, str] = {}
    for exception in table()["exceptions"]:
        if exception["object"] == kind and exception["when"].items() <= value.items():
            found |= exception["keys"]
    return found
