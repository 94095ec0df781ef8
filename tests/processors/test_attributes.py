"""`attributes` of people: read by nothing, unless the pack lists them; then one feature of the learned blend."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import numpy as np
import pytest

from evaluation.challenger import Shadow
from evaluation.driver import Driver
from processors.actions import VIEW
from processors.attributes import FEATURE, ItemAttributes, listed_of
from processors.blend import NAMES, names_of, prior_of
from processors.challenger import candidates_of
from processors.explain_item import explain_item
from processors.learner import Learner
from processors.model_rows import split_key
from processors.pack import Pack
from processors.recommend import recommend
from processors.stated import state_user, withdraw_user
from schemas.behaviour import View
from schemas.catalogue import User
from tests.processors import market
from tests.processors.market import NOW_MS, job, person

LICENCES = ("b", "c", "d")
BLEND = msgspec.structs.replace(market.PACK, models="blend", explore=1)
LISTING = msgspec.structs.replace(BLEND, attributes=("licence", "night"))


class Kept(Driver):
    """A driver that keeps the rows of `model`."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack, publishes=True)
        self.rows: dict[bytes, bytes] = {}
        self.examples: list[Any] = []

    def _apply(self, rows: dict[bytes, bytes]) -> None:
        self.rows |= rows
        super()._apply(rows)


def attributes_of(k: int) -> dict[str, Any]:
    return {"licence": LICENCES[k % 3], "night": k % 2 == 0, "gender": "fm"[k % 2], "age": 20 + k}


