"""The learner against a fold by hand; restart at every point; duplicates."""

import itertools
from collections import defaultdict
from math import exp2, sqrt

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.covisitation import KEPT_NEIGHBOURS, MAX_NEIGHBOURS, unpacked
from processors.item_rows import decode_item_row
from processors.learner import MARKER_KEY, Learner, OtherHalfLivesError, marker_offset, row_offset
from processors.model_rows import Marker, decode_marker, encode_marker
from schemas.learning import Example, Lesson
from tests.processors.market import DAY_MS, NOW_MS, PACK, lessons, taught
from tests.processors.restoring import restored_at_each_flush

WEIGHTS = (1.0, 2.0, 3.0, 4.0)


def rows_of(learner: Learner) -> dict[str, object]:
    return {key.decode().split("/")[1]: decode_item_row(value) for key, value in learner.dirty_rows().items()}


def test_popularity_is_the_decayed_sum() -> None:
    given_lessons = lessons(80)
    rows = rows_of(taught(PACK, given_lessons))
    for i, half_life_d in enumerate(PACK.popularity_half_lives_d):
        expected: dict[str, float] = defaultdict(float)
        for example in itertools.chain(*(lesson.examples for lesson in given_lessons)):
            expected[example.item_id] += example.weight * exp2((example.ts_ms - NOW_MS) / (half_life_d * DAY_MS))
        for item_id, count in expected.items():
            level = rows[item_id].popularity[i] - NOW_MS / (half_life_d * DAY_MS)
            assert exp2(level) == pytest.approx(count, rel=1e-6), (item_id, half_life_d)


def test_covisitation_is_the_decayed_sum_over_pairs_and_symmetric() -> None:
    given_lessons = lessons(80)
    rows = rows_of(taught(PACK, given_lessons))
    ids = {row.number: item_id for item_id, row in rows.items()}
    half_life_ms = PACK.covisitation_half_life_d * DAY_MS
    expected: dict[tuple[str, str], float] = defaultdict(float)
    mass: dict[str, float] = defaultdict(float)
    for example in itertools.chain(*(lesson.examples for lesson in given_lessons)):
        decayed = exp2((example.ts_ms - NOW_MS) / half_life_ms)
        mass[example.item_id] += example.weight * decayed
        for other, action, ts_ms in example.history:
            weight = sqrt(example.weight * WEIGHTS[action])
            weight *= exp2((ts_ms - example.ts_ms) / (PACK.taste_half_life_d * DAY_MS))
            expected[example.item_id, other] += weight * decayed
            expected[other, example.item_id] += weight * decayed
    found = {
        (item_id, ids[number]): exp2(level - NOW_MS / half_life_ms)
        for item_id, row in rows.items()
        for number, level in unpacked(row.neighbours).items()
    }
    assert found.keys() == expected.keys()
    assert found == pytest.approx(dict(expected), rel=1e-9)
    for item_id, count in mass.items():
        assert exp2(rows[item_id].mass - NOW_MS / half_life_ms) == pytest.approx(count, rel=1e-9)


def test_order_of_examples_does_not_matter_while_nothing_is_evicted() -> None:
    one = lessons(40)
    examples = [example for lesson in one for example in lesson.examples]
    straight, backwards = Learner(PACK), Learner(PACK)
    for learner, order in ((straight, examples), (backwards, examples[::-1])):
        for offset, example in enumerate(order):
            learner.learn(Lesson(f"source-{example.offset}", (example,)), offset)
    first, second = rows_of(straight), rows_of(backwards)
    for item_id, row in first.items():
        assert row.popularity == pytest.approx(second[item_id].popularity, abs=1e-9)
        assert len(row.neighbours) == len(second[item_id].neighbours)


@pytest.mark.parametrize("flush_every", [1, 7])
def test_restoring_at_every_cut_continues_bit_for_bit(flush_every: int) -> None:
    for _, table, stored in restored_at_each_flush(PACK, lessons(60, jobs=240), flush_every):
        assert table == stored


def test_duplicates_and_late_duplicates_are_dropped() -> None:
    given_lessons = lessons(50)
    learner = taught(PACK, given_lessons)
    before, marker = learner.dirty_rows(), learner.marker(49)
    assert all(learner.learn(lesson, 50) == 0 for lesson in reversed(given_lessons))
    assert learner.dirty_rows() == {}
    assert learner.marker(49) == marker
    assert Learner.restore(PACK, before | {MARKER_KEY: marker}).learn(given_lessons[3], 51) == 0
    other_source = Lesson("saves", given_lessons[3].examples[:1])
    assert learner.learn(other_source, 52) == 1


def test_rows_say_which_record_changed_them_last() -> None:
    learner = Learner(PACK)
    learner.learn(Lesson("views", (Example(0, 0, NOW_MS, 0, "a", (("b", 0, NOW_MS),)),)), 5)
    learner.learn(Lesson("views", (Example(0, 1, NOW_MS, 0, "c", (("b", 0, NOW_MS),)),)), 9)
    rows = learner.dirty_rows()
    assert {key: row_offset(value) for key, value in rows.items()} == {b"item/a": 5, b"item/b": 9, b"item/c": 9}
    assert marker_offset(learner.marker(9)) == 9


