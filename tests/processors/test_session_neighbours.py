"""Session neighbours: against V-SKNN by hand, however sessions interleave, are evicted or are read again."""

import math
import random
from collections import defaultdict
from collections.abc import Iterable

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors import session_neighbours as knn
from processors.actions import SAVE, UNSAVE, VIEW
from processors.blend_features import COLUMN, OWN
from processors.blend_ranking import rank_blend
from processors.context import context_of
from processors.effects import Arrival, Learn
from processors.pipeline import Rules, step
from processors.profile import Profile
from processors.randomness import Randomness
from processors.recommend import recommend
from processors.session_neighbours import NO_NEIGHBOURS, Neighbourhood, neighbourhood
from processors.session_rows import LENGTH, SessionRow, Sessions, decode_session
from processors.session_view import SessionView
from processors.taste import taste_of
from processors.visits import GAP_MS, deed_of
from schemas.behaviour import Save, View
from schemas.catalogue import Item
from schemas.learning import Example
from tests.processors import market
from tests.processors.market import NOW_MS

PACK = msgspec.structs.replace(market.PACK, models="blend")
ITEMS = 14
ROW = {f"i{k}": 100 + k for k in range(ITEMS)}


def drawn_sessions(count: int, seed: int, longest: int = 26) -> list[list[str]]:
    rng = random.Random(seed)
    return [[f"i{rng.randrange(ITEMS)}" for _ in range(rng.randint(1, longest))] for _ in range(count)]


def examples(given_sessions: list[list[str]], at_once: int, seed: int = 1) -> list[Example]:
    """Actions of the sessions, `at_once` of them being lived at a time; they begin in their own order."""
    rng = random.Random(seed)
    waiting = list(enumerate(given_sessions))[::-1]
    live: list[tuple[int, list[str]]] = []
    made: list[Example] = []
    last: dict[int, int] = {}
    while waiting or live:
        if waiting and len(live) < at_once:
            person, items = waiting.pop()
            live.append((person, items[::-1]))
            chosen = len(live) - 1
        else:
            chosen = rng.randrange(len(live))
        person, left = live[chosen]
        item_id, offset = left.pop(), len(made)
        deed = deed_of("views", offset, NOW_MS + offset, item_id)
        made.append(Example(0, offset, NOW_MS + offset, VIEW, item_id, (), 1.0, deed=deed, after=last.get(person, 0)))
        last[person] = deed
        if not left:
            del live[chosen]
    return made


def learned(given_examples: Iterable[Example], capacity: int = 1_000) -> tuple[Sessions, SessionView]:
    """The model after all examples, and a view that took over every change as it came."""
    model, view = Sessions(PACK, capacity), SessionView()
    for offset, example in enumerate(given_examples):
        model.learn_one(example, offset)
        apply(model.dirty_rows(), view)
    return model, view


def apply(rows: dict[bytes, bytes], view: SessionView) -> None:
    for key, value in rows.items():
        view.put(int(key.split(b"/")[1]), decode_session(value), ROW.get)


def all_rows(model: Sessions) -> dict[bytes, bytes]:
    model._dirty.update(range(len(model._slots)))
    return model.dirty_rows()


def ask(view: SessionView, latest_first: list[str], own_slot: int | None = None) -> Neighbourhood:
    return neighbourhood(view.codes_of(latest_first), own_slot, view)


def by_hand(kept: dict[int, list[str]], newest: int, latest_first: list[str]) -> dict[str, tuple[float, ...]]:
    """V-SKNN over sessions number -> items: share, after, before, next by item."""
    count = len(kept)
    df = {item: sum(item in items for items in kept.values()) for item in ROW}
    idf = {item: max(math.log((count + 1) / (df[item] + 1)), knn.LEAST_IDF) for item in ROW}
    first: dict[str, int] = {}
    for place, item in enumerate(latest_first):
        if df.get(item):
            first.setdefault(item, place)
    first = dict(list(first.items())[: knn.ITEMS])
    votes: dict[int, float] = {}
    for number, items in kept.items():
        found = sum(math.exp(-g / knn.FADING) * idf[item] ** 2 for item, g in first.items() if item in items)
        if found:
            votes[number] = (found * math.exp((number - newest) / knn.LIFE)) ** knn.SHARPNESS
    total = sum(votes.values())
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * 4)
    for number, vote in votes.items():
        items = kept[number]
        shared = next(item for item in first if item in items)
        pivot = max(place for place, item in enumerate(items) if item == shared)
        for place, item in enumerate(items):
            d, share = place - pivot, vote / total
            sums[item][0] += share * math.exp(-(d - 1) / knn.REACH) if d > 0 else 0.0
            sums[item][1] += share * math.exp((d + 1) / knn.REACH_BACK) if d < 0 else 0.0
            sums[item][2] += share * (d == 0)
            sums[item][3] += share * (d == 1)
    base = {
        item: (after + knn.BACK * before + knn.SELF * again) * idf[item] ** knn.RARITY
        for item, (after, before, again, _) in sums.items()
    }
    return {
        item: (base[item] / sum(base.values()), after, before, following)
        for item, (after, before, _, following) in sums.items()
    }


