"""What the console asks of Kafka and Redis, answered by the rest of the house."""

import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec
from confluent_kafka import KafkaException
from redis.exceptions import RedisError

from schemas.behaviour import Erasure
from schemas.fields import Id
from schemas.partitioning import partition_of
from serving.console.lookups import (
    AgentNode,
    ChallengerNode,
    ExperimentNode,
    Letter,
    Person,
    TopicNode,
    Topology,
    UnavailableError,
    Versions,
)
from serving.lag.broker import Broker
from serving.lag.errors import LagError
from serving.lag.reading import Partition
from streams.admin import BrokerError, partitions_found
from streams.challenger_log import challenger_rows, roll_back
from streams.clock import wall_ms
from streams.experiment_file import ExperimentError, Experiments
from streams.feeding import Feeder
from streams.letter_box import Letter as KafkaLetter
from streams.letter_box import letters, send_back
from streams.portrait import portrait
from streams.profile_reader import read_profiles
from streams.redis_keys import SINK_TOPICS
from streams.redis_view import RedisView
from streams.replay_file import Row
from streams.scan import scan
from streams.settings import Settings
from streams.titles import titles
from streams.topics import (
    BEHAVIOUR_GROUP,
    DAY_MS,
    INPUTS,
    LEARNER_GROUP,
    PROFILES_CHANGELOG,
    SINK_GROUP,
    TOPICS,
)

HISTORY: Final = 20
DECISIONS: Final = ("recommendations", "send-times", "digests")
AGENTS: Final = (
    AgentNode(
        "behaviour", BEHAVIOUR_GROUP, "one exact profile of every person; lists and send times",
        tuple(topic.name for topic in INPUTS),
        ("recommendations", "send-times", "digests", "learning", "dead-letters", "erasure-receipts"),
        (PROFILES_CHANGELOG,),
    ),
    AgentNode(
        "learner", LEARNER_GROUP, "teaches the global models from every applied event", ("learning",),
        ("dead-letters",), ("model",),
    ),
    AgentNode("replica", "", "in every worker: the catalogue and the models, read only", ("items", "model"), ()),
    AgentNode("sink", SINK_GROUP, "decisions into Redis, where a site reads them", SINK_TOPICS, ()),
)  # fmt: skip

Answer = TypeVar("Answer")


def available(question: Callable[[], Answer]) -> Answer:
    """The answer, or one sentence why there is none."""
    try:
        return question()
    except (BrokerError, RedisError, LagError, ExperimentError) as error:
        raise UnavailableError(str(error)) from None
    except KafkaException as error:
        raise UnavailableError(error.args[0].str()) from None


