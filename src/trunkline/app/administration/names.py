"""Names in objects that are no numbers of others: webhooks that a treatment names, the validation of a campaign.

A plan names webhooks as people write them, and a campaign an address that only the operator's configuration opens. Both
would fail in silence, or stop a campaign, long after they were saved; so a new one that nothing has is refused at once.
One that was there before stays: who switches off a campaign need not first repair it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from trunkline.app.directory import ReferenceBook
from trunkline.contract.admin_structs import wire_name
from trunkline.domain.campaigns import CampaignDefinition
from trunkline.domain.objects import ObjectKind, ObjectValue
from trunkline.domain.treatments import TreatmentPlan
from trunkline.errors import OutOfRange


def check_names(
    book: ReferenceBook, value: ObjectValue, before: ObjectValue | None, validation_urls: Collection[str]
) -> None:
    """Raise ``OutOfRange`` naming the place of a name that nothing has and that ``before`` did not hold."""
    if isinstance(value, TreatmentPlan):
        known = {name for _, name in hooks_of(before)} if isinstance(before, TreatmentPlan) else set()
        for place, name in hooks_of(value):
            if name not in known and book.object_named(value.contact_centre_id, ObjectKind.WEBHOOK, name) is None:
                raise OutOfRange(f"{place} names no webhook of this contact centre: {name}")
    elif isinstance(value, CampaignDefinition) and value.validation_url not in ("", *validation_urls):
        if isinstance(before, CampaignDefinition) and before.validation_url == value.validation_url:
            return
        place = wire_name("validation_url")
        raise OutOfRange(f"{place} is not among the validation_urls of the server's configuration")


def hooks_of(plan: TreatmentPlan) -> Iterator[tuple[str, str]]:
    """Webhooks that a plan names, each with its place as the API has it: ``rules[0].steps[2].hook``."""
    for rule_at, rule in enumerate(plan.rules):
        for step_at, step in enumerate(rule.steps):
            if step.hook:
                yield f"rules[{rule_at}].steps[{step_at}].hook", step.hook


def plans_with_hook(book: ReferenceBook, contact_centre_id: int, name: str) -> list[str]:
    """Names of the treatments that name a webhook."""
    return [
        stored.value.name
        for stored in book.objects_of(contact_centre_id, ObjectKind.TREATMENT)
        if isinstance(stored.value, TreatmentPlan) and any(hook == name for _, hook in hooks_of(stored.value))
    ]
