"""Timestamps of single records, remembered: a record's timestamp does not change while the group stands still."""

from typing import NamedTuple

from serving.lag.reading import Partition

KEPT = 50_000


class Target(NamedTuple):
    """A question: what is the first readable record at or after `offset`, in a log that ends at `end`?"""

    at: Partition
    offset: int
    end: int


class Stamp(NamedTuple):
    """The answer: the record found and its timestamp, or that there is nothing left to read up to the end.

    `ts_ms` is None without a record, or when the record carries no timestamp.
    """

    ts_ms: int | None
    nothing_left: bool = False


class Stamps:
    """Answers by question. A found record stays the answer when the log grows; "nothing left" does not."""

    def __init__(self) -> None:
        self._found: dict[tuple[Partition, int], tuple[Stamp, int]] = {}

    def of(self, target: Target) -> Stamp | None:
        """The answer, if it is known and still holds."""
        found = self._found.get((target.at, target.offset))
        if found is None or (found[0].nothing_left and found[1] != target.end):
            return None
        return found[0]

    def keep(self, target: Target, stamp: Stamp) -> None:
        """Remember an answer; the oldest go first when there are too many."""
        self._found.pop((target.at, target.offset), None)
        self._found[target.at, target.offset] = (stamp, target.end)
        while len(self._found) > KEPT:
            del self._found[next(iter(self._found))]

    def forget(self, at: Partition) -> None:
        """The topic was made anew: its offsets mean other records now."""
        for key in [key for key in self._found if key[0] == at]:
            del self._found[key]
