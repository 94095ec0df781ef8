"""What the API counts about itself, for Prometheus; several processes share `PROMETHEUS_MULTIPROC_DIR`."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Measures:
    """One registry a process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "attune_http_requests", "Requests answered.", ("route", "method", "status"), registry=self._registry
        )
        self.seconds = Histogram(
            "attune_http_request_seconds", "From the first byte to the last.", ("route",), buckets=_BUCKETS_S,
            registry=self._registry,
        )  # fmt: skip
        self.lists = Counter(
            "attune_http_lists", "Lists served, by where they came from.", ("origin",), registry=self._registry
        )
        self.stored = self.lists.labels("stored")
        self.events = Counter(
            "attune_http_events", "Events in Kafka, or refused.", ("outcome",), registry=self._registry
        )

    def took(self, route: str, method: str, status: int, seconds: float) -> None:
        """One request is over."""
        place = route, method, status
        known = self._of.get(place)
        if known is None:
            known = self._of[place] = (
                self.requests.labels(route, method, str(status)),
                self.seconds.labels(route),
            )
        known[0].inc()
        known[1].observe(seconds)

    def text(self) -> bytes:
        """Prometheus' text form; of all processes where there are several."""
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            together = CollectorRegistry()
            MultiProcessCollector(together)  # type: ignore[no-untyped-call]
            return generate_latest(together)
        return generate_latest(self._registry)
