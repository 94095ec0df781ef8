"""An experiment as it runs: exposures and outcomes in, what may be said so far out, however often one looks.

A person is exposed by the first decision that bears an arm. From then on their clicks in mails, completed applications
and unsubscribing count for one window; when it is closed they are observed once. So the unit is the person, in one arm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from evaluation.comparison import BURN_IN, ArmComparison, Verdict
from evaluation.confidence_sequence import Boundary
from evaluation.sample_ratio import SampleRatio
from processors.experiment import Experiment, arm_of
from schemas.behaviour import Apply, Click, Event, Unsubscribe

Metric = Literal["applies", "apply_starts", "clicks"]
METRICS: Final[tuple[Metric, ...]] = ("applies", "apply_starts", "clicks")


class Exposure(Struct, frozen=True):
    """A decision reached somebody: what `recommendations` and `digests` say with their `arm`."""

    user_id: str
    arm: str
    ts_ms: int


class Arm(Struct, frozen=True):
    """One arm against the control: a difference is control minus this arm, in outcomes per person."""

    exposed: int
    observed: int
    mean: float | None
    comparison: Verdict | None
    guardrail: Verdict | None
    """Of unsubscribing, per person."""
    guardrail_alarm: bool
    """More people of this arm than of the control unsubscribe, whatever the metric says: stop."""


class Status(Struct, frozen=True):
    """What can be said of an experiment now. Nothing of the arms means anything while `split_alarm` is true."""

    name: str
    metric: Metric
    running: bool
    split_alarm: bool
    misassigned: int
    """People who were exposed to an arm that is not theirs, or to two. Any at all is a defect of the system."""
    arms: dict[str, Arm]


class _Person(Struct):
    arm: str
    exposed_ms: int
    counts: dict[str, int]
    has_left: bool = False


class Trial:
    """One experiment's people. Give records in the order of time; `status` closes the windows that are over.

    `tightest_at` ≥ 1: at how many people the intervals are made tightest. `burn_in` ≥ 2 people of each arm.
    """

    def __init__(
        self, experiment: Experiment, metric: Metric = "applies", tightest_at: int = 1_000, burn_in: int = BURN_IN
    ) -> None:
        if metric not in METRICS:
            raise ValueError(f"metric must be one of {METRICS}, not {metric!r}")
        self.experiment, self.metric = experiment, metric
        names = list(experiment.shares)
        self._control = names[0]
        self._split = SampleRatio(experiment.shares)
        self._open: dict[str, _Person] = {}
        self._done: set[str] = set()
        self._odd: set[str] = set()
        self._sums = {name: [0, 0.0] for name in names}
        self._exposed = dict.fromkeys(names, 0)
        boundary = Boundary(tightest_at=tightest_at)
        self._gains = {name: ArmComparison(names[0], name, boundary, burn_in) for name in names[1:]}
        self._leaving = {name: ArmComparison(names[0], name, boundary, burn_in) for name in names[1:]}

    def expose(self, exposure: Exposure) -> None:
        """Note a decision that bears an arm; before the start and after the stop none counts."""
        experiment, user_id = self.experiment, exposure.user_id
        if exposure.ts_ms < experiment.started_ms or exposure.ts_ms >= (experiment.stopped_ms or 1 << 62):
            return
        self.close(exposure.ts_ms)
        if exposure.arm not in self._exposed or exposure.arm != arm_of(experiment, user_id):
            self._odd.add(user_id)
            if exposure.arm not in self._exposed:
                return
        if user_id in self._done or user_id in self._open:
            return
        self._exposed[exposure.arm] += 1
        self._split.observe(exposure.arm)
        self._open[user_id] = _Person(exposure.arm, exposure.ts_ms, dict.fromkeys(METRICS, 0))

    def take(self, event: Event) -> None:
        """Note what somebody did."""
        person = self._open.get(event.user_id)
        if person is None or not person.exposed_ms <= event.ts_ms < person.exposed_ms + self.experiment.window_ms:
            return
        match event:
            case Apply(stage="complete"):
                person.counts["applies"] += 1
            case Apply():
                person.counts["apply_starts"] += 1
            case Click():
                person.counts["clicks"] += 1
            case Unsubscribe():
                person.has_left = True
            case _:
                pass

    def close(self, now_ms: int) -> None:
        """Observe those whose window is over, in the order of their exposure."""
        while self._open:
            user_id, person = next(iter(self._open.items()))
            if person.exposed_ms + self.experiment.window_ms > now_ms:
                return
            del self._open[user_id]
            self._done.add(user_id)
            gain, left = float(person.counts[self.metric]), float(person.has_left)
            self._sums[person.arm][0] += 1
            self._sums[person.arm][1] += gain
            for name, comparison in self._gains.items():
                if person.arm in (self._control, name):
                    comparison.observe(person.arm, gain)
                    self._leaving[name].observe(person.arm, left)

    def status(self, now_ms: int) -> Status:
        """What can be said at `now_ms`."""
        self.close(now_ms)
        stopped = self.experiment.stopped_ms is not None and self.experiment.stopped_ms <= now_ms
        return Status(
            self.experiment.name,
            self.metric,
            not stopped,
            self._split.alarm,
            len(self._odd),
            {name: self._arm(name, self._gains, self._leaving) for name in self._exposed},
        )

    def _arm(self, name: str, gains: Mapping[str, ArmComparison], leaving: Mapping[str, ArmComparison]) -> Arm:
        n, total = self._sums[name]
        guardrail = leaving[name].verdict() if name in leaving else None
        return Arm(
            exposed=self._exposed[name],
            observed=int(n),
            mean=total / n if n else None,
            comparison=gains[name].verdict() if name in gains else None,
            guardrail=guardrail,
            guardrail_alarm=guardrail is not None and guardrail.winner == name,  # the higher rate "wins"
        )
