"""Settings shared by the collector's Kafka clients, and what they say when no broker answers."""

import threading
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

CLIENT_ID = "attune-lag"


class Quiet:
    """Keeps librdkafka's log lines off the terminal and the last reason it gave for the one line we print."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason = ""

    def heard(self, error: KafkaError) -> None:
        """The `error_cb` of librdkafka; the summary "all brokers are down" never replaces a concrete reason."""
        with self._lock:
            if not self._reason or error.code() != KafkaError._ALL_BROKERS_DOWN:
                self._reason = error.str()

    def forget(self) -> None:
        """What was said of an earlier connection is no reason any more."""
        with self._lock:
            self._reason = ""

    def reason(self) -> str:
        """The last reason, without librdkafka's thread prefix and the time it took."""
        with self._lock:
            return self._reason.split(" (after ")[0].rsplit(": ", 1)[-1].strip()


def settings(bootstrap: str, client_config: Mapping[str, str], quiet: Quiet) -> dict[str, Any]:
    """Settings every client starts from; `client_config` (security) wins."""
    return {
        "client.id": CLIENT_ID,
        "socket.connection.setup.timeout.ms": 4_000,
        "socket.timeout.ms": 10_000,
        "reconnect.backoff.max.ms": 2_000,
        "log_level": 0,
        **client_config,
        "bootstrap.servers": bootstrap,
        "error_cb": quiet.heard,
    }