def agrees(found: Neighbourhood, expected: dict[str, tuple[float, ...]]) -> None:
    assert sorted(found.rows.tolist()) == sorted(ROW[item] for item in expected)
    table = found.said.T
    place = {row: k for k, row in enumerate(found.rows.tolist())}
    for item, values in expected.items():
        assert table[place[ROW[item]]] == pytest.approx(values, rel=1e-9, abs=1e-12)


# ---------------------------------------------------------------- by hand


@pytest.mark.parametrize("at_once", [1, 7])
@pytest.mark.parametrize("capacity", [1_000, 25])
def test_neighbours_are_those_by_hand(at_once: int, capacity: int) -> None:
    given_sessions = drawn_sessions(60, seed=at_once)
    _, view = learned(examples(given_sessions, at_once), capacity)
    kept = {n: items[-LENGTH:] for n, items in enumerate(given_sessions) if n >= 60 - capacity}
    assert view.count == min(60, capacity)
    for asked in (["i3"], ["i3", "i5", "i3"], [f"i{k}" for k in range(ITEMS)], ["i1", "unknown", "i2"]):
        agrees(ask(view, asked), by_hand(kept, 59, asked))


def test_only_the_most_similar_vote() -> None:
    rare = [["i0", "i1"]] * 3
    common = [["i2", "i3"]] * (knn.NEIGHBOURS + 100)
    _, view = learned(examples([*rare, *common], 1), 10_000)
    found = ask(view, ["i2", "i0"])
    assert set(found.rows.tolist()) == {ROW["i0"], ROW["i1"], ROW["i2"], ROW["i3"]}
    assert found.said[3].sum() == pytest.approx(1.0)
    latest = ask(view, ["i2"])
    assert latest.rows.tolist() == [ROW["i2"], ROW["i3"]]
    assert len(view.latest(view.codes_of(["i2"])[0], knn.LATEST)) == knn.LATEST


def test_nothing_known_has_no_neighbours() -> None:
    _, view = learned(examples([["i1", "i2"]], 1))
    assert ask(view, []) is NO_NEIGHBOURS
    assert ask(view, ["unknown"]) is NO_NEIGHBOURS
    assert ask(SessionView(), ["i1"]) is NO_NEIGHBOURS
    assert ask(view, ["i1"], own_slot=0) is NO_NEIGHBOURS


def test_items_that_are_not_live_speak_but_are_not_found() -> None:
    _, view = learned(examples([["i1", "i2"], ["i1", "i3"]], 1))
    view.link("i1", 0)
    assert sorted(ask(view, ["i1"]).rows.tolist()) == [ROW["i2"], ROW["i3"]]
    view.link("i1", 7)
    assert 7 in ask(view, ["i1"]).rows.tolist()


# ---------------------------------------------------------------- the store


def test_interleaved_sessions_are_the_same_as_one_after_the_other() -> None:
    given_sessions = drawn_sessions(40, seed=5)
    apart, together = (learned(examples(given_sessions, at_once))[0] for at_once in (1, 9))
    contents = [[(row.number, row.items) for row in model._slots] for model in (apart, together)]
    assert contents[0] == contents[1] == [(n, items[-LENGTH:]) for n, items in enumerate(given_sessions)]


def test_a_session_outlived_by_all_others_begins_anew() -> None:
    old, *rest = examples([["i1", "i2"], *([["i3"]] * 4)], 1)
    model, view = learned([old, *rest[1:]], capacity=4)
    model.learn_one(rest[0], 99)
    apply(model.dirty_rows(), view)
    assert [row.items for row in model._slots] == [["i3"], ["i2"], ["i3"], ["i3"]]
    assert len(model._slot_by_deed) == 4


def test_room_is_bounded() -> None:
    model, view = learned(examples(drawn_sessions(300, seed=2), 6), capacity=16)
    assert len(all_rows(model)) == 16
    assert len(model._slot_by_deed) <= 16
    assert (view.count, len(view.items)) == (16, 64)
    assert max(len(members) for members in view._members) <= 64
    assert int(view.frequency.sum()) == sum(len(set(row.items)) for row in model._slots)
    assert len(view._slot_by_deed) == len(model._slot_by_deed)


