"""What the experiments that run make of one person's decision: the arms it bears, and the pack it is made by.

An arm may have fields of the pack of its own (`Experiment.packs`): another weight, half-life or rule of the slate. What
the learner and the profiles are made by cannot differ, for these are everybody's: see `SHARED`.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors.effects import Effect, Mailing, Planned
from processors.experiment import Experiment, arm_of
from processors.pack import Pack

SHARED: Final = frozenset(
    {
        "name",
        "models",
        "actions",
        "prior",
        "counter_half_lives_d",
        "popularity_half_lives_d",
        "covisitation_half_life_d",
        "affinity_half_life_d",
        "history_items",
        "attribution_ms",
        "teach_burst",
        "teach_per_minute",
        "teach_same_item",
        "applied",
        "min_interval_ms",
    }
)
"""Fields of the pack by which models are learned, profiles folded or timers set: the same in every arm."""
MAX_LABEL_CHARS: Final = 200


class Side(Struct, frozen=True):
    """How a person stands at one moment. `arm` is None where no experiment runs."""

    arm: str | None
    pack: Pack


class Arms:
    """The experiments of a deployment, over one pack.

    Raises ValueError naming the experiment: two of one name, an override that is no field or is shared, or one field
    that two experiments switch while both run.

    >>> half = Experiment(name="slate", arms={"control": 0.5, "wide": 0.5}, packs={"wide": {"max_per_brand": 9}})
    >>> arms = Arms(Pack(name="jobs"), [half])
    >>> [(side.arm, side.pack.max_per_brand) for side in (arms.side("u6", 0), arms.side("u8", 0))]
    [('slate:wide', 9), ('slate:control', 3)]
    """

    def __init__(self, pack: Pack, experiments: Iterable[Experiment]) -> None:
        self._pack = pack
        self._experiments = sorted(experiments, key=lambda experiment: experiment.name)
        self._nobody = Side(None, pack)
        self._packs: dict[tuple[tuple[str, str], ...], Pack] = {}
        for experiment in self._experiments:
            for arm, fields in experiment.packs.items():
                switched(pack, fields, f"experiment {experiment.name}, arm {arm}")
        for one, two in combinations(self._experiments, 2):
            if one.name == two.name:
                raise ValueError(f"two experiments are named {one.name!r}")
            both = _fields(one) & _fields(two) if _overlap(one, two) else set()
            if both:
                raise ValueError(f"experiments {one.name} and {two.name} both switch {', '.join(sorted(both))}")

    def side(self, user_id: str, now_ms: int) -> Side:
        """The arms of all experiments that run at `now_ms`, as ``NAME:ARM``, by name; and the pack they leave."""
        mine = [(e.name, arm_of(e, user_id), e.packs) for e in self._experiments if e.runs_at(now_ms)]
        if not mine:
            return self._nobody
        key = tuple((name, arm) for name, arm, packs in mine if arm in packs)
        pack = self._packs.get(key)
        if pack is None:
            pack = self._pack
            for _, arm, packs in mine:
                pack = switched(pack, packs.get(arm, {}), arm)
            self._packs[key] = pack
        return Side(label_of((name, arm) for name, arm, _ in mine), pack)

    def borne(self, user_id: str, effects: Iterable[Effect]) -> list[Effect]:
        """The same effects; decisions about mail among them bear the person's arms at their own time."""
        return [self._bearing(user_id, effect) for effect in effects]

    def _bearing(self, user_id: str, effect: Effect) -> Effect:
        match effect:
            case Planned(decision=decision):
                arm = self.side(user_id, decision.ts_ms).arm
                return Planned(msgspec.structs.replace(decision, arm=arm))
            case Mailing(digest=digest):
                return Mailing(msgspec.structs.replace(digest, arm=self.side(user_id, digest.due_ms).arm))
            case _:
                return effect


def label_of(arms: Iterable[tuple[str, str]]) -> str:
    """What a decision bears.

    >>> label_of([("hour", "late"), ("slate", "control")])
    'hour:late slate:control'
    """
    return " ".join(f"{name}:{arm}" for name, arm in arms)[:MAX_LABEL_CHARS]


def arm_in(label: str, experiment: Experiment) -> str | None:
    """The arm of one experiment that a decision bears; a label without names is that of the only experiment there is.

    >>> split = Experiment(name="hour", arms={"early": 0.5, "late": 0.5})
    >>> arm_in("hour:late slate:control", split), arm_in("late", split), arm_in("slate:control", split)
    ('late', 'late', None)
    """
    for word in label.split(" "):
        name, colon, arm = word.rpartition(":")
        if name == experiment.name or not colon:
            return arm
    return None


def switched(pack: Pack, fields: Any, place: str) -> Pack:
    """The pack with other values of some fields; of `scores`, only those that are named are others."""
    values = msgspec.to_builtins(pack)
    for field, value in fields.items():
        if field not in values or field in SHARED:
            why = "is the same for everybody" if field in SHARED else "is no field of a pack"
            raise ValueError(f"{place}: {field} {why}")
        inner = values[field]
        values[field] = {**inner, **value} if isinstance(inner, dict) and isinstance(value, dict) else value
    try:
        return msgspec.convert(values, Pack)
    except msgspec.ValidationError as error:
        raise ValueError(f"{place}: {error}") from None


def _fields(experiment: Experiment) -> set[str]:
    return {field for fields in experiment.packs.values() for field in fields}


def _overlap(one: Experiment, two: Experiment) -> bool:
    return one.runs_at(max(one.started_ms, two.started_ms)) and two.runs_at(max(one.started_ms, two.started_ms))
