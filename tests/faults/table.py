"""Every fault of a run as a row of docs/reliability.md."""

from collections.abc import Iterator

import pytest

FIGURE = "figure"
"""The name under which a test records what it measured."""


def rows(terminalreporter: pytest.TerminalReporter) -> Iterator[str]:
    """Name, outcome, seconds and figures of each trial."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if "tests/faults/" in report.nodeid and report.when == "call":
                figures = "; ".join(str(value) for name, value in report.user_properties if name == FIGURE)
                yield f"| {report.nodeid.split('::')[-1]} | {outcome} | {report.duration:.0f} s | {figures} |"
