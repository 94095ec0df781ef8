"""What tires people does so by as much as is written down, and not at all where nothing is to."""

import dataclasses

import numpy as np
import pytest

from simulation.local_time import DAY_MS
from simulation.variants import VARIANTS
from simulation.weariness import Weariness
from tests.simulation.market_day import run

ITEMS = np.array([3, 4], dtype=np.int64)


def test_each_look_takes_an_eighth_and_half_is_forgotten_after_two_weeks() -> None:
    tired = Weariness(2, 0, 1.0)
    for _ in range(3):
        tired.looked(1, 3, DAY_MS)
    assert tired.kept(1, ITEMS, DAY_MS) == pytest.approx([0.88**3, 1.0])
    assert tired.kept(1, ITEMS, 15 * DAY_MS) == pytest.approx([0.88**1.5, 1.0])
    assert tired.kept(0, ITEMS, DAY_MS) == pytest.approx([1.0, 1.0])
    for _ in range(40):
        tired.looked(1, 3, DAY_MS)
    assert tired.kept(1, ITEMS, DAY_MS)[0] == pytest.approx(0.88**12)


def test_mails_of_late_are_the_sum_of_their_decayed_ages() -> None:
    tired, days = Weariness(1, 0, 1.0), [0, 1, 2, 5]
    for day in days:
        tired.mailed(0, day * DAY_MS)
    assert tired.mails(0, 7 * DAY_MS) == pytest.approx(sum(2 ** (-(7 - day) / 3) for day in days))


def test_volume_and_uselessness_cost_attention_and_loyalty() -> None:
    once, daily, useless = (Weariness(1, 0, 1.0) for _ in range(3))
    once.mailed(0, 13 * DAY_MS)
    for day in range(14):
        daily.mailed(0, day * DAY_MS)
    useless.mailed(0, 13 * DAY_MS)
    for _ in range(10):
        useless.read(0, 0.02)
    now = 14 * DAY_MS
    assert once.attention(0, now, 4.0) == pytest.approx(1.0)
    assert 0.4 < daily.attention(0, now, 4.0) < 0.75
    assert daily.urge_to_leave(0, now, 4.0) > 2.5 * once.urge_to_leave(0, now, 4.0)
    assert useless.attention(0, now, 4.0) < 0.6
    assert useless.urge_to_leave(0, now, 4.0) > 1.5


def test_nothing_tires_the_tireless() -> None:
    tired = Weariness(1, 0, VARIANTS["tireless"].wear)
    for day in range(30):
        tired.mailed(0, day * DAY_MS)
        tired.looked(0, 3, day * DAY_MS)
        tired.read(0, 0.0)
    assert tired.attention(0, 30 * DAY_MS, 1.0) == tired.urge_to_leave(0, 30 * DAY_MS, 1.0) == 1.0
    assert tired.kept(0, ITEMS, 30 * DAY_MS) == pytest.approx([1.0, 1.0])


@pytest.mark.slow
def test_a_world_of_the_weary_answers_less_and_leaves_more() -> None:
    found = {name: run(f"jobs:{name}", "newest", users=200, days=14).outcomes for name in ("tireless", "base", "weary")}
    clicks, left = ([outcomes[what] for outcomes in found.values()] for what in ("clicks", "unsubscribes"))
    assert clicks == sorted(clicks, reverse=True)
    assert clicks[0] > 1.3 * clicks[2]
    assert left[0] < left[2]


def test_variants_differ_from_the_base_in_one_thing() -> None:
    base = dataclasses.asdict(VARIANTS["base"])
    for name in ("tireless", "weary"):
        other = dataclasses.asdict(VARIANTS[name])
        assert {field for field in base if base[field] != other[field]} == {"name", "wear"}
