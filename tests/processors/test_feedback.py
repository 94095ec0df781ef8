"""Lists that were shown, and what followed: one example a place, whichever came first; bounded; and what it teaches."""

from typing import Any

import msgspec
import numpy as np
import pytest

from processors.effects import Arrival, Learn
from processors.exposure import MOST
from processors.feedback import MOST_DECIDED, MOST_PLACES, MOST_SHOWN, remember
from processors.identity import hash64
from processors.pack import Pack
from processors.pipeline import Rules, admit, step
from processors.profile import Profile, encode
from processors.randomness import Randomness
from processors.recommend import recommend
from processors.replica import Replica
from processors.response import ACTED, APPLIED, CLICK, FEATURES, SHOWN, Responses, decode_head_row, packed
from processors.response_heads import Head, ResponseHeads
from schemas.behaviour import Apply, Dismissal, Event, Impression, Origin, Save, Send, View
from schemas.learning import Example, Feedback
from tests.processors.market import DAY_MS, NOW_MS, PACK, job, person, replica

HOUR_MS = 3_600_000
TABLE = np.arange(3.0 * len(FEATURES)).reshape(3, len(FEATURES))
SILENT = msgspec.structs.replace(PACK, min_interval_ms=86_400_000)


class Life:
    """One person's events through the pipeline, each topic with offsets of its own."""

    def __init__(self, pack: Pack = SILENT, profile: Profile | None = None) -> None:
        self.replica = replica(60, pack)
        self.profile = Profile(last_recommended_ms=NOW_MS + DAY_MS) if profile is None else profile
        self.offsets: dict[str, int] = {}

    def take(self, topic: str, event: Event) -> tuple[Feedback, ...]:
        offset = self.offsets[topic] = self.offsets.get(topic, -1) + 1
        arrival = Arrival(event, topic, 0, offset, event.ts_ms)
        assert admit(self.profile, arrival) == "apply"
        effects = step(self.profile, arrival, event.ts_ms, self.replica, Randomness(arrival.source_id), Rules())
        return tuple(told for effect in effects if isinstance(effect, Learn) for told in effect.example.feedback)


def fields(n: int, ts_ms: int) -> dict[str, Any]:
    return {"event_id": f"e{n}", "user_id": "u1", "ts_ms": ts_ms}


def impression(n: int, after_ms: int, items: tuple[str, ...] = ("j0", "j1", "j2"), rec_id: str = "r1") -> Impression:
    return Impression(**fields(n, NOW_MS + after_ms), rec_id=rec_id, item_ids=items)


def view(n: int, after_ms: int, item_id: str = "j1", rec_id: str | None = None) -> View:
    origin = Origin(surface="site", rec_id=rec_id) if rec_id else None
    return View(**fields(n, NOW_MS + after_ms), item_id=item_id, origin=origin)


def apply(n: int, after_ms: int, item_id: str = "j1") -> Apply:
    return Apply(**fields(n, NOW_MS + after_ms), item_id=item_id)


def decided() -> Life:
    life = Life()
    remember(life.profile, "r1", ["j0", "j1", "j2"], TABLE, NOW_MS)
    return life


def outcomes(told: tuple[Feedback, ...]) -> list[tuple[int, tuple[int, ...]]]:
    return [(feedback.outcome, feedback.places) for feedback in told]


def test_shown_then_acted_on_then_applied_for() -> None:
    life = decided()
    assert outcomes(life.take("impressions", impression(1, 1_000))) == [(SHOWN, (0, 1, 2))]
    assert outcomes(life.take("views", view(2, 5_000))) == [(ACTED, (1,))]
    assert outcomes(life.take("views", view(3, 6_000))) == []
    assert outcomes(life.take("applies", apply(4, HOUR_MS))) == [(APPLIED, (1,))]
    assert outcomes(life.take("applies", apply(5, HOUR_MS, "j2"))) == [(ACTED, (2,)), (APPLIED, (2,))]
    assert outcomes(life.take("impressions", impression(6, 2 * HOUR_MS))) == []  # once only


