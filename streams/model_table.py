"""The table of the learner's rows: read back up to the last marker, for a flush is not atomic.

Every row carries the `learning` offset that last changed it. Rows are held back until a marker covers them; what no
marker covers is dropped, and the earlier version stands.
"""

from collections.abc import Iterable

from processors.item_rows import is_forgotten, is_item
from processors.learner import MARKER_KEY, marker_offset, row_offset
from streams.changelog import Row


class ModelTable:
    """Row key -> row, all of one partition."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.held: dict[bytes, bytes] = {}
        """Rows that no marker covers yet."""
        self.overwritten: dict[bytes, None] = {}
        """Keys whose last record is older than the one that counts: to be written again."""

    def apply(self, records: Iterable[Row]) -> None:
        """Take records of `model`, in its order."""
        for key, value, _ in records:
            if value is None:
                self._remove(key)
            elif key == MARKER_KEY:
                self._cover(value)
            else:
                self.held[key] = value

    def _remove(self, key: bytes) -> None:
        """Of items, a tombstone is for one that was forgotten; on any other it is an old owner's, and the row stays."""
        for rows in (self.rows, self.held):
            if (row := rows.get(key)) is not None:
                if not is_item(key) or is_forgotten(key, row):
                    del rows[key]
                else:
                    self.overwritten[key] = None

    def keep(self, partitions: frozenset[int]) -> None:
        """Forget everything unless the one partition there is, is kept."""
        if not partitions:
            for rows in (self.rows, self.held, self.overwritten):
                rows.clear()

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