def test_an_action_without_weight_teaches_nothing_but_counts_as_taken() -> None:
    learner = Learner(PACK)
    lesson = Lesson("saves", (Example(0, 0, NOW_MS, 4, "a", ()), Example(0, 1, NOW_MS, 0, "a", (), 0.0)))
    assert learner.learn(lesson, 0) == 2
    assert learner.dirty_rows() == {}


def test_neighbours_are_bounded_and_the_heaviest_stay() -> None:
    learner = Learner(PACK)
    offset = itertools.count()
    for k in range(30):  # heavy pairs
        for _ in range(5):
            learner.learn(Lesson("v", (Example(0, next(offset), NOW_MS, 0, "hub", ((f"heavy{k}", 0, NOW_MS),)),)), 0)
    for k in range(500):
        learner.learn(Lesson("v", (Example(0, next(offset), NOW_MS, 0, "hub", ((f"light{k}", 0, NOW_MS),)),)), 0)
    rows = rows_of(learner)
    listed = unpacked(rows["hub"].neighbours)
    ids = {row.number: item_id for item_id, row in rows.items()}
    assert KEPT_NEIGHBOURS <= len(listed) <= MAX_NEIGHBOURS
    assert {f"heavy{k}" for k in range(30)} <= {ids[number] for number in listed}


def test_newer_pairs_push_out_old_ones_of_equal_count() -> None:
    learner = Learner(PACK)
    for k in range(300):
        ts_ms = NOW_MS + k * DAY_MS
        learner.learn(Lesson("v", (Example(0, k, ts_ms, 0, "hub", ((f"n{k}", 0, ts_ms),)),)), 0)
    rows = rows_of(learner)
    ids = {row.number: item_id for item_id, row in rows.items()}
    kept = {int(ids[number][1:]) for number in unpacked(rows["hub"].neighbours)}
    assert min(kept) >= 300 - MAX_NEIGHBOURS


def test_incomplete_rows_are_refused() -> None:
    rows = taught(PACK, lessons(20)).dirty_rows()
    rows.pop(next(iter(rows)))
    with pytest.raises(ValueError, match="is missing"):
        Learner.restore(PACK, rows)


EXAMPLES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 2**41),
        st.integers(-1, 6),
        st.integers(0, 8),
        st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4), st.integers(0, 2**41)), max_size=10),
        st.floats(0.0, 1e6),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(EXAMPLES, st.integers(0, 25))
def test_any_examples_survive_a_restart(drawn: list, cut: int) -> None:
    given_lessons = [
        Lesson("views", (Example(p, i, ts, action, f"i{x}", tuple((f"i{h}", a, t) for h, a, t in history), w),))
        for i, (p, ts, action, x, history, w) in enumerate(drawn)
    ]
    straight = taught(PACK, given_lessons)
    first = taught(PACK, given_lessons[:cut])
    rows = first.dirty_rows() | {MARKER_KEY: first.marker(cut - 1)}
    second = Learner.restore(PACK, rows)
    for offset, lesson in enumerate(given_lessons[cut:], cut):
        second.learn(lesson, offset)
    assert rows | second.dirty_rows() | {MARKER_KEY: b""} == straight.dirty_rows() | {MARKER_KEY: b""}
    assert second.marker(99) == straight.marker(99)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("covisitation_half_life_d", 7.0, "covisitation_half_life_d was 30 when the models were learned, and is 7 now"),
        ("popularity_half_lives_d", (0.5, 1.0, 7.0, 30.0), "popularity_half_lives_d was 0.0417, 1, 7, 30 when"),
    ],
)
def test_rows_of_other_half_lives_are_refused(field: str, value: object, told: str) -> None:
    learner = taught(PACK, lessons(20))
    rows = learner.dirty_rows() | {MARKER_KEY: learner.marker(19)}
    with pytest.raises(OtherHalfLivesError, match=told):
        Learner.restore(msgspec.structs.replace(PACK, **{field: value}), rows)
    Learner.restore(msgspec.structs.replace(PACK, taste_half_life_d=3.0, freshness_half_life_d=3.0), rows)


def test_a_marker_from_before_half_lives_were_noted_is_read() -> None:
    learner = taught(PACK, lessons(20))
    marker = decode_marker(learner.marker(19))
    old = encode_marker(Marker(19, marker.taken)).replace(b"\xachalf_lives_d\x80", b"")
    rows = learner.dirty_rows() | {MARKER_KEY: bytes([old[0] - 1]) + old[1:]}
    assert decode_marker(rows[MARKER_KEY]).taken == marker.taken
    assert (
        Learner.restore(msgspec.structs.replace(PACK, covisitation_half_life_d=7.0), rows).learn(lessons(20)[0], 0) == 0
    )
