"""The table of profiles: recovered from its changelog, where of two records of a person the dominating one counts."""

from collections.abc import Iterable
from typing import Any

from faust.tables.table import Table

from processors.dominance import supersedes
from processors.effects import Wake
from processors.pipeline import pending
from processors.profile import Head, decode_head, skim


class ProfileTable(Table):  # type: ignore[type-arg]
    """Key bytes -> encoded profile, with the partition of each key. The writer, not Faust, produces the changelog."""

    dominance = True
    """Off in a negative control: then the last record counts, whoever wrote it."""

    def _get_tasks(self) -> Iterable[Any]:
        """No background tasks: the one that Faust gives to tables cleans windows, and hangs the shutdown."""
        return ()

    @property
    def rows(self) -> dict[bytes, bytes]:
        """What is durable."""
        store: Any = self.data
        rows: dict[bytes, bytes] = store.data
        return rows

    @property
    def partition_of(self) -> dict[bytes, int]:
        store: Any = self.data
        partitions: dict[bytes, int] = store._key_partition
        return partitions

    @property
    def overwritten(self) -> dict[bytes, None]:
        """Keys whose last record is a dominated one, in the order found: to be written again."""
        found: dict[bytes, None] = self.__dict__.setdefault("_overwritten", {})
        return found

    @property
    def recovered_records(self) -> int:
        return int(self.__dict__.get("_recovered_records", 0))

    def apply_changelog_batch(self, batch: Iterable[Any]) -> None:
        """Take records of the changelog during recovery."""
        rows, partitions, overwritten = self.rows, self.partition_of, self.overwritten
        heads: dict[bytes, Head] = {}
        count = 0
        for event in batch:
            count += 1
            key, value = event.message.key, event.message.value
            if value is None:
                rows.pop(key, None)
                partitions.pop(key, None)
                overwritten.pop(key, None)
                heads.pop(key, None)
                continue
            if self.dominance and key in rows:
                head = decode_head(value)
                known = heads.get(key) or decode_head(rows[key])
                if not supersedes(head, known):
                    overwritten[key] = None
                    heads[key] = known
                    continue
                heads[key] = head
            rows[key] = value
            overwritten.pop(key, None)
            partitions[key] = event.message.partition
        self.__dict__["_recovered_records"] = self.recovered_records + count

    def drop_partitions(self, kept: frozenset[int]) -> None:
        """Forget the rows of partitions that were revoked: they are read from the start if they come back."""
        partitions = self.partition_of
        for key in [key for key, partition in partitions.items() if partition not in kept]:
            self.rows.pop(key, None)
            self.overwritten.pop(key, None)
            del partitions[key]


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
