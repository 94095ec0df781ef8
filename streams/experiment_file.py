"""The experiments there are: those of `[[experiments]]` in attune.toml, and those of a file in the state directory.

`attune experiment` writes the file; workers look at it every second, so that an experiment starts without a restart.
Several machines share no state directory: there the definitions stand in attune.toml.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
import structlog

from processors.arms import Arms
from processors.experiment import Experiment
from streams.clock import boottime_s
from streams.settings import Settings

FILE: Final = "experiments.json"
LOOK_S: Final = 1.0

log = structlog.get_logger("attune.experiments")


class ExperimentError(ValueError):
    """An experiment cannot be started, stopped or read; the message names it."""


class Experiments:
    """What was started and stopped here, and what the settings define. Changes are on the disk when a call returns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = Path(settings.state_dir) / FILE
        self._kept = _read(self._file)

    def start(self, experiment: Experiment) -> None:
        """Begin; a name is used once, for a second start would mix two populations."""
        known = self._known
        if experiment.name in known:
            raise ExperimentError(f"{experiment.name!r} was started before: choose another name")
        _arms(self._settings, [*known.values(), experiment])
        self._keep(experiment)

    def stop(self, name: str, now_ms: int) -> Experiment:
        """End; who is exposed later does not count. Stopping twice changes nothing."""
        experiment = self.named(name)
        if name not in self._kept:
            raise ExperimentError(f"{name!r} is defined in attune.toml: give it stopped_ms = {now_ms} there")
        if experiment.stopped_ms is None:
            experiment = msgspec.structs.replace(experiment, stopped_ms=now_ms)
            self._keep(experiment)
        return experiment

    def named(self, name: str) -> Experiment:
        """Raises `ExperimentError` naming those there are."""
        known = self._known
        if name not in known:
            raise ExperimentError(f"no experiment {name!r}; there are: {', '.join(known) or 'none'}")
        return known[name]

    @property
    def all(self) -> list[Experiment]:
        """Those that run, and those that were stopped."""
        return list(self._known.values())

    @property
    def arms(self) -> Arms:
        """What decisions are made by. Raises `ExperimentError` where the experiments contradict each other."""
        return _arms(self._settings, self._known.values())

    @property
    def _known(self) -> dict[str, Experiment]:
        return self._kept | {experiment.name: experiment for experiment in self._settings.experiments}

    def _keep(self, experiment: Experiment) -> None:
        self._kept[experiment.name] = experiment
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self._kept)))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._file)


class ExperimentWatch:
    """The arms as of now, for a process that runs; a file that cannot be used changes nothing, and is logged once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = Path(settings.state_dir) / FILE
        self._stamp = self._stamp_now()
        self._looked_s = boottime_s()
        self.arms = Experiments(settings).arms

    def has_changed(self) -> bool:
        """Whether `arms` are other ones since the last call; looks at the file at most every `LOOK_S`."""
        if boottime_s() - self._looked_s < LOOK_S:
            return False
        self._looked_s, stamp = boottime_s(), self._stamp_now()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.arms = Experiments(self._settings).arms
        except ExperimentError as error:
            log.warning("experiments stay as they were", reason=str(error))
            return False
        return True

    def _stamp_now(self) -> tuple[int, int]:
        try:
            found = self._file.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_ino


def _read(file: Path) -> dict[str, Experiment]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Experiment])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise ExperimentError(f"{file}: {error}") from None


def _arms(settings: Settings, experiments: Iterable[Experiment]) -> Arms:
    try:
        return Arms(settings.pack, experiments)
    except ValueError as error:
        raise ExperimentError(str(error)) from None
