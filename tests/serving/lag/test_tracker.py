"""The collector's judgement on made-up readings: no broker, no clock."""

import msgspec

from serving.lag.reading import Bounds, GroupReading, LoggedCommit, Partition, Reading
from serving.lag.row import LagRow
from serving.lag.stamps import Stamp, Target
from serving.lag.status import Status
from serving.lag.tracker import State, Tracker, topics_of
from streams.topics import PROFILES_CHANGELOG

AT = Partition("t", 0)
T0 = 1_000_000_000


def reading(
    now_ms: int, end: int, committed: int | None, start: int = 0, members: int = 1, logged: tuple[int, ...] = ()
) -> Reading:
    return Reading(
        now_ms=now_ms,
        bounds={AT: Bounds(start, end, end)},
        groups={"g": GroupReading(members, {} if committed is None else {AT: committed}, frozenset({AT}))},
        commits=[LoggedCommit("g", AT, committed or 0, ts_ms) for ts_ms in logged],
        log_from_ms=1 if logged else None,
    )


def row(tracker: Tracker, seen: Reading) -> LagRow:
    tracker.fold(seen)
    (only,) = tracker.rows()
    return only


def tracker() -> Tracker:
    return Tracker(State("c"))


def test_idle_and_caught_up_is_well_for_ever() -> None:
    it = tracker()
    for hour in range(48):
        seen = row(it, reading(T0 + hour * 3_600_000, 7, 7))
        assert (seen.lag, seen.lag_s, seen.eta_s, seen.status) == (0, 0.0, 0.0, Status.OK)


def test_an_empty_partition_is_well() -> None:
    seen = row(tracker(), reading(T0, 0, None))
    assert (seen.lag, seen.status, seen.committed, seen.last_commit_age_s) == (0, Status.OK, False, None)


def test_never_committed_counts_from_the_start_of_the_log() -> None:
    seen = row(tracker(), reading(T0, 50, None, start=20, members=0))
    assert (seen.lag, seen.committed, seen.lost_records, seen.status) == (30, False, 0, Status.STOP)


def test_retention_that_overtakes_is_loss() -> None:
    seen = row(tracker(), reading(T0, 50, 5, start=20))
    assert (seen.lag, seen.lost_records, seen.note) == (45, 15, "15 lost to retention")


def test_an_exact_timestamp_wins_and_never_goes_negative() -> None:
    it = tracker()
    it.fold(reading(T0, 50, 5))
    (target,) = it.targets()
    assert target == Target(AT, 5, 50)
    it.learn([(target, Stamp(T0 - 90_000))])
    assert it.rows()[0].lag_s == 90.0
    it.learn([(target, Stamp(T0 + 3_600_000))])
    assert it.rows()[0].lag_s == 0.0
    assert it.rows()[0].lag == 45


def test_nothing_left_to_read_is_no_lag_until_the_log_grows() -> None:
    it = tracker()
    it.fold(reading(T0, 11, 10))
    it.learn([(target, Stamp(None, nothing_left=True)) for target in it.targets()])
    (seen,) = it.rows()
    assert (seen.lag, seen.lag_s, seen.eta_s, seen.status) == (0, 0.0, 0.0, Status.OK)
    it.fold(reading(T0 + 10_000, 14, 10))
    assert it.targets() == [Target(AT, 10, 14)]
    assert it.rows()[0].lag == 4


def test_the_worst_are_fetched_and_a_fetch_is_not_repeated() -> None:
    many = [Partition("t", number) for number in range(50)]
    it = Tracker(State("c"), exact_limit=10)
    for minute in range(40):
        it.fold(
            Reading(
                now_ms=T0 + minute * 60_000,
                bounds={at: Bounds(0, minute * 10, minute * 10) for at in many},
                groups={"g": GroupReading(1, {at: at.partition for at in many})},
            )
        )
        it.rows()
    first = it.targets()
    assert {target.at.partition for target in first} == set(range(10))
    it.learn([(target, Stamp(T0)) for target in first])
    assert {target.at.partition for target in it.targets()} == set(range(10, 20))


