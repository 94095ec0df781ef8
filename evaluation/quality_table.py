"""Measurements as the tables of docs/quality.md, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from evaluation.quality import DELAYS_MS, Measured

BEGIN: Final = "<!-- ranking: written by make quality -->"
END: Final = "<!-- end of ranking -->"
_DELAYS: Final = dict(zip(DELAYS_MS, ("0", "1 s", "10 s", "1 h", "24 h"), strict=True))


def written(page: str, tables: str) -> str:
    r"""The page with what stands between the marks replaced. Raises ValueError where it has no marks.

    >>> written(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\n\nnew\n\n{END} b"
    True
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks for the tables")
    return f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"


def tables(found: Sequence[Measured], machine: str) -> str:
    """Bars, delay curves and ablations, as far as they were measured."""
    kinds = {kind: [one for one in found if _name(one).startswith(kind)] for kind in ("bar", "delay", "ablation")}
    versions = sorted({f"Python {one.key['python']}, NumPy {one.key['numpy']}" for one in found})
    parts = [f"{'; '.join(versions)}; {machine}. Nothing in it is random: there is no seed."]
    if kinds["bar"]:
        parts.append(_bars(kinds["bar"]))
    if kinds["delay"]:
        parts.append(_delays(kinds["delay"]))
    if kinds["ablation"]:
        parts.append(_ablations(kinds["ablation"]))
    return "\n\n".join(parts)


def _bars(found: Sequence[Measured]) -> str:
    lines = [
        "| file, candidates | events (commit) | n | figure (95%, by person) | after the first 60% | bar | | events/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in found:
        for metric, bar in one.key["task"]["bars"].items():
            told = one.figures.get(metric)
            if told is None:
                continue
            met = "met" if told["value"] >= bar else "**missed**"
            if told["value"] >= bar > told.get("rest", bar):
                met = "met; **missed** after 60%"
            figure = f"{metric.upper()} {told['value']:.4f} [{told['low']:.4f}, {told['high']:.4f}]"
            rest = f"{told['rest']:.4f} [{told['rest_low']:.4f}, {told['rest_high']:.4f}]" if "rest" in told else ""
            speed = f"{one.events / one.cpu_s:,.0f}"
            lines.append(f"| {_log(one)} | {_events(one)} | {one.n:,} | {figure} | {rest} | {bar} | {met} | {speed} |")
    return "\n".join(lines)


def _delays(found: Sequence[Measured]) -> str:
    lines = ["What ranks lags behind the log (HR@10 / HR@20 / MRR@20):", ""]
    lines += [
        f"| file, candidates | events (commit) | {' | '.join(_DELAYS.values())} |",
        f"|---|---|{'---|' * len(_DELAYS)}",
    ]
    for log in dict.fromkeys(map(_log, found)):
        of_log = {one.key["task"]["options"]["replica_delay_ms"]: one for one in found if _log(one) == log}
        cells = [_three(of_log[delay]) if delay in of_log else "" for delay in DELAYS_MS]
        lines.append(f"| {log} | {_events(next(iter(of_log.values())))} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ablations(found: Sequence[Measured]) -> str:
    lines = [
        "Each model alone, and all but one: its figure, and what the full blend has more (paired, 95% by person).",
        "What may be shown is found by all sources in every row.",
        "",
        _HEAD.format("blend"),
    ]
    lines += [_row(one) for one in found]
    alone = [one for one in found if one.key["task"]["without"].startswith("only")]
    lines += [
        "",
        "The learned blend beside the best single model of each log, best by the MRR@20 that it reaches alone:",
        "",
    ]
    lines.append(_HEAD.format("best single model"))
    for log in dict.fromkeys(map(_log, alone)):
        lines.append(
            _row(max((one for one in alone if _log(one) == log), key=lambda one: one.figures["mrr@20"]["value"]))
        )
    return "\n".join(lines)


_HEAD: Final = (
    "| file, candidates | events (commit) | {} | HR@20 | full less this, HR@20 | MRR@20 | full less this, MRR@20 |\n"
    "|---|---|---|---|---|---|---|"
)


def _row(one: Measured) -> str:
    cells = []
    for metric in ("hr@20", "mrr@20"):
        gain = one.gain[metric]
        cells += [
            f"{one.figures[metric]['value']:.4f}",
            f"{gain['value']:+.4f} [{gain['low']:+.4f}, {gain['high']:+.4f}]",
        ]
    return f"| {_log(one)} | {_events(one)} | {one.key['task']['without']} | {' | '.join(cells)} |"


def _three(one: Measured) -> str:
    return " / ".join(f"{one.figures[metric]['value']:.4f}" for metric in ("hr@10", "hr@20", "mrr@20"))


def _name(one: Measured) -> str:
    return str(one.key["task"]["name"])


def _log(one: Measured) -> str:
    task = one.key["task"]
    return f"`{task['file'].partition('.')[0]}` {task['options']['candidates']}"


def _events(one: Measured) -> str:
    """How much of the log, and from which commit: measurements that are kept may be of several."""
    part = "first" if one.key["task"]["limit"] and one.events == one.key["task"]["limit"] else "all"
    return f"{part} {one.events:,} ({one.key['commit']})"
