"""Items that are over leave the learner, the rows of `model` and replicas: exactly, whenever rows are flushed."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest

from evaluation.driver import Driver
from processors.actions import VIEW
from processors.item_rows import ItemModels, decode_item_row, is_forgotten
from processors.learner import MARKER_KEY, Learner
from processors.lifetimes import IDLE_HALF_LIVES, Lifetimes
from processors.pack import Pack
from processors.recommend import recommend
from processors.replica import Replica
from schemas.behaviour import View
from schemas.learning import ENDLESS, RETIRED, Example, Lesson
from tests.processors import market
from tests.processors.market import DAY_MS, NOW_MS, job, person
from tests.processors.restoring import restored_at_each_flush

SPINE = msgspec.structs.replace(market.PACK, forget_after_d=5.0)
BLEND = msgspec.structs.replace(SPINE, models="blend")
PACKS = pytest.mark.parametrize("pack", [SPINE, BLEND], ids=["spine", "blend"])
NEVER = msgspec.structs.replace(BLEND, forget_after_d=1e6)
START_MS = NOW_MS - NOW_MS % DAY_MS


def churn(days: int, seed: int = 3, a_day: int = 40) -> list[Lesson]:
    """A market in which some items live a week, some until they are retired and a few for ever, and come back at times;
    histories reach back to what is long over.
    """
    rng = random.Random(seed)
    made: list[Lesson] = []
    latest: list[list[tuple[str, int, int]]] = [[] for _ in range(8)]
    for k in range(days * a_day):
        ts_ms = START_MS + k * DAY_MS // a_day + rng.randrange(-1_000_000, 1_000_000)
        day = k // a_day
        born = day - rng.randrange(7)
        item_id, until_ms = rng.choice(
            [
                (f"week-{born}-{rng.randrange(4)}", START_MS + (born + 7) * DAY_MS),
                (f"open-{born % 20}-{rng.randrange(3)}", ENDLESS),
                (f"ever-{rng.randrange(5)}", ENDLESS),
            ]
        )
        history = latest[rng.randrange(len(latest))]
        offset = 2 * k
        example = Example(
            0,
            offset,
            ts_ms,
            rng.randrange(4),
            item_id,
            tuple(one for one in reversed(history) if one[0] != item_id)[:10],
            1.0 + rng.random(),
            deed=k + 1,
            after=k if k % 3 else 0,
            until_ms=until_ms if rng.random() < 0.9 else 0,
        )
        history.append((item_id, 0, ts_ms))
        told = [example]
        if k % a_day == 0 and day > 7:
            told.append(Example(0, offset + 1, 0, RETIRED, f"open-{(day - 8) % 20}-{rng.randrange(3)}", ()))
        made.append(Lesson("views", tuple(told)))
    return made


def by_hand(given: list[Lesson], pack: Pack) -> set[str]:
    """What is known at the end: looked at with every lesson in which a day begins."""
    known: dict[str, list[int]] = {}
    clock_ms = 0
    for example in (example for lesson in given for example in lesson.examples):
        if example.action == RETIRED:
            if example.item_id in known:
                until_ms = known[example.item_id][1]
                known[example.item_id][1] = min(until_ms or clock_ms, clock_ms)
            continue
        if example.ts_ms // DAY_MS > clock_ms // DAY_MS:
            now_ms = example.ts_ms
            for item_id, (last_ms, until_ms) in list(known.items()):
                over = until_ms and max(last_ms, until_ms) + pack.forget_after_d * DAY_MS <= now_ms
                idle_ms = IDLE_HALF_LIVES * pack.covisitation_half_life_d * DAY_MS
                if over or (not until_ms and last_ms + idle_ms <= now_ms):
                    del known[item_id]
        clock_ms = max(clock_ms, example.ts_ms)
        for item_id in (example.item_id, *(other for other, _, _ in example.history)):
            entry = known.setdefault(item_id, [0, 1])
            entry[0] = max(entry[0], example.ts_ms)
        if example.until_ms:
            known[example.item_id][1] = max(example.until_ms, 0)
        elif known[example.item_id][1] == 1:
            known[example.item_id][1] = 0
    return known.keys()


def taught(pack: Pack, given: list[Lesson], table: dict[bytes, bytes] | None = None) -> Learner:
    learner = Learner(pack)
    for offset, lesson in enumerate(given):
        learner.learn(lesson, offset)
        if table is not None and offset % 7 == 0:
            table.update(learner.dirty_rows())
    return learner


def live(rows: dict[bytes, bytes]) -> dict[str, object]:
    return {
        key.decode().split("/")[1]: decode_item_row(row)
        for key, row in rows.items()
        if key.startswith(b"item/") and not is_forgotten(key, row)
    }


def numbers_in(row: object) -> set[int]:
    from processors.covisitation import unpacked

    trail = row.trail  # type: ignore[attr-defined]
    if trail is None:
        return set(unpacked(row.neighbours))  # type: ignore[attr-defined]
    return {int.from_bytes(trail.listed[k : k + 4], "little") for k in range(0, len(trail.listed), 4)}


# ---------------------------------------------------------------- what is known, and how much


@PACKS
@pytest.mark.parametrize("days", [9, 40, 120])
def test_what_is_known_is_what_an_oracle_by_hand_knows(pack: Pack, days: int) -> None:
    given = churn(days)
    rows = live(taught(pack, given).dirty_rows())
    assert rows.keys() == by_hand(given, pack)
    assert 0 not in {number for row in rows.values() for number in numbers_in(row)}


@PACKS
def test_nobody_lists_what_is_forgotten(pack: Pack) -> None:
    rows = live(taught(pack, churn(60)).dirty_rows())
    numbers = {row.number for row in rows.values()}  # type: ignore[attr-defined]
    assert len(numbers) == len(rows)
    assert all(numbers_in(row) <= numbers for row in rows.values())


@PACKS
def test_the_state_does_not_grow_with_what_was_once_there(pack: Pack) -> None:
    sizes = {}
    for days in (60, 180):
        rows = live(taught(pack, churn(days)).dirty_rows())
        sizes[days] = len(rows), max(row.number for row in rows.values())  # type: ignore[attr-defined]
    assert sizes[180][0] < 1.2 * sizes[60][0]
    assert sizes[180][1] < 1.3 * sizes[60][1]


def test_control_without_forgetting_it_grows() -> None:
    sizes = [len(live(taught(NEVER, churn(days)).dirty_rows())) for days in (60, 180)]
    assert sizes[1] > 2 * sizes[0]


def test_it_is_all_gone_when_all_is_over() -> None:
    learner = taught(BLEND, churn(30))
    later_ms = START_MS + 100 * DAY_MS
    for k, item_id in enumerate(live(learner.dirty_rows())):
        learner.learn(Lesson("items", (Example(0, k, 0, RETIRED, item_id, ()),)), 10_000)
    learner.learn(Lesson("saves", (Example(0, 0, later_ms, 0, "last", ()),)), 10_001)
    rows = learner.dirty_rows()
    assert live(rows).keys() == {"last"}
    assert live(rows)["last"].number == 1  # type: ignore[attr-defined]


def test_idle_items_stay_until_their_counts_say_nothing() -> None:
    days = IDLE_HALF_LIVES * BLEND.covisitation_half_life_d
    for after_d, known in ((days - 1, {"a", "b"}), (days + 1, {"b"})):
        learner = Learner(BLEND)
        learner.learn(Lesson("views", (Example(0, 0, NOW_MS, 0, "a", ()),)), 0)
        learner.learn(Lesson("views", (Example(0, 1, NOW_MS + int(after_d * DAY_MS), 0, "b", ()),)), 1)
        assert live(learner.dirty_rows()).keys() == known


def test_rows_from_before_are_kept_until_somebody_deals_with_the_item() -> None:
    lifetimes = Lifetimes(BLEND)
    lifetimes.append()
    lifetimes.append()
    assert lifetimes.due(NOW_MS) == []
    assert lifetimes.due(NOW_MS + 10_000 * DAY_MS) == []


# ---------------------------------------------------------------- what comes back


@PACKS
def test_what_comes_back_is_learned_anew(pack: Pack) -> None:
    before = [(k, f"i{k % 4}") for k in range(20)]
    later_ms = NOW_MS + 30 * DAY_MS
    again = [Example(0, 100 + k, later_ms + k, 0, "i1", (("i2", 0, later_ms),)) for k in range(3)]
    learner, fresh = Learner(pack), Learner(pack)
    for k, item_id in before:
        history = (("i0", 0, NOW_MS),) if item_id != "i0" else ()
        example = Example(0, k, NOW_MS + k, 0, item_id, history, until_ms=NOW_MS + DAY_MS)
        learner.learn(Lesson("views", (example,)), k)
    for k, example in enumerate(again, 20):
        for one in (learner, fresh):
            one.learn(Lesson("views", (example,)), k)
    rows, anew = live(learner.dirty_rows()), live(fresh.dirty_rows())
    assert rows == anew
    assert rows.keys() == {"i1", "i2"}


@PACKS
def test_workers_tell_when_items_end(pack: Pack) -> None:
    """Expired, retired, and one that goes on: the whole way, by the functions that workers call."""
    driver = Driver(pack)
    for item_id, expires_ms in (("expires", NOW_MS + DAY_MS), ("retired", None), ("goes on", None)):
        driver.put_item(job(1, item_id=item_id, expires_ms=expires_ms))
    looks = [("expires", 0), ("retired", 0), ("goes on", 0), ("goes on", 3), ("unheard of", 9)]
    for k, (item_id, day) in enumerate(looks):
        ts_ms = NOW_MS + day * DAY_MS + k
        if day == 3:
            driver.retire_item("retired")
        seen = View(event_id=f"e{k}", user_id=f"u{k}", item_id=item_id, ts_ms=ts_ms)
        driver.take("views", seen.user_id.encode(), seen, ts_ms)
        driver.catch_up(ts_ms)
    assert driver.replica._numbers.keys() == {"goes on", "unheard of"}


# ---------------------------------------------------------------- exactness


@PACKS
def test_restoring_at_every_flush_continues_bit_for_bit(pack: Pack) -> None:
    for offset, table, stored in restored_at_each_flush(pack, churn(45, a_day=6), 5):
        assert table == stored
        if offset % 35 == 0:  # tombstones come at any time after the marker
            for key in [key for key, row in table.items() if key != MARKER_KEY and is_forgotten(key, row)]:
                del table[key], stored[key]
    assert any(is_forgotten(key, row) for key, row in stored.items() if key != MARKER_KEY)


class Careless(ItemModels):
    """Gives the number first that became free last: rows do not tell which that was."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(pack)
        self._latest: list[int] = []

    def _forget(self, gone: list[int], offset: int) -> None:
        super()._forget(gone, offset)
        self._latest += gone

    def _number_of(self, item_id: str, until_ms: int = 0) -> int:
        if item_id not in self._numbers and self._latest:
            first = self._latest.pop()
            self._free = [first, *(number for number in self._free if number != first)]
        return super()._number_of(item_id, until_ms)


