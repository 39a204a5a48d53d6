"""What an object of each kind may not say by itself: one check for each kind, before it is looked at among others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from trunkline.app.countries import COUNTRIES
from trunkline.app.imports.orders import check_specification
from trunkline.app.lists.filters import parsed_for
from trunkline.app.rule_files import IN_USE
from trunkline.contract.admin_structs import wire_name
from trunkline.contract.names import is_custom_field
from trunkline.domain import object_checks, treatment_checks
from trunkline.domain.campaigns import CallingList, Format, ListField
from trunkline.domain.filters import Filter
from trunkline.domain.import_specifications import ImportSpecification
from trunkline.domain.objects import ObjectKind, ObjectValue
from trunkline.domain.regions import region_fault
from trunkline.domain.rule_sets import RuleSet, check_override, check_rule_set
from trunkline.domain.schedules import check_schedule
from trunkline.domain.suppression import SuppressionList
from trunkline.domain.webhooks import check_webhook
from trunkline.errors import OutOfRange, Refused, TooLarge

Check = Callable[[Any, int], ObjectValue | None]
"""Raises what is wrong; may return the object as it is to be kept. The number is the time in Unix seconds."""
NAMED_IN_ADDRESSES = frozenset({ObjectKind.CALLING_LIST, ObjectKind.SUPPRESSION_LIST, ObjectKind.CAMPAIGN})
"""Kinds whose objects are reached by name: ``/outbound-campaigns/<name>``, ``/calling-lists/<name>/imports``. A slash
ends a part of an address, also where clients write it as %2F, and nothing could be done with such a list."""
MAX_WORDS = 100
"""Names in a refusal; it has one or two."""
_WORD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def check_object(kind: ObjectKind, value: ObjectValue, now_s: int) -> ObjectValue:
    """The object as it is to be kept. Raises ``OutOfRange`` (or another ``Refused``) naming what is wrong with it."""
    object_checks.check_name(value.name)
    if kind in NAMED_IN_ADDRESSES and ("/" in value.name or value.name in (".", "..")):
        raise OutOfRange("name must hold no slash, because it is a part of addresses")
    try:
        for check in CHECKS.get(kind, ()):
            value = check(value, now_s) or value
    except Refused as error:
        # The rules of the domain name fields as the domain does; columns in a filter are written as there.
        words = int(str(error).startswith("order_by")) if kind is ObjectKind.FILTER else MAX_WORDS
        told = _WORD.sub(lambda found: wire_name(found[0]), str(error), words) if words else str(error)
        kind_of_refusal = TooLarge if isinstance(error, TooLarge) else Refused
        raise kind_of_refusal(told, error.code) from None
    return value


def check_filter_fields(used: Filter, called: CallingList) -> None:
    """Raise ``OutOfRange`` when the filter names a field that the list's format does not have."""
    try:
        parsed_for(called, used.criteria, used.order_by)
    except Refused as error:
        raise OutOfRange(f"the filter {used.name} does not fit the calling list {called.name}: {error}") from None


def _check_field_names(fields: Iterable[ListField]) -> None:
    """Custom fields may not be called what desktops use otherwise."""
    for at, field in enumerate(fields):
        for name, place in ((field.name, "name"), (field.sent_as, "sentAs")):
            if name and not is_custom_field(name):
                raise OutOfRange(f"fields[{at}].{place} is a name of the protocol's own; choose another one")


def _names(value: Format | CallingList, now_s: int) -> None:
    _check_field_names(value.fields)


def _alone(check: Callable[[Any], ObjectValue | None]) -> Check:
    def judged(value: Any, now_s: int) -> ObjectValue | None:
        return check(value)

    return judged


def _filter(value: Filter, now_s: int) -> None:
    parsed_for(None, value.criteria, value.order_by)


def _check_country(region: str, place: str) -> None:
    """A country without a numbering plan would have every number refused that names none itself."""
    if region and region not in COUNTRIES:
        raise OutOfRange(f"{place} is no country with a numbering plan; use two capital letters such as US")


def _list_region(value: CallingList, now_s: int) -> None:
    _check_country(value.default_region, "defaultRegion")


def _suppression_list(value: SuppressionList, now_s: int) -> None:
    _check_country(value.region, "region")


def _specification(value: ImportSpecification, now_s: int) -> None:
    check_specification(value)


def _rule_set(value: RuleSet, now_s: int) -> None:
    check_rule_set(value, IN_USE.library, COUNTRIES)
    if value.default_region and ("*" in value.default_region or region_fault(value.default_region, COUNTRIES)):
        raise OutOfRange("defaultRegion must be a country or a part of one, such as US or US-TX")


CHECKS: dict[ObjectKind, tuple[Check, ...]] = {
    ObjectKind.FORMAT: (_alone(object_checks.check_format), _names),
    ObjectKind.CALLING_LIST: (_alone(object_checks.check_list), _list_region, _names),
    ObjectKind.SUPPRESSION_LIST: (_suppression_list,),
    ObjectKind.FILTER: (_filter,),
    ObjectKind.TREATMENT: (_alone(treatment_checks.check),),
    ObjectKind.CAMPAIGN: (_alone(object_checks.check_campaign),),
    ObjectKind.CAMPAIGN_GROUP: (_alone(object_checks.check_group),),
    ObjectKind.AGENT_GROUP: (_alone(object_checks.check_agents),),
    ObjectKind.SCHEDULE: (_alone(check_schedule),),
    ObjectKind.TIME_ZONE: (_alone(object_checks.check_alias),),
    ObjectKind.IMPORT_SPECIFICATION: (_alone(check_specification),),
    ObjectKind.RULE_SET: (_rule_set,),
    ObjectKind.RULE_OVERRIDE: (check_override,),
    ObjectKind.IMPORT_SPECIFICATION: (_alone(check_specification),),
    ObjectKind.IMPORT_SPECIFICATION: (_specification,),
    ObjectKind.WEBHOOK: (_alone(check_webhook),),
}
"""By kind; kinds without one have nothing beyond the limits of their fields."""
