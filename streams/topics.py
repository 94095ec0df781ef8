"""Every topic, once: name, key, schema, partitions, cleanup, sizes, retention; and the ids of the consumer groups.

This file imports neither Faust nor Kafka, so that every room that may know topics can read it.
"""

from typing import Final, Literal

from msgspec import Struct

from schemas.decisions import Digest, ErasureReceipt, Recommendation, SendTime
from schemas.decode import COMPACTED, SCHEMAS
from schemas.learning import Lesson

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

DEFAULT_PARTITIONS: Final = 12
INPUT_BYTES: Final = 3 * 1024 * 1024
"""Larger than any valid record, so that a record that is too large arrives and becomes a dead letter."""
DEAD_LETTER_BYTES: Final = 4 * 1024 * 1024

BEHAVIOUR_GROUP: Final = "attune.behaviour"
LEARNER_GROUP: Final = "attune.learner"
SINK_GROUP: Final = "attune.sink"
MAILER_GROUP: Final = "attune.mailer"
GROUPS: Final = (BEHAVIOUR_GROUP, LEARNER_GROUP, SINK_GROUP, MAILER_GROUP)

PROFILES_CHANGELOG: Final = "attune.behaviour-profiles-changelog"
"""Faust's name for the changelog of the table `profiles` of the app `attune.behaviour`."""


class Topic(Struct, frozen=True, kw_only=True):
    """One topic.

    `partitions` None means the setting's number, the same for all topics keyed by user (co-partitioned) and for items.
    `retention_ms` applies to `delete`; `min_compaction_lag_ms` keeps overwritten records readable for that long.
    """

    name: str
    direction: Literal["in", "out", "internal"]
    key: Literal["user", "item", "user hash", "model row", "original", "none"]
    schema: type[Struct] | None
    meaning: str
    partitions: int | None = None
    cleanup: Literal["delete", "compact", "compact,delete"] = "delete"
    retention_ms: int = 7 * DAY_MS
    min_compaction_lag_ms: int = 0
    max_bytes: int = 1024 * 1024
    append_time: bool = False
    segment_ms: int = DAY_MS

    def partition_count(self, default: int) -> int:
        return self.partitions or default

    def config(self) -> dict[str, str]:
        """The topic's settings as the broker names them."""
        config = {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_bytes),
            "message.timestamp.type": "LogAppendTime" if self.append_time else "CreateTime",
            "segment.ms": str(self.segment_ms),
        }
        if "delete" in self.cleanup:
            config["retention.ms"] = str(self.retention_ms)
        if "compact" in self.cleanup:
            config["min.compaction.lag.ms"] = str(self.min_compaction_lag_ms)
            config["min.cleanable.dirty.ratio"] = "0.2"
            config["delete.retention.ms"] = str(DAY_MS)
        return config


MEANINGS: Final = {
    "views": "someone looked at an item; a click on the site is a view with an origin",
    "saves": "someone kept an item or put it into the cart, or took that back",
    "applies": "an application on a job board, a purchase in a shop",
    "opens": "a mail was opened",
    "clicks": "a link in a mail was followed",
    "sends": "a mail went out",
    "unsubscribes": "someone wants no more mail",
    "dismissals": "someone does not want to see an item again",
    "preferences": "what someone chose on the preference page",
    "searches": "what someone searched for",
    "impressions": "items of a recommendation were shown",
    "items": "jobs or products; a null value retires one",
    "users": "what a producer knows of a person",
    "erasures": "someone asks to be forgotten",
}


def _input(name: str) -> Topic:
    compacted = name in COMPACTED
    return Topic(
        name=name,
        direction="in",
        key="item" if name == "items" else "user",
        schema=SCHEMAS[name],
        meaning=MEANINGS[name],
        cleanup="compact" if compacted else "delete",
        max_bytes=INPUT_BYTES,
        append_time=True,
    )


INPUTS: Final = tuple(_input(name) for name in SCHEMAS)

OUTPUTS: Final = (
    Topic(
        name="recommendations", direction="out", key="user", schema=Recommendation,
        meaning="what to show or send, and why; a null value: forget this person",
        cleanup="compact", min_compaction_lag_ms=7 * DAY_MS,
    ),
    Topic(
        name="send-times", direction="out", key="user", schema=SendTime,
        meaning="when to write, or why not to; a null value: forget this person",
        cleanup="compact", min_compaction_lag_ms=7 * DAY_MS,
    ),
    Topic(name="digests", direction="out", key="user", schema=Digest, meaning="a mail that is due now"),
    Topic(
        name="dead-letters", direction="out", key="original", schema=None,
        meaning="records that could not be used: original bytes and headers, with attune.error.* headers",
        retention_ms=14 * DAY_MS, max_bytes=DEAD_LETTER_BYTES,
    ),
    Topic(
        name="erasure-receipts", direction="out", key="user hash", schema=ErasureReceipt,
        meaning="an erasure was accepted, or is complete", retention_ms=366 * DAY_MS,
    ),
)  # fmt: skip

INTERNAL: Final = (
    Topic(
        name="learning", direction="internal", key="none", schema=Lesson, partitions=1,
        meaning="examples for the learner",
    ),
    Topic(
        name="model", direction="internal", key="model row", schema=None, partitions=1,
        meaning="the learner's rows: its changelog, and what replicas read",
        cleanup="compact", min_compaction_lag_ms=HOUR_MS, segment_ms=10 * MINUTE_MS,
    ),
    Topic(
        name=PROFILES_CHANGELOG, direction="internal", key="user", schema=None,
        meaning="every person's profile",
        cleanup="compact", min_compaction_lag_ms=HOUR_MS, segment_ms=10 * MINUTE_MS,
    ),
)  # fmt: skip

TOPICS: Final = {topic.name: topic for topic in (*INPUTS, *OUTPUTS, *INTERNAL)}
LIST_CHANGING: Final = frozenset({"views", "saves", "applies", "dismissals", "preferences", "searches"})
"""Input topics whose events make a new list due."""
CHANGELOGS: Final = frozenset({PROFILES_CHANGELOG, "model"})
"""State that a worker reads back when it starts, without ever committing: no work that could lag."""


def describe(partitions: int = DEFAULT_PARTITIONS) -> str:
    """The topology as text, one line a topic."""
    lines = [f"{'topic':<38}{'key':<11}{'partitions':>10}  {'cleanup':<8} {'kept':<6} meaning"]
    for topic in TOPICS.values():
        kept = "newest" if topic.cleanup == "compact" else f"{topic.retention_ms // DAY_MS} d"
        count = topic.partition_count(partitions)
        lines.append(f"{topic.name:<38}{topic.key:<11}{count:>10}  {topic.cleanup:<8} {kept:<6} {topic.meaning}")
    return "\n".join(lines)
