"""Where a partition's log starts and ends, asked with patience: a topic made a moment ago may have no leader yet."""

import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.clock import boottime_s

LEADERLESS: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
AGAIN_S: Final = 0.2


def watermarks(consumer: Consumer, topic: str, partition: int, timeout_s: float) -> tuple[int, int]:
    """Offsets of the first record and behind the last. Blocks.

    Raises:
        KafkaException: the broker says no, or there is no answer, or no leader, within `timeout_s`.
    """
    until_s = boottime_s() + timeout_s
    place = TopicPartition(topic, partition)
    while True:
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=timeout_s)
        except KafkaException as error:
            if error.args[0].code() not in LEADERLESS or boottime_s() > until_s:
                raise
            time.sleep(AGAIN_S)
        else:
            return int(low), int(high)
