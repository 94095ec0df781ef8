"""A house that is watched: `attune lag serve` with probes beside it."""

import re
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from tests.cli.command import ROOT, environment
from tests.integration.house import House
from tests.integration.waiting import eventually


class Collector:
    """`attune lag serve`, every second; `settings` in the names of the variables, without ATTUNE_."""

    def __init__(self, settings: Mapping[str, str], log: Path, *options: str) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "lag", "serve", "--interval", "1", *options],
                env=environment(**{**settings, "state_dir": str(log.parent / "lag-state")}),
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.address = eventually(self._address, 60, 0.1, "the collector's address")

    def _address(self) -> str | None:
        found = re.search(r"http://([\d.:]+)/metrics", self.log.read_text())
        return found[1] if found else None

    def close(self) -> None:
        self.process.terminate()
        assert self.process.wait(20) == 0, self.log.read_text()


def worker_address(house: House) -> str:
    """Where the supervisor answers, from its log."""
    found = eventually(lambda: re.search(r"http://([\d.:]+)/readyz", house.log.read_text()), 60, 0.1, "an address")
    assert found is not None
    return str(found[1])


def page(address: str, path: str = "/metrics") -> str:
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
    return text
