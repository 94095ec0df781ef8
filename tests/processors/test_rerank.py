"""Lists made for one request, and what the house wants of them."""

import copy

import msgspec
import numpy as np
import pytest

from processors.actions import APPLY, SAVE, VIEW
from processors.item_filter import condition, meets
from processors.item_neighbours import complements, similar
from processors.merchandising import Rule, in_force
from processors.profile import Profile
from processors.recommend import recommend
from processors.rerank import Ask, rerank
from tests.processors.market import NOW_MS, PACK, person, replica

LATER_MS = NOW_MS + 1_000


def ids(reranked: object) -> list[str]:
    return [item.item_id for item in reranked.items]  # type: ignore[attr-defined]


@pytest.fixture(scope="module", params=["spine", "blend"])
def shop(request: pytest.FixtureRequest) -> object:
    return replica(240, msgspec.structs.replace(PACK, models=request.param))


def rule(kind: str, *items: str, **more: object) -> Rule:
    return Rule(name=f"a {kind}", kind=kind, items=items, until_ms=LATER_MS, **more)  # type: ignore[arg-type]


def test_asked_nothing_special_it_is_the_list(shop) -> None:
    someone = person((0, VIEW), (6, SAVE))
    expected = recommend(someone, NOW_MS, shop)
    assert rerank(someone, NOW_MS, shop, Ask(limit=10)).items == expected
    assert len(expected) == 10


def test_excluded_items_make_room_for_others(shop) -> None:
    someone = person((0, VIEW), (6, SAVE))
    first = ids(rerank(someone, NOW_MS, shop, Ask(limit=10)))
    second = ids(rerank(someone, NOW_MS, shop, Ask(limit=10, exclude=tuple(first[:4]))))
    assert len(second) == 10
    assert not set(first[:4]) & set(second)
    assert [item_id for item_id in first[4:] if item_id in second]


def test_what_is_looked_at_now_counts_and_the_profile_stays_as_it_was(shop) -> None:
    someone = person((0, VIEW))
    before = copy.deepcopy(someone)
    plain = ids(rerank(someone, NOW_MS, shop, Ask(limit=10)))
    looking = ids(rerank(someone, NOW_MS, shop, Ask(limit=10, context_item="j3")))
    assert "j3" not in looking
    pastry = {f"j{k}" for k in range(3, 240, 6)}
    assert len(pastry & set(looking)) > len(pastry & set(plain))
    assert someone == before
    assert ids(rerank(someone, NOW_MS, shop, Ask(limit=5, context_item="unheard of")))


@pytest.mark.parametrize(
    ("texts", "holds"),
    [
        (["city:austin"], lambda item: item.location.city == "Austin"),
        (["city:Austin", "city:Boston"], lambda item: item.location.city in {"Austin", "Boston"}),
        (["region:TX", "brand:Employer 3"], lambda item: item.brand == "Employer 3" and item.location.region == "TX"),
        (["category:welder"], lambda item: item.categories == ("welder",)),
        (["country:US", "posted<=3d"], lambda item: item.posted_ms >= NOW_MS - 3 * 86_400_000),
    ],
)
def test_conditions_hold_for_every_item(shop, texts, holds) -> None:
    asked = Ask(limit=8, conditions=tuple(condition(text) for text in texts))
    found = ids(rerank(person((0, VIEW)), NOW_MS, shop, asked))
    assert found
    assert all(holds(shop.item(item_id)) for item_id in found)


def test_salaries_are_compared_and_an_unsaid_one_meets_nothing(shop) -> None:
    rows = np.arange(1, shop.catalogue.rows)
    paid = shop.catalogue.salary_max[rows]
    assert meets(rows, [condition("salary>=60000")], NOW_MS, shop.catalogue).tolist() == (paid >= 60_000).tolist()
    assert not meets(rows, [condition("price<=10")], NOW_MS, shop.catalogue).any()
    assert not meets(rows, [condition("remote:true")], NOW_MS, shop.catalogue).any()
    assert meets(rows, [condition("remote:false")], NOW_MS, shop.catalogue).all()


