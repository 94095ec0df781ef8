"""What all mails teach: exact after a crash, each label once; activity believed only where it tells; propensities."""

import numpy as np
import pytest

from processors.hour_estimate import activity_prior, hour_estimate, usual_hours
from processors.hour_learning import BETAS, Evidence, estimates, learned_shape, observe
from processors.hour_tables import HoursView
from processors.learner import MARKER_KEY, Learner
from processors.leave_hazard import pooled_rising
from processors.mail_worth import DECILES, WorthTable, WorthView, calibration
from processors.pack import Pack
from processors.replica import Replica
from processors.segment_lift import STRENGTHS, Table, learned_shrinkage, lift, lifts_at
from processors.send_policy import draw, propensities
from schemas.learning import Lesson
from schemas.mail_labels import MailLabel, Weighed

PACK = Pack(name="jobs")
START_MS, DAY_MS = 1_743_033_600_000, 86_400_000


def lesson(n: int) -> Lesson:
    rng = np.random.default_rng(n)
    tables = [rng.random(48).astype("<f2").tobytes() for _ in range(3)]
    label = MailLabel(
        n, START_MS + n * DAY_MS // 5, int(rng.integers(168)), ("", "early", "late")[n % 3],
        float(rng.random() < 0.2), 0.15, *tables, predicted=0.15, uplift=0.02, stratum=n % 24, fatigue=float(n % 4),
        started=n % 9 == 0, left=n % 40 == 0, is_withheld=n % 50 == 7,
    )  # fmt: skip
    look = Weighed(1_000_000 + n, label.at_ms, 0.02, n % 2 == 0, 1.0, 3.0)
    return Lesson("wake", (), (label,), (look,))


def test_rows_restore_the_learner_exactly_and_each_label_counts_once() -> None:
    straight, rows = Learner(PACK), dict[bytes, bytes]()
    first = Learner(PACK)
    for n in range(60):
        straight.learn(lesson(n), n)
        if n < 35:
            first.learn(lesson(n), n)
    rows |= first.dirty_rows()
    again = Learner.restore(PACK, rows | {MARKER_KEY: first.marker(34)})
    for n in range(30, 60):  # a worker that died tells its last labels again
        again.learn(lesson(n), n)
    changed = again.dirty_rows()
    wanted = straight.dirty_rows()
    assert {key for key in wanted if key.startswith((b"hours/", b"worth/"))} <= changed.keys()
    for key, value in wanted.items():
        assert changed[key] == value, key


def test_a_learner_without_the_ring_counts_twice() -> None:
    """Negative control of the test above."""
    once = Learner(PACK)
    once.learn(lesson(1), 1)
    rows = once.dirty_rows()
    del rows[b"hours-taken/ring"]
    twice = Learner.restore(PACK, rows | {MARKER_KEY: once.marker(1)})
    assert twice.learn(lesson(1), 2) == 2


def test_the_replica_reads_the_rows() -> None:
    learner, replica = Learner(PACK), Replica(PACK)
    for n in range(60):
        learner.learn(lesson(n), n)
    for key, value in learner.dirty_rows().items():
        replica.apply_row(key, value)
    assert replica.hours.population.sum() > 0
    assert replica.worth.row.person_days > 0
    assert float(replica.hours.lift("early").min()) > 0
    assert HoursView().lift("nobody").tolist() == [1.0] * 168


@pytest.mark.parametrize("tells", [True, False])
def test_activity_is_believed_only_where_it_tells(tells: bool) -> None:
    rng = np.random.default_rng(5)
    evidence, people = Evidence.empty(), 4_000
    population = np.ones(48)
    nothing = np.zeros(48)
    for _ in range(people):
        peak = int(rng.integers(24))
        away = np.abs((np.arange(24) - peak + 12) % 24 - 12)
        curve = np.tile(np.exp(0.8 * np.exp(-0.5 * (away / 2.5) ** 2)), 2)
        seen = curve if tells else np.roll(curve.reshape(2, 24), int(rng.integers(24)), axis=1).ravel()
        activity = rng.poisson(12 * seen**3 / (seen**3).sum()).astype(float)
        slot = int(rng.integers(48))
        expected = estimates(slot, nothing, nothing, activity, population) * 0.2
        observe(evidence, expected, float(rng.random() < 0.2 * curve[slot]))
    beta = learned_shape(evidence).beta
    assert beta > 0.15 if tells else beta == 0.0
    assert beta <= max(BETAS)


def test_propensities_sum_to_one_and_are_what_is_drawn() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0.0, 0.05, 16)
    chances = propensities(values)
    assert chances.sum() == pytest.approx(1.0)
    assert chances.min() >= 0.05 / 16
    count = 100_000
    drawn = np.bincount([draw(chances, unit) for unit in rng.random(count).tolist()], minlength=16)
    statistic = float(((drawn - count * chances) ** 2 / (count * chances)).sum())
    assert statistic < 37.7  # the 99.9% quantile of chi-square with 15 degrees of freedom
    wrong = np.roll(chances, 1)
    assert float(((drawn - count * wrong) ** 2 / (count * wrong)).sum()) > 37.7


