"""What an object of each kind may not say by itself: one check for each kind, before it is looked at among others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from trunkline.contract.names import is_custom_field
from trunkline.domain import object_checks
from trunkline.domain.campaigns import CallingList, Format, ListField
from trunkline.domain.objects import ObjectKind, ObjectValue
from trunkline.errors import OutOfRange

Check = Callable[[Any], None]


def check_object(kind: ObjectKind, value: ObjectValue) -> None:
    """Raise ``OutOfRange`` (or another ``Refused``) naming what is wrong with the object."""
    object_checks.check_name(value.name)
    for check in CHECKS.get(kind, ()):
        check(value)


def _check_field_names(fields: Iterable[ListField]) -> None:
    """Custom fields may not be called what desktops use otherwise."""
    for at, field in enumerate(fields):
        for name, place in ((field.name, "name"), (field.sent_as, "sentAs")):
            if name and not is_custom_field(name):
                raise OutOfRange(f"fields[{at}].{place} is a name of the protocol's own; choose another one")


def _check_format(value: Format | CallingList) -> None:
    _check_field_names(value.fields)


CHECKS: dict[ObjectKind, tuple[Check, ...]] = {
    ObjectKind.FORMAT: (object_checks.check_format, _check_format),
    ObjectKind.CALLING_LIST: (object_checks.check_list, _check_format),
    ObjectKind.CAMPAIGN: (object_checks.check_campaign,),
    ObjectKind.CAMPAIGN_GROUP: (object_checks.check_group,),
    ObjectKind.AGENT_GROUP: (object_checks.check_agents,),
    ObjectKind.TIME_ZONE: (object_checks.check_alias,),
}
"""By kind; kinds without one have nothing beyond the limits of their fields."""
