"""The learned blend: every estimate against brute force, restart at every point, laws of lists."""

import copy
import math
from collections import defaultdict

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.actions import SAVE, VIEW
from processors.blend import CAUTION, NAMES, Blend, decode_blend, prior_of
from processors.blend_ranking import rank_blend
from processors.candidate_sample import OTHERS, candidate_sample
from processors.effects import Arrival, Learn
from processors.learner import MARKER_KEY, Learner
from processors.pack import BlendPrior
from processors.pipeline import step
from processors.profile import Profile, encode
from processors.randomness import Randomness
from processors.recommend import recommend
from processors.replica import Replica
from processors.taste import taste_of
from processors.trails import SHRINKAGE, WIDTH, Trails, TrailsView, steps, unit
from schemas.behaviour import View
from schemas.learning import Example, Lesson
from tests.processors import market
from tests.processors.list_law import CHANGES, holds_only_what_may_be_shown
from tests.processors.market import DAY_MS, NOW_MS, job, lessons, person, taught

PACK = msgspec.structs.replace(market.PACK, models="blend", history_items=20)
NURSE = person((0, VIEW), (6, VIEW), (12, SAVE), (0, VIEW))


def replica(jobs: int = 60, given_lessons: list[Lesson] | None = None) -> Replica:
    return market.replica(jobs, PACK, given_lessons)


def with_candidates(count: int, seed: int = 3) -> list[Lesson]:
    """Lessons of which every other has candidates."""
    rng = np.random.default_rng(seed)
    made = []
    for lesson in lessons(count, jobs=240):
        examples = [
            msgspec.structs.replace(
                example,
                candidates=rng.normal(size=(9, len(NAMES))).astype("<f2").tobytes(),
                features=len(NAMES),
            )
            if example.offset % 2
            else example
            for example in lesson.examples
        ]
        made.append(Lesson(lesson.source, tuple(examples)))
    return made


# ---------------------------------------------------------------- trails


def test_trails_read_as_the_decayed_sum_by_hand() -> None:
    trails, view = Trails(PACK), TrailsView(PACK)
    for _ in range(31):
        trails.append()
    half_life_ms = PACK.covisitation_half_life_d * DAY_MS
    rng = np.random.default_rng(1)
    pairs: dict[tuple[int, int], float] = defaultdict(float)
    out: dict[int, float] = defaultdict(float)
    into: dict[int, float] = defaultdict(float)
    for _ in range(300):
        target, *past = rng.permutation(np.arange(1, 31))[: rng.integers(1, 9)].tolist()
        ts_ms = NOW_MS - int(rng.integers(40 * DAY_MS))
        times = sorted((ts_ms - int(d) * 1_000 for d in rng.integers(0, 4, len(past))), reverse=True)
        trails.learn_one(target, ts_ms, [(other, 0, at_ms) for other, at_ms in zip(past, times, strict=True)])
        for other, passed in zip(past, steps(times, ts_ms), strict=True):
            gain = 0.8**passed * 2.0 ** ((ts_ms - NOW_MS) / half_life_ms)
            pairs[other, target] += gain
            out[other] += gain
            into[target] += gain
    for number in range(31):
        view.put(number, trails.payload(number))
    numbers, attention = np.array([3, 7, 3]), np.array([0.5, 0.3, 0.2])
    found = view.read(numbers, attention, NOW_MS)
    for owner, number in enumerate(numbers.tolist()):
        of_owner = found.owners == owner
        for other in range(1, 31):
            at = of_owner & (found.numbers == other)
            followed = attention[owner] * pairs.get((number, other), 0.0) / (out[number] + SHRINKAGE)
            preceded = attention[owner] * pairs.get((other, number), 0.0) / (into[number] + SHRINKAGE)
            assert found.followed[at].sum() == pytest.approx(followed, rel=1e-5)
            assert found.preceded[at].sum() == pytest.approx(preceded, rel=1e-5)


def test_trails_are_bounded_and_the_heaviest_stay() -> None:
    trails = Trails(PACK)
    for _ in range(600):
        trails.append()
    for heavy in range(1, 31):
        for _ in range(5):
            trails.learn_one(heavy, NOW_MS, [(599, 0, NOW_MS)])
    for light in range(31, 590):
        trails.learn_one(light, NOW_MS, [(599, 0, NOW_MS)])
    row = trails.payload(599)
    assert set(range(1, 31)) <= set(np.frombuffer(row.listed, "<i4").tolist())
    assert len(row.listed) == 4 * WIDTH
    assert row.out == pytest.approx((30 * 5 + 559) * unit(NOW_MS, PACK.covisitation_half_life_d * DAY_MS))


