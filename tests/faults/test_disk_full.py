"""The broker's disk is full. It stops, which is its own rule; Attune's processes wait or start again,
and lose nothing."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.traffic import Sender, catalogue, events, send
from tests.faults.verdict import judge
from tests.integration.broker import Broker
from tests.integration.house import House
from tests.integration.waiting import eventually, let_pass

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

DISK_MB = 96


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own; mounting one needs root, as everything else here does not."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)]
    done = subprocess.run(mounted, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"this trial mounts a small disk, as root only can: {done.stderr}"
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 65_536)
        except OSError:
            free = os.statvfs(disk)
            out.write(b"\0" * (free.f_bavail * free.f_frsize))
    return ballast


def test_the_brokers_disk_is_full(disk: Path, tmp_path: Path, figure: Callable[[str], None]) -> None:
    broker = Broker(data_dir=disk).start()
    house = House(broker.bootstrap, tmp_path / "worker.log", "--count", "2", min_interval_ms="0")
    try:
        send(house.settings, catalogue(300))
        eventually(lambda: house.lag("attune.behaviour", "attune.learner") == 0, 60, 0.3, "workers that run")
        sender = Sender(house.settings, events(305, 6_000), 400.0).start()
        let_pass(4, "some way into the traffic")
        ballast = fill(disk)
        eventually(lambda: not broker.running, 60, 0.5, "a broker that cannot write ends")
        checked = house.attune("topics", "check")
        assert checked.code == 1
        assert "Traceback" not in checked.err
        assert broker.bootstrap in checked.err + checked.out
        let_pass(8, "the workers are alone with it")
        ballast.unlink()
        broker.kill()
        broker.start()
        assert sender.done.wait(180)
        eventually(lambda: house.lag("attune.behaviour", "attune.learner") == 0, 120, 0.5, "lag 0")
        house.close()
        verdict = judge(house.settings.bootstrap, house.settings.partitions, house.settings.pack)
        assert verdict.exact, f"{verdict}\n{house.log.read_text()[-3_000:]}"
        log = house.log.read_text()
        assert "Traceback" not in log
        figure(f"{verdict.records} records, {log.count('starts again')} restarts by the supervisor")
    finally:
        if house.worker.poll() is None:
            house.worker.kill()
        broker.close()
