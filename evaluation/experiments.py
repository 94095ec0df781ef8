"""The experiments of a state directory: one JSON file, definitions by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from processors.experiment import Experiment

FILE: Final = "experiments.json"


class ExperimentError(ValueError):
    """An experiment cannot be started, stopped or read; the message names it."""


class Experiments:
    """What was started and stopped, in `directory`. Every change is on the disk, whole, when the call returns."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / FILE
        try:
            known = msgspec.json.decode(self._file.read_bytes(), type=dict[str, Experiment])
        except FileNotFoundError:
            known = {}
        except msgspec.MsgspecError as error:
            raise ExperimentError(f"{self._file}: {error}") from None
        self._known = known

    def start(self, experiment: Experiment) -> None:
        """Begin; a name is used once, for a second start would mix two populations."""
        if experiment.name in self._known:
            raise ExperimentError(f"{experiment.name!r} was started before: choose another name")
        self._keep(experiment)

    def stop(self, name: str, now_ms: int) -> Experiment:
        """End; who is exposed later does not count. Stopping twice changes nothing."""
        experiment = self.named(name)
        if experiment.stopped_ms is None:
            experiment = msgspec.structs.replace(experiment, stopped_ms=now_ms)
            self._keep(experiment)
        return experiment

    def named(self, name: str) -> Experiment:
        """Raises `ExperimentError` naming those there are."""
        if name not in self._known:
            raise ExperimentError(f"no experiment {name!r}; there are: {', '.join(self._known) or 'none'}")
        return self._known[name]

    def _keep(self, experiment: Experiment) -> None:
        self._known[experiment.name] = experiment
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self._known)))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)
