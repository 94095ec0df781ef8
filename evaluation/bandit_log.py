"""Decisions with their propensities and what came of them: a logged bandit, and the Open Bandit files.

The Open Bandit Dataset (Saito et al., *Open Bandit Dataset and Pipeline*, NeurIPS 2021, CC BY 4.0) shows three
positions at a time; an action is an item, a context is a position, a person is known by four hashed features.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Hashable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_USER_FEATURES = ("user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3")


class BanditLogError(ValueError):
    """A row of a logged bandit that cannot be used; the message names file, line and field."""


class BanditLog(msgspec.Struct, frozen=True):
    """`n` logged decisions; every array has shape (n,).

    `context` and `action` are codes from 0 below `contexts` and `actions`; `reward` is in any unit; `propensity` in
    (0, 1] is the logging policy's probability of that action in that context; `cluster` are dense codes of people.
    """

    context: Codes
    action: Codes
    reward: Floats
    propensity: Floats
    cluster: Codes
    contexts: int
    actions: int

    def __post_init__(self) -> None:
        if not np.all((self.propensity > 0.0) & (self.propensity <= 1.0)):
            raise BanditLogError("propensity must be in (0, 1]: an action that could not be logged cannot be judged")
        for name, codes, size in (
            ("context", self.context, self.contexts),
            ("action", self.action, self.actions),
        ):
            if len(codes) and not (codes.min() >= 0 and codes.max() < size):
                raise BanditLogError(f"{name} must be codes from 0 to {size - 1}")

    def __len__(self) -> int:
        return len(self.action)


def dense_codes(keys: Sequence[Hashable]) -> Codes:
    """Codes from 0 in order of first appearance, shape (n,).

    >>> dense_codes(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def read_open_bandit(path: Path, actions: int = 0) -> BanditLog:
    """One Open Bandit file (`.csv` or `.csv.gz`). `actions` ≥ 1 fixes the number of items, 0 takes the largest id + 1.

    Raises BanditLogError for a row whose field is missing or not a number.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    items: list[int] = []
    positions: list[int] = []
    clicks: list[float] = []
    propensities: list[float] = []
    people: list[tuple[str, ...]] = []
    with opener(path, "rt", encoding="utf-8", newline="") as lines:
        for row in (reader := csv.DictReader(lines)):
            try:
                items.append(int(row["item_id"]))
                positions.append(int(row["position"]) - 1)
                clicks.append(float(row["click"]))
                propensities.append(float(row["propensity_score"]))
                people.append(tuple(row[name] for name in _USER_FEATURES))
            except (KeyError, TypeError, ValueError) as error:
                raise BanditLogError(f"{path}, line {reader.line_num}: {error}") from error
    if not items:
        raise BanditLogError(f"{path}: no decisions")
    return BanditLog(
        context=np.array(positions, dtype=np.int64),
        action=np.array(items, dtype=np.int64),
        reward=np.array(clicks),
        propensity=np.array(propensities),
        cluster=dense_codes(people),
        contexts=max(positions) + 1,
        actions=max(actions, max(items) + 1),
    )


def policy_frequencies(log: BanditLog, contexts: int = 0, actions: int = 0) -> Floats:
    """How often the policy behind `log` took each action in each context, rows summing to 1, shape (contexts, actions).

    This is the target policy's propensity where only its log is known. A context never seen takes the overall
    frequencies. `contexts` and `actions` widen the table to that of another log.

    >>> one = np.ones(3)
    >>> log = BanditLog(np.array([0, 0, 1]), np.array([0, 1, 1]), one, one, np.arange(3), 2, 2)
    >>> policy_frequencies(log).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    shape = (max(contexts, log.contexts), max(actions, log.actions))
    counts = np.bincount(log.context * shape[1] + log.action, minlength=shape[0] * shape[1]).reshape(shape)
    table = counts.astype(np.float64)
    empty = table.sum(axis=1) == 0.0
    table[empty] = table.sum(axis=0)
    frequencies: Floats = table / table.sum(axis=1, keepdims=True)
    return frequencies