# ---------------------------------------------------------------- the learner


@pytest.mark.parametrize("flush_every", [1, 7])
def test_restoring_at_every_cut_continues_bit_for_bit(flush_every: int) -> None:
    given_lessons = with_candidates(50)
    straight = Learner(PACK)
    stored: dict[bytes, bytes] = {}
    table: dict[bytes, bytes] = {}
    since = 0
    for offset, lesson in enumerate(given_lessons):
        straight.learn(lesson, offset)
        stored.update(straight.dirty_rows())
        if offset % flush_every == 0:
            restored = Learner.restore(PACK, table)
            for again in range(since, offset + 1):
                restored.learn(given_lessons[again], again)
            table.update(restored.dirty_rows())
            table[MARKER_KEY] = restored.marker(offset)
            since = offset + 1
            assert {key: value for key, value in table.items() if key != MARKER_KEY} == stored
    assert any(key.startswith(b"blend/") for key in stored)
    assert any(key.startswith(b"total/") for key in stored)


def test_rows_of_the_spine_are_taken_over_without_their_trails() -> None:
    spine = taught(market.PACK, lessons(20))
    rows = spine.dirty_rows() | {MARKER_KEY: spine.marker(19)}
    learner = Learner.restore(PACK, rows)
    for offset, lesson in enumerate(lessons(40)[20:], 20):
        learner.learn(lesson, offset)
    made = Replica(PACK)
    for key, value in (rows | learner.dirty_rows()).items():
        made.apply_row(key, value)
    assert Learner.restore(market.PACK, rows | learner.dirty_rows()).dirty_rows() == {}


def test_the_blend_learns_what_tells_the_target_from_the_others() -> None:
    nothing = BlendPrior(**dict.fromkeys(NAMES, 0.0))
    blend = Blend(msgspec.structs.replace(PACK, prior=nothing))
    rng = np.random.default_rng(2)
    truth = rng.normal(size=len(NAMES))
    for k in range(3_000):
        table = rng.normal(size=(20, len(NAMES)))
        scores = table @ truth + rng.gumbel(size=20)
        table = table[np.argsort(-scores)]
        sent = table.astype("<f2").tobytes()
        blend.learn_one(Example(0, k, NOW_MS, 0, "a", (), 1.0, sent, len(NAMES)), k)
    assert np.corrcoef(blend.weights, truth)[0, 1] > 0.97
    assert decode_blend(blend.dirty_rows()[b"blend/weights"]).examples == 3_000


@pytest.mark.parametrize(
    ("candidates", "features"),
    [
        (b"", 0),
        (b"\0" * 7, len(NAMES)),
        (b"\0" * 2 * len(NAMES), len(NAMES)),
        (b"\0" * 4 * len(NAMES), len(NAMES) + 1),
        (np.full((2, len(NAMES)), np.nan, "<f2").tobytes(), len(NAMES)),
        (np.full((2, len(NAMES)), np.inf, "<f2").tobytes(), len(NAMES)),
        (b"\0" * 2 * len(NAMES) * 300, len(NAMES)),
    ],
)
def test_candidates_that_are_none_teach_nothing(candidates: bytes, features: int) -> None:
    blend = Blend(PACK)
    blend.learn_one(Example(0, 0, NOW_MS, 0, "a", (), 1.0, candidates, features), 0)
    assert blend.dirty_rows() == {}
    assert (blend.weights == prior_of(PACK)).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-6e4, 6e4, width=16), min_size=len(NAMES) * 3, max_size=len(NAMES) * 3))
def test_no_example_moves_a_weight_by_more_than_a_step(drawn: list[float]) -> None:
    blend = Blend(PACK)
    sent = np.array(drawn, "<f2").tobytes()
    blend.learn_one(Example(0, 0, NOW_MS, 0, "a", (), 1.0, sent, len(NAMES)), 0)
    moved = np.abs(blend.weights - prior_of(PACK))
    assert np.isfinite(blend.weights).all()
    assert moved.max() <= 0.1 * 5.0 / math.sqrt(CAUTION + 25.0) + 1e-12


# ---------------------------------------------------------------- samples


def test_a_sample_holds_the_target_first_and_is_bounded() -> None:
    made = replica()
    sent = candidate_sample(NURSE, "j18", "views-0-1", NOW_MS, made)
    table = np.frombuffer(sent, "<f2").reshape(-1, len(NAMES))
    assert 2 <= len(table) <= 1 + OTHERS
    ranking = rank_blend(NURSE, taste_of(NURSE, NOW_MS, made), NOW_MS, made)
    position = ranking.candidates.rows.tolist().index(made.catalogue.row_of("j18"))
    assert (table[0] == ranking.matrix[:, position].astype("<f2")).all()
    assert sent == candidate_sample(NURSE, "j18", "views-0-1", NOW_MS, replica())
    assert sent != candidate_sample(NURSE, "j18", "views-0-2", NOW_MS, made)
    assert len(sent) < 2_048


