"""The facade: what is understood, relaxed, mended, suggested; whose order it is; and that nothing makes it fail."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.gazetteer import locate
from processors.pack import Pack
from processors.profile import Action, Profile
from processors.replica import Replica
from schemas.behaviour import Apply, Save, Search, View
from schemas.catalogue import Item, Location, Salary
from serving.search.constraints import passes
from serving.search.engine import FEW, SearchEngine
from serving.search.filters import Filters, Range
from serving.search.suggestions import WITHIN_MS, Suggestions
from tests.serving.search.shelf import DAY_MS, NOW_MS, shelf

AUSTIN = Location(city="Austin", region="TX", country="US", lat=30.27, lon=-97.74)
DALLAS = Location(city="Dallas", region="TX", country="US", lat=32.78, lon=-96.8)
MADE = [
    Item(
        item_id="austin-remote",
        title="Python Developer",
        location=AUSTIN,
        remote=True,
        salary=Salary(min=80_000.0, max=100_000.0, currency="USD"),
        posted_ms=NOW_MS - DAY_MS,
    ),
    Item(item_id="austin-poor", title="Python Developer", location=AUSTIN, remote=True, salary=Salary(max=60_000.0)),
    Item(item_id="dallas", title="Python Developer", location=DALLAS, remote=False, brand="Acme"),
    Item(item_id="snake", title="Python keeper, reptile house", location=DALLAS, remote=False),
    Item(item_id="nurse", title="Registered Nurse", location=DALLAS, text="Nights at the hospital."),
    Item(item_id="asst", title="Office Assistant", location=AUSTIN),
]


def engine_of(items, models="blend"):
    replica = Replica(Pack(name="jobs", models=models))
    engine = SearchEngine(replica, "jobs")
    for item in items:
        replica.put_item(item)
        engine.put_item(item)
    engine.refresh()
    return engine


@pytest.fixture(scope="module")
def engine():
    return engine_of(MADE)


@pytest.fixture(scope="module")
def large():
    return engine_of(shelf(300, seed=4))


def ids(answer):
    return [found.item_id for found in answer.items]


def test_a_query_is_read_and_told(engine):
    answer = engine.search("remote python jobs in austin over 90k", now_ms=NOW_MS)
    assert ids(answer) == ["austin-remote"]
    assert answer.text == "python"
    assert [(part.kind, part.typed) for part in answer.understood] == [
        ("remote", "remote"),
        ("place", "in austin"),
        ("salary", "over 90k"),
    ]
    assert answer.understood[2].without == "remote python jobs in austin"
    assert set(ids(engine.search(answer.understood[2].without, now_ms=NOW_MS))) == {"austin-remote", "austin-poor"}
    assert not answer.relaxed
    assert msgspec.json.decode(msgspec.json.encode(answer))["total"] == 1


def test_what_a_form_says_goes_before_what_the_query_says(engine):
    given_filters = Filters(salary=Range(least=50_000.0))
    answer = engine.search("python in austin over 90k", given_filters, now_ms=NOW_MS)
    assert set(ids(answer)) == {"austin-remote", "austin-poor"}
    assert answer.filters.salary == given_filters.salary
    assert answer.filters.near is not None


def test_what_is_literal_is_not_read(engine):
    answer = engine.search("python developer in dallas", now_ms=NOW_MS, literal=True)
    assert not answer.understood
    assert ids(answer)[0] == "dallas"


def test_zero_results_tell_what_was_relaxed(engine):
    answer = engine.search("nurse in austin", now_ms=NOW_MS)
    assert (ids(answer), answer.relaxed) == (["nurse"], ("place",))
    answer = engine.search("nurse over 200k", now_ms=NOW_MS)
    assert (ids(answer), answer.relaxed) == (["nurse"], ("salary",))
    answer = engine.search("remote nurse in austin over 200k", now_ms=NOW_MS)
    assert (ids(answer), answer.relaxed) == (["nurse"], ("salary", "remote", "place"))
    answer = engine.search("registered nurse zeppelin", now_ms=NOW_MS)
    assert (ids(answer), answer.relaxed) == (["nurse"], ("words",))
    answer = engine.search("zeppelin", now_ms=NOW_MS)
    assert (ids(answer), answer.total, answer.relaxed) == ([], 0, ())


def test_typing_errors_synonyms_prefixes_and_stop_words(engine):
    answer = engine.search("regsitered nurse", now_ms=NOW_MS)
    assert ids(answer) == ["nurse"]
    assert [(word.typed, word.meant) for word in answer.mended] == [("regsitered", "registered")]
    assert ids(engine.search("rn", now_ms=NOW_MS)) == ["nurse"]
    assert ids(engine.search("dev", now_ms=NOW_MS))[0] in {"austin-remote", "austin-poor", "dallas"}
    assert ids(engine.search("the office asst", now_ms=NOW_MS)) == ["asst"]
    assert ids(engine.search("reptil", now_ms=NOW_MS)) == ["snake"]
    assert ids(engine.search("developers", now_ms=NOW_MS))[0] != "snake"


def test_brands_of_the_catalogue_are_read_after_by_and_at(engine):
    answer = engine.search("developer at acme", now_ms=NOW_MS)
    assert ids(answer) == ["dallas"]
    assert answer.filters.brands == ("Acme",)


def test_near_me_is_where_the_person_is(engine):
    profile = Profile(actions=[Action(NOW_MS - DAY_MS, "views", 1, "snake", 0)])
    answer = engine.search("python near me", profile=profile, now_ms=NOW_MS)
    assert set(ids(answer)) == {"dallas", "snake"}
    assert set(ids(engine.search("python near me", now_ms=NOW_MS))) == {
        "dallas",
        "snake",
        "austin-remote",
        "austin-poor",
    }


@pytest.mark.parametrize("models", ["blend", "spine"])
def test_the_order_is_the_persons_own(models):
    """Two people see one set of items in two orders; who is unknown sees relevance, with or without a profile."""
    engine = engine_of(MADE, models)
    plain = engine.search("python developer", now_ms=NOW_MS)
    assert not plain.is_personal
    strange = engine.search("python developer", profile=Profile(), now_ms=NOW_MS)
    assert strange == plain
    orders = {}
    for seen in ("nurse", "asst"):
        profile = Profile(actions=[Action(NOW_MS - 1_000, "views", 1, seen, 0)])
        answer = engine.search("python developer", profile=profile, now_ms=NOW_MS)
        assert answer.is_personal
        assert set(ids(answer)) == set(ids(plain))
        orders[seen] = ids(answer)
    assert orders["nurse"] != orders["asst"]
    if models == "blend":
        assert orders["nurse"][0] == "dallas"
    assert orders["asst"][0] in {"austin-remote", "austin-poor"}


@pytest.mark.parametrize("few", [0, FEW])
def test_the_persons_own_items_are_found_behind_the_most_relevant(monkeypatch, few):
    """More items match than are looked at; the one that suits the person is not lost among them, whether all that match
    were fetched or not.
    """
    monkeypatch.setattr("serving.search.engine.FEW", few)
    many = [Item(item_id=f"c{n}", title="Cashier", location=DALLAS) for n in range(900)]
    engine = engine_of(
        [*many, Item(item_id="mine", title="Cashier (evenings, weekends, holidays)", location=AUSTIN), MADE[5]]
    )
    profile = Profile(actions=[Action(NOW_MS - 1_000, "views", 1, "asst", 0)])
    plain = ids(engine.search("cashier", now_ms=NOW_MS, limit=200))
    assert "mine" not in plain
    assert ids(engine.search("cashier", profile=profile, now_ms=NOW_MS, limit=10))[0] == "mine"


def test_what_is_found_passes_the_filters_that_were_kept(large):
    by_id = {item.item_id: item for item in shelf(300, seed=4)}
    for query in ("nurse in texas", "remote python", "driver over 30k", "chef in springfield, ma posted this week", ""):
        answer = large.search(query, now_ms=NOW_MS, limit=200)
        if not answer.relaxed:
            assert all(passes(by_id[item_id], answer.filters, NOW_MS, locate) for item_id in ids(answer))
        assert answer.total >= len(answer.items) > 0


@given(st.text(max_size=1_000))
@settings(max_examples=150, deadline=None)
def test_no_query_fails(large, query):
    answer = large.search(query, now_ms=NOW_MS)
    assert answer.total >= len(answer.items)
    assert msgspec.json.encode(answer)


@pytest.mark.parametrize(
    "query",
    [
        '"' * 999,
        "a " * 500,
        "in " * 333,
        "$1-" * 333,
        "9" * 1_000,
        "(((((title:x^99)))",
        "\ud800\udfff",
        "\x00\x01\x02",
        "over over over 90k 90k 90k",
        "𝒑𝒚𝒕𝒉𝒐𝒏 ５０ｋ",
        "*:*",
        "NOT AND OR",
        "-1e309..1e309",
        "within 99999 miles of austin",
        "a" * 1_000,
        'brand:"' + "x" * 900,
        "in austin near dallas near me in texas",
        "0 km from austin over 0 under 0",
    ],
)
def test_hostile_queries_get_an_answer(large, query):
    answer = large.search(query, now_ms=NOW_MS, limit=-5)
    assert answer.total >= 0


def test_suggestions_are_what_led_to_something_the_latest_first():
    suggestions = Suggestions(half_life_s=86_400.0)

    def people_search(query, people, at_ms, event=View, after_ms=1_000):
        for person in people:
            suggestions.searched(Search(event_id="s", user_id=person, ts_ms=at_ms, query=query))
            suggestions.acted(event(event_id="e", user_id=person, ts_ms=at_ms + after_ms, item_id="i"))

    people_search("Night  Nurse", ["a", "b", "c"], NOW_MS)
    people_search("night porter", ["a", "b"], NOW_MS)
    people_search("nightclub", ["a"], NOW_MS)
    people_search("night watch", ["a", "b", "c"], NOW_MS, after_ms=WITHIN_MS + 1)
    assert suggestions.suggest("nig") == ("night nurse", "night porter")
    assert suggestions.suggest("night nurse") == ()
    assert suggestions.suggest("nu") == ("night nurse",)
    people_search("night porter", ["d", "e"], NOW_MS + 2 * DAY_MS, Apply)
    assert suggestions.suggest("nig") == ("night porter", "night nurse")
    for person in ("a", "b", "c"):
        suggestions.forget(person)
    assert suggestions.suggest("nig") == ("night porter",)


def test_one_person_makes_no_suggestion_however_busy():
    suggestions = Suggestions()
    for n in range(50):
        suggestions.searched(Search(event_id=f"s{n}", user_id="a", ts_ms=NOW_MS + n, query="spam pills"))
        suggestions.acted(Save(event_id=f"e{n}", user_id="a", ts_ms=NOW_MS + n, item_id="i"))
    assert suggestions.suggest("spam") == ()


def test_decayed_counts_are_those_of_a_full_count():
    """The level of a query is the logarithm of the sum over all its actions of 2^(-age / half-life)."""
    import random
    from math import log2

    rng = random.Random(5)
    suggestions = Suggestions(half_life_s=3_600.0)
    times = sorted(rng.randrange(NOW_MS, NOW_MS + DAY_MS) for _ in range(200))
    total = 0.0
    for n, at_ms in enumerate(times):
        suggestions.searched(Search(event_id="s", user_id=f"u{n}", ts_ms=at_ms, query="welder"))
        suggestions.acted(View(event_id="e", user_id=f"u{n}", ts_ms=at_ms, item_id="i"))
        total += 2.0 ** ((at_ms - NOW_MS) / 3_600_000.0)
    assert suggestions.level("welder", NOW_MS) == pytest.approx(log2(total))