class HouseLookups:
    """Lookups on a real Kafka and Redis."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def letters(self, topic: str | None, reason: str | None, limit: int) -> tuple[list[Letter], int]:
        found = available(lambda: list(letters(self.settings, topic, reason)))
        found.sort(key=lambda letter: (letter.first_failure_ms, letter.place), reverse=True)
        return [_shown(letter) for letter in found[:limit]], len(found)

    def replay(self, ids: list[str]) -> int:
        wanted = set(ids)
        found = available(lambda: {each.id: each for each in letters(self.settings) if each.id in wanted})
        if missing := wanted - set(found):
            raise UnavailableError(f"no dead letter {', '.join(sorted(missing))[:200]}")
        return available(lambda: send_back(self.settings, [(letter, letter.value) for letter in found.values()]))

    def person(self, user_id: str) -> Person:
        trouble: list[str] = []

        def try_for(what: str, question: Callable[[], Answer], otherwise: Answer) -> Answer:
            try:
                return available(question)
            except UnavailableError as error:
                trouble.append(f"{what}: {error}")
                return otherwise

        empty: tuple[Any, Any] = (None, None)
        newest, send_time = try_for("What a site reads is unknown", lambda: self._view(user_id), empty)
        # One question that Kafka does not answer is enough: the page is not to wait for the next.
        profile = try_for("The profile is unknown", lambda: self._profile(user_id), None)
        history: list[dict[str, Any]] = []
        named: dict[str, str] = {}
        if not any(each.startswith("The profile") for each in trouble):
            history = try_for("Earlier decisions are unknown", lambda: self._history(user_id), history)
            wanted = _item_ids(newest, profile)
            named = try_for("Titles are unknown", lambda: titles(self.settings, wanted), named) if wanted else named
        return Person(user_id, profile, newest, send_time, tuple(history), named, tuple(trouble))

    def erase(self, user_id: str) -> str:
        try:
            msgspec.convert(user_id, Id)
        except msgspec.ValidationError as error:
            raise UnavailableError(f"{user_id[:60]!r} is no id: {error}") from None
        event = Erasure(event_id=f"erase-{uuid.uuid4().hex}", user_id=user_id, ts_ms=wall_ms())
        feeder = Feeder(self.settings)

        def send() -> str:
            feeder.send(Row("erasures", user_id, msgspec.Raw(msgspec.json.encode(event))))
            feeder.finish()
            return event.event_id

        return available(send)

    def topology(self) -> Topology:
        trouble = ""
        counts: dict[str, int] = {}
        records: dict[str, int] = {}
        try:
            counts = available(lambda: partitions_found(self.settings))
            records = available(lambda: self._records(counts))
        except UnavailableError as error:
            trouble = str(error)
        nodes = tuple(
            TopicNode(
                topic.name,
                topic.direction,
                topic.key,
                topic.meaning,
                topic.cleanup,
                "newest" if topic.cleanup == "compact" else f"{topic.retention_ms // DAY_MS} days",
                topic.partition_count(self.settings.partitions) if trouble else counts.get(topic.name),
                records.get(topic.name),
            )
            for topic in TOPICS.values()
        )
        return Topology(nodes, AGENTS, trouble)

    def versions(self) -> Versions:
        model, state = available(lambda: challenger_rows(self.settings))
        challenger = None
        if model is not None and state is not None:
            challenger = ChallengerNode(
                state.model, state.serves, state.change, state.at_ms, model.examples, state.n, state.difference,
                state.low, state.high, state.winner,
            )  # fmt: skip
        defined = {each.name for each in self.settings.experiments}
        known = available(lambda: Experiments(self.settings).all)
        return Versions(
            challenger,
            tuple(
                ExperimentNode(each.name, each.shares, each.started_ms, each.stopped_ms, each.name in defined)
                for each in sorted(known, key=lambda each: -each.started_ms)
            ),
        )

    def rollback(self, model: str) -> str:
        _, state = available(lambda: challenger_rows(self.settings))
        if state is None or not state.serves or state.model != model:
            raise UnavailableError(f"the challenger {model[:60]} does not rank now; open the page again")
        available(lambda: roll_back(self.settings, state, wall_ms()))
        return f"the blend ranks again, not {model}"

    def stop_experiment(self, name: str) -> str:
        stopped = available(lambda: Experiments(self.settings).stop(name, wall_ms()))
        return f"stopped, nobody enters {stopped.name} any more"

    def _view(self, user_id: str) -> tuple[Any, Any]:
        view = RedisView(self.settings)
        try:
            return _decoded(view.recommendation(user_id)), _decoded(view.send_time(user_id))
        finally:
            view.close()

    def _profile(self, user_id: str) -> dict[str, Any] | None:
        kept = read_profiles(self.settings, [user_id]).get(user_id)
        return None if kept is None else portrait(user_id, kept, self.settings.pack)

    def _history(self, user_id: str) -> list[dict[str, Any]]:
        counts = partitions_found(self.settings)
        key = user_id.encode()
        found = [
            {"topic": topic, "ts_ms": message.timestamp()[1], "value": _decoded(message.value())}
            for topic in DECISIONS
            if topic in counts
            for message in scan(self.settings, topic, [partition_of(key, counts[topic])])
            if message.key() == key
        ]
        return sorted(found, key=lambda each: -each["ts_ms"])[:HISTORY]

    def _records(self, counts: dict[str, int]) -> dict[str, int]:
        broker = Broker(self.settings.bootstrap, self.settings.kafka)
        places = [Partition(name, number) for name in TOPICS for number in range(counts.get(name, 0))]
        sums: dict[str, int] = {}
        for place, bounds in broker.bounds(places).items():
            sums[place.topic] = sums.get(place.topic, 0) + bounds.end - bounds.start
        return sums


def _decoded(value: bytes | None) -> Any:
    try:
        return None if value is None else msgspec.json.decode(value)
    except msgspec.MsgspecError:
        return {"not JSON": repr(value[:200]) if value else ""}


def _item_ids(newest: dict[str, Any] | None, profile: dict[str, Any] | None) -> list[str]:
    listed: Iterable[Any] = newest["items"] if newest else ()
    acted: Iterable[Any] = profile["last_actions"] if profile else ()
    return list(dict.fromkeys(str(each["item_id"]) for each in (*listed, *acted)))


def _shown(letter: KafkaLetter) -> Letter:
    return Letter(
        letter.id,
        letter.topic,
        letter.stage,
        letter.kind,
        letter.message,
        letter.first_failure_ms,
        letter.attempt,
        (letter.key or b"").decode(errors="backslashreplace"),
        letter.value_text()[:20_000],
        tuple((name, (value or b"").decode(errors="backslashreplace")) for name, value in letter.headers),
        len(letter.value or b""),
    )
