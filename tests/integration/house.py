"""A worker as a user runs it: `attune worker`, with everything else through `attune`, too."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from streams.admin import create_topics
from streams.settings import Settings, read_settings
from streams.topics import BEHAVIOUR_GROUP, INPUTS, LEARNER_GROUP, SINK_GROUP
from tests.cli.command import ROOT, Finished, attune, environment


class House:
    """Topics, and a supervisor with its children; `settings` in the names of the variables, without ATTUNE_."""

    def __init__(self, bootstrap: str, log: Path, *options: str, **settings: str) -> None:
        self.names = {"bootstrap": bootstrap, "partitions": "4", "session_s": "6", "clock": "log", **settings}
        self.settings: Settings = read_settings(environment(**self.names))
        self.log = log
        create_topics(self.settings)
        with log.open("wb") as out:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "worker", *options],
                env=environment(**self.names),
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def attune(self, *arguments: str, **more: Any) -> Finished:
        return attune(*arguments, **{**self.names, **more})

    def lag(self, *groups: str) -> int:
        """Records behind, over the groups named, by default all that run."""
        per_group = {
            BEHAVIOUR_GROUP: [(topic.name, p) for topic in INPUTS for p in range(self.settings.partitions)],
            LEARNER_GROUP: [("learning", 0)],
            SINK_GROUP: [("recommendations", p) for p in range(self.settings.partitions)],
        }
        admin = AdminClient({"bootstrap.servers": self.settings.bootstrap, "log_level": 0})
        behind = 0
        for group in groups or per_group:
            tps = [TopicPartition(*place) for place in per_group[group]]
            asked = [ConsumerGroupTopicPartitions(group, tps)]
            committed = admin.list_consumer_group_offsets(asked)[group].result().topic_partitions
            reached = {(tp.topic, tp.partition): max(tp.offset, 0) for tp in committed}
            latest = {tp: OffsetSpec.latest() for tp in tps}  # type: ignore[no-untyped-call]
            for tp, end in admin.list_offsets(latest).items():
                behind += end.result().offset - reached.get((tp.topic, tp.partition), 0)
        return behind

    def resident_mb(self, role: str) -> float:
        """Resident memory of the processes of one role."""
        found = 0.0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
                is_ours = int(lines["PPid"]) == self.worker.pid
                if is_ours and f"streams.roles.{role}".encode() in (process / "cmdline").read_bytes():
                    found += int(lines["VmRSS"].split()[0]) / 1024
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
        assert found, f"no process of the role {role}"
        return found

    def close(self) -> None:
        """SIGTERM, and a clean end."""
        try:
            self.worker.terminate()
            assert self.worker.wait(40) == 0, self.log.read_text()
        finally:
            if self.worker.poll() is None:
                os.killpg(self.worker.pid, signal.SIGKILL)
