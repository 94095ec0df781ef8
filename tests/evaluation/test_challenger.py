"""The challenger: better where the truth is curved and only there, compared on what it has not seen, served by rows."""

import msgspec
import numpy as np
import pytest

from evaluation.challenger import BLEND, CHALLENGER, Shadow, next_change
from processors.blend import NAMES
from processors.challenger import LEAST_EXAMPLES, Challenger, candidates_of, fit, identity_of
from processors.challenger_rows import (
    MODEL,
    STATE,
    ChallengerModel,
    ChallengerState,
    decode_model,
    decode_state,
    encode_row,
)
from processors.recommend import recommend
from schemas.learning import Example
from tests.evaluation.challengers import CANDIDATES, logged
from tests.processors import market
from tests.processors.market import NOW_MS, person

PACK = msgspec.structs.replace(market.PACK, models="blend")


def fitted(count: int, curved: bool, seed: int = 0) -> ChallengerModel:
    shadow = Shadow(PACK)
    for offset, example in enumerate(logged(count, curved)):
        shadow.take(example, offset)
    return fit(shadow.tables, shadow.weights, count - 1, seed)


def compared(model: ChallengerModel, count: int, curved: bool) -> Shadow:
    shadow = Shadow(PACK, Challenger.of(model), model.offset)
    for offset, example in enumerate([*logged(model.offset + 1, curved), *logged(count, curved, 2, model.offset + 1)]):
        shadow.take(example, offset)
    return shadow


def test_where_the_truth_is_curved_the_challenger_wins_and_where_it_is_not_it_does_not() -> None:
    curved = compared(fitted(800, True), 1_600, True)
    assert curved.compared == 1_600
    assert curved.verdict().winner == CHALLENGER
    blend, challenger = curved.means() or (0.0, 0.0)
    assert challenger > blend + 0.1
    straight = compared(fitted(800, False), 1_600, False)
    assert straight.verdict().winner != CHALLENGER


def test_it_is_judged_on_nothing_that_it_was_fitted_on() -> None:
    model = fitted(400, True)
    assert compared(model, 0, True).compared == 0
    assert compared(model, 0, True).verdict().difference is None


def test_the_same_log_and_seed_give_the_same_model_and_its_row_the_same_scores() -> None:
    one, again, other = fitted(300, True), fitted(300, True), fitted(300, True, seed=5)
    assert one == again
    assert identity_of(one) == identity_of(again) != identity_of(other)
    candidates = np.random.default_rng(1).random((300, len(NAMES)))
    loaded = decode_model(encode_row(one))
    scores = [made.scores(candidates) for made in map(Challenger.of, (one, loaded)) if made is not None]
    assert np.array_equal(*scores)
    assert np.isfinite(scores[0]).all()
    assert Challenger.of(msgspec.structs.replace(one, names=["other"])) is None


def test_too_little_teaches_nothing() -> None:
    with pytest.raises(ValueError, match=f"a challenger needs {LEAST_EXAMPLES}"):
        fitted(LEAST_EXAMPLES - 1, True)


def test_examples_without_usable_candidates_are_left_out() -> None:
    (good,) = logged(1, True)
    table = candidates_of(good)
    assert table is not None
    assert table.shape == (CANDIDATES, len(NAMES))
    for bad in (
        Example(0, 0, 0, 0, "a", ()),
        msgspec.structs.replace(good, features=3),
        msgspec.structs.replace(good, candidates=good.candidates[:-1]),
        msgspec.structs.replace(good, candidates=b"\xff" * len(good.candidates)),
    ):
        assert candidates_of(bad) is None


def test_a_replica_ranks_by_the_challenger_while_its_rows_say_so() -> None:
    made, nurse = market.replica(240, PACK), person((0, 0), (6, 0))
    blend = recommend(nurse, NOW_MS, made)
    model = fitted(300, True)
    made.apply_row(MODEL, encode_row(model))
    assert recommend(nurse, NOW_MS, made) == blend
    serves = ChallengerState(299, "serve", identity_of(model), True, NOW_MS)
    made.apply_row(STATE, encode_row(serves))
    assert [item.score for item in recommend(nurse, NOW_MS, made)] != [item.score for item in blend]
    made.apply_row(STATE, encode_row(msgspec.structs.replace(serves, model="another")))
    assert recommend(nurse, NOW_MS, made) == blend
    made.apply_row(STATE, encode_row(serves))
    made.apply_row(STATE, encode_row(msgspec.structs.replace(serves, change="rollback", serves=False)))
    assert recommend(nurse, NOW_MS, made) == blend
    assert decode_state(encode_row(serves)) == serves


@pytest.mark.parametrize(
    ("change", "serves", "winner", "age_ms", "due"),
    [
        ("fit", False, None, 0, None),
        ("fit", False, None, 1_000, "fit"),
        ("fit", False, BLEND, 999, None),
        ("fit", False, BLEND, 1_000, "fit"),
        ("fit", False, CHALLENGER, 0, "serve"),
        ("fit", False, CHALLENGER, 5_000, "serve"),
        ("serve", True, CHALLENGER, 5_000, None),
        ("serve", True, None, 5_000, None),
        ("serve", True, BLEND, 0, "rollback"),
        ("rollback", False, CHALLENGER, 999, None),
        ("rollback", False, CHALLENGER, 1_000, "fit"),
        ("rollback", False, BLEND, 0, None),
    ],
)
def test_a_keeper_does_what_the_comparison_says(
    change: str, serves: bool, winner: str | None, age_ms: int, due: str | None
) -> None:
    assert next_change(ChallengerState(7, change, "m", serves, NOW_MS), winner, NOW_MS + age_ms, 1_000) == due
    assert next_change(None, None, NOW_MS, 1_000) == "fit"
