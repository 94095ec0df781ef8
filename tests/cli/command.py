"""Running `attune` as a shell would."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**settings: str) -> dict[str, str]:
    """Nothing of the caller's settings; `bootstrap="…"` becomes ATTUNE_BOOTSTRAP."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTUNE_")}
    return inherited | {f"ATTUNE_{name.upper()}": value for name, value in settings.items()}


def attune(*arguments: str, stdin: str | bytes = b"", timeout_s: float = 60.0, **settings: str) -> Finished:
    """Run a command to its end."""
    started_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "attune.cli.main", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=timeout_s,
        env=environment(**settings),
        cwd=ROOT,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - started_s)
