"""Compares what the system made of the log with what the oracle says it must be."""

import json
from collections import Counter
from dataclasses import dataclass

import msgspec
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from processors.dominance import supersedes
from processors.item_rows import is_forgotten
from processors.learner import MARKER_KEY, Learner, marker_offset
from processors.pack import Pack
from processors.profile import Profile, decode
from schemas.learning import Lesson
from streams.topics import BEHAVIOUR_GROUP, INPUTS, LEARNER_GROUP, PROFILES_CHANGELOG
from tests.faults.oracle import Expected, expected, read


@dataclass
class Verdict:
    """Empty lists and zeros where all is exact."""

    records: int
    people: int
    wrong_profiles: list[str]
    missing_recommendations: list[str]
    repeated_recommendations: int
    wrong_rows: list[bytes]
    lag: int
    went_back: int
    """Changelog records that were dominated by an earlier one: what zombies wrote, healed since."""

    @property
    def exact(self) -> bool:
        return not (self.wrong_profiles or self.missing_recommendations or self.wrong_rows or self.lag)

    def __str__(self) -> str:
        return (
            f"{self.records} records, {self.people} people: wrong profiles {len(self.wrong_profiles)}"
            f" {self.wrong_profiles[:2]}, recommendations missing {len(self.missing_recommendations)}"
            f" {self.missing_recommendations[:5]}, repeated {self.repeated_recommendations}, wrong model rows"
            f" {len(self.wrong_rows)} {self.wrong_rows[:3]}, lag {self.lag}, records that went back {self.went_back}"
        )


def behind(bootstrap: str, partitions: int) -> dict[str, tuple[int, int]]:
    """Partition -> committed offset and end, of every partition with lag, over both groups that hold state."""
    wanted = {
        BEHAVIOUR_GROUP: [TopicPartition(topic.name, p) for topic in INPUTS for p in range(partitions)],
        LEARNER_GROUP: [TopicPartition("learning", 0)],
    }
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    found: dict[str, tuple[int, int]] = {}
    for group, tps in wanted.items():
        asked = [ConsumerGroupTopicPartitions(group, tps)]
        committed = admin.list_consumer_group_offsets(asked, request_timeout=20)[group].result().topic_partitions
        reached = {(tp.topic, tp.partition): max(tp.offset, 0) for tp in committed}
        for tp, asked_end in admin.list_offsets(dict.fromkeys(tps, OffsetSpec.latest()), request_timeout=20).items():
            end, at = asked_end.result().offset, reached.get((tp.topic, tp.partition), 0)
            if at < end:
                found[f"{tp.topic}-{tp.partition}"] = at, end
    return found


def lag(bootstrap: str, partitions: int) -> int:
    """Records behind, over both groups that hold state."""
    return sum(end - at for at, end in behind(bootstrap, partitions).values())


def profiles(bootstrap: str) -> tuple[dict[str, Profile], int]:
    """The profile of each person as the changelog has it, and how many of its records were dominated."""
    found: dict[str, Profile] = {}
    went_back = 0
    for message in read(bootstrap, PROFILES_CHANGELOG):
        key = (message.key() or b"").decode()
        value = message.value()
        if value is None:
            found.pop(key, None)
            continue
        profile = decode(value)
        if key in found and not supersedes(profile, found[key]):
            went_back += 1
        else:
            found[key] = profile
    return found, went_back


def last_records(bootstrap: str, topic: str) -> dict[bytes, bytes]:
    """The newest record of each key."""
    rows: dict[bytes, bytes] = {}
    for message in read(bootstrap, topic):
        key, value = message.key() or b"", message.value()
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
    return rows


def folded_model(bootstrap: str, pack: Pack) -> dict[bytes, bytes]:
    """The rows that a straight fold of `learning`, each example once, gives."""
    learner = Learner(pack)
    last = -1
    for message in read(bootstrap, "learning"):
        last = message.offset() or 0
        learner.learn(msgspec.msgpack.decode(message.value() or b"", type=Lesson), last)
    return {**learner.dirty_rows(), MARKER_KEY: learner.marker(last)} if last >= 0 else {}


def compare_profile(user: str, want: Expected, have: dict[str, Profile]) -> str | None:
    person, profile = want.people[user], have.get(user)
    if profile is None:
        return f"{user}: no profile"
    if dict(person.totals) != profile.totals:
        return f"{user}: totals {profile.totals}, not {dict(person.totals)}"
    actions = [(a.ts_ms, a.topic, a.offset, a.item_id) for a in profile.actions]
    if actions != person.last_actions():
        return f"{user}: last actions differ"
    if profile.dwell_ms != person.dwell_ms:
        return f"{user}: dwell {profile.dwell_ms}, not {person.dwell_ms}"
    if any(profile.applied.get(topic, -1) < offset for topic, offset in person.applied.items()):
        return f"{user}: applied {profile.applied}, not {person.applied}"
    return None


def judge(bootstrap: str, partitions: int, pack: Pack, *, every_event_has_its_list: bool = True) -> Verdict:
    """Everything that must hold once the traffic has ended and all is caught up."""
    want = expected(bootstrap)
    have, went_back = profiles(bootstrap)
    wrong = [problem for user in want.people if (problem := compare_profile(user, want, have))]
    ids = Counter(json.loads(m.value())["rec_id"] for m in read(bootstrap, "recommendations") if m.value() is not None)
    missing = sorted(want.rec_ids - ids.keys()) if every_event_has_its_list else []
    rows, folded = (
        {key: row for key, row in found.items() if not is_forgotten(key, row)}  # a tombstone may have taken its place
        for found in (last_records(bootstrap, "model"), folded_model(bootstrap, pack))
    )
    wrong_rows = [key for key in rows.keys() | folded.keys() if key != MARKER_KEY and rows.get(key) != folded.get(key)]
    if folded and marker_offset(rows.get(MARKER_KEY, folded[MARKER_KEY])) != marker_offset(folded[MARKER_KEY]):
        wrong_rows.append(MARKER_KEY)
    return Verdict(
        records=want.records,
        people=len(want.people),
        wrong_profiles=wrong,
        missing_recommendations=missing,
        repeated_recommendations=sum(count > 1 for count in ids.values()),
        wrong_rows=wrong_rows,
        lag=lag(bootstrap, partitions),
        went_back=went_back,
    )
