"""Reading profiles from their changelog, where of two records of a person the dominating one counts.

One pass over the partitions of the people asked for, from the beginning to the ends seen at start.
"""

import uuid
from collections.abc import Iterable
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from processors.dominance import supersedes
from processors.erasure import marker_key, user_hash
from processors.profile import Head, Profile, decode, decode_head
from schemas.partitioning import partition_of
from streams.admin import BrokerError, partitions_found
from streams.clock import boottime_s
from streams.settings import Settings
from streams.topics import PROFILES_CHANGELOG

BATCH: Final = 10_000
READ_S: Final = 8.0
SILENCE_S: Final = 30.0
"""A broker that sends nothing for so long is taken for gone."""


def read_profiles(settings: Settings, user_ids: Iterable[str]) -> dict[str, Profile]:
    """The profile of everyone who has one, in the order asked for; of an erased person, the marker.

    Raises BrokerError where Kafka does not answer or there is no changelog.
    """
    owners: dict[bytes, str] = {}
    for user_id in user_ids:
        owners[user_id.encode()] = user_id
        owners[marker_key(user_hash(settings.erasure_key, user_id))] = user_id
    partitions = partitions_found(settings).get(PROFILES_CHANGELOG)
    if partitions is None:
        raise BrokerError(f"missing topic: {PROFILES_CHANGELOG} (make it with: attune topics create)")
    wanted = {partition_of(user_id.encode(), partitions) for user_id in owners.values()}
    newest = _newest(settings, sorted(wanted), owners.keys())
    found: dict[str, Profile] = {}
    for key, user_id in owners.items():  # a person's own key comes before their marker
        if key in newest and user_id not in found:
            found[user_id] = decode(newest[key])
    return found


def _newest(settings: Settings, partitions: list[int], keys: Iterable[bytes]) -> dict[bytes, bytes]:
    wanted = frozenset(keys)
    rows: dict[bytes, bytes] = {}
    heads: dict[bytes, Head] = {}
    for key, value in _records(settings, partitions):
        if key not in wanted:
            continue
        if value is None:
            rows.pop(key, None)
            heads.pop(key, None)
            continue
        head = decode_head(value)
        if key not in heads or supersedes(head, heads[key]):
            rows[key], heads[key] = value, head
    return rows


def _records(settings: Settings, partitions: list[int]) -> Iterable[tuple[bytes, bytes | None]]:
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": f"attune.profile.{uuid.uuid4().hex}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": 131_072,
            "log_level": 0,
            **settings.kafka,
        }
    )
    try:
        ends: dict[int, int] = {}
        for partition in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(PROFILES_CHANGELOG, partition), timeout=READ_S)
            if high > low:
                ends[partition] = high
                consumer.incremental_assign([TopicPartition(PROFILES_CHANGELOG, partition, low)])
        heard_s = boottime_s()
        while ends:
            for message in consumer.consume(BATCH, timeout=0.05):
                heard_s = boottime_s()
                partition, offset = message.partition() or 0, message.offset() or 0
                if message.error() is None and offset < ends.get(partition, 0):
                    yield message.key() or b"", message.value()
                    offset += 1
                if offset >= ends.get(partition, 1 << 62):
                    del ends[partition]
                    consumer.incremental_unassign([TopicPartition(PROFILES_CHANGELOG, partition)])
            if boottime_s() - heard_s > SILENCE_S:
                raise BrokerError(f"{PROFILES_CHANGELOG} cannot be read: {settings.bootstrap} fell silent")
    except KafkaException as error:
        raise BrokerError(f"{PROFILES_CHANGELOG} cannot be read: {error.args[0].str()}") from None
    finally:
        consumer.close()
