"""The collector's memory on disk: one JSON file, replaced atomically."""

import os
import pathlib

import msgspec

from serving.lag.tracker import State

NAME = "lag.json"
_VERSION = 1


class _File(msgspec.Struct):
    version: int
    state: State


def load(state_dir: pathlib.Path | None, cluster_id: str) -> State:
    """The state kept for this cluster; an empty one if there is none, it is another cluster's, or unreadable.

    A damaged file costs the history, never the start.
    """
    if state_dir is not None:
        try:
            file = msgspec.json.decode((state_dir / NAME).read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError):
            return State(cluster_id)
        if file.version == _VERSION and file.state.cluster_id == cluster_id:
            return file.state
    return State(cluster_id)


def save(state_dir: pathlib.Path, state: State) -> None:
    """Write the state beside the old one, then put it in its place.

    Raises OSError when the directory cannot be written.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    fresh = state_dir / f"{NAME}.{os.getpid()}.new"
    fresh.write_bytes(msgspec.json.encode(_File(_VERSION, state)))
    fresh.replace(state_dir / NAME)
