"""The state on disk: atomic, per cluster, and never a reason not to start."""

import pathlib

import pytest

from serving.lag import state_file
from serving.lag.history import EndHistory
from serving.lag.tracker import State
from serving.lag.window import Commit, Sample, Window


def test_round_trip(tmp_path: pathlib.Path) -> None:
    window = Window(5, 7, 9, [Commit(1, 2, None)], [Sample(1, 2, 3, 4)])
    state = State("c", 9, {"t": {3: EndHistory([1], [2])}}, {"g": {"t": {3: window}}})
    state_file.save(tmp_path / "new", state)
    assert state_file.load(tmp_path / "new", "c") == state
    assert [path.name for path in (tmp_path / "new").iterdir()] == [state_file.NAME]


def test_another_clusters_state_is_not_ours(tmp_path: pathlib.Path) -> None:
    state_file.save(tmp_path, State("c", 9))
    assert state_file.load(tmp_path, "other") == State("other")


@pytest.mark.parametrize("damage", [b"", b"{", b'{"version":1}', b'{"version":99,"state":{"cluster_id":"c"}}'])
def test_a_damaged_file_costs_the_history_only(tmp_path: pathlib.Path, damage: bytes) -> None:
    (tmp_path / state_file.NAME).write_bytes(damage)
    assert state_file.load(tmp_path, "c") == State("c")


def test_no_directory_no_history(tmp_path: pathlib.Path) -> None:
    assert state_file.load(None, "c") == State("c")
    assert state_file.load(tmp_path / "missing", "c") == State("c")
