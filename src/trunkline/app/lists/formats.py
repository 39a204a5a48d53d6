"""Whether two calling lists have the same custom fields, so that chains can go from one to the other."""

from __future__ import annotations

import msgspec

from trunkline.domain.campaigns import CallingList, ListField
from trunkline.errors import InvalidState

MAX_TOLD = 5
"""Differences that a refusal names: enough to see that it is the wrong list."""


def check_same_format(source: CallingList, target: CallingList) -> None:
    """Raise ``InvalidState``, with the fields that differ, unless both lists mean the same by their custom fields.

    A value that one list checks, keeps from agents or takes for the account would in the other be unchecked, sent, or
    unknown to the do-not-call entries of accounts.
    """
    found = differences(source, target)
    if not found:
        return
    others = f" and {len(found) - MAX_TOLD} more" if len(found) > MAX_TOLD else ""
    raise InvalidState(
        f"the list {target.name} has another format than {source.name}: {'; '.join(found[:MAX_TOLD])}{others}; allow "
        "the other format to move the records as they are"
    )


def differences(source: CallingList, target: CallingList) -> list[str]:
    """How the custom fields of two lists differ, a phrase each, by name; order and labels do not matter."""
    here, there = _meanings(source), _meanings(target)
    found: list[str] = []
    for name in sorted(here.keys() | there.keys()):
        if name not in there:
            found.append(f"{name} is a field of {source.name} alone")
        elif name not in here:
            found.append(f"{name} is a field of {target.name} alone")
        elif here[name] != there[name]:
            found.append(f"{name} differs in {_parts(here[name], there[name])}")
    if source.account_field != target.account_field:
        found.append(f"the account is in {_account(source)} in {source.name}, in {_account(target)} in {target.name}")
    return found


def _meanings(calling_list: CallingList) -> dict[str, ListField]:
    return {field.name: msgspec.structs.replace(field, label="") for field in calling_list.fields}


def _parts(one: ListField, other: ListField) -> str:
    names = [name for name in ListField.__struct_fields__ if getattr(one, name) != getattr(other, name)]
    return ", ".join(_PARTS[name] for name in names)


_PARTS = {
    "field_type": "type",
    "max_length": "length",
    "is_nullable": "whether it may be empty",
    "default": "default",
    "is_sent": "whether agents see it",
    "sent_as": "key for agents",
    "is_read_only": "whether agents may change it",
    "is_mandatory": "whether it is mandatory",
}


def _account(calling_list: CallingList) -> str:
    return calling_list.account_field or "no field"
