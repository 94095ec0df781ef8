"""`attune lag` beside Burrow and kcat: the same Kafka, the same groups, the same moment.

    python -m benchmarks.beside_burrow          needs Debian's packages burrow, kcat and zookeeper (Burrow wants one)

Groups are driven for some two minutes, a commit a second, then all three are asked. Lag must be equal on every
partition at rest. Statuses are shown side by side; where they differ the table says why.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from serving.lag.collector import Collector
from serving.lag.row import LagRow
from tests.integration.broker import Broker, free_ports
from tests.integration.jars import POM, kafka_jars
from tests.integration.waiting import eventually, let_pass
from tests.serving.lag.scene import commit, send

ROUNDS: Final = 125
KAFKA: Final = "3.9.1"
ZOOKEEPER: Final = "/usr/share/java/zookeeper.jar"
"""Its manifest names the rest."""
BURROW: Final = """
[general]
pidfile = "{directory}/burrow.pid"
[logging]
level = "error"
[zookeeper]
servers = ["127.0.0.1:{zookeeper}"]
[client-profile.local]
kafka-version = "2.0.0"
client-id = "burrow"
[cluster.local]
class-name = "kafka"
servers = ["{bootstrap}"]
client-profile = "local"
topic-refresh = 5
offset-refresh = 1
[consumer.local]
class-name = "kafka"
cluster = "local"
servers = ["{bootstrap}"]
client-profile = "local"
start-latest = {latest}
[httpserver.default]
address = "127.0.0.1:{port}"
[storage.default]
class-name = "inmemory"
intervals = 10
min-distance = 1
[evaluator.default]
class-name = "caching"
expire-cache = 1
"""
WHY: Final = {
    "rewound-from-zero-lag": "Burrow asks for a zero lag in the window before it asks for a rewind",
    "rewound-long-ago": "Burrow forgets a rewind after ten commits; here it is held until the group is back",
    "silent-since-before": "Burrow knows nothing of a group that has not committed since it started",
}
SCENES: Final = (
    "at-rest",
    "keeps-up",
    "slow",
    "stuck",
    "stopped",
    "rewound",
    "rewound-from-zero-lag",
    "rewound-long-ago",
    "silent-since-before",
)


def main() -> None:
    with tempfile.TemporaryDirectory() as name, Broker(jars=older_kafka()) as broker:
        directory = Path(name)
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        producer = Producer({"bootstrap.servers": broker.bootstrap})
        topics = {scene: f"t{number}" for number, scene in enumerate(SCENES)}
        for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in topics.values()]).values():
            future.result(30)
        for topic in topics.values():
            for partition in (0, 1):
                send(broker.bootstrap, topic, 200, partition)
        commit(broker.bootstrap, "silent-since-before", topics["silent-since-before"], {0: 50, 1: 199})
        with burrow(broker.bootstrap, directory) as address, Collector(broker.bootstrap, groups=SCENES) as collector:
            rows: list[LagRow] = []
            for number in range(ROUNDS):
                began_s = time.monotonic()
                drive(producer, admin, topics, number)
                rows = collector.sample()
                let_pass(max(0.0, 1.0 - (time.monotonic() - began_s)), "a commit a second")
            let_pass(2.0, "Burrow refreshes its ends every second")
            rows = collector.sample()
            report(rows, {scene: asked(address, scene) for scene in SCENES}, ends(broker.bootstrap, topics))


def older_kafka() -> Path:
    """Kafka 4 dropped the first form of ListOffsets, the only one that Debian's Burrow speaks."""
    with tempfile.TemporaryDirectory() as name:
        pom = Path(name) / "pom.xml"
        pom.write_text(re.sub(r"<version>4[.\d]+</version>", f"<version>{KAFKA}</version>", POM.read_text()))
        return kafka_jars(pom)


def drive(producer: Producer, admin: AdminClient, topics: dict[str, str], number: int) -> None:
    """One second of every group. Each of the moving topics gets a record a partition."""
    for scene in ("keeps-up", "slow", "stuck", "stopped", "rewound", "rewound-long-ago"):
        for partition in (0, 1):
            for _ in range(2):
                producer.produce(topics[scene], b"x", partition=partition)
    producer.flush(10)
    end = 200 + 2 * (number + 1)
    last = number >= ROUNDS - 4
    places = {
        "at-rest": 180 if number < 3 else None,
        "keeps-up": end,
        "slow": 100 + number,
        "stuck": 150,
        "stopped": 100 + number if number < 12 else None,
        "rewound": 20 if last else 100 + number,
        "rewound-from-zero-lag": 20 if last else 200,
        "rewound-long-ago": 100 + number if number < 25 else 20 + number // 2,
    }
    asked_for = [
        ConsumerGroupTopicPartitions(scene, [TopicPartition(topics[scene], partition, offset) for partition in (0, 1)])
        for scene, offset in places.items()
        if offset is not None
    ]
    for each in asked_for:
        for future in admin.alter_consumer_group_offsets([each]).values():
            future.result(20)