@pytest.mark.parametrize(
    "text", ["", "colour:red", "salary>=lots", "remote:maybe", "brand:", "posted<=7", "city:a\nb", "a" * 999]
)
def test_what_is_no_condition_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no condition"):
        condition(text)


def test_nobody_knows_nothing_and_gets_a_list(shop) -> None:
    assert len(ids(rerank(Profile(), NOW_MS, shop, Ask(limit=20)))) == 20


def test_boost_and_bury_move_what_they_name(shop) -> None:
    someone = person((0, VIEW), (6, SAVE))
    plain = ids(rerank(someone, NOW_MS, shop, Ask(limit=10)))
    buried = rerank(someone, NOW_MS, shop, Ask(limit=10, rules=(rule("bury", f"item:{plain[0]}"),)))
    assert plain[0] not in ids(buried)
    assert buried.rules[0].name == "a bury"
    boosted = rerank(someone, NOW_MS, shop, Ask(limit=10, rules=(rule("boost", f"item:{plain[7]}", strength=10.0),)))
    assert ids(boosted)[0] == plain[7]
    assert boosted.rules[0].item_ids == (plain[7],)


def test_a_pin_has_its_place_but_overrules_nobody(shop) -> None:
    pin = rule("pin", "item:j17", position=2)
    assert ids(rerank(person((0, VIEW)), NOW_MS, shop, Ask(limit=5, rules=(pin,))))[1] == "j17"
    unwilling = person((0, VIEW), dismissed={"j17": (NOW_MS, "other")})
    assert "j17" not in ids(rerank(unwilling, NOW_MS, shop, Ask(limit=5, rules=(pin,))))
    assert "j17" not in ids(rerank(person((17, APPLY)), NOW_MS, shop, Ask(limit=5, rules=(pin,))))


def test_quotas_bound_a_list_from_above_and_below(shop) -> None:
    someone = person((0, VIEW), (6, SAVE))
    nurses = {f"j{k}" for k in range(0, 240, 6)}
    few = ids(rerank(someone, NOW_MS, shop, Ask(limit=10, rules=(rule("quota", "category:night", at_most=2),))))
    assert len(few) == 10
    assert len(nurses & set(few)) <= 2
    cooks = {f"j{k}" for k in range(3, 240, 6)}
    some = ids(rerank(someone, NOW_MS, shop, Ask(limit=10, rules=(rule("quota", "category:pastry", at_least=1),))))
    assert len(some) == 10
    assert len(cooks & set(some)) >= min(1, len(cooks & set(ids(rerank(someone, NOW_MS, shop, Ask(limit=40))))))


def test_rules_end_with_their_expiry_and_keep_to_their_surface() -> None:
    rules = (rule("bury", "item:a"), rule("pin", "item:b", surface="email"))
    assert in_force(rules, "site", NOW_MS) == rules[:1]
    assert in_force(rules, "email", NOW_MS) == rules
    assert in_force(rules, "site", LATER_MS) == ()
    with pytest.raises(ValueError, match="is no condition"):
        rule("bury", "whatever")
    with pytest.raises(ValueError, match="at_least"):
        rule("quota", "item:a", at_least=3, at_most=2)


def test_parts_tell_what_spoke_for_each_place(shop) -> None:
    told = rerank(person((0, VIEW), (6, SAVE)), NOW_MS, shop, Ask(limit=3, parts=True))
    assert len(told.parts) == 3
    assert all(any(part > 0 for part in place.values()) for place in told.parts)


def test_neighbours_of_an_item(shop) -> None:
    alike = similar("j0", NOW_MS, shop, 5)
    assert alike
    assert sum(int(found.item_id[1:]) % 6 == 0 for found in alike) >= 4
    assert [found.score for found in alike] == sorted((found.score for found in alike), reverse=True)
    assert "j0" not in [found.item_id for found in alike]
    beside = complements("j0", NOW_MS, shop, 5)
    assert beside is not None
    assert all(shop.item(found.item_id).categories != ("night",) for found in beside)
    assert similar("nothing", NOW_MS, shop, 5) is None
