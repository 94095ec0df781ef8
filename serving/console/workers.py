"""What the workers say of themselves: their /metrics, read every second, and a short history of it."""

import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

EVERY_S: Final = 1.0
ANSWER_S: Final = 2.0
MAX_BYTES: Final = 8_000_000
KEPT: Final = 3_600

Labels = tuple[tuple[str, str], ...]
Samples = dict[str, dict[Labels, float]]


class Page(Struct, frozen=True):
    """The last look at one address; `error` is empty where it answered."""

    address: str
    samples: Samples = {}
    error: str = ""
    since_s: float = 0.0
    """Wall time since when it answers, or does not."""

    @property
    def answers(self) -> bool:
        return not self.error


class Totals(Struct, frozen=True):
    """Sums over all workers at one moment, for rates."""

    at_s: float
    records: float
    decisions: float
    late: float
    judged: float
    """Decisions whose freshness was measured."""
    dead_letters: float


class Workers:
    """Polls in a thread; what it knows is replaced whole, so that readers need no lock."""

    def __init__(self, addresses: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self.addresses = tuple(addresses)
        self._clock = clock
        self.pages: tuple[Page, ...] = tuple(Page(address, error="not asked yet") for address in addresses)
        self.history: deque[Totals] = deque(maxlen=KEPT)

    def run(self, stop: threading.Event) -> None:
        """Ask until `stop` is set."""
        while not stop.is_set():
            self.once()
            stop.wait(EVERY_S)

    def once(self) -> None:
        """Ask everyone, once."""
        self.pages = tuple(self._ask(page) for page in self.pages)
        if any(page.answers for page in self.pages):
            count = self.total("attune_event_freshness_seconds_count")
            fresh = self.total("attune_event_freshness_seconds_bucket", le="5.0")
            self.history.append(
                Totals(
                    self._clock(),
                    self.total("attune_records_total"),
                    self.total("attune_decisions_total"),
                    count - fresh,
                    count,
                    self.total("attune_dead_letters_total"),
                )
            )

    def total(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return sum(value for _, value in self.find(name, **labels))

    def find(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Samples of a metric, of all workers that answer."""
        wanted = labels.items()
        return [
            (dict(found), value)
            for page in self.pages
            for found, value in page.samples.get(name, {}).items()
            if wanted <= dict(found).items()
        ]

    def by(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """A metric summed by one of its labels, the largest first."""
        sums: dict[str, float] = {}
        for found, value in self.find(name, **labels):
            sums[found.get(label, "")] = sums.get(found.get(label, ""), 0.0) + value
        return dict(sorted(sums.items(), key=lambda entry: -entry[1]))

    def _ask(self, before: Page) -> Page:
        try:
            with urllib.request.urlopen(f"http://{before.address}/metrics", timeout=ANSWER_S) as answer:
                text = answer.read(MAX_BYTES).decode()
            samples = parsed(text)
        except (OSError, ValueError) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            since_s = before.since_s if before.error and before.since_s else self._clock()
            return Page(before.address, {}, str(reason) or "no answer", since_s)
        return Page(before.address, samples, "", before.since_s if before.answers else self._clock())


def parsed(text: str) -> Samples:
    """Name -> labels -> value. Raises ValueError where the text is no exposition."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = float(sample.value)
    return samples