def test_control_numbers_in_another_order_do_not_survive_a_restart() -> None:
    given = [example for lesson in churn(45, a_day=6) for example in lesson.examples]
    for build, same in ((ItemModels, True), (Careless, False)):
        found = []
        for cuts in ((), (100, 160, 200, 240)):
            model, rows = build(BLEND), dict[bytes, bytes]()
            for offset, example in enumerate(given):
                if offset in cuts:
                    rows |= model.dirty_rows()
                    model = build(BLEND)
                    model.load({key.decode().partition("/")[2]: row for key, row in rows.items()})
                model.learn_one(example, offset)
            found.append(live(rows | model.dirty_rows()))
        assert (found[0] == found[1]) is same


def test_a_table_with_a_row_too_few_is_refused() -> None:
    learner = taught(BLEND, churn(20))
    rows = learner.dirty_rows() | {MARKER_KEY: learner.marker(799)}
    Learner.restore(BLEND, rows)
    for key in [key for key in rows if key.startswith(b"item/")][:20]:
        if not is_forgotten(key, rows[key]):
            with pytest.raises(ValueError, match="model rows"):
                Learner.restore(BLEND, {name: row for name, row in rows.items() if name != key})


# ---------------------------------------------------------------- replicas


def a_replica(pack: Pack) -> Replica:
    made = Replica(pack)
    for k, kind in enumerate(("week", "open", "ever")):
        for n in range(60):
            for m in range(5):
                made.put_item(job(k * 300 + n * 5 + m, item_id=f"{kind}-{n}-{m}" if kind != "ever" else f"ever-{m}"))
    return made


