"""Searches: in the taste at once, and what others acted on after the same query; dwell: a bounce says less."""

import msgspec
import pytest

from evaluation.driver import Driver
from processors.actions import VIEW
from processors.pack import Pack
from processors.profile import LAST_QUERIES, MAX_QUERY_CHARS, Asked, Profile
from processors.queries import MOST_ITEMS, SLOTS, Queries, QueriesView, decode_query_row, query_of
from processors.recommend import recommend
from processors.replica import Replica
from processors.taste import taste_of
from schemas.behaviour import Apply, Event, Search, View
from schemas.learning import Example
from tests.processors.market import DAY_MS, NOW_MS, PACK, job, person, replica

MINUTE_MS = 60_000


def welders(profile: Profile, made: Replica) -> int:
    items = recommend(profile, NOW_MS, made)
    return sum("Welder" in made.catalogue.title(made.catalogue.row_of(item.item_id) or 0) for item in items)


def test_a_search_is_in_the_next_list_and_fades() -> None:
    for models, history, more in (("spine", (), 3), ("blend", ((6, VIEW),), 1)):
        made = replica(240, msgspec.structs.replace(PACK, models=models))
        searched = person(*history, queries=[Asked(NOW_MS, "searches", 0, "welder")])
        without = person(*history)
        assert welders(searched, made) >= welders(without, made) + more
        reasons = [reason for item in recommend(searched, NOW_MS, made) for reason in item.reasons]
        assert "matches “welder”, which you asked for" in reasons
        old = person(*history, queries=[Asked(NOW_MS - 8 * DAY_MS, "searches", 0, "welder")])
        assert recommend(old, NOW_MS, made) == recommend(without, NOW_MS, made)


def test_the_latest_searches_beside_what_was_stated() -> None:
    texts = ["baker", "cook", "driver", "cook"]
    queries = [Asked(NOW_MS - 9 + k, "searches", k, text) for k, text in enumerate(texts)]
    profile = person(stated={"titles": ["a", "b", "c", "d", "e"]}, queries=queries)
    taste = taste_of(profile, NOW_MS, replica())
    assert (taste.titles, taste.searches) == (("a", "b", "c", "d"), ("cook", "driver"))


class Searched(Driver):
    def __init__(self, pack: Pack) -> None:
        super().__init__(pack, slates=True)
        self.events = 0
        for k in range(120):
            self.put_item(job(k))

    def tell(self, kind: type[Event], user: str, ts_ms: int, **fields: object) -> None:
        self.events += 1
        event = kind(event_id=f"e{self.events}", user_id=user, ts_ms=ts_ms, **fields)
        topic = {Search: "searches", View: "views", Apply: "applies"}[kind]
        self.take(topic, user.encode(), event, ts_ms)


@pytest.mark.parametrize("models", ["spine", "blend"])
def test_what_others_acted_on_after_a_query_is_found_though_it_reads_otherwise(models: str) -> None:
    market = Searched(msgspec.structs.replace(PACK, models=models))
    for n in range(6):
        at_ms = NOW_MS - (60 - n) * MINUTE_MS
        market.tell(Search, f"u{n}", at_ms, query="Quiet evenings")
        market.tell(View, f"u{n}", at_ms + MINUTE_MS, item_id="j3")
        market.tell(Apply, f"u{n}", at_ms + 40 * MINUTE_MS, item_id="j9")  # too long after
        market.tell(View, f"u{n}", at_ms + 41 * MINUTE_MS, item_id="j5", query="something else")
    market.catch_up(NOW_MS)
    item_ids, shares = market.replica.queries.led_to("evening, QUIET", NOW_MS)
    assert item_ids == ["j3"]
    assert 0.5 < shares[0] < 1.0
    assert market.replica.queries.led_to("something else", NOW_MS)[0] == ["j5"]
    for nobody in ("nothing of the kind", "", "!?"):
        assert market.replica.queries.led_to(nobody, NOW_MS)[0] == []
    seeker = Profile(queries=[Asked(NOW_MS, "searches", 0, "quiet evenings")])
    assert recommend(seeker, NOW_MS, market.replica)[0].item_id == "j3"


def test_profiles_keep_four_searches_cut_short() -> None:
    market = Searched(PACK)
    for n in range(9):
        market.tell(Search, "u", NOW_MS + (n * 5 % 9) * 1_000, query=f"{n} " + "x" * 200)
    kept = market.profiles[b"u"].queries
    assert [asked.ts_ms for asked in kept] == [NOW_MS + k * 1_000 for k in (5, 6, 7, 8)]
    assert len(kept) == LAST_QUERIES
    assert all(len(asked.text) == MAX_QUERY_CHARS for asked in kept)


def test_rows_are_bounded_and_a_slot_belongs_to_who_asks_more() -> None:
    model, view = Queries(PACK), QueriesView()
    often, seldom = SLOTS + 7, 2 * SLOTS + 7
    for n in range(60):
        model.learn_one(Example(0, n, NOW_MS + n, VIEW, f"j{n}", (), query=often), n)
    model.learn_one(Example(0, 99, NOW_MS, VIEW, "j1", (), query=seldom), 99)
    ((key, value),) = model.dirty_rows().items()
    row = decode_query_row(value)
    assert row.query == often
    assert len(row.items) == MOST_ITEMS
    model.learn_one(Example(0, 100, NOW_MS + 900 * DAY_MS, VIEW, "j1", (), query=seldom), 100)
    assert decode_query_row(model.dirty_rows()[key]).query == seldom
    view.put(7, row)
    assert view.led_to("x y", NOW_MS)[0] == []
    assert query_of("night nurses") == query_of("Nurse Night!")


def test_a_bounce_says_half_of_a_look() -> None:
    made = replica()
    bounced = person((0, VIEW), (1, VIEW))
    bounced.actions[0] = msgspec.structs.replace(bounced.actions[0], dwell_ms=900)
    plain, less = taste_of(person((0, VIEW), (1, VIEW)), NOW_MS, made), taste_of(bounced, NOW_MS, made)
    assert less.weights[1] / less.weights[0] == pytest.approx(0.5 * plain.weights[1] / plain.weights[0])