def test_a_sample_has_the_features_that_a_ranking_would_have_of_the_same_items() -> None:
    made = replica()
    asking = person((0, VIEW), (6, VIEW), (12, SAVE), stated={"titles": ["night nurse"]})
    ranking = rank_blend(asking, taste_of(asking, NOW_MS, made), NOW_MS, made)
    known = {column.astype("<f2").tobytes() for column in ranking.matrix.T}
    table = np.frombuffer(candidate_sample(asking, "j18", "views-0-1", NOW_MS, made), "<f2").reshape(-1, len(NAMES))
    assert table[:, NAMES.index("stated")].any()
    assert {row.tobytes() for row in table} <= known


def test_who_did_nothing_and_items_that_are_unknown_give_no_sample() -> None:
    made = replica()
    assert candidate_sample(person(), "j18", "views-0-1", NOW_MS, made) == b""
    assert candidate_sample(NURSE, "nothing", "views-0-1", NOW_MS, made) == b""
    made.put_item(job(300))
    assert candidate_sample(NURSE, "j300", "views-0-1", NOW_MS, made) == b""  # nobody acted on it
    assert candidate_sample(NURSE, "j18", "views-0-1", NOW_MS, market.replica()) == b""


def test_later_only_some_events_give_a_sample_the_same_ones_everywhere() -> None:
    made = replica()
    made.blend_examples = 10**6
    given_ids = [k for k in range(200) if candidate_sample(NURSE, "j18", f"views-0-{k}", NOW_MS, made)]
    assert 20 < len(given_ids) < 80


def test_a_step_teaches_what_was_before_it() -> None:
    made, profile = replica(), copy.deepcopy(NURSE)
    before = candidate_sample(profile, "j18", "views-0-99", NOW_MS, made)
    view = View(event_id="e", user_id="u", item_id="j18", ts_ms=NOW_MS)
    effects = step(profile, Arrival(view, "views", 0, 99, NOW_MS), NOW_MS, made, Randomness("r"))
    (example,) = [effect.example for effect in effects if isinstance(effect, Learn)]
    assert example.candidates == before
    assert example.features == len(NAMES)


# ---------------------------------------------------------------- lists


def test_lists_are_full_explained_and_the_same_however_often_others_were_asked_for() -> None:
    fresh, used = replica(), replica()
    for i in range(100):
        recommend(person((i % 60, VIEW), ((i * 7) % 60, SAVE)), NOW_MS - i * DAY_MS // 7, used)
    for profile in (NURSE, person((3, SAVE)), person()):
        for now_ms in (NOW_MS, NOW_MS + 29 * DAY_MS, NOW_MS - 5 * DAY_MS, NOW_MS):
            items = recommend(profile, now_ms, used)
            assert items == recommend(profile, now_ms, copy.deepcopy(fresh))
            assert len(items) == (10 if now_ms <= NOW_MS else len(items))
            assert all(item.reasons and item.source and math.isfinite(item.score) for item in items)


def test_own_items_say_that_they_are() -> None:
    items = {item.item_id: item for item in recommend(NURSE, NOW_MS, replica())}
    assert items["j0"].source == "own"
    assert items["j12"].reasons == ("because you saved it before",)


def test_without_models_history_or_catalogue_there_is_what_can_be() -> None:
    made = replica(given_lessons=[])
    assert len(recommend(Profile(), NOW_MS, made)) == 10
    assert len(recommend(NURSE, NOW_MS, made)) == 10
    assert recommend(NURSE, NOW_MS, Replica(PACK)) == ()
    assert recommend(NURSE, NOW_MS, replica(0, [])) == ()


def test_the_profile_is_only_read() -> None:
    before = encode(NURSE)
    recommend(NURSE, NOW_MS, replica())
    assert encode(NURSE) == before


@settings(max_examples=40, deadline=None)
@given(CHANGES)
def test_whatever_happens_lists_hold_only_what_may_be_shown_and_reading_changes_nothing(
    drawn: list[tuple[str, int]],
) -> None:
    def taught_rows(seed: int) -> dict[bytes, bytes]:
        return taught(PACK, with_candidates(10)[: seed % 10 + 1]).dirty_rows()

    holds_only_what_may_be_shown(drawn, PACK, taught_rows)
