"""What the engine of all worlds asks of a domain's catalogue."""

from __future__ import annotations

from typing import Protocol

from simulation.draws import Ints
from simulation.world import Record


class Goods(Protocol):
    """What the engine needs to know of a catalogue: ids and life spans, one row per item."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Item ids by row."""

    @property
    def index(self) -> dict[str, int]:
        """Rows by item id."""

    @property
    def posted_ms(self) -> Ints:
        """When an item appears."""

    @property
    def gone_ms(self) -> Ints:
        """When it is gone for good."""

    def record(self, i: int) -> Record:
        """Its `items` record."""
