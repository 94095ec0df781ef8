"""The protocol of search: what is asked, that nothing of the future is known, and figures by hand."""

import json

import pytest

from evaluation.replay_file import read_log
from evaluation.search_quality import LIST, judge_search
from evaluation.search_queries import first_words, known_item
from processors.pack import Pack
from schemas.catalogue import Item
from tests.serving.search.test_spelling import by_definition

PACK = Pack(name="jobs", models="blend")
TITLES = (
    "Night Nurse Ward Three",
    "Night Nurse Ward Four",
    "Line Cook Grill",
    "Line Cook Pastry",
    "Valet Parking Attendant",
)


def test_known_items_are_asked_for_by_three_words_and_one_error():
    for number in range(300):
        item = Item(item_id=f"i{number}", title=f"Senior {TITLES[number % 5]} - Part-time")
        made = known_item(item)
        query, mistyped = made.query.split(), made.mistyped.split()
        assert len(query) == len(mistyped) == 3
        assert set(query) <= set(item.title.replace("-", " ").split())
        wrong = [pair for pair in zip(query, mistyped, strict=True) if pair[0] != pair[1]]
        assert len(wrong) == 1
        assert by_definition(*wrong[0]) == 1
        assert known_item(item) == made
    assert known_item(Item(item_id="a", title="Night nurse, night")) is None
    assert first_words("Cook") is None


def lines(path, views):
    """A file of the five items, and views (person, item, second)."""
    with path.open("w", encoding="utf-8") as file:
        for number, title in enumerate(TITLES):
            item = {"item_id": f"i{number}", "title": title}
            file.write(json.dumps({"topic": "items", "key": f"i{number}", "value": item}) + "\n")
        for place, (person, number, second) in enumerate(views):
            event = {"event_id": f"e{place}", "user_id": person, "item_id": f"i{number}", "ts_ms": 1_000 * second}
            file.write(json.dumps({"topic": "views", "key": person, "value": event}) + "\n")
    return read_log(path)


def test_items_are_asked_for_once_they_were_seen(tmp_path):
    """Of the last half, i1 was never seen before, and `new` is nobody known: one query of a known person remains."""
    views = [("a", 0, 1), ("b", 2, 2), ("c", 3, 3), ("a", 1, 4), ("new", 0, 5), ("b", 3, 6)]
    quality = judge_search(lines(tmp_path / "log.jsonl", views), PACK, judged=(0.5, 1.0))
    assert (quality.plain.n, quality.personal.n) == (1, 1)
    assert (quality.unknown_plain.n, quality.unknown_personal) == (1, quality.unknown_plain)
    assert quality.known_item.n == quality.typo.n == 5
    assert quality.known_item.hr10 == 1.0


@pytest.mark.parametrize("judged", [(0.5, 1.0), (0.8, 0.9)])
def test_what_comes_later_changes_nothing(tmp_path, judged):
    """The same figures whatever follows the judged stretch."""
    views = [(f"u{n % 4}", n % 5, n) for n in range(60)]
    half = judge_search(lines(tmp_path / "log.jsonl", views), PACK, judged=judged)
    changed = views[: int(judged[1] * 60)] + [("u0", 4, n) for n in range(int(judged[1] * 60), 60)]
    other = judge_search(lines(tmp_path / "other.jsonl", changed), PACK, judged=judged)
    assert (half.plain, half.personal) == (other.plain, other.personal)
    assert half.plain.n > 0


def test_people_who_come_back_find_their_own_items_first(tmp_path):
    """Two titles begin alike; each person always views one of them. Relevance cannot tell, the person's order can."""
    views = [(f"u{n % 2}", n % 2, n) for n in range(100)]
    quality = judge_search(lines(tmp_path / "log.jsonl", views), PACK)
    assert quality.personal.mrr == 1.0
    assert quality.plain.mrr < 0.8
    assert LIST >= 2
