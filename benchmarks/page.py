"""A click on the page, and how long until "For you" has changed: `python -m benchmarks.page [--clicks 200] [--json]`.

In Chromium, on a demo of its own, while a crowd does 300 things a second. Timed in the page, from the click until the
changed list has been laid out.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.bars import Bar, print_bars
from tests.cli.command import ROOT, environment
from tests.integration.waiting import eventually

RATE = "ATTUNE_TEST_DEMO_RATE"
CHANGED = "document.documentElement.dataset.changed ?? 0"
BAR_MS = 400
FIRST = 10
"""Clicks that are not counted: everything is warm after them."""


def clicked(page: Page, clicks: int) -> list[float]:
    """Save, and take back, whatever stands on the page, one click after the other; milliseconds of each."""
    taken: list[float] = []
    for n in range(clicks + FIRST):
        before = int(page.evaluate(CHANGED))
        page.locator("#browse .save").nth(n % 9).click()
        eventually(lambda: int(page.evaluate(CHANGED)) > before, 20.0, 0.02, "a changed list")  # noqa: B023
        if n >= FIRST:
            taken.append(float(page.evaluate("document.documentElement.dataset.ms")))
        page.wait_for_timeout(150)
    return taken


def measure(clicks: int, rate_per_s: float) -> dict[str, Any]:
    """Raises AssertionError where there is no Chromium."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "no Chromium (Debian: apt install chromium)"
    demo = subprocess.Popen(
        [sys.executable, "-m", "attune.cli.main", "demo"],
        stdout=subprocess.PIPE, env={**environment(), RATE: str(rate_per_s)}, cwd=ROOT, text=True,
    )  # fmt: skip
    assert demo.stdout is not None
    found = re.search(r"http://\S+", next(line for line in demo.stdout if "http://" in line))
    assert found is not None
    said: list[str] = []
    stdout = demo.stdout
    reading = threading.Thread(target=lambda: said.extend(stdout), daemon=True)
    reading.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(found[0])
            page.wait_for_selector("#list article", timeout=60_000)
            page.wait_for_selector("#browse article")
            taken = clicked(page, clicks)
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(40)
    p50, p95, p99 = np.percentile(taken, [50, 95, 99])
    pulses = [line.strip() for line in said if "events in" in line]
    return {
        "clicks": len(taken),
        "background_per_s": rate_per_s,
        "p50_ms": round(float(p50)),
        "p95_ms": round(float(p95)),
        "p99_ms": round(float(p99)),
        "max_ms": round(max(taken)),
        "load_average": round(os.getloadavg()[0], 1),
        "demo_said": pulses[-1] if pulses else "",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--rate", type=float, default=300.0, help="background events a second")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = measure(args.clicks, args.rate)
    print(json.dumps(found, indent=None if args.json else 2))
    if not args.json:
        print_bars([Bar("click to changed list, p99 ms", found["p99_ms"], most=BAR_MS)])


if __name__ == "__main__":
    main()
