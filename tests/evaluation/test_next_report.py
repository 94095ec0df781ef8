"""Figures of P1 and P2 from ranks, and how they are shown."""

from __future__ import annotations

import io
import math
import xml.etree.ElementTree as ET

import msgspec
import numpy as np
import pytest
from rich.console import Console

from evaluation.ablation import MODELS, variants
from evaluation.baselines import NAMES
from evaluation.judged import Judged
from evaluation.next_report import NextReport, figures, groups, intervals, variant, windows
from evaluation.plot import bars, svg
from evaluation.report import show_next, svg_of
from processors.blend import NAMES as FEATURES
from processors.pack import Pack

DAY_MS = 86_400_000


def judged(ranks: list[float], people: int = 40) -> Judged:
    made = Judged(events=20 * len(ranks))
    for n, rank in enumerate(ranks):
        made.add(
            rank,
            person=n % people,
            event=20 * n,
            earlier=1 + n % 10,
            absence_ms=(40 if n % 4 == 0 else 1) * DAY_MS,
            segment=("", "a", "b")[n % 3],
            baselines=[rank + 1.0] * len(NAMES),
        )
    return made


RANKS = [float(1 + n % 25) for n in range(1_000)]


def report() -> NextReport:
    made = judged(RANKS)
    return NextReport(
        file="x.jsonl",
        protocol="next",
        candidates="any",
        steps="basket",
        domain="jobs",
        **figures(made),
        seconds=1.0,
        events_per_s=10.0,
        peak_mb=50.0,
        config={},
    )


def test_the_json_has_the_shape_of_the_contract() -> None:
    told = msgspec.to_builtins(report())
    assert list(told) == [
        *("file", "protocol", "candidates", "steps", "domain", "events", "scored", "never_seen", "metrics", "warm"),
        *("new_people", "baselines", "windows", "ranker", "seconds", "events_per_s", "peak_mb", "config"),
    ]
    assert {"hr@10", "hr@20", "mrr@20", "ndcg@10"} <= set(told["metrics"])
    assert set(told["baselines"]) == {
        *("popularity_all", "popularity_7d", "popularity_1d", "popularity_1h", "own_recency", "covisitation")
    }
    assert told["ranker"] is None


def test_warm_and_new_people_add_up() -> None:
    told = report()
    assert told.warm.n + told.new_people.n == told.scored == 1_000
    assert told.new_people.n == 400  # 1 to 4 earlier events of 1 to 10


def test_windows_are_runs_of_5000_events() -> None:
    cut = windows(judged(RANKS))
    assert [(window.from_event, window.to_event, window.n) for window in cut] == [
        (start, start + 5_000, 250) for start in range(0, 20_000, 5_000)
    ]
    assert cut[0].hr_10 == pytest.approx(sum(rank <= 10 for rank in RANKS[:250]) / 250)


def test_kinds_of_people_are_told_apart() -> None:
    made = judged([1.0 if n % 3 == 1 else math.inf for n in range(900)])
    told = groups(made)
    by_name = {group.name: group for group in told.groups}
    assert {name: group.n for name, group in by_name.items()} == {"": 300, "a": 300, "b": 300, "returning": 225}
    assert by_name["a"].hr_10 == 1.0
    assert told.worst_to_mean == 0.0


def test_an_ablation_is_compared_on_the_same_targets() -> None:
    full, worse = judged(RANKS), judged([rank + 3.0 for rank in RANKS])
    told = variant("without text", full, worse)
    assert told.gain["hr@10"].value == pytest.approx(sum(7 < rank <= 10 for rank in RANKS) / 1_000)
    assert told.gain["hr@10"].low > 0.0
    other = judged(RANKS)
    other.event[0] = 7
    with pytest.raises(ValueError, match="other events"):
        variant("x", full, other)


def test_intervals_hold_the_figures() -> None:
    told = intervals(judged(np.random.default_rng(0).integers(1, 30, 500).tolist()))
    assert told["hr@10"].low < told["hr@10"].value < told["hr@10"].high
    assert intervals(Judged()) == {}


def test_ablations_follow_the_pack_by_name() -> None:
    pack = Pack(name="jobs")
    found = variants(pack)
    weighted = {name for name, weight in msgspec.structs.asdict(pack.scores).items() if weight}
    assert set(found) == {f"{kind} {name}" for name in weighted for kind in ("without", "only")}
    alone = msgspec.structs.asdict(found["only text"].scores)
    assert {name for name, weight in alone.items() if weight} == {"text"}
    without = msgspec.structs.asdict(found["without text"].scores)
    assert {name for name in weighted if not without[name]} == {"text"}


def test_ablations_of_the_learned_blend_share_out_its_features() -> None:
    pack = Pack(name="jobs", models="blend")
    found = variants(pack)
    assert sorted(name for features in MODELS.values() for name in features) == sorted(FEATURES)
    assert set(found["only text"].muted) | set(found["without text"].muted) == set(FEATURES)
    with pytest.raises(ValueError, match="no feature 'txet'"):
        Pack(name="jobs", muted=("txet",))


def test_tables_and_plots_are_drawn() -> None:
    told = report()
    out = io.StringIO()
    show_next(told, Console(file=out, width=160))
    assert "pipeline" in out.getvalue()
    assert "hr@20 by 5,000 events" in out.getvalue()
    assert "█" in out.getvalue()
    root = ET.fromstring(svg_of(told))
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 3


def test_nothing_scored_is_drawn_as_nothing() -> None:
    ET.fromstring(svg("empty & <odd>", {"pipeline": []}, []))
    assert bars([], 1.0) == ""
    assert figures(Judged())["metrics"].hr_10 is None
    assert groups(Judged()).worst_to_mean is None
