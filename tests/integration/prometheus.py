"""A real Prometheus over `/metrics` pages, with the rules that ship."""

import json
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.architecture.rooms import ROOT
from tests.integration.broker import free_ports
from tests.integration.waiting import eventually

RULES_FILE = ROOT / "deploy" / "prometheus" / "attune.rules.yml"
MINUTE_S = 60


class Prometheus:
    """Scrapes every second. A context manager; `targets` are host:port by job.

    The rules are those that ship; `hurry` divides how long each condition has to hold (`for`), and nothing else.
    """

    def __init__(self, directory: Path, targets: dict[str, list[str]], hurry: int = 1) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        rules = yaml.safe_load(RULES_FILE.read_text())
        for rule in [rule for group in rules["groups"] for rule in group["rules"] if "for" in rule]:
            rule["for"] = f"{MINUTE_S * int(rule['for'].removesuffix('m')) // hurry}s"
        (directory / "attune.rules.yml").write_text(yaml.safe_dump(rules, sort_keys=False))
        (directory / "prometheus.yml").write_text(
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": ["attune.rules.yml"],
                    "scrape_configs": [
                        {"job_name": job, "static_configs": [{"targets": where}]} for job, where in targets.items()
                    ],
                }
            )
        )
        (self.port,) = free_ports(1)

    def __enter__(self) -> Self:
        with (self.directory / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={self.directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self.directory / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._ready, 30, 0.1, "an answering Prometheus")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)

    def query(self, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Labels (without the job and instance) -> value, now."""
        answer = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        return {
            tuple(sorted((k, v) for k, v in each["metric"].items() if k not in {"job", "instance"})): float(
                each["value"][1]
            )
            for each in answer["data"]["result"]
        }

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with its health and state."""
        groups = self._get("/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return int(answer.status) == 200
        except OSError:
            return False
