"""The table of profiles: read back from its changelog, where of two records of a person the dominating one counts."""

from collections.abc import Iterable

from processors.dominance import supersedes
from processors.effects import Wake
from processors.pipeline import pending
from processors.profile import Head, decode_head, skim
from streams.changelog import Row


class ProfileTable:
    """What is durable: key bytes -> encoded profile, with the partition of each key."""

    def __init__(self, *, dominance: bool = True) -> None:
        self._dominance = dominance
        """Off in a negative control: then the last record counts, whoever wrote it."""
        self.rows: dict[bytes, bytes] = {}
        self.partition_of: dict[bytes, int] = {}
        self.overwritten: dict[bytes, None] = {}
        """Keys whose last record is a dominated one, in the order found: to be written again."""

    def apply(self, records: Iterable[Row]) -> None:
        """Take records of the changelog, in its order."""
        rows, partitions, overwritten = self.rows, self.partition_of, self.overwritten
        heads: dict[bytes, Head] = {}
        for key, value, partition in records:
            if value is None:
                rows.pop(key, None)
                partitions.pop(key, None)
                overwritten.pop(key, None)
                heads.pop(key, None)
                continue
            if self._dominance and key in rows:
                head = decode_head(value)
                known = heads.get(key) or decode_head(rows[key])
                if not supersedes(head, known):
                    overwritten[key] = None
                    heads[key] = known
                    continue
                heads[key] = head
            rows[key] = value
            overwritten.pop(key, None)
            partitions[key] = partition

    def keep(self, partitions: frozenset[int]) -> None:
        """Forget the rows of all other partitions: they are read from the start if they come back."""
        for key in [key for key, partition in self.partition_of.items() if partition not in partitions]:
            self.rows.pop(key, None)
            self.overwritten.pop(key, None)
            del self.partition_of[key]


def recovered(table: ProfileTable) -> tuple[dict[tuple[str, int], int], list[tuple[bytes, int, Wake]]]:
    """Of the rows at hand: the highest applied offset by (topic, partition), and (key, partition, timer) of all."""
    applied: dict[tuple[str, int], int] = {}
    dues: list[tuple[bytes, int, Wake]] = []
    for key, row in table.rows.items():
        head, partition = skim(row), table.partition_of[key]
        for topic, offset in head.applied.items():
            if offset > applied.get((topic, partition), -1):
                applied[topic, partition] = offset
        dues += [(key, partition, due) for due in pending(head)]
    return applied, dues
