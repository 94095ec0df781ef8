"""The table of the learner's rows: recovered up to the last marker, for a flush is not atomic.

Every row carries the `learning` offset that last changed it. Rows are held back until a marker covers them; what no
marker covers is dropped, and the earlier version stands.
"""

from collections.abc import Iterable
from typing import Any

from faust.tables.table import Table

from processors.learner import MARKER_KEY, marker_offset, row_offset


class ModelTable(Table):  # type: ignore[type-arg]
    """Row key -> row, all of one partition."""

    def _get_tasks(self) -> Iterable[Any]:
        """No background tasks: the one that Faust gives to tables cleans windows, and hangs the shutdown."""
        return ()

    @property
    def rows(self) -> dict[bytes, bytes]:
        store: Any = self.data
        rows: dict[bytes, bytes] = store.data
        return rows

    @property
    def held(self) -> dict[bytes, bytes]:
        """Rows that no marker covers yet."""
        held: dict[bytes, bytes] = self.__dict__.setdefault("_held", {})
        return held

    @property
    def overwritten(self) -> dict[bytes, None]:
        """Keys whose last record is older than the one that counts: to be written again."""
        found: dict[bytes, None] = self.__dict__.setdefault("_overwritten", {})
        return found

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take records of `model` during recovery."""
        store: Any = self.data
        for event in batch:
            key, value = event.message.key, event.message.value
            if value is None:
                self.rows.pop(key, None)
                self.held.pop(key, None)
            elif key == MARKER_KEY:
                self._cover(value)
            else:
                self.held[key] = value
            store._key_partition[key] = event.message.partition

    def _cover(self, marker: bytes) -> None:
        covered = marker_offset(marker)
        known = self.rows.get(MARKER_KEY)
        if known is not None and covered < marker_offset(known):
            self.overwritten[MARKER_KEY] = None
            return
        self.rows[MARKER_KEY] = marker
        self.overwritten.pop(MARKER_KEY, None)
        held, rows = self.held, self.rows
        for key in [key for key, row in held.items() if row_offset(row) <= covered]:
            row = held.pop(key)
            if key in rows and row_offset(row) < row_offset(rows[key]):
                self.overwritten[key] = None
            else:
                rows[key] = row
                self.overwritten.pop(key, None)