def said_by(made: Replica, now_ms: int) -> list[object]:
    """Lists of a few people, and all levels, by item."""
    people = [person(*[(k * 7 + n, VIEW) for k in range(8)]) for n in range(4)]
    for n, one in enumerate(people):
        one.actions[:] = [
            msgspec.structs.replace(action, item_id=f"{('week', 'open')[k % 2]}-{(n * 3 + k * 5) % 45}-{k % 3}")
            for k, action in enumerate(one.actions)
        ]
    lists = [msgspec.to_builtins(recommend(one, now_ms, made, limit=20)) for one in people]
    levels = {
        item_id: made.popularity.levels[number].tolist() for item_id, number in sorted(made._numbers.items()) if number
    }
    return [*lists, levels]


@PACKS
def test_a_replica_that_followed_says_what_one_says_that_reads_what_is_left(pack: Pack) -> None:
    given = churn(45)
    now_ms = START_MS + 45 * DAY_MS
    for seed in range(3):
        rng = random.Random(seed)
        followed, learner, table = a_replica(pack), Learner(pack), dict[bytes, bytes]()
        for offset, lesson in enumerate(given):
            learner.learn(lesson, offset)
            if rng.random() < 0.02 or offset == len(given) - 1:
                rows = learner.dirty_rows() | {MARKER_KEY: learner.marker(offset)}
                for key in rows:  # the last record of a key is the one that is kept, in its place
                    table.pop(key, None)
                table |= rows
                for key, row in rows.items():
                    followed.apply_row(key, row)
                if rng.random() < 0.5:
                    for key in [key for key, row in table.items() if is_forgotten(key, row)]:
                        followed.apply_row(key, None)
                        del table[key]
        late, shuffled = a_replica(pack), a_replica(pack)
        for key, row in table.items():
            late.apply_row(key, row)
        kept = list(table.items())
        rng.shuffle(kept)
        for key, row in kept:
            shuffled.apply_row(key, row)
        assert said_by(followed, now_ms) == said_by(late, now_ms) == said_by(shuffled, now_ms)
        assert followed._numbers.keys() == by_hand(given, pack)
        assert len(followed.popularity.levels) <= 512


