"""Lag and status beside Burrow and kcat, on the same real Kafka and the same groups.

python -m benchmarks.beside_burrow [--json]

Debian's Burrow (1.2.1) can neither fetch end offsets from Kafka 4 nor decode its commits, and wants a ZooKeeper: so the
broker here is Kafka 3.9, the last release both understand, and the ZooKeeper is the one that comes with its jars.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console
from rich.table import Table

from serving.lag.collector import Collector
from serving.lag.row import LagRow
from tests.integration.broker import Broker, free_ports
from tests.integration.jars import kafka_jars
from tests.integration.waiting import eventually, let_pass
from tests.serving.lag.scene import commit, now_ms, send

POM: Final = Path(__file__).parent / "burrow_kafka.xml"
ROUNDS: Final = 12
ROUND_S: Final = 1.5
HOUR_MS: Final = 3_600_000

Move = Callable[[int, int], int | None]
"""Round and end offset -> the offset committed in this round; None for no commit."""

GROUPS: Final[dict[str, Move]] = {
    "caught-up": lambda _, end: end,
    "falling-behind": lambda turn, _: 10 + turn,
    "catching-up": lambda turn, end: end - max(60 - 4 * turn, 5),
    "stuck-but-committing": lambda _, __: 10,
    "stopped": lambda turn, _: 20 + turn if turn < 4 else None,
    "rewound-with-lag": lambda turn, _: 30 + turn if turn < 10 else 15 + turn,
    "rewound-from-zero-lag": lambda turn, end: end if turn < 10 else 20,
    "silent-since-start": lambda _, __: None,
}

BURROW: Final = """
[general]
pidfile="{home}/burrow.pid"
[logging]
filename="{home}/burrow.log"
level="warn"
[zookeeper]
servers=["127.0.0.1:{zookeeper}"]
timeout=6
root-path="/burrow"
[client-profile.here]
client-id="burrow"
kafka-version="2.0.0"
[cluster.here]
class-name="kafka"
servers=["{bootstrap}"]
client-profile="here"
topic-refresh=5
offset-refresh=1
[consumer.here]
class-name="kafka"
cluster="here"
servers=["{bootstrap}"]
client-profile="here"
start-latest=true
[httpserver.default]
address="127.0.0.1:{http}"
[storage.default]
class-name="inmemory"
workers=4
intervals=10
expire-group=604800
min-distance=0
"""


@contextmanager
def child(command: list[str], log: Path) -> Iterator[None]:
    """A process that ends with the block."""
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.terminate()


def ask(url: str) -> Any:
    """The JSON behind a URL; None where nothing is known of it, or nobody answers yet."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError):
        return None


def burrow_says(port: int, group: str) -> tuple[str, int | None]:
    """Status and lag of a group's one partition."""
    answer = ask(f"http://127.0.0.1:{port}/v3/kafka/here/consumer/{group}/lag")
    parts = answer["status"]["partitions"] if answer else []
    return (parts[0]["status"], parts[0]["current_lag"]) if parts else ("not known", None)


def kcat_end(bootstrap: str, topic: str) -> int:
    """The end offset of partition 0, as kcat reads it."""
    done = subprocess.run(["kcat", "-Q", "-b", bootstrap, "-t", f"{topic}:0:-1"], capture_output=True, check=True)
    return int(done.stdout.decode().rsplit("offset", 1)[1])


def measure() -> list[dict[str, Any]]:
    """One row a group: what Burrow, kcat and Attune say of the same moment."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jars = kafka_jars(POM)
        broker = stack.enter_context(Broker(jars=jars))
        zookeeper, http = free_ports(2)
        main = "org.apache.zookeeper.server.ZooKeeperServerMain"
        java = ["java", "-Xmx128m", "-Dzookeeper.admin.enableServer=false", "-cp", f"{jars}/*"]
        stack.enter_context(child([*java, main, str(zookeeper), str(home / "zookeeper")], home / "zookeeper.log"))
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        for made in admin.create_topics([NewTopic(group, 1, 1) for group in GROUPS]).values():
            made.result(20)
        for group in GROUPS:
            send(broker.bootstrap, group, 100, ts_ms=[now_ms() - HOUR_MS] * 100)
        commit(broker.bootstrap, "silent-since-start", "silent-since-start", {0: 40})
        (home / "burrow.toml").write_text(
            BURROW.format(home=home, zookeeper=zookeeper, bootstrap=broker.bootstrap, http=http)
        )
        stack.enter_context(child(["Burrow", "-config-dir", str(home)], home / "burrow.out"))
        eventually(lambda: ask(f"http://127.0.0.1:{http}/v3/kafka/here/topic/{next(iter(GROUPS))}"), 30, 0.5, "Burrow")
        collector = stack.enter_context(Collector(broker.bootstrap, groups=list(GROUPS)))
        for turn in range(ROUNDS):
            started_s = time.monotonic()
            for group, move in GROUPS.items():
                send(broker.bootstrap, group, 2)
                if (offset := move(turn, 102 + 2 * turn)) is not None:
                    commit(broker.bootstrap, group, group, {0: offset})
            rows = collector.sample()
            let_pass(max(ROUND_S - (time.monotonic() - started_s), 0.0), "the next round of commits")
        let_pass(3.0, "Burrow's next look at the end offsets, at rest")
        rows = collector.sample()
        by_group: dict[str, LagRow] = {row.group: row for row in rows}
        found = []
        for group in GROUPS:
            row = by_group[group]
            status, lag = burrow_says(http, group)
            end = kcat_end(broker.bootstrap, group)
            found.append(
                {
                    "group": group,
                    "burrow": {"status": status, "lag": lag},
                    "kcat": {"lag": end - row.offset},
                    "attune": {"status": row.status.name, "lag": row.lag, "lag_s": row.lag_s, "eta_s": row.eta_s},
                }
            )
        return found


def show(rows: list[dict[str, Any]]) -> None:
    """The same for people."""
    table = Table("group", "Burrow", "lag", "kcat: lag", "attune", "lag", "seconds", "eta")
    for row in rows:
        burrow, attune = row["burrow"], row["attune"]
        eta = "never" if attune["eta_s"] is None else f"{attune['eta_s']:.0f} s"
        figures = (burrow["status"], burrow["lag"], row["kcat"]["lag"], attune["status"], attune["lag"])
        table.add_row(row["group"], *map(str, figures), f"{attune['lag_s']:.1f}", eta)
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    if parser.parse_args().json:
        sys.stdout.write(json.dumps(measure(), indent=2) + "\n")
    else:
        show(measure())