def test_many_people_at_once_are_estimated_as_one_by_one() -> None:
    rng = np.random.default_rng(8)
    tables = [rng.random((5, 48)) for _ in range(3)]
    shape = learned_shape(Evidence.empty())
    usual = usual_hours(rng.random(48), shape.activity)
    won, due, activity = tables
    omega = activity_prior(activity, usual, shape.activity)
    assert np.allclose(omega, [activity_prior(activity[k], usual, shape.activity) for k in range(5)])
    together = hour_estimate(won, due, omega, shape)
    assert np.allclose(together, [hour_estimate(won[k], due[k], omega[k], shape) for k in range(5)])


def test_calibration_goes_from_one_to_what_was_seen() -> None:
    def arm(mails: float, rate: float) -> np.ndarray:
        table = np.zeros((3, DECILES))
        table[:, 4] = mails, mails * rate, mails * 0.02
        return table

    assert calibration(arm(0, 0), arm(0, 0), 0.0) == 1.0
    assert calibration(arm(100, 0.05), arm(2, 0.0), 2.0) == pytest.approx(1.0, abs=0.2)
    assert calibration(arm(1e7, 0.05), arm(1e6, 0.04), 2e5) == pytest.approx(0.5, abs=0.02)


def test_the_uplift_that_is_predicted_comes_true() -> None:
    """Of two kinds of people one clicks four times as often; of the apply-starts after clicks a third would have come
    without mail. Predictions start with neither that, nor how often an apply-start follows a click.
    """
    rng = np.random.default_rng(6)
    table, view, sums = WorthTable(), WorthView(), np.zeros((2, 3))
    for n in range(40_000):
        keen = int(rng.random() < 0.5)
        rate = 0.4 if keen else 0.1
        is_withheld = bool(rng.random() < 0.3)
        click = not is_withheld and bool(rng.random() < rate)
        would_start = is_withheld and bool(rng.random() < 0.4 * rate / 3.0)
        started = would_start or (click and bool(rng.random() < 0.4))
        uplift = view.uplift(rate)
        label = MailLabel(
            n, START_MS, 0, "", float(click), rate, b"", b"", b"", rate, uplift, started=started,
            is_withheld=is_withheld,
        )  # fmt: skip
        table.learn_label(label, n)
        if n % 200 == 0:
            view.put(table.take_row())
        if n > 20_000:
            sums[keen] += (1.0, uplift, 0.4 * rate * 2.0 / 3.0)
    for mails, uplift, truth in sums.tolist():
        assert uplift / mails == pytest.approx(truth / mails, rel=0.15)


def test_the_price_rises_while_there_is_too_much_mail_and_falls_back() -> None:
    learner = Learner(PACK)
    prices = []
    for day in range(40):
        looks = tuple(Weighed(day * 100 + n, START_MS + day * DAY_MS, 0.02, day < 20, 1.0, 3.0) for n in range(30))
        learner.learn(Lesson("wake", (), (), looks), day)
        view = WorthView()
        view.put(learner.dirty_rows()[b"worth/all"])
        prices.append(view.price)
    assert prices[19] > prices[1] >= 0.0
    assert prices[39] < prices[22]


def test_hazards_never_fall() -> None:
    found = pooled_rising(np.array([3.0, 1.0, 2.0, 5.0, 4.0]), np.array([1.0, 2.0, 1.0, 1.0, 3.0]))
    assert (np.diff(found) >= 0).all()
    assert found @ [1, 2, 1, 1, 3] == pytest.approx(24.0)


@pytest.mark.parametrize("differ", [True, False])
def test_tables_of_segments_are_believed_only_where_segments_differ(differ: bool) -> None:
    rng = np.random.default_rng(4)
    evidence, everybody, tables = Evidence.empty((5, 5)), Table.empty(), [Table.empty(), Table.empty()]
    for n in range(6_000):
        segment, slot = n % 2, int(rng.integers(7, 23)) + 24 * int(rng.integers(7))
        peak = (10, 19)[segment] if differ else 14
        truth = 0.15 * np.exp(0.6 * np.exp(-0.5 * ((slot % 24 - peak) / 2.5) ** 2))
        reward = float(rng.random() < truth)
        observe(evidence, 0.2 * lifts_at(slot, everybody, tables[segment]), reward)
        for table in (everybody, tables[segment]):
            table.successes[slot] += reward
            table.exposure[slot] += 0.2
            table.sends += 1
    strength = learned_shrinkage(evidence)
    assert (strength.segment < 160.0) == differ
    assert strength.everybody < 640.0


def test_the_lift_of_a_slot_is_that_of_the_whole_week() -> None:
    rng = np.random.default_rng(2)
    everybody, segment = (Table(rng.random(168) * 3, rng.random(168) * 3, 100.0) for _ in range(2))
    found = lifts_at(50, everybody, segment)
    for row, by_all in enumerate(STRENGTHS.tolist()):
        towards = lift(everybody, np.ones(168), by_all)
        for column, own in enumerate(STRENGTHS.tolist()):
            assert found[row, column] == pytest.approx(lift(segment, towards, own)[50])
