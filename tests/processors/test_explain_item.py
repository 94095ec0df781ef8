"""Why an item is in a list, at which place, and why not; against what lists really hold."""

import msgspec
import numpy as np
import pytest

from processors.actions import APPLY, SAVE, VIEW
from processors.eligibility import eligible
from processors.explain_item import explain_item
from processors.profile import Profile
from processors.recommend import recommend
from processors.taste import taste_of
from processors.why_not import objections
from tests.processors.market import DAY_MS, NOW_MS, PACK, job, person, replica

NURSE = person((0, VIEW), (6, VIEW), (12, SAVE))


def codes(profile: Profile, item_id: str, made: object) -> list[str]:
    return [objection.code for objection in explain_item(profile, item_id, NOW_MS, made).why_not]


def test_what_is_in_the_list_is_explained_with_its_place_and_contributions_that_sum_to_its_score() -> None:
    made = replica(240)
    for item in recommend(NURSE, NOW_MS, made):
        found = explain_item(NURSE, item.item_id, NOW_MS, made)
        assert found.rank == item.rank
        assert found.why_not == ()
        assert found.reasons == item.reasons
        assert sum(told.adds for told in found.contributions) == pytest.approx(item.score)
        assert found.score == pytest.approx(item.score)
    again = explain_item(person((0, VIEW), (6, SAVE)), "j0", NOW_MS, made)
    assert min(told.adds for told in again.contributions) < 0.0  # seen before speaks against it


def test_every_reason_why_not() -> None:
    made = replica(240, msgspec.structs.replace(PACK, max_age_d=60.0))
    for k, changes in enumerate(
        (
            {"expires_ms": NOW_MS - 2 * DAY_MS},
            {"available": False},
            {"posted_ms": NOW_MS + 1},
            {"posted_ms": NOW_MS - 61 * DAY_MS},
        ),
        500,
    ):
        made.put_item(job(k, **changes))
    assert [codes(NURSE, f"j{k}", made) for k in range(500, 504)] == [
        ["expired"],
        ["unavailable"],
        ["not_posted"],
        ["too_old"],
    ]
    assert codes(NURSE, "nothing", made) == ["unknown"]
    assert codes(person((0, VIEW), dismissed={"j6": (NOW_MS, "pay")}), "j6", made) == ["dismissed"]
    assert codes(person((0, VIEW), (6, APPLY)), "j6", made) == ["applied"]
    demanding = person((0, VIEW), stated={"min_salary": 60_000.0, "remote": True, "places": ["Boston"]})
    made.put_item(job(6, remote=False))
    assert codes(demanding, "j6", made) == ["salary", "not_remote", "place"]
    told = explain_item(demanding, "j6", NOW_MS, made).why_not
    assert told[0].words == "it pays up to 36,000 a year, below the 60,000 they asked for"


def test_what_the_slate_leaves_out_and_what_is_outranked() -> None:
    made = replica(240, msgspec.structs.replace(PACK, max_per_brand=1, max_seen=0))
    made.put_item(job(0, item_id="twin"))
    found = {k: codes(NURSE, f"j{k}", made) for k in range(240)}
    assert {"brand", "seen", "outranked"} <= {code for objections in found.values() for code in objections}
    assert all(found[k] for k in (0, 6, 12))  # none that they dealt with may be in the list
    told = explain_item(NURSE, "twin", NOW_MS, made)
    assert told.rank is not None or told.why_not[-1].code in {"outranked", "no_candidate"}
    beyond = [explain_item(NURSE, f"j{k}", NOW_MS, made) for k in range(240) if found[k] == ["outranked"]]
    assert all(f" of {told.candidates} candidates" in told.why_not[0].words for told in beyond)
    assert len({told.place for told in beyond}) == len(beyond)


def test_a_repost_and_an_item_that_nothing_leads_to() -> None:
    made = replica(240, msgspec.structs.replace(PACK, max_per_brand=50))
    first = recommend(NURSE, NOW_MS, made)[0].item_id
    row = made.catalogue.row_of(first)
    copied = msgspec.structs.replace(job(int(first[1:])), item_id="copy", posted_ms=NOW_MS - 90 * DAY_MS)
    made.put_item(copied)
    assert made.catalogue.twin[row] == made.catalogue.twin[made.catalogue.row_of("copy")]
    assert codes(NURSE, "copy", made)[0] == "repost"
    made = replica(240, msgspec.structs.replace(PACK, candidates=10), given=[])
    every = {k: explain_item(person((0, VIEW)), f"j{k}", NOW_MS, made) for k in range(240)}
    lost = [told for told in every.values() if told.place is None and told.rank is None]
    assert lost
    assert all(told.why_not[-1].code == "no_candidate" and told.score is not None for told in lost)


def test_objections_are_exactly_what_makes_an_item_ineligible() -> None:
    made = replica(240, msgspec.structs.replace(PACK, max_age_d=12.0))
    for k in range(0, 240, 7):
        made.put_item(job(k, available=k % 2 == 0, expires_ms=NOW_MS + (k - 100) * DAY_MS, remote=k % 3 == 0))
    for profile in (
        NURSE,
        person((0, APPLY), (8, VIEW), dismissed={"j9": (NOW_MS, "other"), "j10": (NOW_MS, None)}),
        person(stated={"min_salary": 45_000.0, "remote": True}),
        person(stated={"places": ["Austin", "MA"]}),
    ):
        taste = taste_of(profile, NOW_MS, made)
        rows = np.arange(1, made.catalogue.rows)
        allowed = eligible(rows, taste, NOW_MS, made).tolist()
        assert [not objections(int(row), profile, taste, NOW_MS, made) for row in rows] == allowed
        assert 0 < sum(allowed) < len(allowed)


def test_under_the_learned_blend_too() -> None:
    made = replica(240, msgspec.structs.replace(PACK, models="blend"))
    items = recommend(NURSE, NOW_MS, made)
    found = explain_item(NURSE, items[0].item_id, NOW_MS, made)
    assert found.rank == 1
    assert found.contributions
    assert explain_item(NURSE, "j1", NOW_MS, made).why_not
