"""How fast the console is: first paint, an update's way to the screen, a thousand partitions of twenty groups.

    python -m benchmarks.console          needs Chromium; the feeds are given what they would have read of Kafka

Median and worst of five. The objectives: first paint within 300 ms, an update visible within 2 s, no task of the
browser longer than 200 ms while 1,000 partitions are drawn anew each second.
"""

import random
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import uvicorn
from playwright.sync_api import Page

from serving.console.application import application
from serving.console.audit import Audit
from serving.console.lag_feed import LagFeed
from serving.console.lookups import Letter, Person, Topology, Versions
from serving.console.owners import Owners
from serving.console.sessions import Sessions
from serving.console.state import Console
from serving.console.workers import Workers
from serving.lag.collector import Collector
from serving.lag.row import LagRow
from serving.lag.status import Status
from tests.integration.broker import free_ports
from tests.integration.waiting import eventually, let_pass
from tests.serving.console.console_process import browser

TIMES: Final = 5
PARTITIONS: Final = 1_000
PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
LONG_TASKS: Final = (
    "window.longest = 0; new PerformanceObserver(list => list.getEntries().forEach("
    "each => window.longest = Math.max(window.longest, each.duration))).observe({entryTypes: ['longtask']})"
)


class Nobody:
    """Nothing to look up."""

    def letters(self, topic: str | None, reason: str | None, limit: int) -> tuple[list[Letter], int]:
        return [], 0

    def replay(self, ids: list[str]) -> int:
        return len(ids)

    def person(self, user_id: str) -> Person:
        return Person(user_id, None, None, None)

    def erase(self, user_id: str) -> str:
        return user_id

    def topology(self) -> Topology:
        return Topology((), ())

    def versions(self) -> Versions:
        return Versions(None)

    def rollback(self, model: str) -> str:
        return ""

    def stop_experiment(self, name: str) -> str:
        return ""


class Still(LagFeed):
    """A feed that is given its samples."""

    def run(self, stop: threading.Event) -> None:
        stop.wait()


def rows(groups: int, partitions: int, seed: int) -> tuple[LagRow, ...]:
    """A third of the partitions lags."""
    rng = random.Random(seed)
    return tuple(
        LagRow(
            f"group-{group}", "clicks", partition, lag := rng.choice((0, 0, rng.randrange(1, 900))), lag / 10.0, 1.0,
            Status.OK, 0.3, 0, 8, True, seed * 40, seed * 40 + lag,
        )
        for group in range(groups)
        for partition in range(partitions)
    )  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        feed = Still(lambda: Collector("127.0.0.1:1"))
        console = Console(
            lag=feed, workers=Workers([]), owners=Owners("127.0.0.1:1", {}, list), lookups=Nobody(),
            sessions=Sessions({"operator": "secret"}), audit=Audit(Path(directory)), bootstrap="none",
            pool=ThreadPoolExecutor(4),
        )  # fmt: skip
        (port,) = free_ports(1)
        config = uvicorn.Config(application(console), port=port, log_level="warning", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        eventually(lambda: server.started, 20, 0.05, "the server")
        with browser() as chromium:
            page = chromium.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/login")
            page.get_by_label("Password").fill("secret")
            page.get_by_role("button", name="Log in").click()
            measure(page, feed, f"http://127.0.0.1:{port}")
        server.should_exit = True
        thread.join(10)


def measure(page: Page, feed: Still, url: str) -> None:
    """Print a row of the table for each figure."""
    print("| figure | median | worst |\n|---|---|---|")
    feed.take(rows(3, 12, 0))
    for name in ("overview", "lag", "dead-letters", "models", "person", "sending", "topology"):
        told(f"first paint of {name}", [painted(page, f"{url}/{name}") for _ in range(TIMES)])
    page.goto(f"{url}/lag")
    told("an update of lag, seen", [seen(page, feed, number) for number in range(1, TIMES + 1)])
    for groups in (1, 20):
        feed.take(rows(groups, PARTITIONS, 1))
        told(f"first paint, {groups} × 1,000 partitions", [painted(page, f"{url}/lag") for _ in range(TIMES)])
        page.evaluate(LONG_TASKS)
        for number in range(5):
            feed.take(rows(groups, PARTITIONS, number + 2))
            let_pass(1.2, "the page is drawn anew each second")
        print(f"| longest task, {groups} × 1,000 partitions, drawn anew | | {page.evaluate('longest'):.0f} ms |")


def painted(page: Page, url: str) -> float:
    """Milliseconds to the first contentful paint."""
    page.goto(url)
    return float(eventually(lambda: page.evaluate(PAINT), 10, 0.02, "a first paint"))


def seen(page: Page, feed: Still, number: int) -> float:
    """Milliseconds from a sample to its figure on the screen."""
    mark = 700_000 + number
    began_s = time.monotonic()
    feed.take((LagRow("marked", "t", 0, mark, 1.0, 1.0, Status.OK, 0.1, 0, 1, True, 0, mark),))
    page.wait_for_function("mark => document.body.innerText.includes(mark)", arg=f"{mark:,}")
    return (time.monotonic() - began_s) * 1000


def told(name: str, values_ms: list[float]) -> None:
    print(f"| {name} | {statistics.median(values_ms):.0f} ms | {max(values_ms):.0f} ms |")


if __name__ == "__main__":
    main()
