"""The mailer's memory: what it was about to send, and what came of it. On disk before anything is handed over.

State of a mail:

    intent      written down, about to be handed over: found at a start, nobody knows whether it went out
    queued      certainly not taken by the mail server, to be tried again at `due_ms`
    sent        taken by the mail server
    refused     never to be taken
    dropped     the last check let it not go
    ambiguous   nobody knows; never repeated unless someone says so (`attune mailer settle`)
"""

import fcntl
import sqlite3
import threading
from pathlib import Path
from typing import IO, Final, Literal, Self

import msgspec
from msgspec import Struct

from serving.mailer.errors import MailerError

State = Literal["intent", "queued", "sent", "refused", "dropped", "ambiguous"]
SETTLED: Final = "settled by hand"
NAME: Final = "mailer.sqlite"
KEPT_MS: Final = 30 * 86_400_000
"""Longer than any digest stays in its topic, so that none is taken for new."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mails (
    digest_id TEXT PRIMARY KEY, user_id TEXT NOT NULL, campaign TEXT NOT NULL, state TEXT NOT NULL,
    at_ms INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '', announced INTEGER NOT NULL DEFAULT 0, digest BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mails_by_state ON mails (state, due_ms);
"""


class Entry(Struct, frozen=True, array_like=True):
    """One mail. `at_ms` is of the clock in force, `due_ms` of the wall; `digest` stays until it is not needed again."""

    digest_id: str
    user_id: str
    campaign: str
    state: State
    at_ms: int
    tries: int
    due_ms: int
    why: str
    announced: bool
    digest: bytes | None


class Journal:
    """The file in `state_dir`. One mailer may write; `owner` False is for looking and settling."""

    def __init__(self, state_dir: str, owner: bool = True) -> None:
        directory = Path(state_dir)
        if not owner and not (directory / NAME).exists():
            raise MailerError(f"{directory / NAME}: no mailer has run here (ATTUNE_STATE_DIR)")
        directory.mkdir(parents=True, exist_ok=True)
        self._held: IO[str] | None = None
        if owner:
            self._held = (directory / "mailer.lock").open("w")
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise MailerError(f"{directory}: another mailer is at work here; give each its own state_dir") from None
        self._lock = threading.Lock()
        self._db = sqlite3.connect(directory / NAME, timeout=30.0, check_same_thread=False, isolation_level=None)
        (directory / NAME).chmod(0o600)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten: erased people are gone
        self._db.executescript(_SCHEMA)

    def open_intents(self, now_ms: int) -> int:
        """At a start: what was being handed over when the mailer ended is ambiguous from now on. Returns how many."""
        self._run("DELETE FROM mails WHERE at_ms < ? AND state IN ('sent', 'refused', 'dropped')", now_ms - KEPT_MS)
        why = "the mailer ended while the mail was handed over"
        return self._run("UPDATE mails SET state = 'ambiguous', why = ? WHERE state = 'intent'", why)

    def find(self, digest_id: str) -> Entry | None:
        found = self._select("WHERE digest_id = ?", digest_id)
        return found[0] if found else None

    def write(self, entry: Entry) -> None:
        """Take down how a mail stands now; durable when this returns."""
        self._run(
            "INSERT OR REPLACE INTO mails VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(getattr(entry, field) for field in Entry.__struct_fields__),
        )

    def withdraw(self, digest_id: str) -> None:
        """An intent that was given up before anything was handed over: another mailer has the mail."""
        self._run("DELETE FROM mails WHERE digest_id = ? AND state = 'intent'", digest_id)

    def announced(self, digest_id: str) -> None:
        """The mail's `sends` event is on Kafka."""
        self._run("UPDATE mails SET announced = 1 WHERE digest_id = ?", digest_id)

    def mails_to(self, user_id: str, until_ms: int) -> list[str]:
        """The digests of the mails to a person up to a time."""
        return [entry.digest_id for entry in self._select("WHERE user_id = ? AND at_ms <= ?", user_id, until_ms)]

    def forget(self, user_id: str, until_ms: int) -> None:
        """Someone was erased: what waits for them from before goes, and their name, from the disk as well."""
        self._run("DELETE FROM mails WHERE user_id = ? AND at_ms <= ?", user_id, until_ms)
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def queued(self, now_ms: int) -> list[Entry]:
        """What is to be tried again now, the longest due first."""
        return self._select("WHERE state = 'queued' AND due_ms <= ? ORDER BY due_ms LIMIT 100", now_ms)

    def unannounced(self, why: str | None = None) -> list[Entry]:
        """What went out and was not published yet; with `why`, only what stands there for this reason."""
        if why is None:
            return self._select("WHERE state = 'sent' AND announced = 0")
        return self._select("WHERE state = 'sent' AND announced = 0 AND why = ?", why)

    def ambiguous(self) -> list[Entry]:
        return self._select("WHERE state = 'ambiguous' ORDER BY at_ms")

    def counts(self) -> dict[str, int]:
        """Mails by state."""
        with self._lock:
            return dict(self._db.execute("SELECT state, count(*) FROM mails GROUP BY state").fetchall())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()
        if self._held is not None:
            self._held.close()

    def _run(self, statement: str, *values: object) -> int:
        with self._lock:
            return self._db.execute(statement, values).rowcount

    def _select(self, where: str, *values: object) -> list[Entry]:
        with self._lock:
            rows = self._db.execute(f"SELECT * FROM mails {where}", values).fetchall()  # noqa: S608 - constants
        return [msgspec.convert(row, Entry, strict=False) for row in rows]