@contextmanager
def burrow(bootstrap: str, directory: Path) -> Iterator[str]:
    """Burrow, and the ZooKeeper that it asks for its locks."""
    zookeeper, port = free_ports(2)
    config = directory / "zoo.cfg"
    config.write_text(f"dataDir={directory}/zk\nclientPort={zookeeper}\nadmin.enableServer=false\n")
    server = ["java", "-Xmx128m", "-cp", ZOOKEEPER, "org.apache.zookeeper.server.quorum.QuorumPeerMain", str(config)]
    (directory / "burrow.toml").write_text(
        BURROW.format(directory=directory, bootstrap=bootstrap, zookeeper=zookeeper, port=port, latest="true")
    )
    with (directory / "log").open("wb") as log:
        parts = [subprocess.Popen(server, stdout=log, stderr=log, cwd=directory)]
        try:
            eventually(lambda: _serves(zookeeper), 30, 0.2, "ZooKeeper")
            parts.append(
                subprocess.Popen(
                    ["Burrow", "--config-dir", str(directory)], stdout=log, stderr=log, cwd=directory,
                    env={**os.environ, "HOME": str(directory)},
                )
            )  # fmt: skip
            eventually(lambda: _listens(port), 30, 0.2, "Burrow")
            yield f"127.0.0.1:{port}"
            sys.stderr.write((directory / "log").read_text()[-2_000:])
        except TimeoutError:
            sys.stderr.write((directory / "log").read_text()[-2_000:])
            raise
        finally:
            for part in reversed(parts):
                part.terminate()
                part.wait(20)


def _serves(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5) as connection:
            connection.settimeout(1.0)
            connection.sendall(b"srvr")
            return b"Mode: standalone" in connection.recv(1_000)
    except OSError:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 0.5):
            return True
    except OSError:
        return False


def asked(address: str, group: str) -> dict[int, tuple[str, int | None]]:
    """Partition -> Burrow's status and lag; empty where it knows no such group."""
    path = f"http://{address}/v3/kafka/local/consumer/{urllib.parse.quote(group)}/lag"
    try:
        with urllib.request.urlopen(path, timeout=10) as answer:
            found: Any = json.load(answer)
    except urllib.error.HTTPError:
        return {}
    return {each["partition"]: (each["status"], each.get("current_lag")) for each in found["status"]["partitions"]}


def ends(bootstrap: str, topics: dict[str, str]) -> dict[tuple[str, int], int]:
    """What kcat says of the ends."""
    found = {}
    for topic in topics.values():
        asked_for = [word for partition in (0, 1) for word in ("-t", f"{topic}:{partition}:-1")]
        done = subprocess.run(["kcat", "-b", bootstrap, "-Q", *asked_for], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            name, _, rest = line.partition(" [")
            found[name, int(rest.partition("]")[0])] = int(line.rpartition(" ")[2])
    return found


def report(
    rows: list[LagRow], of_burrow: dict[str, dict[int, tuple[str, int | None]]], of_kcat: dict[tuple[str, int], int]
) -> None:
    print("| group | lag: attune / Burrow / kcat | status: attune / Burrow | seconds | eta | note |")
    print("|---|---|---|---|---|---|")
    unequal = 0
    for scene in SCENES:
        for row in (row for row in rows if row.group == scene and row.partition == 0):
            status, lag = of_burrow[scene].get(0, ("knows no such group", None))
            behind = of_kcat[row.topic, 0] - row.offset
            unequal += row.lag != behind or (lag is not None and lag != row.lag)
            eta = "not shrinking" if row.eta_s is None else f"{row.eta_s:.0f} s"
            note = WHY.get(scene, "")
            print(
                f"| {scene} | {row.lag} / {'–' if lag is None else lag} / {behind} | {row.status.name} / {status} "
                f"| {row.lag_s:.1f} | {eta} | {note} |"
            )
    print(f"\nunequal lags: {unequal}")


if __name__ == "__main__":
    main()
