"""Chromium at the widths and in the colours that readers have.

python -m tests.serving.mailer.browser        # renews the pictures in docs/mail
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from playwright.sync_api import Page, sync_playwright
from prometheus_client import CollectorRegistry

from schemas.behaviour import Event
from serving.mailer.config import MailerConfig
from serving.mailer.known import Known
from serving.mailer.links import Link, Links
from serving.mailer.pages import Office, make_pages
from serving.mailer.web_server import WebServer
from tests.serving.mailer.samples import JOBS, NOW_MS, NURSE, job_letter, knowing, nudge_letter

WIDTHS: Final = {"phone": 390, "desktop": 1100}
DOCS: Final = Path(__file__).parents[3] / "docs" / "mail"
Scheme = Literal["light", "dark"]


@dataclass
class Heard:
    """Takes the announcer's place where there is no Kafka: what the pages would publish."""

    events: list[tuple[str, Event]] = field(default_factory=list)
    takes: bool = True

    def tell(self, topic: str, event: Event, then: Any = None) -> None:
        self.events.append((topic, event))

    async def told(self, topic: str, event: Event) -> bool:
        await asyncio.sleep(0)
        if self.takes:
            self.events.append((topic, event))
        return self.takes


@dataclass
class Site:
    """The pages on a port, over what is known, and what they published."""

    url: str
    links: Links
    known: Known
    heard: Heard

    def to(self, link: Link) -> str:
        return self.links.url(link)


@contextmanager
def pages(known: Known | None = None, now_ms: int = NOW_MS, domain: Literal["jobs", "shop"] = "jobs") -> Iterator[Site]:
    config = MailerConfig(
        bootstrap="",
        link_key="a key for tests alone",
        state_dir="",
        domain=domain,
        sender="Riverside Jobs <jobs@example.org>",
    )
    links, heard = Links(config.link_key, ""), Heard()
    known = knowing(*JOBS, NURSE) if known is None else known
    office = Office(config, known, links, heard, lambda: now_ms, CollectorRegistry())  # type: ignore[arg-type]
    server = WebServer(make_pages(office), "127.0.0.1", 0)
    server.start()
    links.base_url = f"http://127.0.0.1:{server.port}"
    try:
        yield Site(links.base_url, links, known, heard)
    finally:
        server.close()


@contextmanager
def chromium() -> Iterator[Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(browser: Any, width: str, scheme: Scheme) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme, device_scale_factor=1
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def renew(directory: Path = DOCS) -> None:
    """Take the pictures of docs/mail anew."""
    directory.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, pages() as site:
        shown = {"digest": job_letter().html, "nudge": nudge_letter().html}
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                with page_of(browser, width, scheme) as page:
                    for name, html in shown.items():
                        page.set_content(html)
                        page.screenshot(path=directory / f"{name}-{width}-{scheme}.png", full_page=True)
                    page.goto(site.to(Link("preferences", "u1", "d1")))
                    page.screenshot(path=directory / f"preferences-{width}-{scheme}.png", full_page=True)
                    if width == "phone":
                        page.goto(site.to(Link("unsubscribe", "u1", "d1")))
                        page.screenshot(path=directory / f"unsubscribe-{width}-{scheme}.png")


if __name__ == "__main__":
    renew()
