"""Machines in front of half of the mailboxes: the product's filter credits people alone; without it machines earn."""

import numpy as np
import pytest
from msgspec.structs import replace

from evaluation.send_machines import Credit, Mailboxes, credited, taken_at_their_word
from evaluation.send_world import Scene
from processors.mail_credit import OPEN_REWARD

SCENE = Scene(people=400, opens=1.0, machines=0.5, scanners=0.5)


def rewards(scene: Scene, credit: Credit = credited) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of three mails to everybody: what was credited, who clicked, whose mailbox has a machine."""
    rng, boxes = np.random.default_rng(4), Mailboxes(scene, 1, credit)
    clicked = rng.random((3, 400)) < 0.2
    found = [boxes.rewards(day, np.full(400, 9), np.full(400, 0.2), clicked[day]) for day in range(3)]
    return np.array(found), clicked, boxes.has_machine


def test_only_people_earn_a_reward() -> None:
    found, clicked, has_machine = rewards(SCENE)
    assert np.array_equal(found == 1.0, clicked)
    assert set(found[:, has_machine].ravel().tolist()) == {0.0, 1.0}  # whether they open is seen no more
    assert set(found[:, ~has_machine].ravel().tolist()) == {0.0, OPEN_REWARD, 1.0}


def test_without_the_filter_every_machine_earns_one() -> None:
    found, clicked, has_machine = rewards(SCENE, taken_at_their_word)
    assert (found[:, has_machine] >= OPEN_REWARD).all()
    assert found[:, has_machine].mean() > 2.0 * clicked[:, has_machine].mean()


def test_people_do_the_same_with_and_without_machines() -> None:
    found, _, has_machine = rewards(SCENE)
    without, _, nobody = rewards(replace(SCENE, machines=0.0))
    assert not nobody.any()
    assert np.array_equal(found[:, ~has_machine], without[:, ~has_machine])
    assert without[:, has_machine].sum() == pytest.approx(
        found[:, has_machine].sum() + OPEN_REWARD * (without[:, has_machine] == OPEN_REWARD).sum()
    )
