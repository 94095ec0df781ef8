"""A night at the console: a real browser before a real Kafka, which is killed meanwhile."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from streams.embedded import EmbeddedRedis
from tests.integration.broker import Broker
from tests.integration.house import House
from tests.integration.waiting import eventually
from tests.integration.watched import worker_address
from tests.serving.console.console_process import ConsoleProcess, Visitor, browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PAGES = ("overview", "lag", "dead-letters", "models", "person?user=u1", "sending", "topology", "audit")
HOSTILE = '<script>alert("title")</script>\u202e\u2067 <img src=x onerror=alert(1)> Baker'
OPERATOR, VIEWER = "operator's password", "viewer's password"
WELL = re.compile("Everything is on time|of decisions take more than 5 s")
"""What a machine under load has to say."""
SLOW_MS = 40_000
"""For what a loaded machine does; the objective is measured by `benchmarks/console.py`."""


def row(topic: str, key: str, **value: object) -> str:
    return json.dumps({"topic": topic, "key": key, "value": value})


def market() -> list[str]:
    """Jobs with hostile titles, people who look at them, and letters that cannot be used."""
    items = [
        row("items", f"i{n}", item_id=f"i{n}", title=HOSTILE if n == 3 else f"Baker number {n}", brand=f"b{n % 5}")
        for n in range(30)
    ]
    views = [
        row(
            "views",
            f"u{n % 9}",
            event_id=f"e{n}",
            user_id=f"u{n % 9}",
            item_id=f"i{n % 30}",
            ts_ms=1_700_000_000_000 + n,
        )
        for n in range(240)
    ]
    hostile = {"event_id": "b0", "user_id": "u1", "item_id": "", "ts_ms": 1_700_000_000_000, "query": HOSTILE}
    broken = [
        row("views", "u1", **hostile),
        row("views", "u1", event_id="b1", user_id="u1", item_id="<b>" + "x" * 10_000, ts_ms=1_700_000_000_000),
        row("saves", "<script>alert(2)</script>", event_id="b2", user_id="u2", item_id="i1", ts_ms=1_700_000_000_000),
    ]
    return [*items, *views, *broken]


@pytest.fixture
def house(clean_kafka: str, tmp_path: Path) -> Iterator[House]:
    with EmbeddedRedis() as store:
        house = House(clean_kafka, tmp_path / "worker.log", redis=store.url, clock="wall")
        try:
            yield house
        finally:
            house.close()


@pytest.fixture
def console(house: House, tmp_path: Path) -> Iterator[ConsoleProcess]:
    settings = {**house.names, "state_dir": str(tmp_path / "console")}
    settings |= {"console_operator": OPERATOR, "console_viewer": VIEWER}
    process = ConsoleProcess(tmp_path / "console.log", "--worker", worker_address(house), **settings)
    try:
        yield process
    finally:
        process.close()


@pytest.mark.minutes
def test_a_night_on_call(house: House, console: ConsoleProcess, broker: Broker, tmp_path: Path) -> None:
    eventually(
        lambda: re.search(r"\bready\b *$", house.log.read_text(), re.MULTILINE), 90, 0.2, "a worker that is ready"
    )
    fed = house.attune("produce", "-", "--json", stdin="\n".join(market()))
    assert fed.code == 0, fed.err
    eventually(lambda: house.attune("recommend", "u1").code == 0, 90, 0.5, "a list in Redis")
    with browser() as chromium:
        strangers_are_refused(chromium, console)
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC")
        visitor = Visitor(context.new_page(), console.url)
        visitor.log_in(OPERATOR)
        expect(visitor.page.locator("#verdict")).to_have_text(WELL, timeout=SLOW_MS)
        every_page_is_sound(visitor)
        every_page_on_a_phone_and_in_the_dark(chromium, console)
        pages_can_be_read_without_scripts(chromium, console)
        letters_are_replayed(visitor, house)
        a_person_is_erased(visitor, house)
        viewers_only_look(chromium, console)
        the_broker_dies_while_a_page_is_open(visitor, broker)
        assert visitor.errors == []
    actions = [json.loads(line) for line in (tmp_path / "console" / "console-audit.jsonl").read_text().splitlines()]
    done = {(each["action"], each["role"], each["outcome"].split(":")[0].split(" ")[0]) for each in actions}
    assert done >= {
        ("login", "nobody", "refused"),
        ("login", "operator", "ok"),
        ("replay", "operator", "sent"),
        ("erase", "operator", "event"),
        ("erase", "viewer", "refused"),
    }


def strangers_are_refused(chromium: Browser, console: ConsoleProcess) -> None:
    visitor = Visitor(chromium.new_page(), console.url)
    page = visitor.open("/person?user=u1")
    expect(page).to_have_url(console.url + "/login")
    visitor.shoot("login")
    assert visitor.violations() == []
    visitor.log_in("not the password")
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    assert all("401" in error for error in visitor.errors)
    page.close()


def every_page_is_sound(visitor: Visitor) -> None:
    for path in PAGES:
        page = visitor.open(f"/{path}")
        expect(page.locator("h1").first).to_be_attached()
        if page.locator("[data-chart]").count():
            expect(page.locator(".uplot").first).to_be_visible(timeout=SLOW_MS)
        name = path.partition("?")[0]
        visitor.shoot(name)
        assert visitor.violations() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the window"
    page = visitor.open("/person?user=u1")
    expect(page.get_by_role("heading", name="Why this list")).to_be_visible()
    assert page.locator("main script:not([type='application/json'])").count() == 0
    assert page.locator("main img").count() == 0
    page = visitor.open("/dead-letters")
    assert page.locator("li.letter").count() == 3
    for summary in page.locator("li.letter summary").all():
        summary.click()
    expect(page.get_by_text("<script>alert(2)</script>").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visitor.errors == []


def every_page_on_a_phone_and_in_the_dark(chromium: Browser, console: ConsoleProcess) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", timezone_id="UTC")
    visitor = Visitor(context.new_page(), console.url)
    visitor.log_in(VIEWER)
    for path in PAGES:
        page = visitor.open(f"/{path}")
        if path in {"overview", "lag"}:
            expect(page.locator(".uplot").first).to_be_visible(timeout=SLOW_MS)
            visitor.shoot(f"{path}-phone-dark")
        assert visitor.violations() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than a phone"
    page = visitor.open("/lag")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert visitor.errors == []
    context.close()


def pages_can_be_read_without_scripts(chromium: Browser, console: ConsoleProcess) -> None:
    context = chromium.new_context(java_script_enabled=False)
    visitor = Visitor(context.new_page(), console.url)
    visitor.log_in(VIEWER)
    expect(visitor.page.get_by_role("heading", name=WELL)).to_be_visible()
    expect(visitor.open("/lag").get_by_role("heading", name="attune.behaviour").first).to_be_visible()
    expect(visitor.open("/topology").get_by_role("cell", name="someone looked at an item").first).to_be_visible()
    context.close()


def letters_are_replayed(visitor: Visitor, house: House) -> None:
    before = house.attune("dead-letters", "list", "--json").json
    page = visitor.open("/dead-letters?reason=item_id")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Replay the chosen ones").click()
    expect(page.get_by_role("heading", name="Send 1 letter back?")).to_be_visible()
    visitor.shoot("replay")
    assert visitor.violations() == []
    page.get_by_role("button", name="Send back").click()
    expect(page.get_by_role("status").first).to_contain_text("Sent back: 1")

    def again() -> bool:
        after = house.attune("dead-letters", "list", "--json").json
        return len(after) == len(before) + 1 and max(each["attempt"] for each in after) == 2

    eventually(again, 60, 0.5, "the letter, come back a second time")


def a_person_is_erased(visitor: Visitor, house: House) -> None:
    page = visitor.open("/person?user=u2")
    page.get_by_label("Type the id again").fill("u3")
    page.get_by_role("button", name="Forget this person").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was erased")).to_be_visible()
    visitor.errors[:] = [error for error in visitor.errors if "400" not in error]
    assert house.attune("recommend", "u2").code == 0
    page = visitor.open("/person?user=u2")
    page.get_by_label("Type the id again").fill("u2")
    page.get_by_role("button", name="Forget this person").click()
    expect(page.get_by_role("status").first).to_contain_text("Asked to forget this person")
    eventually(lambda: house.attune("recommend", "u2").code == 1, 60, 0.5, "no list of the person")
    page = visitor.open("/person?user=u2")
    expect(page.get_by_text("Erased: everything up to")).to_be_visible()


def viewers_only_look(chromium: Browser, console: ConsoleProcess) -> None:
    context = chromium.new_context()
    visitor = Visitor(context.new_page(), console.url)
    visitor.log_in(VIEWER)
    page = visitor.open("/person?user=u1")
    expect(page.get_by_text("An operator may erase.")).to_be_visible()
    assert page.get_by_role("button", name="Forget this person").count() == 0
    csrf = page.locator("input[name=csrf]").first.input_value()
    form: dict[str, Any] = {"user": "u1", "again": "u1", "csrf": csrf}
    refused = context.request.post(console.url + "/person/erase", form=form)
    assert refused.status == 403
    context.close()


def the_broker_dies_while_a_page_is_open(visitor: Visitor, broker: Broker) -> None:
    page = visitor.open("/overview")
    expect(page.locator("#verdict")).to_be_visible()
    broker.kill()
    expect(page.locator("#verdict")).to_contain_text("Kafka does not answer", timeout=SLOW_MS)
    visitor.shoot("broker-away")
    assert visitor.violations() == []
    for path in ("lag", "dead-letters", "person?user=u1", "topology"):
        page = visitor.open(f"/{path}")
        expect(page.locator("[data-trouble]").first).to_be_visible()
    page = visitor.open("/overview")
    broker.restart()
    expect(page.locator("#verdict")).not_to_contain_text("Kafka does not answer", timeout=SLOW_MS)
