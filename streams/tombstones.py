"""Which rows of forgotten items may leave `model` for good.

A forgotten item has a row of its own first (number 0), which a marker covers as any other, so that a flush that was cut
short forgets nothing. Its tombstone follows when nothing of an earlier owner of the learner's partition can arrive any
more, for that would bring the item back: rows say which record changed them, tombstones cannot.
"""

from collections.abc import Mapping

from processors.item_rows import is_forgotten


class Tombstones:
    """Keys of rows that wait for their tombstone. Times are of any clock that goes forward, in seconds."""

    def __init__(self, quiet_s: float) -> None:
        self._quiet_s = quiet_s
        self._since_s: dict[bytes, float] = {}

    def restart(self, rows: Mapping[bytes, bytes], now_s: float) -> None:
        """These are the rows that were read back."""
        self._since_s.clear()
        self.covered(rows, now_s)

    def covered(self, rows: Mapping[bytes, bytes], now_s: float) -> None:
        """A marker covers these rows. An item that came back needs no tombstone."""
        for key, row in rows.items():
            if is_forgotten(key, row):
                self._since_s[key] = now_s
            else:
                self._since_s.pop(key, None)

    def take(self, now_s: float) -> list[bytes]:
        """The keys whose time has come; they are not told again."""
        found = [key for key, since_s in self._since_s.items() if now_s - since_s > self._quiet_s]
        for key in found:
            del self._since_s[key]
        return found
