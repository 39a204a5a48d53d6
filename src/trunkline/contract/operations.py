"""What reading has in common for all operations: which there are, and the checks that come first.

Source: decisions 1, order of checks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from trunkline.contract import values
from trunkline.contract.refusals import UnknownOperation
from trunkline.contract.values import MAX_NAME, MAX_REFERENCE, Body
from trunkline.domain.commands import AnyCommand
from trunkline.domain.enums import RequestType
from trunkline.domain.people import Feature
from trunkline.errors import NoPermission, OutOfRange

OUTBOUND_FEATURES = (Feature.VOICE_OUTBOUND.value,)
VOICE_FEATURES = (Feature.VOICE.value,)


class Operation(msgspec.Struct, frozen=True):
    """How an operation is read. ``required`` parameters are named in the order of its page."""

    read: Callable[..., AnyCommand]
    request_type: RequestType
    required: tuple[str, ...]
    features: tuple[str, ...] = OUTBOUND_FEATURES


def check_features(needed: Collection[str], features: Collection[str] | None) -> None:
    """Raise ``NoPermission`` unless the caller has all that are needed; None stands for "checked elsewhere"."""
    if features is not None:
        for feature in needed:
            if feature not in features:
                raise NoPermission(f"the feature {feature} is not assigned to you")


def operation_name_of(body: Body) -> str:
    """The operationName, present and a string."""
    name = body.get("operationName")
    if type(name) is str:
        return name
    values.require(body, ("operationName",))
    raise OutOfRange("operationName must be a string")


def known_operation(body: Body, table: dict[str, Operation], features: Collection[str] | None) -> tuple[str, Operation]:
    """The operation that the body names, checked for existence, features and required parameters."""
    name = operation_name_of(body)
    operation = table.get(name)
    if operation is None:
        raise UnknownOperation("operationName names no operation of this resource")
    check_features(operation.features, features)
    values.require(body, operation.required)
    return name, operation


def reference_of(body: Body) -> str | None:
    """The caller's own mark, None when it gave none."""
    value = body.get("referenceId")
    return None if value is None else values.text(value, "referenceId", MAX_REFERENCE)


def optional_text(body: Body, name: str) -> str | None:
    """A text parameter that may be absent."""
    value = body.get(name)
    return None if value is None else values.text(value, name, MAX_NAME)
