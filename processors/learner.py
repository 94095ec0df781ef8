"""The one place where global models learn: it takes each example once and says which rows changed.

    learner.learn(lesson, offset)       every record of `learning`, in order
    learner.dirty_rows()                at a flush: the rows to write …
    learner.marker(offset)              … and the row that closes them

`Learner.restore(pack, rows)` continues where a flush ended; what follows is the same, bit for bit, as without the stop.

Models come in kinds of rows. A further one (factors, text queries, blend weights) is a file with a
class of `RowModel`'s shape and a line in `MODELS`; the learner itself stays as it is.
"""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from processors.blend import Blend
from processors.hour_tables import RING, HourTables
from processors.item_rows import ItemModels
from processors.mail_worth import KIND as WORTH
from processors.model_rows import (
    MARKER_KEY,
    Marker,
    decode_marker,
    encode_marker,
    marker_offset,
    row_offset,
    split_key,
)
from processors.pack import Pack
from processors.queries import Queries
from processors.response_heads import ResponseHeads
from processors.session_rows import Sessions
from processors.totals import Totals
from schemas.learning import Example, Lesson

__all__ = ["MARKER_KEY", "MODELS", "Learner", "RowModel", "marker_offset", "row_offset"]


class RowModel(Protocol):
    """A model that lives in rows `kind/<id>`; learning is deterministic and reads no clock."""

    @property
    def kind(self) -> str:
        """What comes before the slash in the keys of its rows."""

    def learn_one(self, example: Example, offset: int) -> None:
        """Learn one example of record `offset`."""

    def dirty_rows(self) -> dict[bytes, bytes]:
        """Key -> value of the rows changed since the last call."""

    def load(self, rows: dict[str, bytes]) -> None:
        """Take the state of recovered rows, id -> value, into a fresh model."""


MODELS: Final[tuple[Callable[[Pack], RowModel], ...]] = (ItemModels, Totals, Blend, Sessions, Queries, ResponseHeads)
"""The registry: each builds a fresh model for a pack. Some learn only where the pack has the learned blend."""


class OtherHalfLivesError(ValueError):
    """What was learned is measured in half-lives that the settings do not have any more."""


class Learner:
    """All global models, and what they have learned from."""

    def __init__(self, pack: Pack) -> None:
        self._half_lives_d = _half_lives_d(pack)
        self._models = tuple(build(pack) for build in MODELS)
        self._items = next(model for model in self._models if isinstance(model, ItemModels))
        self._hours = HourTables()
        self._taken: dict[str, dict[int, int]] = {}

    def learn(self, lesson: Lesson, offset: int) -> int:
        """Take record `offset` of `learning`. Returns how many examples were new; the others were taken before."""
        taken = self._taken.setdefault(lesson.source, {})
        count = 0
        for example in lesson.examples:
            if example.offset > taken.get(example.partition, -1):
                taken[example.partition] = example.offset
                count += 1
                for model in self._models:
                    model.learn_one(example, offset)
        return (
            count
            + sum(self._hours.learn_label(label, offset) for label in lesson.labels)
            + sum(self._hours.learn_look(look, offset) for look in lesson.looks)
        )

    def dirty_rows(self) -> dict[bytes, bytes]:
        """Key -> value of the rows changed since the last call, in a deterministic order."""
        rows: dict[bytes, bytes] = {}
        for model in self._models:
            rows |= model.dirty_rows()
        return rows | self._hours.dirty_rows()

    def marker(self, offset: int) -> bytes:
        """The value of the row `MARKER_KEY` after all rows up to record `offset` are written."""
        return encode_marker(Marker(offset, self._taken, self._half_lives_d, len(self._items)))

    @classmethod
    def restore(cls, pack: Pack, rows: Mapping[bytes, bytes]) -> "Learner":
        """The learner whose rows and marker these are. Rows of kinds that no model has are left alone.

        Raises:
            ValueError: item rows are missing, or too many.
            OtherHalfLivesError: the rows were learned with other half-lives than the pack's, so that their levels would
                be misread.
            msgspec.ValidationError: a value is no row of its kind.
        """
        learner = cls(pack)
        kinds: dict[str, dict[str, bytes]] = {}
        items = -1
        for key, value in rows.items():
            if key == MARKER_KEY:
                marker = decode_marker(value)
                _require_same(marker.half_lives_d, learner._half_lives_d)
                learner._taken, items = marker.taken, marker.items
            else:
                kind, identifier = split_key(key)
                kinds.setdefault(kind, {})[identifier] = value
        for model in learner._models:
            model.load(kinds.get(model.kind, {}))
        if items not in (-1, len(learner._items)):
            raise ValueError(f"model rows: the marker counts {items} items, there are {len(learner._items)}")
        learner._hours.load(kinds.get(learner._hours.kind, {}), kinds.get(RING, {}), kinds.get(WORTH, {}))
        return learner


def _half_lives_d(pack: Pack) -> dict[str, tuple[float, ...]]:
    """The half-lives that levels in rows are measured in: others only weigh what is learned from then on."""
    return {
        "popularity_half_lives_d": pack.popularity_half_lives_d,
        "covisitation_half_life_d": (pack.covisitation_half_life_d,),
    }


def _require_same(learned: dict[str, tuple[float, ...]], now: dict[str, tuple[float, ...]]) -> None:
    for name, values in learned.items():
        if values != now.get(name, values):
            told = [", ".join(f"{value:g}" for value in found) for found in (values, now[name])]
            raise OtherHalfLivesError(f"{name} was {told[0]} when the models were learned, and is {told[1]} now")
