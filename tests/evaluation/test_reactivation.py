"""The reactivation experiment: its arms are drawn evenly, kept apart, and counted as they should be."""

import pytest

from evaluation.reactivation import Arms, Entered, arms_of, found_in
from processors.campaigns import arbitration
from processors.campaigns.moment import Moment
from processors.campaigns.reactivation import Step, step_of
from streams.settings import read_settings

PACK = read_settings({}).packs["jobs"]


@pytest.mark.slow
def test_silent_people_are_halved_and_only_one_half_is_written_to() -> None:
    arms = arms_of(120, 17, 1, PACK)
    assert arms.treated > 10 < arms.control
    assert arms.mails > 0 == arms.control_mails
    assert 0 < arms.treated_back <= arms.treated
    assert arms.control_back <= arms.control


@pytest.mark.slow
def test_a_control_arm_that_is_written_to_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def everybody(moment: Moment) -> Step:
        return "due" if (step := step_of(moment)) == "control" else step

    monkeypatch.setattr(arbitration, "step_of", everybody)
    assert arms_of(120, 17, 1, PACK).control_mails > 0


@pytest.mark.parametrize(("views", "starts", "is_back"), [(1, 0, False), (2, 0, True), (0, 1, True), (0, 0, False)])
def test_two_views_or_one_start_is_back(views: int, starts: int, is_back: bool) -> None:
    assert Entered(True, 0, views=views, starts=starts).is_back is is_back


def test_nobody_in_the_control_arm_back_has_no_relative_difference() -> None:
    found = found_in([Arms(1, 10, 2, 10, 0, 9, 0), Arms(2, 10, 4, 10, 0, 9, 0)])
    assert found.relative is None
    assert found.difference == pytest.approx(0.3)
    assert found.reach == pytest.approx(12.7062 * 0.1)
