"""Reference data in memory: contact centres, campaigns, lists. Found by name without a query.

The writer replaces the whole book when the store's version moved on; a request works with one book from
its first check to its last.
"""

from __future__ import annotations

from trunkline.app.ports import Directory
from trunkline.domain.campaigns import CallingList, Campaign
from trunkline.errors import NotFound


class ReferenceBook:
    """An indexed, unchanging ``Directory``."""

    def __init__(self, directory: Directory) -> None:
        self.version = directory.version
        self.contact_centres = directory.contact_centres
        self._campaigns = {(c.contact_centre_id, c.name): c for c in directory.campaigns}
        self._campaigns_by_id = {(c.contact_centre_id, c.campaign_id): c for c in directory.campaigns}
        self._lists = {(c.contact_centre_id, c.name): c for c in directory.lists}
        self._lists_by_id = {(c.contact_centre_id, c.list_id): c for c in directory.lists}

    def campaign(self, contact_centre_id: int, name: str) -> Campaign:
        """The campaign of that name, or ``NotFound``."""
        campaign = self._campaigns.get((contact_centre_id, name))
        if campaign is None:
            raise NotFound("there is no campaign with this campaignName")
        return campaign

    def campaign_by_id(self, contact_centre_id: int, campaign_id: int) -> Campaign | None:
        """The campaign of that id, or None when it was deleted since."""
        return self._campaigns_by_id.get((contact_centre_id, campaign_id))

    def list_named(self, contact_centre_id: int, name: str) -> CallingList:
        """The calling list of that name, or ``NotFound``."""
        found = self._lists.get((contact_centre_id, name))
        if found is None:
            raise NotFound("there is no calling list with this callingList")
        return found

    def list_by_id(self, contact_centre_id: int, list_id: int) -> CallingList:
        """The calling list of that id; ``NotFound`` when it was deleted since."""
        found = self._lists_by_id.get((contact_centre_id, list_id))
        if found is None:
            raise NotFound("the calling list of this record no longer exists")
        return found

    def campaigns_of(self, contact_centre_id: int, user_id: int) -> list[Campaign]:
        """The loaded campaigns that the user is an agent of, by name."""
        mine = [
            campaign
            for campaign in self._campaigns.values()
            if campaign.contact_centre_id == contact_centre_id
            and user_id in campaign.agents
            and campaign.status.is_loaded
        ]
        return sorted(mine, key=lambda campaign: campaign.name)

    def lists_of(self, contact_centre_id: int) -> list[CallingList]:
        """All calling lists of a contact centre, by name."""
        mine = [entry for (centre, _), entry in self._lists.items() if centre == contact_centre_id]
        return sorted(mine, key=lambda entry: entry.name)

    def campaigns_in(self, contact_centre_id: int) -> list[Campaign]:
        """All campaigns of a contact centre, by name."""
        mine = [entry for (centre, _), entry in self._campaigns.items() if centre == contact_centre_id]
        return sorted(mine, key=lambda entry: entry.name)
