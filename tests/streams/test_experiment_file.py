"""A process that runs learns of experiments that start and stop, and goes on where the file is broken."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from processors.experiment import Experiment
from streams import experiment_file
from streams.experiment_file import FILE, ExperimentError, Experiments, ExperimentWatch
from streams.settings import Settings, read_settings

HALVES = {"control": 0.5, "treatment": 0.5}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(experiment_file, "LOOK_S", 0.0)
    return read_settings({}, state_dir=str(tmp_path / "state"))


def test_start_and_stop_are_seen(settings: Settings) -> None:
    watch = ExperimentWatch(settings)
    assert not watch.has_changed()
    assert watch.arms.side("u1", 5).arm is None
    Experiments(settings).start(Experiment(name="hour", arms=HALVES, holdout=0.0))
    assert watch.has_changed()
    assert not watch.has_changed()
    assert (watch.arms.side("u1", 5).arm or "").startswith("hour:")
    Experiments(settings).stop("hour", 5)
    assert watch.has_changed()
    assert watch.arms.side("u1", 5).arm is None


def test_a_broken_file_changes_nothing(settings: Settings) -> None:
    Experiments(settings).start(Experiment(name="hour", arms=HALVES))
    watch = ExperimentWatch(settings)
    (Path(settings.state_dir) / FILE).write_text("{")
    assert not watch.has_changed()
    assert watch.arms.side("u1", 5).arm is not None
    with pytest.raises(ExperimentError, match=FILE):
        Experiments(settings)


def test_those_of_the_settings_count_too_and_are_stopped_there(settings: Settings) -> None:
    told = msgspec.structs.replace(settings, experiments=(Experiment(name="hour", arms=HALVES),))
    assert (ExperimentWatch(told).arms.side("u1", 5).arm or "").startswith("hour:")
    with pytest.raises(ExperimentError, match="stopped_ms"):
        Experiments(told).stop("hour", 5)
    with pytest.raises(ExperimentError, match="started before"):
        Experiments(told).start(Experiment(name="hour", arms=HALVES))
