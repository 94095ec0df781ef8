"""The console as it is run: a process of its own, and a browser in front of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.cli.command import ROOT, environment
from tests.integration.waiting import eventually

CHROMIUM = "/usr/bin/chromium"
SHOTS = os.environ.get("ATTUNE_TEST_SCREENSHOTS")
"""A directory to write screenshots to; `docs/screenshots` when they are renewed."""


class ConsoleProcess:
    """`attune console`; `settings` in the names of the variables, without ATTUNE_."""

    def __init__(self, log: Path, *options: str, **settings: str) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "attune.cli.main", "console", *options],
                env=environment(**settings),
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.url = eventually(self._url, 60, 0.1, "the console's address")

    def _url(self) -> str | None:
        found = re.search(r"console on (http://\S+)/", self.log.read_text())
        return found[1] if found else None

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Visitor:
    """A browser's page that remembers every error in its console."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.url + path, wait_until="load")
        return self.page

    def log_in(self, password: str) -> None:
        self.open("/login").get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def shoot(self, name: str) -> None:
        """A screenshot, where they are wanted."""
        if SHOTS:
            self.page.screenshot(path=Path(SHOTS) / f"console-{name}.png", full_page=True)

    def violations(self) -> list[str]:
        """What axe-core finds serious or critical."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        try:
            yield chromium
        finally:
            chromium.close()
