"""On librdkafka's mock cluster a fetch that finds nothing is answered only after its whole wait, new records or not.

Faust asks for 1.5 s, which a real broker cuts short as soon as something arrives. On the embedded broker every event
would be up to 1.5 s late, so the wait is made short there.
"""

from typing import Any, Final

import aiokafka

WAIT_MS: Final = 15


class ImpatientConsumer(aiokafka.AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer with a short wait, whatever it is told."""

    def __init__(self, *topics: str, **settings: Any) -> None:
        super().__init__(*topics, **{**settings, "fetch_max_wait_ms": WAIT_MS})


def fetch_impatiently() -> None:
    """Have Faust use such consumers, in a process that works on the embedded broker."""
    aiokafka.AIOKafkaConsumer = ImpatientConsumer
