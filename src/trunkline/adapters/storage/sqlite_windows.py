"""Calling windows of a list by number: records hold the number, the hand-out asks for the open ones."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from trunkline.adapters.storage.rows import as_json, is_open_now
from trunkline.adapters.storage.sqlite_connection import Statements
from trunkline.domain.eligibility import Window
from trunkline.domain.records import Record

_decode = msgspec.json.Decoder(list[tuple[int, str, int, int, str, tuple[str, ...]]]).decode


class WindowBook:
    """The windows of each list, read once. Windows are added and never changed.

    Rows that another process added, and rows of a transaction that was rolled back, are found out by ``refresh``
    and ``forget``.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._lists: dict[tuple[int, int], dict[Window, int]] = {}
        self._data_version: int | None = None
        self._has_added = False

    def refresh(self) -> None:
        """Drop what was read before another connection wrote; call it inside each transaction that asks."""
        version: int = self._statements.connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            self._lists.clear()
            self._data_version = version

    def committed(self) -> None:
        """What was added stays."""
        self._has_added = False

    def rolled_back(self) -> None:
        """What was added is void."""
        if self._has_added:
            self._lists.clear()
            self._has_added = False

    def open_for(self, contact_centre_id: int, list_id: int, opens: Callable[[Window], bool]) -> list[int]:
        """Numbers of a list's windows that are open."""
        windows = self._of_list(contact_centre_id, list_id)
        return [number for window, number in windows.items() if is_open_now(window, opens)]

    def number(self, record: Record) -> int:
        """The number of a record's window, a new one for a new window."""
        return self.number_of(record.contact_centre_id, record.list_id, record.window)

    def number_of(self, contact_centre_id: int, list_id: int, window: Window) -> int:
        """The number of a window of a list, a new one for a new window."""
        windows = self._of_list(contact_centre_id, list_id)
        number = windows.get(window)
        if number is None:
            number = max(windows.values(), default=0) + 1
            self._add(contact_centre_id, list_id, window, number)
            windows[window] = number
            self._has_added = True
        return number

    def _of_list(self, contact_centre_id: int, list_id: int) -> dict[Window, int]:
        key = (contact_centre_id, list_id)
        windows = self._lists.get(key)
        if windows is None:
            names = {"contact_centre_id": contact_centre_id, "list_id": list_id}
            found = self._statements.read("windows_of_list", _decode, names)
            windows = {Window(*found_values[1:]): found_values[0] for found_values in found}
            self._lists[key] = windows
        return windows

    def _add(self, contact_centre_id: int, list_id: int, window: Window, number: int) -> None:
        values = {
            "contact_centre_id": contact_centre_id,
            "list_id": list_id,
            "window_id": number,
            "time_zone": window.time_zone,
            "from_s": window.from_s,
            "until_s": window.until_s,
            "region": window.region,
            "other_zones": as_json(window.other_zones),
        }
        self._statements.run("add_window", values)
