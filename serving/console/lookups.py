"""What the console asks of the rest of the house; the composition root brings what answers.

Every call may block and may raise `UnavailableError`, whose message is shown as it is.
"""

from typing import Any, Protocol

from msgspec import Struct


class UnavailableError(Exception):
    """Kafka or Redis does not answer, or has no such thing; one sentence for people."""


class Letter(Struct, frozen=True):
    """A dead letter, ready to be shown: nothing in it is trusted."""

    id: str
    topic: str
    stage: str
    kind: str
    message: str
    first_failure_ms: int
    attempt: int
    key: str
    value: str
    headers: tuple[tuple[str, str], ...]
    bytes: int


class Person(Struct, frozen=True):
    """All that is known of one person. `trouble` says what could not be read."""

    user_id: str
    profile: dict[str, Any] | None
    newest: dict[str, Any] | None
    """The list that a site reads now."""
    send_time: dict[str, Any] | None
    history: tuple[dict[str, Any], ...] = ()
    """Decisions about this person, the newest first: `topic`, `ts_ms`, `value` (None: forget)."""
    titles: dict[str, str] = {}
    trouble: tuple[str, ...] = ()


class TopicNode(Struct, frozen=True):
    """A topic of the table, beside what the cluster has. `partitions` and `records` are None where it is missing."""

    name: str
    direction: str
    key: str
    meaning: str
    cleanup: str
    kept: str
    partitions: int | None
    records: int | None


class AgentNode(Struct, frozen=True):
    """A program and the topics it reads and writes; `tables` are its changelogs."""

    name: str
    group: str
    meaning: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    tables: tuple[str, ...] = ()


class Topology(Struct, frozen=True):
    """The house as the code declares it."""

    topics: tuple[TopicNode, ...]
    agents: tuple[AgentNode, ...]
    trouble: str = ""


class ChallengerNode(Struct, frozen=True):
    """The challenger's newest state: what was decided last, and on which figures (None: on none)."""

    model: str
    serves: bool
    change: str
    at_ms: int
    examples: int
    n: int
    difference: float | None
    low: float | None
    high: float | None
    winner: str | None


class ExperimentNode(Struct, frozen=True):
    """An experiment. `by_settings`: it is defined in attune.toml, where alone it can be stopped."""

    name: str
    shares: dict[str, float]
    started_ms: int
    stopped_ms: int | None
    by_settings: bool


class Versions(Struct, frozen=True):
    """What ranks people's lists. `challenger` is None where none was fitted."""

    challenger: ChallengerNode | None
    experiments: tuple[ExperimentNode, ...] = ()


class Lookups(Protocol):
    """What is injected."""

    def letters(self, topic: str | None, reason: str | None, limit: int) -> tuple[list[Letter], int]:
        """The newest letters, and how many there are."""

    def replay(self, ids: list[str]) -> int:
        """Send letters back as they are. Returns how many."""

    def person(self, user_id: str) -> Person:
        """Everything about one person; what cannot be read is said in `trouble`."""

    def erase(self, user_id: str) -> str:
        """Ask that a person be forgotten. Returns the event's id."""

    def topology(self) -> Topology:
        """Topics, agents, tables."""

    def versions(self) -> Versions:
        """Which models rank, and the experiments there are."""

    def rollback(self, model: str) -> str:
        """Let the blend rank again, if the challenger `model` does. Returns what came of it."""

    def stop_experiment(self, name: str) -> str:
        """Let nobody else into an experiment. Returns what came of it."""
