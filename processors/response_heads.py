"""The learner's half of the heads p(click) and p(apply | click): River's scaler and logistic regression.

A place that is shown is learned as no click at once; when it is acted on within the attribution window, that is
repaired by the difference of the two gradients, and the place becomes an example of the second head, in the same way
(delayed feedback: Ktena et al., *Addressing delayed feedback for continuous training*, RecSys 2019). So nobody waits
for the window to end, and those who never come back are counted too.
"""

from typing import Any, Final

import msgspec
from river.linear_model import LogisticRegression
from river.optim import AdaGrad
from river.preprocessing import StandardScaler
from river.utils import VectorDict

from processors.pack import Pack
from processors.response import (
    ACTED,
    APPLIED,
    APPLY,
    CLICK,
    FEATURES,
    KIND,
    PRIOR,
    SHOWN,
    HeadRow,
    decode_head_row,
    unpacked,
)
from schemas.learning import Example

RATE: Final = 0.1
INTERCEPT_RATE: Final = 0.02

_encode: Final = msgspec.msgpack.Encoder().encode


class Head:
    """One logistic regression on scaled features, whose negatives may turn out to be positives."""

    def __init__(self, intercept: float) -> None:
        self.scaler: Any = StandardScaler()  # River leaves its methods untyped
        self.model = _regression(intercept)
        self.examples = 0

    def learn_negative(self, features: dict[str, float]) -> None:
        """Learn one example as negative, for now."""
        self.scaler.learn_one(features)
        self.model.learn_one(self.scaler.transform_one(features), False)
        self.examples += 1

    def repair(self, features: dict[str, float]) -> None:
        """One of the negatives was a positive: the step it should have caused, less the one it did."""
        scaled = self.scaler.transform_one(features)
        self.model.learn_one(scaled, True)
        self.model.learn_one(scaled, False, w=-1.0)

    def row(self, offset: int) -> HeadRow:
        """All of the state, in plain data."""
        scaler, model = self.scaler, self.model
        optimizer: Any = model.optimizer
        return HeadRow(
            offset=offset,
            examples=self.examples,
            counts=dict(scaler.counts),
            means=dict(scaler.means),
            variances=dict(scaler.vars),
            weights=dict(model.weights),
            squares=dict(optimizer.g2),
            intercept=float(model.intercept),
            steps=optimizer.n_iterations,
        )

    @classmethod
    def of(cls, row: HeadRow) -> "Head":
        """The head whose state this is."""
        head = cls(row.intercept)
        head.scaler.counts.update(row.counts)
        head.scaler.means.update(row.means)
        head.scaler.vars.update(row.variances)
        optimizer: Any = head.model.optimizer
        optimizer.g2.update(row.squares)
        optimizer.n_iterations = row.steps
        head.model._weights = VectorDict(row.weights)
        head.examples = row.examples
        return head


class ResponseHeads:
    """Both heads, in a row each."""

    kind: Final = KIND

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._heads = {key: Head(prior) for key, prior in PRIOR.items()}
        self._offsets: dict[bytes, int] = {}
        self._dirty: set[bytes] = set()

    def learn_one(self, example: Example, offset: int) -> None:
        """Learn what one example says of lists that were shown."""
        for feedback in example.feedback:
            for row in unpacked(feedback.features).tolist():
                features = dict(zip(FEATURES, row, strict=True))
                if feedback.outcome == SHOWN:
                    self._head(CLICK, offset).learn_negative(features)
                elif feedback.outcome == ACTED:
                    self._head(CLICK, offset).repair(features)
                    self._head(APPLY, offset).learn_negative(features)
                elif feedback.outcome == APPLIED:
                    self._head(APPLY, offset).repair(features)

    def _head(self, key: bytes, offset: int) -> Head:
        self._offsets[key] = offset
        self._dirty.add(key)
        return self._heads[key]

    def dirty_rows(self) -> dict[bytes, bytes]:
        """The rows that changed."""
        rows = {key: _encode(self._heads[key].row(self._offsets[key])) for key in sorted(self._dirty)}
        self._dirty.clear()
        return rows

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the recovered rows."""
        for identifier, value in rows.items():
            key = f"{KIND}/{identifier}".encode()
            if key in self._heads:
                row = decode_head_row(value)
                self._heads[key], self._offsets[key] = Head.of(row), row.offset


def _regression(intercept: float) -> LogisticRegression:
    return LogisticRegression(AdaGrad(RATE), intercept_init=intercept, intercept_lr=INTERCEPT_RATE)