def lived(pack: Pack, given: dict[int, dict[str, Any]]) -> Kept:
    """Twelve people with the attributes given look at what asks for their licence, or at anything."""
    driver = Kept(pack)
    for k in range(60):
        driver.put_item(job(k, attributes={"licence": [LICENCES[k // 6 % 3], "none such"], "night": k % 4 > 1}))
    for k in range(180):
        number, now_ms = k % 12, NOW_MS + k * 60_000
        who = f"u{number}"
        if k < 12:
            row = User(user_id=who, tz="UTC", attributes=given.get(number))
            driver.take("users", who.encode(), row, now_ms)
        place = (k // 12 * 5 + number * 7) % 18
        item = (place // 6 * 3 + number % 3) * 6 + place % 6 if k % 5 else k * 7 % 60
        seen = View(event_id=f"e{k}", user_id=who, ts_ms=now_ms, item_id=f"j{item}")
        driver.take("views", who.encode(), seen, now_ms)
        driver.catch_up(now_ms)
    return driver


def fingerprint(driver: Kept) -> tuple[str, str]:
    """Of all lists, and of all rows of `model`."""
    lists = msgspec.json.encode(sorted(driver.published.items()))
    rows = msgspec.msgpack.encode(sorted(driver.rows.items()))
    return hashlib.sha256(lists).hexdigest(), hashlib.sha256(rows).hexdigest()


GIVEN = {k: attributes_of(k) for k in range(12)}
PERMUTED = {k: attributes_of(5 * k + 1) for k in range(12)}


@pytest.mark.parametrize("models", ["spine", "blend"])
def test_without_the_setting_no_list_and_no_row_knows_attributes_of_people(models: str) -> None:
    pack = msgspec.structs.replace(BLEND, models=models)
    as_given = fingerprint(lived(pack, GIVEN))
    assert as_given == fingerprint(lived(pack, PERMUTED)) == fingerprint(lived(pack, {}))


def test_profiles_hold_none_of_them_either() -> None:
    for pack, kept in ((BLEND, set()), (LISTING, {"licence", "night"})):
        driver = lived(pack, GIVEN)
        assert all(set(one.said(FEATURE) or {}) == kept for one in driver.profiles.values())
        assert b"gender" not in b"".join(msgspec.msgpack.encode(one) for one in driver.profiles.values())


def test_control_a_listed_attribute_is_noticed_by_the_same_fingerprints() -> None:
    as_given, permuted = fingerprint(lived(LISTING, GIVEN)), fingerprint(lived(LISTING, PERMUTED))
    assert as_given[0] != permuted[0]
    assert as_given[1] != permuted[1]


def test_of_listed_ones_too_only_the_listed_count() -> None:
    others = {k: one | {"gender": "x", "age": 99} for k, one in GIVEN.items()}
    assert fingerprint(lived(LISTING, GIVEN)) == fingerprint(lived(LISTING, others))


def test_its_weight_is_learned_from_nothing_and_explained() -> None:
    driver = lived(LISTING, GIVEN)
    weight = driver.replica.blend_weights[len(NAMES)]
    assert prior_of(LISTING)[len(NAMES)] == 0.0 < weight
    assert fingerprint(lived(LISTING, {})) != fingerprint(driver)
    profile, now_ms = driver.profiles[b"u0"], NOW_MS + 10**8
    told = [explain_item(profile, f"j{k}", now_ms, driver.replica) for k in range(60)]
    parts = {
        one.item_id: next((part for part in one.contributions if part.feature == FEATURE), None)
        for one in told
        if one.contributions
    }
    own = {action.item_id for action in profile.actions}
    assert not any(parts.get(item_id) for item_id in own)
    fits = [part.adds for k in range(60) if k // 6 % 3 == 0 and k % 4 > 1 and (part := parts.get(f"j{k}"))]
    misfits = [part.adds for k in range(60) if k // 6 % 3 and k % 4 < 2 and (part := parts.get(f"j{k}"))]
    assert fits
    assert misfits
    assert min(fits) > max(misfits)
    assert "licence, night" in next(part for part in parts.values() if part).words


def test_nothing_is_explained_that_is_not_listed() -> None:
    made = market.replica(pack=BLEND)
    found = [explain_item(person((0, VIEW)), f"j{k}", NOW_MS, made).contributions for k in range(60)]
    assert FEATURE not in {part.feature for parts in found for part in parts}


def test_the_share_of_a_person_s_attributes_that_an_item_has() -> None:
    known = ItemAttributes(("licence", "night"))
    known.put(1, {"licence": ["B", "C"], "night": True})
    known.put(2, {"licence": "c "})
    known.put(3, None)
    rows = np.array([1, 2, 3])
    assert known.shared(rows, {"licence": ["c"], "night": ["true"]}).tolist() == [1.0, 0.5, 0.0]
    assert known.shared(rows, {"licence": ["a", "b"]}).tolist() == [1.0, 0.0, 0.0]
    assert known.shared(rows, {}).tolist() == [0.0, 0.0, 0.0]
    known.put(1, {"licence": None, "night": []})
    assert known.shared(rows, {"licence": ["c"], "night": ["true"]}).tolist() == [0.0, 0.5, 0.0]


def test_what_is_kept_of_a_person_is_bounded_and_withdrawn_with_the_row() -> None:
    profile = person()
    huge = {"licence": [f"{k}" * 100 for k in range(60)], "night": "x" * 2_000, "age": 3}
    state_user(profile, User(user_id="u", attributes=huge), 5, ("licence", "night"))
    said = profile.said(FEATURE)
    assert len(msgspec.msgpack.encode(said)) < 300
    assert set(said) == {"licence", "night"}
    state_user(profile, User(user_id="u", attributes=huge), 6)
    assert profile.said(FEATURE) is None
    state_user(profile, User(user_id="u", attributes=huge), 7, ("licence",))
    withdraw_user(profile)
    assert profile.said(FEATURE) is None
    assert listed_of(None, ("licence",)) == {}


def test_the_trees_leave_it_out_and_weights_learned_before_it_was_listed_stay() -> None:
    before = lived(BLEND, GIVEN)
    learner = Learner.restore(LISTING, {key: row for key, row in before.rows.items() if split_key(key)[0] != "session"})
    driver = lived(LISTING, GIVEN)
    shadow = Shadow(LISTING)
    assert shadow.weights.shape == (len(NAMES),)
    assert learner is not None
    assert names_of(BLEND) == NAMES
    example = next(
        effect.example
        for k in range(20)
        for effect in driver.take("views", b"u1", _look(k), NOW_MS + 10**8 + k).effects
        if getattr(effect, "example", None) is not None and effect.example.candidates
    )
    assert example.features == len(NAMES) + 1
    assert candidates_of(example).shape[1] == len(NAMES)  # type: ignore[union-attr]
    shadow.take(example, 0)
    assert recommend(driver.profiles[b"u1"], NOW_MS + 10**8, driver.replica)


def _look(k: int) -> View:
    return View(event_id=f"l{k}", user_id="u1", ts_ms=NOW_MS + 10**8 + k, item_id=f"j{k * 3}")


def test_a_list_of_the_setting_is_checked() -> None:
    with pytest.raises(ValueError, match="named twice"):
        msgspec.structs.replace(BLEND, attributes=("a", "a"))
