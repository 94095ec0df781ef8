"""Creating and checking topics: idempotent, and never a change of partitions where keys must stay where they are."""

from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from msgspec import Struct

from streams.settings import Settings
from streams.topics import TOPICS

TIMEOUT_S: Final = 8.0
METADATA_S: Final = 4.0
"""Every command asks for metadata first, and is to say within 10 s that nothing answers."""


class BrokerError(Exception):
    """The broker cannot be reached, or a topic is not as it must be; the message is one line for a person."""


class Difference(Struct, frozen=True):
    """Where a topic is not what the table says."""

    topic: str
    what: str
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.found}, the table says {self.wanted}"


def admin_client(settings: Settings) -> AdminClient:
    """A client for topics and groups; keep it for as long as its futures are awaited."""
    return AdminClient(
        {"bootstrap.servers": settings.bootstrap, "socket.timeout.ms": 5_000, "log_level": 0, **settings.kafka}
    )


def partitions_found(settings: Settings) -> dict[str, int]:
    """Topic -> partitions, of every topic that the broker has. Raises BrokerError where it cannot be reached."""
    try:
        metadata = admin_client(settings).list_topics(timeout=METADATA_S)
    except KafkaException as error:
        raise BrokerError(
            f"no Kafka answers at {settings.bootstrap} ({_plain(error)}): is ATTUNE_BOOTSTRAP right?"
        ) from None
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def require_topics(settings: Settings) -> None:
    """Raises BrokerError naming every topic that is missing, or has the wrong number of partitions."""
    found = partitions_found(settings)
    missing = [name for name in TOPICS if name not in found]
    if missing:
        raise BrokerError(f"missing topics: {', '.join(missing)} (make them with: attune topics create)")
    keyed = {name: found[name] for name, topic in TOPICS.items() if topic.partitions is None}
    if len(set(keyed.values())) > 1:
        common = max(set(keyed.values()), key=list(keyed.values()).count)
        odd = ", ".join(f"{name} has {count}" for name, count in keyed.items() if count != common)
        raise BrokerError(f"keyed topics must have the same number of partitions, {common}: {odd}")
    if (count := next(iter(keyed.values()))) != settings.partitions:
        raise BrokerError(f"the topics have {count} partitions, the setting partitions says {settings.partitions}")


def create_topics(settings: Settings) -> tuple[list[str], list[Difference]]:
    """Create what is missing and align what can be aligned. Returns what was created, and what still differs.

    Partitions of existing topics are never changed: offsets inside profiles and the place of every key depend on them.
    """
    found = partitions_found(settings)
    admin = admin_client(settings)
    new = [
        NewTopic(
            topic.name,
            num_partitions=topic.partition_count(settings.partitions),
            replication_factor=settings.replication,
            config=topic.config(),
        )
        for topic in TOPICS.values()
        if topic.name not in found
    ]
    created = []
    for name, future in (admin.create_topics(new, request_timeout=TIMEOUT_S) if new else {}).items():
        try:
            future.result(TIMEOUT_S)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise BrokerError(f"{name} cannot be created: {_plain(error)}") from None
    return created, differences(settings)


def differences(settings: Settings) -> list[Difference]:
    """Every way in which the broker's topics differ from the table; a missing topic is one."""
    found = partitions_found(settings)
    differing = []
    for name, topic in TOPICS.items():
        wanted = topic.partition_count(settings.partitions)
        if name not in found:
            differing.append(Difference(name, "the topic", "there", "missing"))
        elif found[name] != wanted:
            differing.append(Difference(name, "partitions", str(wanted), str(found[name])))
    present = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in TOPICS if name in found]
    if present:
        admin = admin_client(settings)  # its futures die with it
        described: dict[Any, Any] = admin.describe_configs(present, request_timeout=TIMEOUT_S)
        for resource, future in described.items():
            try:
                config = future.result(TIMEOUT_S)
            except KafkaException as error:
                raise BrokerError(f"{resource.name} cannot be described: {_plain(error)}") from None
            for key, wanted_value in TOPICS[resource.name].config().items():
                value = config[key].value if key in config else None
                if value is not None and _normal(value) != _normal(wanted_value):
                    differing.append(Difference(resource.name, key, wanted_value, value))
    return differing


def _normal(value: str) -> str:
    return ",".join(sorted(value.split(",")))


def _plain(error: KafkaException) -> str:
    inner = error.args[0]
    return str(inner.str()) if isinstance(inner, KafkaError) else str(inner)