def test_features_are_those_of_the_decision() -> None:
    life = decided()
    (told,) = life.take("impressions", impression(1, 1_000, ("j2", "j0")))
    assert told.places == (0, 2)
    assert told.features == packed(TABLE[[0, 2]])
    assert told.shown == hash64("r1")
    (acted,) = life.take("views", view(2, 2_000, "j2"))
    assert acted.features == packed(TABLE[[2]])


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0), (2, 1, 0), (2, 0, 1), (0, 2, 1)])
def test_whichever_comes_first(order: tuple[int, ...]) -> None:
    life = decided()
    events = [
        ("impressions", impression(1, 1_000)),
        ("views", view(2, 5_000)),
        ("applies", apply(3, 9_000)),
    ]
    told = [feedback for k in order for feedback in life.take(*events[k])]
    assert sorted(outcomes(tuple(told))) == [(SHOWN, (0, 1, 2)), (ACTED, (1,)), (APPLIED, (1,))]


def test_outside_the_window_or_before_it_was_shown_nothing_follows() -> None:
    life = decided()
    window_ms = life.replica.pack.attribution_ms
    life.take("impressions", impression(1, 1_000))
    assert life.take("views", view(2, 999)) == ()
    assert life.take("views", view(3, 1_001 + window_ms)) == ()
    assert outcomes(life.take("views", view(4, 1_000 + window_ms))) == [(ACTED, (1,))]
    assert life.take("saves", Save(**fields(5, NOW_MS + 2_000), item_id="j0", undo=True)) == ()


def test_the_latest_list_has_the_credit_unless_the_event_names_another() -> None:
    life = decided()
    remember(life.profile, "r2", ["j1", "j3"], TABLE, NOW_MS)
    life.take("impressions", impression(1, 1_000))
    life.take("impressions", impression(2, 2_000, ("j1",), "r2"))
    assert [told.shown for told in life.take("views", view(3, 3_000))] == [hash64("r2")]
    assert [told.shown for told in life.take("views", view(4, 4_000, "j1", "r1"))] == [hash64("r1")]
    assert life.take("views", view(5, 5_000, "j3")) == ()  # in r2, but nobody saw it there


def test_an_unknown_list_takes_the_features_of_now_and_mails_are_lists_too() -> None:
    life = Life(profile=person((0, 0), (6, 0)))
    told = life.take("impressions", impression(1, 1_000, ("j12", "gone", "j18")))
    assert outcomes(told) == [(SHOWN, (0, 1, 2))]
    table = np.frombuffer(told[0].features, "<f2").reshape(3, -1)
    assert np.isfinite(table).all()
    assert table[0, FEATURES.index("popular")] > 0.0
    mail = Send(**fields(2, NOW_MS + 2_000), send_id="s1", item_ids=("j24", "j30"))
    told = life.take("sends", mail)
    assert outcomes(told) == [(SHOWN, (0, 1))]
    table = np.frombuffer(told[0].features, "<f2").reshape(2, -1)
    assert table[:, FEATURES.index("by_mail")].tolist() == [1.0, 1.0]
    assert life.take("sends", Send(**fields(3, NOW_MS), send_id="s2")) == ()


def test_profiles_stay_bounded() -> None:
    life = Life()
    many = tuple(f"j{k}" for k in range(40))
    for k in range(60):
        remember(life.profile, f"d{k}", many, np.zeros((40, len(FEATURES))), NOW_MS + k)
        life.take("impressions", impression(k, k * 1_000, many[k % 3 :], f"r{k}"))
        life.take("sends", Send(**fields(k, NOW_MS + k * 1_000), send_id=f"s{k}", item_ids=many))
    lists = life.profile.lists
    assert sum(not known.seen for known in lists) <= MOST_DECIDED
    assert sum(bool(known.seen) for known in lists) <= MOST_SHOWN
    assert all(len(known.items) <= MOST_PLACES for known in lists)
    assert all(len(counts) <= MOST for counts in life.profile.times_shown.values())
    assert len(encode(life.profile)) < 5_300  # 800 of them: sixteen mails


def test_what_is_shown_in_vain_comes_later_and_what_is_acted_on_does_not() -> None:
    made = replica(60, msgspec.structs.replace(PACK, shown_cost=0.5))
    nurse = person((0, 0), (6, 0))
    first = recommend(nurse, NOW_MS, made)[0].item_id
    for shown, place in (
        (nurse, 0),
        (person((0, 0), (6, 0), times_shown={"impressions": {hash64(first): (15, NOW_MS)}}), 1),
    ):
        ids = [item.item_id for item in recommend(shown, NOW_MS, made, limit=60)]
        assert (ids.index(first) > 0) is bool(place)
    own = person((0, 0), (6, 0), times_shown={"impressions": {hash64("j0"): (99, NOW_MS)}})
    assert recommend(own, NOW_MS, made) == recommend(nurse, NOW_MS, made)
    later_ms = NOW_MS + 20 * DAY_MS
    assert len(recommend(shown, later_ms, made)) == 10