def test_a_replica_still_knows_an_item_that_was_forgotten_and_is_there() -> None:
    made = Replica(BLEND)
    made.put_item(job(1))
    learner = Learner(BLEND)
    learner.learn(Lesson("views", (Example(0, 0, NOW_MS, 0, "j1", (), until_ms=NOW_MS),)), 0)
    for key, row in learner.dirty_rows().items():
        made.apply_row(key, row)
    assert made.shelves.numbers[made.catalogue.row_of("j1")] == 1
    learner.learn(Lesson("views", (Example(0, 1, NOW_MS + 9 * DAY_MS, 0, "j2", ()),)), 1)
    for key, row in learner.dirty_rows().items():
        made.apply_row(key, row)
    assert made.shelves.numbers[made.catalogue.row_of("j1")] == 0
    assert [item.item_id for item in recommend(person(), NOW_MS, made)] == ["j1"]


@PACKS
def test_a_replica_lets_go_of_what_was_forgotten(pack: Pack) -> None:
    followed, learner = Replica(pack), Learner(pack)

    def hear(place: int, ts_ms: int, item_id: str, *before: str, until_ms: int = 0) -> None:
        history = tuple((other, 0, ts_ms - 1_000) for other in before)
        learner.learn(Lesson("views", (Example(0, place, ts_ms, 0, item_id, history, until_ms=until_ms),)), place)
        for key, row in learner.dirty_rows().items():
            followed.apply_row(key, row)

    def held(number: int) -> tuple[bool, int, int]:
        """Whether it has counts, and how many numbers trails and co-visitation name for it."""
        trodden = followed.trails.read(np.array([number]), np.ones(1), NOW_MS).numbers
        together = followed.covisitation.neighbours([number], NOW_MS)[0]
        return bool(np.isfinite(followed.popularity.levels[number]).any()), len(trodden), len(together)

    hear(0, NOW_MS, "j1", until_ms=NOW_MS)
    hear(1, NOW_MS + 5_000, "j2", "j1", until_ms=NOW_MS)
    assert held(2) == (True, pack is BLEND, pack is SPINE)
    hear(2, NOW_MS + 9 * DAY_MS, "j3")  # takes the lowest number that is free; the other one is nobody's
    assert held(2) == (False, 0, 0)
