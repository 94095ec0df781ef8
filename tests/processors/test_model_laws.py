"""Laws that every model of the learner obeys, whichever are registered."""

import copy
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from processors.blend import NAMES
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
each_model = pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)


def taught_examples(count: int) -> list[Example]:
    """What a pipeline might send: chained sessions, candidates with some."""
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


def learned(build: Build, given: list[Example], first_offset: int = 0) -> RowModel:
    model = build(PACK)
    for offset, example in enumerate(given, first_offset):
        model.learn_one(example, offset)
    return model


def by_id(rows: dict[bytes, bytes]) -> dict[str, bytes]:
    return {split_key(key)[1]: value for key, value in rows.items()}


def test_all_models_are_here() -> None:
    assert len(MODELS) == 5
    assert len({build(PACK).kind for build in MODELS}) == len(MODELS)


@each_model
def test_before_learning_there_are_no_rows(build: Build) -> None:
    assert build(PACK).dirty_rows() == {}
    fresh = build(PACK)
    fresh.load({})
    assert fresh.dirty_rows() == {}


@each_model
def test_learning_is_deterministic_leaves_examples_alone_and_says_what_changed_once(build: Build) -> None:
    given = taught_examples(30)
    before = copy.deepcopy(given)
    one, other = learned(build, given), learned(build, given)
    rows = one.dirty_rows()
    assert given == before
    assert rows
    assert list(rows.items()) == list(other.dirty_rows().items())
    assert one.dirty_rows() == {}
    assert all(split_key(key)[0] == one.kind for key in rows)
    assert all(0 <= row_offset(value) < len(given) for value in rows.values())


@each_model
@pytest.mark.parametrize("cut", [0, 1, 9, 25])
def test_restored_from_rows_a_model_continues_as_without_the_stop(build: Build, cut: int) -> None:
    given = taught_examples(20)
    straight = learned(build, given).dirty_rows()
    rows = learned(build, given[:cut]).dirty_rows()
    restored = build(PACK)
    restored.load(by_id(rows))
    for offset, example in enumerate(given[cut:], cut):
        restored.learn_one(example, offset)
    assert rows | restored.dirty_rows() == straight


@each_model
def test_nonsense_and_missing_fields_survive(build: Build) -> None:
    model = build(PACK)
    for offset, example in enumerate(
        (
            Example(0, 0, 0, 99, "a", ()),
            Example(0, 0, 2**41, -1, "", (("a", 99, 0),), 0.0, b"\xff" * 7, 3, deed=1, after=1),
            Example(0, 0, NOW_MS, 0, "a", (("a", 0, NOW_MS),), 1e9, b"", 0, deed=-(2**63), after=2**62),
            Example(0, 0, NOW_MS, 0, "b", (), deed=7, after=7),
            Example(0, 0, 0, -1, "", (), feedback=(Feedback(0, 0, (), b"odd"), Feedback(9, 1, (0,), b"\xff" * 22))),
            Example(0, 0, 0, -1, "", (), feedback=(Feedback(2, 1, (0,), packed(np.full((1, len(FEATURES)), 6e4))),)),
        )
    ):
        model.learn_one(example, offset)
    again = build(PACK)
    again.load(by_id(model.dirty_rows()))
