"""Laws that every model of the learner obeys, whichever are registered; and for each law a model that breaks it."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from processors.blend import NAMES
from processors.identity import hash64
from processors.item_rows import ItemModels
from processors.learner import MODELS, RowModel
from processors.model_rows import row_offset, split_key
from processors.pack import Pack
from processors.response import ACTED, APPLIED, FEATURES, SHOWN, packed
from processors.visits import deed_of
from schemas.learning import Example, Feedback
from tests.processors import market
from tests.processors.market import NOW_MS, lessons

PACK = msgspec.structs.replace(market.PACK, models="blend")
Build = Callable[[Pack], RowModel]
Law = Callable[[Build], None]


def taught_examples(count: int) -> list[Example]:
    """What a pipeline might send: chained sessions, candidates with some, feedback with all."""
    rng = np.random.default_rng(7)
    given = [example for lesson in lessons(count) for example in lesson.examples]
    deeds = [deed_of("views", example.offset, example.ts_ms, example.item_id) for example in given]
    return [
        msgspec.structs.replace(
            example,
            deed=deeds[k],
            after=deeds[k - 1] if k % 4 else 0,
            candidates=rng.normal(size=(5, len(NAMES))).astype("<f2").tobytes() if k % 3 else b"",
            features=len(NAMES) if k % 3 else 0,
            feedback=feedback(k, rng),
            query=hash64(f"query {k % 3}") if k % 2 else 0,
        )
        for k, example in enumerate(given)
    ]


def feedback(k: int, rng: np.random.Generator) -> tuple[Feedback, ...]:
    """Two places shown, of which the first is often acted on, and sometimes applied for."""
    table = rng.normal(size=(2, len(FEATURES)))
    told = [Feedback(SHOWN, k, (0, 1), packed(table))]
    for outcome, every in ((ACTED, 2), (APPLIED, 4)):
        if k % every == 0:
            told.append(Feedback(outcome, k, (0,), packed(table[:1])))
    return tuple(told)


NONSENSE = (
    Example(0, 0, 0, 99, "a", ()),
    Example(0, 0, 2**41, -1, "", (("a", 99, 0),), 0.0, b"\xff" * 7, 3, deed=1, after=1),
    Example(0, 0, NOW_MS, 0, "a", (("a", 0, NOW_MS),), 1e9, b"", 0, deed=-(2**63), after=2**62),
    Example(0, 0, NOW_MS, 0, "b", (), deed=7, after=7),
    Example(0, 0, 0, -1, "", (), feedback=(Feedback(0, 0, (), b"odd"), Feedback(9, 1, (0,), b"\xff" * 22))),
    Example(0, 0, 0, -1, "", (), feedback=(Feedback(2, 1, (0,), packed(np.full((1, len(FEATURES)), 6e4))),)),
)


def learned(build: Build, given: list[Example], first_offset: int = 0) -> RowModel:
    model = build(PACK)
    for offset, example in enumerate(given, first_offset):
        model.learn_one(example, offset)
    return model


def by_id(rows: dict[bytes, bytes]) -> dict[str, bytes]:
    return {split_key(key)[1]: value for key, value in rows.items()}


# ---------------------------------------------------------------- the laws


def says_nothing_before_it_has_learned(build: Build) -> None:
    assert build(PACK).dirty_rows() == {}
    fresh = build(PACK)
    fresh.load({})
    assert fresh.dirty_rows() == {}


def is_deterministic(build: Build) -> None:
    given = taught_examples(30)
    assert list(learned(build, given).dirty_rows().items()) == list(learned(build, given).dirty_rows().items())


def leaves_examples_alone(build: Build) -> None:
    given = taught_examples(30)
    before = copy.deepcopy(given)
    learned(build, given)
    assert given == before


def says_what_changed_once(build: Build) -> None:
    model = learned(build, taught_examples(30))
    assert model.dirty_rows()
    assert model.dirty_rows() == {}


def keeps_to_its_kind_and_says_which_record_changed_a_row(build: Build) -> None:
    given = taught_examples(30)
    model = learned(build, given)
    rows = model.dirty_rows()
    assert all(split_key(key)[0] == model.kind for key in rows)
    assert all(0 <= row_offset(value) < len(given) for value in rows.values())


def continues_from_its_rows_as_without_the_stop(build: Build) -> None:
    given = taught_examples(20)
    straight = learned(build, given).dirty_rows()
    for cut in (0, 1, 9, 25):
        rows = learned(build, given[:cut]).dirty_rows()
        restored = build(PACK)
        restored.load(by_id(rows))
        for offset, example in enumerate(given[cut:], cut):
            restored.learn_one(example, offset)
        assert rows | restored.dirty_rows() == straight


def survives_nonsense(build: Build) -> None:
    model = learned(build, [*NONSENSE, *taught_examples(5)])
    again = build(PACK)
    again.load(by_id(model.dirty_rows()))
    assert all(math_ok(value) for value in learned(build, list(NONSENSE)).dirty_rows().values())


def stays_bounded(build: Build) -> None:
    """Learning the same things ten times makes no more rows, and none larger than twice."""
    given = taught_examples(30)
    once = learned(build, given).dirty_rows()
    often = learned(build, given * 10).dirty_rows()
    assert len(often) <= 2 * len(once) or all(len(value) < 4_096 for value in often.values())
    assert sum(map(len, often.values())) <= 20 * sum(map(len, once.values()))
    assert max(map(len, often.values())) <= 2 * max(map(len, once.values())) + 64


def math_ok(value: bytes) -> bool:
    """No NaN anywhere in a row; minus infinity is the level of nothing."""

    def ok(part: Any) -> bool:
        match part:
            case float():
                return part == part  # noqa: PLR0124 - NaN is what differs from itself
            case list():
                return all(map(ok, part))
            case dict():
                return all(map(ok, part.values()))
        return True

    return ok(msgspec.msgpack.decode(value))


LAWS: tuple[Law, ...] = (
    says_nothing_before_it_has_learned,
    is_deterministic,
    leaves_examples_alone,
    says_what_changed_once,
    keeps_to_its_kind_and_says_which_record_changed_a_row,
    continues_from_its_rows_as_without_the_stop,
    survives_nonsense,
    stays_bounded,
)


# ---------------------------------------------------------------- a model that breaks each


class Talkative(ItemModels):
    def dirty_rows(self) -> dict[bytes, bytes]:
        return super().dirty_rows() or {b"item/nothing": msgspec.msgpack.encode([0])}


class Moody(ItemModels):
    moods = iter(range(10_000))

    def learn_one(self, example: Example, offset: int) -> None:
        super().learn_one(msgspec.structs.replace(example, weight=1.0 + next(self.moods)), offset)
        self.popularity.learn_one(1, example.ts_ms, 1.0 + next(self.moods))


class Meddling(ItemModels):
    def learn_one(self, example: Example, offset: int) -> None:
        super().learn_one(example, offset)
        msgspec.structs.force_setattr(example, "weight", 0.5)


class Repeating(ItemModels):
    def dirty_rows(self) -> dict[bytes, bytes]:
        self.rows = super().dirty_rows() or getattr(self, "rows", {})
        return self.rows


class Straying(ItemModels):
    def dirty_rows(self) -> dict[bytes, bytes]:
        return {key.replace(b"item/", b"other/"): value for key, value in super().dirty_rows().items()}


class Forgetful(ItemModels):
    def load(self, rows: dict[str, bytes]) -> None:
        pass


class Fragile(ItemModels):
    def learn_one(self, example: Example, offset: int) -> None:
        assert example.item_id
        super().learn_one(example, offset)


class Hoarding(ItemModels):
    def __init__(self, pack: Pack) -> None:
        super().__init__(pack)
        self.hoard: list[Example] = []

    def learn_one(self, example: Example, offset: int) -> None:
        super().learn_one(example, offset)
        self.hoard.append(example)

    def dirty_rows(self) -> dict[bytes, bytes]:
        return super().dirty_rows() | ({b"item/hoard": msgspec.msgpack.encode([0, self.hoard])} if self.hoard else {})


BREAKERS: tuple[Build, ...] = (Talkative, Moody, Meddling, Repeating, Straying, Forgetful, Fragile, Hoarding)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_every_model_obeys_every_law(build: Build, law: Law) -> None:
    law(build)


@pytest.mark.parametrize(("law", "broken"), zip(LAWS, BREAKERS, strict=True), ids=lambda one: one.__name__)
def test_each_law_catches_the_model_that_breaks_it(law: Law, broken: Build) -> None:
    with pytest.raises(AssertionError):
        law(broken)


def test_all_models_are_here() -> None:
    assert len(MODELS) == 6
    assert len({build(PACK).kind for build in MODELS}) == len(MODELS)
