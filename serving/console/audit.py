"""The audit log: one JSON object a line for every action and every refused one, synced before the action is done."""

import os
import threading
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from processors.erasure import user_hash

FILE: Final = "console-audit.jsonl"
SHOWN: Final = 200
TAIL_BYTES: Final = 200_000


class Entry(Struct, frozen=True):
    """One thing that someone did, or was not allowed to do. `subject` names no person, see `Audit.alias`."""

    ts_ms: int
    role: str
    address: str
    action: str
    subject: str
    outcome: str


class Audit:
    """Appends to `DIRECTORY/console-audit.jsonl`, readable by its owner alone. Raises OSError where it cannot.

    `erasure_key` is the secret under which erased people are remembered.
    """

    def __init__(self, directory: Path, erasure_key: str = "") -> None:
        self._erasure_key = erasure_key
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / FILE
        self._lock = threading.Lock()

    def alias(self, user_id: str) -> str:
        """What a person is called here: the log outlives them. Whoever knows the id and the secret finds the entry."""
        return f"person {user_hash(self._erasure_key, user_id)[:32]}"

    def write(self, role: str, address: str, action: str, subject: str, outcome: str) -> None:
        """Append one entry."""
        entry = Entry(time.time_ns() // 1_000_000, role, address, action, subject[:1_000], outcome[:1_000])
        with self._lock:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(descriptor, msgspec.json.encode(entry) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def newest(self) -> list[Entry]:
        """The last entries, the newest first."""
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, self.path.stat().st_size - TAIL_BYTES))
                lines = file.read().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in reversed(lines):
            try:
                found.append(msgspec.json.decode(line, type=Entry))
            except msgspec.MsgspecError:
                continue  # the first line may be cut
        return found[:SHOWN]
