import numpy as np
import pytest

from simulation.local_time import DAY_MS
from simulation.mailbox import MailedMarket
from simulation.variants import VARIANTS
from simulation.world import make_world
from tests.simulation.market_day import run

pytestmark = pytest.mark.slow

HOUR_MS = 3_600_000


def built(name: str, users: int = 1500) -> MailedMarket:
    world = make_world(name, seed=3, users=users, days=14)
    assert isinstance(world, MailedMarket)
    return world


def agreement(world: MailedMarket) -> float:
    """Mean correlation of a person's visits by hour with their response to mail, weekdays from seven to eleven."""
    rhythms = world.people.rhythms
    visits = np.diff(rhythms.visits_cdf[:, 0, 6:23], axis=1)
    visits = visits / visits.mean(axis=0)
    response = rhythms.response[:, 0, 7:23]
    response = response / response.mean(axis=0)
    return float(np.mean([np.corrcoef(v, r)[0, 1] for v, r in zip(visits, response, strict=True)]))


def between_segments(world: MailedMarket) -> float:
    """Share of the variance of response curves that the segment explains."""
    rhythms = world.people.rhythms
    curves = rhythms.response[:, 0, 7:23]
    means = np.array([curves[rhythms.segment == s].mean(axis=0) for s in range(4)])[rhythms.segment]
    return float(means.var(axis=0).sum() / curves.var(axis=0).sum())


@pytest.mark.parametrize("domain", ["jobs", "shop"])
def test_without_taste_no_item_is_better_than_another(domain: str) -> None:
    world = built(f"{domain}:no-taste", 60)
    at = world.start_ms + 12 * HOUR_MS
    items = [r["key"] for r in world.catalogue() if r["topic"] == "items"][:50]
    for user in world.people.ids[:20]:
        assert len({world.truth(user, item, at) for item in items}) == 1


@pytest.mark.parametrize("domain", ["jobs", "shop"])
def test_without_taste_the_same_mails_are_clicked_alike_whatever_is_in_them(domain: str) -> None:
    newest, best = (run(f"{domain}:no-taste", policy, users=400, days=12).outcomes for policy in ("newest", "best"))
    assert newest["mails"] == best["mails"]
    assert best["clicks"] == pytest.approx(newest["clicks"], rel=0.1)


def test_without_rhythm_every_hour_is_the_same() -> None:
    world = built("jobs:no-rhythm")
    assert np.all(world.people.rhythms.response == 1.0)
    assert np.diff(world.people.rhythms.visits_cdf, axis=2) == pytest.approx(1 / 24)
    user, start = world.people.ids[0], world.start_ms
    calm = {round(world.truth(user, None, start + h * HOUR_MS), 12) for h in range(1, 23)}
    assert len(calm) == 1
    rhythmic = built("jobs")
    assert len({round(rhythmic.truth(user, None, start + h * HOUR_MS), 12) for h in range(1, 23)}) > 5


def test_peaks_belong_to_persons_or_to_segments() -> None:
    assert between_segments(built("jobs:personal-peaks")) < 0.05
    assert between_segments(built("jobs:segment-peaks")) > 0.6
    assert 0.05 < between_segments(built("jobs")) < 0.6


def test_activity_tells_the_response_as_much_as_the_variant_says() -> None:
    assert abs(agreement(built("jobs:no-activity-signal"))) < 0.12
    assert agreement(built("jobs")) > 0.4
    assert agreement(built("jobs:personal-peaks")) > agreement(built("jobs"))


def test_half_of_all_mail_is_opened_by_machines_within_seconds() -> None:
    done = run("jobs:machine-opens", "newest", users=300, days=5)
    assert 0.4 < float(done.world.people.machine.mean()) < 0.6
    machine = [r["value"] for r in done.live if r["topic"] == "opens" and r["value"]["user_agent"] == "Mozilla/5.0"]
    assert len(machine) > 0.35 * done.outcomes["mails"]
    for value in machine:
        day = int(value["send_id"].rsplit("-", 1)[1])
        sent = done.world.start_ms + day * DAY_MS + 15 * HOUR_MS
        assert 0 < value["ts_ms"] - sent <= 10_000
    marked = sum(bool(v.get("machine")) for v in machine)
    assert 0.3 < marked / len(machine) < 0.7


def test_the_right_hour_is_worth_a_third_and_the_right_item_much_more() -> None:
    world = built("jobs")
    gain = world.people.rhythms.response[:, 0, 7:23].max(axis=1) / world.people.rhythms.response[:, 0, 10]
    assert 1.2 < float(gain.mean()) < 1.5


def test_every_variant_can_be_built_in_both_domains() -> None:
    for name in VARIANTS:
        for domain in ("jobs", "shop"):
            assert make_world(f"{domain}:{name}", 1, 10, 1).start_ms > 0
