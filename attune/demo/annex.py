"""The other market, opened when somebody looks for it: a stage of its own, fed by a crowd of its own."""

import threading
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from attune.cli.failure import CommandError
from attune.demo.crowd import Crowd
from attune.demo.stage import Stage
from simulation.live_shop import LiveShop
from streams.admin import BrokerError
from streams.clock import wall_ms
from streams.embedded import EmbeddedError

LOOK_EVERY_S: Final = 0.25
BACKLOG: Final = 2_000
READ_S: Final = 60.0


class Annex:
    """Opens the shop as soon as the page of `stage` asks for it, in a thread."""

    def __init__(self, stage: Stage, url: str, seed: int) -> None:
        self._home, self._home_url, self._seed = stage.directory, url, seed
        self._stopping = threading.Event()
        self._stage: Stage | None = None
        self._crowd: Crowd | None = None
        self._thread = threading.Thread(target=self._run, name="annex", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the shop, opened or not."""
        self._stopping.set()
        self._thread.join(READ_S)
        if self._crowd is not None:
            self._crowd.stop()
        if self._stage is not None:
            self._stage.close()

    def _run(self) -> None:
        while not (self._home / "shop.wanted").exists():
            if self._stopping.wait(LOOK_EVERY_S):
                return
        try:
            self._open()
            self._stopping.wait()  # the processes of the shop end with the thread that started them
        except (CommandError, BrokerError, EmbeddedError, KafkaException):
            return  # the demo is ending; the page says that the shop is still being opened

    def _open(self) -> None:
        stage = self._stage = Stage("shop", page=True)
        settings = stage.open()
        stage.start_worker()
        url = stage.start_window()
        (stage.directory / "jobs.url").write_text(self._home_url)
        market = LiveShop(self._seed, wall_ms())
        crowd = self._crowd = Crowd(settings, market)
        crowd.send(market.catalogue())
        crowd.send(list(market.backlog())[-BACKLOG:])
        stage.wait(
            lambda: self._stopping.is_set() or crowd.is_learned(stage.status()),
            "a worker that has read the shop",
            READ_S,
        )
        crowd.start()
        _written(self._home / "shop.url", url)


def _written(path: Path, text: str) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(text)
    draft.rename(path)
