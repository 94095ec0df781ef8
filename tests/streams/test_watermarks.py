"""Where a log starts and ends; a partition without a leader is asked again, and nothing else is."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from streams.watermarks import watermarks


class Moody:
    """Answers after so many refusals: no broker loses its leaders when it is told to."""

    def __init__(self, code: int, refusals: int) -> None:
        self.code, self.refusals, self.asked = code, refusals, 0

    def get_watermark_offsets(self, place: Any, timeout: float) -> tuple[int, int]:
        self.asked += 1
        if self.asked <= self.refusals:
            raise KafkaException(KafkaError(self.code))
        return 3, 7


def ask(moody: Any, timeout_s: float) -> tuple[int, int]:
    return watermarks(moody, "views", 0, timeout_s)


def test_of_a_real_log(bootstrap: str, new_topic: Callable[..., str]) -> None:
    topic = new_topic(partitions=2)
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce(topic, b"x", partition=1)
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test-watermarks"})
    assert [watermarks(consumer, topic, partition, 20.0) for partition in range(2)] == [(0, 0), (0, 1)]
    consumer.close()


@pytest.mark.parametrize("code", [KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE])
def test_a_partition_without_a_leader_is_asked_again(code: int) -> None:
    moody = Moody(code, 2)
    assert ask(moody, 20.0) == (3, 7)
    assert moody.asked == 3


def test_not_for_ever_and_not_for_other_reasons() -> None:
    with pytest.raises(KafkaException):
        ask(Moody(KafkaError.NOT_LEADER_FOR_PARTITION, 1_000), 0.0)
    denied = Moody(KafkaError.TOPIC_AUTHORIZATION_FAILED, 1_000)
    with pytest.raises(KafkaException):
        ask(denied, 20.0)
    assert denied.asked == 1
