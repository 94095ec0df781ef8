"""A bot and a click farm: what they may teach is bounded, and what that moves in other people's lists is little."""

import random

import msgspec
import pytest

from evaluation.driver import Driver
from processors.effects import Learn, Untaught
from processors.pack import Pack
from processors.recommend import recommend
from schemas.behaviour import View
from tests.processors.market import NOW_MS, PACK, TRADES, job

MINUTE_MS = 60_000
JOBS, PEOPLE = 240, 60
UNBOUNDED = msgspec.structs.replace(PACK, teach_burst=10_000, teach_per_minute=1e9, teach_same_item=10_000)
TARGET = "j3"


class Market(Driver):
    """People who look at some twenty jobs of two trades each, in the two hours before `NOW_MS`."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack, slates=True)
        self.taught = self.untaught = self.events = 0
        for k in range(JOBS):
            self.put_item(job(k))
        rng = random.Random(3)
        for person in range(PEOPLE):
            trades = rng.sample(range(len(TRADES)), 2)
            for n in range(20):
                k = rng.choice(trades) + len(TRADES) * min(int(rng.expovariate(0.15)), JOBS // len(TRADES) - 1)
                self.look(f"u{person}", f"j{k}", NOW_MS - (120 - 6 * n) * MINUTE_MS - person)

    def look(self, user_id: str, item_id: str, ts_ms: int) -> None:
        self.events += 1
        event = View(event_id=f"e{self.events}", user_id=user_id, ts_ms=ts_ms, item_id=item_id)
        effects = self.take("views", user_id.encode(), event, ts_ms).effects
        self.taught += sum(isinstance(effect, Learn) for effect in effects)
        self.untaught += sum(isinstance(effect, Untaught) for effect in effects)

    def lists(self) -> list[set[str]]:
        self.catch_up(NOW_MS)
        found = [recommend(self.profiles[f"u{k}".encode()], NOW_MS, self.replica) for k in range(PEOPLE)]
        return [{item.item_id for item in items} for items in found]


def bot(market: Market, minutes: int = 2, a_minute: int = 2_000) -> None:
    """One account that looks at one job as fast as it can, and in between at anything."""
    rng = random.Random(5)
    for n in range(minutes * a_minute):
        item_id = TARGET if n % 2 else f"j{rng.randrange(JOBS)}"
        market.look("bot", item_id, NOW_MS - minutes * MINUTE_MS + n * MINUTE_MS // a_minute)


def farm(market: Market, accounts: int = 10, looks: int = 200) -> None:
    """Ten accounts that look at nothing but one job."""
    for n in range(looks):
        for account in range(accounts):
            market.look(f"farm{account}", TARGET, NOW_MS - (looks - n) * 1_000)


def moved(pack: Pack, attack: object) -> tuple[int, float, int]:
    """How many of ten items changed in the list that changed most, on average, and in how many the target is new."""
    before = Market(pack).lists()
    attacked = Market(pack)
    attack(attacked)  # type: ignore[operator]
    after = attacked.lists()
    changed = [len(one - two) for one, two in zip(before, after, strict=True)]
    won = sum(TARGET in two and TARGET not in one for one, two in zip(before, after, strict=True))
    return max(changed), sum(changed) / len(changed), won


@pytest.mark.slow
@pytest.mark.parametrize("attack", [bot, farm])
@pytest.mark.parametrize("models", ["spine", "blend"])
def test_an_attack_moves_little_and_without_the_bounds_more(models: str, attack: object) -> None:
    bounded, loose = (msgspec.structs.replace(pack, models=models) for pack in (PACK, UNBOUNDED))
    most, mean, won = moved(bounded, attack)
    assert most <= 3
    assert mean <= 1.0
    assert won <= PEOPLE // 20
    without = moved(loose, attack)
    assert without[1] > 1.5 * mean
    assert without[2] >= won


def test_what_is_not_taught_is_counted_and_still_the_persons_own() -> None:
    market = Market(PACK)
    assert market.untaught < 0.01 * market.events
    honest, refused = market.taught, market.untaught
    for n in range(1_000):
        market.look("bot", f"j{n % JOBS}", NOW_MS + n)
    assert market.taught - honest == PACK.teach_burst
    assert market.untaught - refused == 1_000 - PACK.teach_burst
    assert market.profiles[b"bot"].totals["views"] == 1_000


@pytest.mark.parametrize("dates", ["forward", "backward", "to and fro"])
def test_chosen_dates_do_not_get_round_the_bound(dates: str) -> None:
    market = Market(PACK)
    honest, minutes = market.taught, 30
    for n in range(3_000):
        step = {"forward": n, "backward": -n, "to and fro": n * 7_919 % 3_000}[dates]
        market.look("bot", f"j{n % JOBS}", NOW_MS + step * minutes * MINUTE_MS // 3_000)
    assert market.taught - honest <= PACK.teach_burst + minutes * PACK.teach_per_minute + 1


def test_the_same_item_teaches_a_few_times_a_day() -> None:
    market = Market(PACK)
    honest = market.taught
    for n in range(40):
        market.look("fan", "j7", NOW_MS + n * 5 * MINUTE_MS)
    assert market.taught - honest == PACK.teach_same_item
    market.look("fan", "j7", NOW_MS + 2 * 86_400_000)
    assert market.taught - honest == PACK.teach_same_item + 1