SMALL = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=24), min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(SMALL, st.integers(1, 6), st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_view_rebuilt_from_the_rows_says_the_same(
    drawn: list[list[int]], at_once: int, capacity: int, rng: random.Random
) -> None:
    given_sessions = [[f"i{k}" for k in items] for items in drawn]
    model, live = learned(examples(given_sessions, at_once), capacity)
    rows = list(all_rows(model).items())
    rng.shuffle(rows)
    rebuilt = SessionView()
    apply(dict(rows), rebuilt)
    assert (rebuilt.count, rebuilt.newest) == (live.count, live.newest)
    for asked in (["i0"], ["i1", "i2", "i3"], ["i5", "i4", "i5", "i0"]):
        one, other = ask(live, asked), ask(rebuilt, asked)
        assert all(np.array_equal(getattr(one, f), getattr(other, f)) for f in one.__struct_fields__)
    for row in model._slots:
        assert live.slot_of(row.deed) == rebuilt.slot_of(row.deed)


@settings(max_examples=50, deadline=None)
@given(SMALL, st.integers(1, 6), st.integers(1, 8), st.integers(0, 60))
def test_a_model_restored_from_its_rows_continues_the_same(
    drawn: list[list[int]], at_once: int, capacity: int, cut: int
) -> None:
    given_examples = examples([[f"i{k}" for k in items] for items in drawn], at_once)
    straight, _ = learned(given_examples, capacity)
    first, _ = learned(given_examples[:cut], capacity)
    second = Sessions(PACK, capacity)
    second.load({key.decode().split("/")[1]: value for key, value in all_rows(first).items()})
    for offset, example in enumerate(given_examples[cut:], cut):
        second.learn_one(example, offset)
    assert all_rows(second) == all_rows(straight)
    assert second._slot_by_deed == straight._slot_by_deed


def test_rows_that_are_incomplete_or_of_another_capacity_are_refused() -> None:
    model, _ = learned(examples([["i1"], ["i2"], ["i3"]], 1), capacity=2)
    rows = {key.decode().split("/")[1]: value for key, value in all_rows(model).items()}
    with pytest.raises(ValueError, match="missing"):
        Sessions(PACK, 2).load({"1": rows["1"]})
    with pytest.raises(ValueError, match="another capacity"):
        Sessions(PACK, 1_000).load(rows)
    with pytest.raises(ValueError, match="capacity"):
        Sessions(PACK, 0)


def test_actions_that_cannot_be_told_apart_do_not_mix_sessions() -> None:
    same = deed_of("views", 0, NOW_MS, "i1")
    model = Sessions(PACK)
    for offset in range(2):
        model.learn_one(Example(offset, 0, NOW_MS, VIEW, "i1", (), 1.0, deed=same), offset)
    model.learn_one(Example(0, 1, NOW_MS, VIEW, "i2", (), 1.0, deed=5, after=same), 2)
    assert model._slots == [SessionRow(1, 0, 0, ["i1"]), SessionRow(2, 1, 5, ["i1", "i2"])]


def test_the_transparent_blend_keeps_no_sessions() -> None:
    model = Sessions(market.PACK)
    for offset, example in enumerate(examples(drawn_sessions(3, 1), 1)):
        model.learn_one(example, offset)
    assert model.dirty_rows() == {}


# ---------------------------------------------------------------- the pipeline


def acted(profile: Profile, item_id: str, offset: int, ts_ms: int, undo: bool | None = None) -> Example | None:
    """One action through the pipeline; what it teaches."""
    replica = market.replica(6, PACK, [])
    named = {"event_id": f"e{offset}", "user_id": "u", "item_id": item_id, "ts_ms": ts_ms}
    event = View(**named) if undo is None else Save(**named, undo=undo)
    topic = "views" if undo is None else "saves"
    arrival = Arrival(event, topic, 0, offset, ts_ms)
    effects = step(profile, arrival, ts_ms, replica, Randomness("r"))
    return next((effect.example for effect in effects if isinstance(effect, Learn)), None)


def test_steps_chain_the_actions_of_a_session() -> None:
    profile = Profile()
    first = acted(profile, "j1", 0, NOW_MS)
    second = acted(profile, "j2", 0, NOW_MS + 1_000, undo=False)
    assert acted(profile, "j2", 1, NOW_MS + 2_000, undo=True) is None
    third = acted(profile, "j3", 1, NOW_MS + 1_000 + GAP_MS - 1)
    fourth = acted(profile, "j4", 2, NOW_MS + 1_000 + 2 * GAP_MS - 1)
    assert first is not None
    assert second is not None
    assert third is not None
    assert fourth is not None
    assert (first.after, fourth.after) == (0, 0)
    assert (second.after, third.after) == (first.deed, second.deed)
    assert len({first.deed, second.deed, third.deed, fourth.deed, 0}) == 5


def test_a_late_action_continues_the_one_before_it_in_time() -> None:
    profile = Profile()
    first = acted(profile, "j1", 0, NOW_MS)
    acted(profile, "j2", 1, NOW_MS + 9_000)
    late = acted(profile, "j3", 2, NOW_MS + 1_000)
    assert first is not None
    assert late is not None
    assert late.after == first.deed


def test_a_step_that_does_not_teach_teaches_nothing() -> None:
    made, profile = market.replica(6, PACK, []), Profile()
    view = View(event_id="e", user_id="u", item_id="j1", ts_ms=NOW_MS)
    effects = step(profile, Arrival(view, "views", 0, 0, NOW_MS), NOW_MS, made, Randomness("r"), Rules(teaches=False))
    assert not any(isinstance(effect, Learn) for effect in effects)
    assert len(profile.actions) == 1


def lived() -> tuple[market.Replica, Profile]:
    """A replica that learned what ten people did, and one of them."""
    made = market.replica(0, PACK, [])
    for k in range(40):
        made.put_item(Item(item_id=f"x{k}"))
    model = Sessions(PACK)
    person = Profile()
    for k in range(10):
        person = Profile()
        for place, item_id in enumerate((f"x{k % 3}", "x5", f"x{10 + k % 2}")):
            view = View(event_id=f"{k}-{place}", user_id=f"u{k}", item_id=item_id, ts_ms=NOW_MS + place)
            arrival = Arrival(view, "views", 0, 3 * k + place, NOW_MS + place)
            for effect in step(person, arrival, NOW_MS + place, made, Randomness("r")):
                if isinstance(effect, Learn):
                    model.learn_one(effect.example, 0)
            for key, value in model.dirty_rows().items():
                made.apply_row(key, value)
    return made, person


def test_own_session_is_no_neighbour_and_what_neighbours_did_is_found() -> None:
    made, person = lived()
    context = context_of(person, NOW_MS + 3, made)
    assert context.own_slot == 9
    assert len(context.session) == 3
    del person.actions[1:]
    alone = context_of(person, NOW_MS + 3, made)
    assert alone.own_slot is None
    ranking = rank_blend(person, taste_of(person, NOW_MS + 3, made), NOW_MS + 3, made)
    rows = ranking.candidates.rows.tolist()
    column = ranking.matrix[:, rows.index(made.catalogue.row_of("x5") or 0)]
    assert column[COLUMN["session"]] > 0.0
    assert column[COLUMN["session_next"]] > column[COLUMN["session_before"]] == 0.0
    own = ranking.matrix[:, rows.index(made.catalogue.row_of(person.actions[0].item_id) or 0)]
    assert not own[:OWN].any()
    assert own[COLUMN["own_session"]] > 0.0


def test_lists_name_what_neighbours_did_and_survive_that_it_goes() -> None:
    made, person = lived()
    del person.actions[1:]
    assert "x11" in [item.item_id for item in recommend(person, NOW_MS + 3, made, limit=3)]
    made.retire_item("x11")
    assert "x11" not in [item.item_id for item in recommend(person, NOW_MS + 3, made, limit=40)]
    made.put_item(Item(item_id="x11"))
    assert "x11" in [item.item_id for item in recommend(person, NOW_MS + 3, made, limit=3)]


def test_saves_that_were_taken_back_are_no_part_of_a_session() -> None:
    made, _ = lived()
    took_back = market.person((0, VIEW), (5, SAVE), (5, UNSAVE))
    assert len(context_of(took_back, NOW_MS, made).session) == 1


def test_codes_of_items_in_no_session_any_more_are_given_again() -> None:
    many = [Example(0, k, NOW_MS + k, 0, f"n{k // 3}", (), deed=k + 1, after=k if k % 4 else 0) for k in range(400)]
    _, view = learned(many, capacity=8)
    held = {code for slot in view.items for code in slot.tolist() if code}
    assert set(view._codes.values()) == held
    assert max(held) <= 32
    assert all(view.frequency[code] for code in held)
    assert not any(view.frequency[code] or view.rows[code] for code in range(64) if code not in held)


def test_a_view_that_followed_says_what_one_says_that_reads_the_rows_later() -> None:
    for seed in range(40):
        rng = random.Random(seed)
        ends = sorted(rng.sample(range(150), 6))
        many = [
            Example(0, k, NOW_MS + k, 0, f"i{rng.randrange(ITEMS * 4)}", (), deed=k + 1, after=0 if k in ends else k)
            for k in range(150)
        ]
        model, followed = learned(many)
        late = SessionView()
        apply(all_rows(model), late)
        latest = [example.item_id for example in many[:-30:-1]]
        rng.shuffle(latest)  # within a step, what is called the latest is an accident
        told, anew = (sorted(ask(view, latest).said[0].round(12).tolist()) for view in (followed, late))
        assert told == anew
