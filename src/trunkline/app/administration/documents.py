"""Text of a YAML or JSON document to plain values, for what people write by hand.

Stricter than YAML itself: no anchors and aliases (a few lines of them can stand for gigabytes), no key twice (the
second would silently win), no tags, and only ``true`` and ``false`` are booleans, so that ``No`` stays a text. JSON
is YAML, so one reader serves both. Refusals name line and column.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from trunkline.errors import OutOfRange, TooLarge

MAX_DOCUMENT_BYTES = 256 * 1024
"""256 KiB: a treatment plan of two hundred sequences with all their steps has 100."""
MAX_DEPTH = 32
"""Levels of nesting: documents of this program have six; the limit keeps the reader off the interpreter's stack."""


class _Loader(yaml.SafeLoader):
    """A SafeLoader without what is said above."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event.start_mark, "aliases are not allowed")
        if getattr(event, "anchor", None) is not None:
            raise _refused(event.start_mark, "anchors are not allowed")
        if getattr(event, "tag", None) is not None:
            raise _refused(event.start_mark, "tags are not allowed")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refused(event.start_mark, f"it is nested deeper than {MAX_DEPTH} levels")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as inherited
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused(key_node.start_mark, "a key must be a name or a number")
            key = self.construct_object(key_node)
            if key in seen:
                raise _refused(key_node.start_mark, f"the key {str(key)[:64]} is there twice")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _refused(mark: Any, message: str) -> OutOfRange:
    return OutOfRange(f"line {mark.line + 1}, column {mark.column + 1}: {message}")


# Only what JSON knows is more than a text: the usual table makes dates of dates, and booleans of Yes and No.
_Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})\\Z"), list(first))


def read_document(text: bytes) -> Any:
    """The values that the text stands for: dict, list, str, int, float, bool, None.

    Raises ``TooLarge`` for more than ``MAX_DOCUMENT_BYTES`` and ``OutOfRange`` for everything else.
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"the document is larger than {MAX_DOCUMENT_BYTES} bytes")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OutOfRange(f"the document is not UTF-8 (byte {error.start + 1})") from None
    loader: _Loader | None = None
    try:
        loader = _Loader(decoded)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise OutOfRange(f"{where}{error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise OutOfRange(str(error).splitlines()[0]) from None
    except (ValueError, OverflowError, RecursionError):
        raise OutOfRange("the document holds a value that cannot be read") from None
    finally:
        if loader is not None:
            loader.dispose()
