"""Who is on which side of an experiment: a pure function of a salt and the person, the same in every process.

Whom the permanent holdout holds is drawn under a salt of its own, so that it is the same people in all experiments:
they tell what all decisions together are worth. The others fall into arms by the experiment's salt (Tang, Agarwal,
O'Brien and Meyer, *Overlapping experiment infrastructure*, KDD 2010).
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import isclose
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from schemas.fields import Line, TimestampMs

HOLDOUT: Final = "holdout"
HOLDOUT_SALT: Final = "attune/holdout"
MAX_HOLDOUT: Final = 0.5

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,60}\Z")]
"""Of an experiment or an arm: letters, digits, `.`, `_` and `-`, at most 60."""


class Experiment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One experiment. `arms` are shares of those not held out, above 0 and summing to 1, the control first.

    Raises ValueError naming the field where that is not so.
    """

    name: Name
    arms: Mapping[Name, Share]
    packs: Mapping[str, Mapping[str, Any]] = {}
    """Arm -> fields of the pack that are different for its people (processors/arms.py). The others have the pack."""
    salt: Line = ""
    """Empty: the name. Another salt draws the arms anew."""
    holdout: Share = 0.05
    window_ms: Annotated[int, Meta(ge=1)] = 7 * 86_400_000
    """How long after the first exposure what a person does is counted."""
    started_ms: TimestampMs = 0
    stopped_ms: TimestampMs | None = None

    def __post_init__(self) -> None:
        shares = list(self.arms.values())
        if len(shares) < 2 or min(shares) <= 0.0 or not isclose(sum(shares), 1.0) or HOLDOUT in self.arms:
            raise ValueError(
                f"arms must be at least two, none named {HOLDOUT}, above 0 and sum to 1, not {dict(self.arms)}"
            )
        if self.holdout > MAX_HOLDOUT:
            raise ValueError(f"holdout must be at most {MAX_HOLDOUT}, not {self.holdout}")
        for arm in self.packs:
            if arm not in self.arms:
                raise ValueError(f"packs names the arm {arm!r}; the arms are {', '.join(self.arms)}")
        if self.stopped_ms is not None and self.stopped_ms < self.started_ms:
            raise ValueError(f"stopped_ms must not be before started_ms, {self.started_ms}, but is {self.stopped_ms}")

    @property
    def shares(self) -> dict[str, float]:
        """The planned share of everybody, by arm, the holdout among them where there is one."""
        planned = {arm: share * (1.0 - self.holdout) for arm, share in self.arms.items()}
        return planned | ({HOLDOUT: self.holdout} if self.holdout else {})

    def runs_at(self, now_ms: int) -> bool:
        """Whether decisions of that moment belong to it."""
        return self.started_ms <= now_ms < (1 << 62 if self.stopped_ms is None else self.stopped_ms)


def arm_of(experiment: Experiment, user_id: str) -> str:
    """The person's arm, or `HOLDOUT`.

    >>> split = Experiment(name="e", arms={"control": 0.5, "treatment": 0.5}, holdout=0.1)
    >>> arm_of(split, "u2") == arm_of(split, "u2")
    True
    """
    if unit_of(HOLDOUT_SALT, user_id) < experiment.holdout:
        return HOLDOUT
    place = unit_of(experiment.salt or experiment.name, user_id)
    for arm, share in experiment.arms.items():
        place -= share
        if place < 0.0:
            return arm
    return arm  # rounding of shares that sum to 1


def unit_of(salt: str, user_id: str) -> float:
    """A number in [0, 1) that belongs to salt and person; independent between salts."""
    digest = blake2b(user_id.encode(), digest_size=8, key=blake2b(salt.encode(), digest_size=32).digest()).digest()
    return (int.from_bytes(digest) >> 11) * 2.0**-53