# ---------------------------------------------------------------- dismissals


@pytest.mark.parametrize(
    ("reason", "of_job", "shares"),
    [
        ("brand", 3, lambda one, other: one.brand == other.brand),
        ("place", 2, lambda one, other: one.location.city == other.location.city),
        ("pay", 5, lambda one, other: other.salary.max <= one.salary.max),
    ],
)
def test_a_dismissal_speaks_for_its_kind_in_the_next_list_until_it_is_taken_back(
    reason: Any, of_job: int, shares: Any
) -> None:
    life = Life(msgspec.structs.replace(PACK, min_interval_ms=0, max_per_brand=50))
    disliked = job(of_job)
    life.take("views", view(1, 0, f"j{of_job}"))
    before = recommend(life.profile, NOW_MS, life.replica)
    assert any(shares(disliked, job(int(item.item_id[1:]))) for item in before)
    life.take("dismissals", Dismissal(**fields(2, NOW_MS + 1), item_id=disliked.item_id, reason=reason))
    after = recommend(life.profile, NOW_MS + 2, life.replica)
    assert len(after) == 10
    assert not any(shares(disliked, job(int(item.item_id[1:]))) for item in after)
    every = recommend(life.profile, NOW_MS + 2, life.replica, limit=60)
    assert len(every) == 59  # the others of its kind come last, it does not come at all
    life.take("dismissals", Dismissal(**fields(3, NOW_MS + 3), item_id=disliked.item_id, undo=True))
    assert [item.item_id for item in recommend(life.profile, NOW_MS, life.replica)] == [item.item_id for item in before]


# ---------------------------------------------------------------- the heads


def test_a_repaired_negative_is_nearly_a_positive() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=len(FEATURES)) * 0.6
    delayed, direct = Head(-3.0), Head(-3.0)
    for _ in range(6_000):
        row = rng.normal(size=len(FEATURES))
        features = dict(zip(FEATURES, row.tolist(), strict=True))
        positive = bool(rng.random() < 1 / (1 + np.exp(2.0 - row @ truth)))
        delayed.learn_negative(features)
        direct.scaler.learn_one(features)
        direct.model.learn_one(direct.scaler.transform_one(features), positive)
        if positive:
            delayed.repair(features)
    for name, weight in direct.model.weights.items():
        assert delayed.model.weights[name] == pytest.approx(weight, abs=0.12)
    assert delayed.model.intercept == pytest.approx(direct.model.intercept, abs=0.12)
    assert delayed.model.intercept == pytest.approx(-2.0, abs=0.3)


def test_the_folded_row_says_what_rivers_pipeline_says() -> None:
    heads = ResponseHeads(PACK)
    rng = np.random.default_rng(3)
    for k in range(300):
        table = np.round(rng.normal(size=(2, len(FEATURES))), 2).astype(np.float16).astype(np.float64)
        told = [Feedback(SHOWN, k, (0, 1), packed(table))]
        told += [Feedback(ACTED, k, (0,), packed(table[:1]))] if table[0, 0] > 0 else []
        heads.learn_one(Example(0, k, k, -1, "", (), feedback=tuple(told)), k)
    row = decode_head_row(heads.dirty_rows()[CLICK])
    view = Responses()
    view.put(CLICK, row)
    head = Head.of(row)
    table = rng.normal(size=(20, len(FEATURES)))
    clicks, applies = view.probabilities(table)
    for place, features in enumerate(table.tolist()):
        scaled = head.scaler.transform_one(dict(zip(FEATURES, features, strict=True)))
        assert clicks[place] == pytest.approx(head.model.predict_proba_one(scaled)[True], rel=1e-9)
    assert (applies <= clicks).all()
    assert clicks[table[:, 0] > 1.0].mean() > clicks[table[:, 0] < -1.0].mean()


def test_every_item_of_a_list_says_how_likely_it_is() -> None:
    made: Replica = replica()
    for item in recommend(person((0, 0)), NOW_MS, made):
        assert 0.0 < (item.p_apply or 0.0) < (item.p_click or 0.0) < 1.0
