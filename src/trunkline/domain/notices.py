"""What befell a campaign group, as those are told who watch it from outside. Source: outbound domain 4.7."""

from __future__ import annotations

from enum import StrEnum

from trunkline.domain.campaigns import GroupState
from trunkline.domain.enums import GroupStatus

_GONE = (GroupStatus.NOT_LOADED, GroupStatus.WAITING_UNLOAD, GroupStatus.UNLOAD_IN_PROGRESS)


class GroupEvent(StrEnum):
    """Why a group's state is told."""

    LOADED = "loaded"
    STARTED = "started"
    STOPPED = "stopped"
    UNLOADED = "unloaded"
    MODE_CHANGED = "dial mode change"
    PERIODIC = "periodic"


def group_event(before: GroupState | None, after: GroupState) -> GroupEvent | None:
    """What happened between two states of a group; None when nothing did that anybody is told of.

    Without ``before`` (it is not known what was told last) the present state is told as if it were news.
    """
    was, now = GroupStatus.NOT_LOADED if before is None else before.status, after.status
    if before is not None and was is now:
        return None if _aim(before) == _aim(after) else GroupEvent.MODE_CHANGED
    if now is GroupStatus.RUNNING:
        return GroupEvent.STARTED
    if now is GroupStatus.NOT_LOADED:
        return GroupEvent.UNLOADED
    if was is GroupStatus.RUNNING or now in _GONE:
        return GroupEvent.STOPPED
    return GroupEvent.LOADED


def _aim(state: GroupState) -> tuple[int, int, int]:
    return (state.dial_mode, state.optimize_by, state.optimize_goal)
