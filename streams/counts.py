"""What a worker counts, as plain numbers: health, metrics and tests read them."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from streams.meter import Meter

METRIC_OF: Final = {
    "applied": "attune_events_applied_total",
    "already_applied": "attune_events_replayed_total",
    "duplicates": "attune_duplicates_total",
    "erased": "attune_events_erased_total",
    "examples": "attune_examples_total",
    "wakes": "attune_wakes_total",
    "flushes": "attune_flushes_total",
    "healed": "attune_healed_records_total",
    "rebalances": "attune_rebalances_total",
    "discarded": "attune_flushes_discarded_total",
}
"""Plain counts and their names in the metric table; the others are counted with labels or in histograms."""


class Counts(Struct):
    """Since the process started."""

    applied: int = 0
    already_applied: int = 0
    duplicates: int = 0
    erased: int = 0
    rows: int = 0
    """Records of `items` checked."""
    dead_letters: int = 0
    recommendations: int = 0
    examples: int = 0
    untaught: int = 0
    """Actions that taught nothing, because their person taught as much as one person may."""
    wakes: int = 0
    digests: int = 0
    send_times: int = 0
    stale_dues: int = 0
    """Mails due so long ago that nobody is written to."""
    flushes: int = 0
    healed: int = 0
    rebalances: int = 0
    discarded: int = 0
    """Flushes thrown away because membership was lost."""
    flush_ms_max: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        counted: dict[str, Any] = msgspec.to_builtins(self)
        return counted

    def measure(self, meter: Meter) -> None:
        """Bring the plain counts to a meter."""
        for field, name in METRIC_OF.items():
            meter.set(name, getattr(self, field))
