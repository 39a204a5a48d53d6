"""``trunkline apply`` where a change needs a reason."""

from __future__ import annotations

from tests.cli.test_apply import run
from tests.http.administration import Administrator, refused
from tests.http.desks import demo_server


def test_another_rule_set_is_applied_with_a_reason() -> None:
    """Without one the change is refused with its place, and the dry run says so; with one both do it."""
    with demo_server(agents=5) as site:
        own = "ruleSets: [{name: Theirs}, {name: Ours}]\ncampaigns: [{name: Bound, ruleSet: Ours}]"
        assert run(site, "apply", "-", text=own).exit_code == 0
        other = "campaigns: [{name: Bound, ruleSet: Theirs}]"
        place = "campaigns[0] (campaign Bound): changeReason is required"
        judged = run(site, "apply", "-", "--dry-run", text=other)
        assert judged.exit_code == 1
        assert f"! {place}" in judged.output
        assert run(site, "apply", "-", "--dry-run", "--reason", "new law", text=other).exit_code == 0
        without = run(site, "apply", "-", text=other)
        assert without.exit_code == 1
        assert place in without.output
        assert run(site, "apply", "-", "--reason", "new law", text=other).exit_code == 0
        (campaign,) = Administrator(site).get("campaigns?name=Bound")["campaigns"]
        versions = Administrator(site).get(f"campaigns/{campaign['id']}/versions")["versions"]
        assert [one["changeReason"] for one in versions] == ["new law", ""]
        refused(Administrator(site).ask("POST", "documents/check?reason=x", {}), 400, 10, "changeReason alone")