def test_without_the_commit_log_a_changed_offset_is_a_commit() -> None:
    it = tracker()
    seen = row(it, reading(T0, 1_000, 0))
    for step in range(1, 5):
        seen = row(it, reading(T0 + step * 10_000, 1_000 + step * 100, step * 10))
    assert seen.status is Status.WARN
    assert seen.last_commit_age_s == 0.0
    for step in range(5, 12):
        seen = row(it, reading(T0 + step * 10_000, 2_000, 40))
    assert seen.status is Status.STOP


def test_committing_the_same_offset_is_a_stall() -> None:
    it = tracker()
    seen = [row(it, reading(T0 + n * 10_000, 500 + n, 40, logged=(T0 + n * 10_000 - 10,))) for n in range(12)]
    assert seen[-1].status is Status.STALL


def test_a_reset_by_hand_is_a_rewind_until_recovered() -> None:
    it = tracker()
    for step in range(10):
        row(it, reading(T0 + step * 10_000, 900, 900, logged=(T0 + step * 10_000 - 10,)))
    back = row(it, reading(T0 + 100_000, 900, 100, logged=(T0 + 99_000,)))
    assert back.status is Status.REWIND
    for step in range(11, 40):
        offset = 100 + step
        seen = row(it, reading(T0 + step * 10_000, 900 + step, offset, logged=(T0 + step * 10_000 - 10,)))
        assert seen.status is Status.REWIND
    assert row(it, reading(T0 + 400_000, 1_000, 1_000, logged=(T0 + 399_000,))).status is Status.OK


def test_the_state_survives_a_restart() -> None:
    first = tracker()
    for step in range(12):
        now_ms = T0 + step * 10_000
        row(first, reading(now_ms, 500 + step, 40, logged=(now_ms - 10,)))
    kept = msgspec.json.decode(msgspec.json.encode(first.state), type=State)
    again = Tracker(kept)
    seen = row(again, reading(T0 + 121_000, 512, 40))
    assert seen.status is Status.STALL
    assert seen.trend[-4:] != (None,) * 4


def test_a_topic_made_anew_is_judged_anew() -> None:
    it = tracker()
    row(it, reading(T0, 500, 400))
    seen = row(it, reading(T0 + 10_000, 3, 400))
    assert (seen.lag, seen.status, seen.note) == (0, Status.OK, "committed beyond the end")


def test_commits_of_an_old_log_seed_trend_and_eta() -> None:
    it = tracker()
    seen = Reading(
        now_ms=T0,
        bounds={AT: Bounds(0, 1_000, 1_000)},
        groups={"g": GroupReading(1, {AT: 600})},
        commits=[LoggedCommit("g", AT, 10 * n, T0 - 60_000 + n * 1_000) for n in range(61)],
        log_from_ms=1,
        seeds={AT: [(T0 - age_ms, 1_000) for age_ms in (30_000, 100_000, 600_000)]},
    )
    it.fold(seen)
    (only,) = it.rows()
    assert only.lag == 400
    assert only.eta_s == 40.0
    assert not it.needs_second_look()


def test_memory_forgets_what_is_gone_for_a_day() -> None:
    it = tracker()
    row(it, reading(T0, 500, 400))
    it.fold(Reading(T0 + 25 * 3_600_000, {}, {}))
    assert not it.state.ends
    assert not it.state.windows


def test_a_workers_own_state_is_no_lag() -> None:
    """A table's changelog is assigned to the worker that reads it back, and never committed."""
    assigned = frozenset({Partition("views", 0), Partition(PROFILES_CHANGELOG, 0)})
    assert topics_of(GroupReading(1, {Partition("views", 0): 7}, assigned)) == {"views"}
    committed_too = GroupReading(1, {Partition(PROFILES_CHANGELOG, 0): 7}, assigned)
    assert topics_of(committed_too) == {"views", PROFILES_CHANGELOG}
