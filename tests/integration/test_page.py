"""The page as people use it, in Chromium, on a demo of its own: keyboard, phone width, dark, accessibility rules."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.cli.command import ROOT, environment
from tests.conftest import absent
from tests.integration.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = os.environ.get("ATTUNE_TEST_PICTURES")
"""A directory into which the tests put screenshots: how docs/screenshots is renewed."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        absent("no Chromium (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(browser: Browser) -> Iterator[str]:
    """Where a demo's page is."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "attune.cli.main", "demo"],
        stdout=subprocess.PIPE, env=environment(), cwd=ROOT, text=True, start_new_session=True,
    )  # fmt: skip
    assert demo.stdout is not None
    found = next(line for line in demo.stdout if "http://" in line)
    reading = threading.Thread(target=demo.stdout.read, daemon=True)
    reading.start()
    url = re.search(r"http://\S+", found)
    assert url is not None
    yield url[0]
    demo.send_signal(signal.SIGINT)
    assert demo.wait(40) == 0
    reading.join(5)
    demo.stdout.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A new visitor, whose console stays empty."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(address)
    expect(opened.locator("#list article").first).to_be_visible(timeout=30_000)
    expect(opened.locator("#browse article").first).to_be_visible()
    yield opened
    context.close()
    assert wrong == []


def changes(page: Page) -> int:
    return int(page.evaluate("document.documentElement.dataset.changed ?? 0"))


def settle(page: Page, more_than: int) -> None:
    """Wait until the list has changed because of a click; from outside, for the page's policy evaluates nothing."""
    eventually(lambda: changes(page) > more_than, 20, 0.05, "a changed list")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


IN_FLOW = """(position) => {
    for (const one of document.querySelectorAll(".bar, aside, .toast")) one.style.position = position;
}"""


def serious(page: Page) -> list[str]:
    """Violations of WCAG 2.2 A and AA that axe calls serious or critical.

    What stays in place while the page scrolls is put into its flow for that long: a title that happens to be half under
    the bar is no small target, for it can be scrolled out.
    """
    page.evaluate(f"({IN_FLOW})('static')")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    page.evaluate(f"({IN_FLOW})('')")
    violations = found.response["violations"]
    grave = [one for one in violations if one["impact"] in {"serious", "critical"}]
    return [f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}" for one in grave for node in one["nodes"]]


def small_targets(page: Page) -> list[str]:
    """Buttons, fields and lone links with a box under 24 by 24 CSS pixels (WCAG 2.5.8), wherever they stand."""
    return page.evaluate("""
        () => [...document.querySelectorAll("button, summary, select, textarea, input, a.button, a.brand")]
            .filter((one) => one.checkVisibility())
            .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
            .filter(([, box]) => box.width < 24 || box.height < 24)
            .map(([html, box]) => `${html} is ${box.width} x ${box.height}`)
    """)


def test_a_save_changes_the_list_and_says_why(page: Page) -> None:
    picture(page, "page-1-popular")
    saved = page.locator("#browse article").nth(2)
    title = saved.locator("h3").inner_text()
    before = page.locator("#list article").evaluate_all("all => all.map(one => one.dataset.id)")
    saved.get_by_role("button", name="Save").click()
    settle(page, 0)
    after = page.locator("#list article").evaluate_all("all => all.map(one => one.dataset.id)")
    assert after != before
    expect(page.locator("#list")).to_contain_text(title[:30])
    expect(page.locator("#because-title")).to_have_text(f"Because you saved “{title}”")
    expect(page.locator("#because-items article").first).to_be_visible()
    assert int(page.locator("#pulse-ms").inner_text()) > 0
    expect(page.locator("#subject")).not_to_be_empty()
    expect(page.locator("#letter-items li")).to_have_count(4)
    page.evaluate("scrollTo(0, 0)")
    picture(page, "page-2-after-a-save")


def test_dismissing_asks_why_and_can_be_taken_back(page: Page) -> None:
    page.locator("#browse article").nth(1).get_by_role("button", name="Save").click()
    settle(page, 0)
    first = page.locator("#list article").first
    gone = first.get_attribute("data-id")
    first.locator("summary").click()
    picture(page, "page-3-dismiss")
    first.get_by_role("button", name="Too far away").click()
    settle(page, 1)
    expect(page.locator(f"#list [data-id='{gone}']")).to_have_count(0)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    settle(page, 2)
    expect(page.locator(f"#list [data-id='{gone}']")).to_have_count(1)


def test_an_item_opens_with_the_keyboard_and_says_why_it_is_there(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#list .open").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_be_visible()
    expect(page.locator("#item .reasons li").first).to_be_visible()
    assert serious(page) == []
    picture(page, "page-4-why")
    page.keyboard.press("Escape")
    expect(page.locator("#item")).to_be_hidden()
    settle(page, 0)
    expect(page.locator("#did")).to_contain_text("looked at")
    page.locator("#list .open").nth(1).click()
    page.get_by_role("button", name="Apply").click()
    settle(page, 1)
    expect(page.locator("#did")).to_contain_text("applied for")


def test_searching_finds_and_is_told(page: Page) -> None:
    page.get_by_role("searchbox").fill("sous chef")
    expect(page.locator("#browse-title")).to_have_text("“sous chef”")
    expect(page.locator("#browse h3").first).to_contain_text("Sous Chef")
    expect(page.locator("main section").first).to_have_attribute("aria-labelledby", "browse-title")
    page.keyboard.press("Enter")
    picture(page, "page-5-search")
    page.get_by_role("searchbox").fill("")
    expect(page.locator("#browse-title")).to_have_text("Look around")
    expect(page.locator("main section").first).to_have_attribute("aria-labelledby", "for-you")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.locator("#browse .save").first.click()
    settle(page, 0)
    expect(page.locator("#letter-items li")).to_have_count(4)
    assert small_targets(page) == []
    assert serious(page) == []
    picture(page, f"page-6-{scheme}")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert small_targets(page) == []
    assert serious(page) == []
    page.evaluate("scrollTo(0, 0)")
    picture(page, f"page-7-phone-{scheme}")


def test_nothing_is_evaluated_and_nothing_comes_from_elsewhere(page: Page, address: str) -> None:
    answer = page.request.get(address)
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy


def test_a_rule_broken_is_noticed(page: Page) -> None:
    """The control: axe sees what it should."""
    page.evaluate(
        "document.querySelector('main').append(document.createElement('img'), document.createElement('button'))"
    )
    assert serious(page)
    assert len(small_targets(page)) == 1


def test_the_shop_opens_when_somebody_looks_for_it(page: Page, address: str) -> None:
    page.get_by_role("radio", name="Shop").check()
    expect(page.locator("#market-note")).to_be_visible()
    page.wait_for_url(lambda url: not url.startswith(address), timeout=90_000)
    expect(page.locator("#list article").first).to_be_visible(timeout=30_000)
    page.locator("#browse .save").nth(1).click()
    settle(page, 0)
    expect(page.locator("#because-title")).to_contain_text("Because you saved")
    page.evaluate("scrollTo(0, 0)")
    picture(page, "page-8-shop")
    page.get_by_role("radio", name="Jobs").check()
    page.wait_for_url(f"{address}/", timeout=20_000)
