"""The pages in Chromium and by hand: what they publish, what they never do, how they look at any width."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from schemas.behaviour import Click, Open, Preference, Unsubscribe
from schemas.catalogue import Item
from serving.mailer.links import Link
from tests.serving.mailer.browser import WIDTHS, Site, chromium, page_of, pages
from tests.serving.mailer.samples import JOBS, NOW_MS, NURSE, hostile_letter, job, job_letter, knowing, nudge_letter

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def site() -> Iterator[Site]:
    with pages() as served:
        yield served


def to(site: Site, kind: Any, item_id: str | None = None) -> str:
    return site.to(Link(kind, "u1", "d1", item_id))


def test_a_click_is_told_and_leads_to_the_catalogues_address(site: Site) -> None:
    answer = httpx.get(to(site, "click", "j1"))
    assert (answer.status_code, answer.headers["location"]) == (302, "https://jobs.example/j1")
    ((topic, event),) = site.heard.events
    assert topic == "clicks"
    assert isinstance(event, Click)
    assert (event.user_id, event.send_id, event.item_id) == ("u1", "d1", "j1")
    assert "httpx" in (event.user_agent or "")


def test_a_click_leads_nowhere_else(site: Site) -> None:
    site.known.apply(Item(item_id="j1", title="no address"), "items", NOW_MS)
    assert httpx.get(to(site, "click", "j1")).status_code == 410
    forged = to(site, "click", "j2")
    assert httpx.get(forged[:-2] + ("AA" if forged[-2:] != "AA" else "BB")).status_code == 404
    assert httpx.get(f"{site.url}/c/{'x' * 3_000}").status_code == 404
    assert httpx.get(f"{site.url}/c/https:%2F%2Fevil.example").status_code == 404
    other = site.links.token(Link("preferences", "u1", "d1"))
    assert httpx.get(f"{site.url}/c/{other}").status_code == 404
    assert [type(event) for _, event in site.heard.events] == [Click]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("kind", ["preferences", "unsubscribe"])
def test_looking_changes_nothing(site: Site, kind: str, method: str) -> None:
    assert httpx.request(method, to(site, kind)).status_code == 200
    httpx.request(method, to(site, kind) + "?action=unsubscribe&List-Unsubscribe=One-Click")
    assert site.heard.events == []


def test_one_click_unsubscribes(site: Site) -> None:
    """RFC 8058: a POST with this body, without cookies or a page before."""
    answer = httpx.post(to(site, "unsubscribe"), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    ((topic, event),) = site.heard.events
    assert topic == "unsubscribes"
    assert isinstance(event, Unsubscribe)
    assert (event.user_id, event.send_id, event.cause) == ("u1", "d1", "user")
    assert site.known.reader("u1").unsubscribed
    multipart = httpx.post(to(site, "unsubscribe"), files={"List-Unsubscribe": (None, "One-Click")})
    assert multipart.status_code == 200


def test_what_kafka_does_not_take_is_not_called_done(site: Site) -> None:
    site.heard.takes = False
    assert httpx.post(to(site, "unsubscribe")).status_code == 503
    answer = httpx.post(to(site, "preferences"), data={"action": "fewer"}, follow_redirects=True)
    assert "could not be saved" in answer.text
    assert not site.known.reader("u1").unsubscribed


def test_an_opening_is_told_by_a_picture(site: Site) -> None:
    answer = httpx.get(to(site, "open"), headers={"user-agent": "GoogleImageProxy"})
    assert answer.headers["content-type"] == "image/gif"
    ((topic, event),) = site.heard.events
    assert topic == "opens"
    assert isinstance(event, Open)
    assert event.user_agent == "GoogleImageProxy"


def test_pages_are_closed_to_everything_else(site: Site) -> None:
    headers = httpx.get(to(site, "preferences")).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    large = httpx.post(to(site, "preferences"), data={"action": "save", "titles": "x" * 100_000})
    assert large.status_code == 413
    assert httpx.post(to(site, "preferences"), data={"action": "?"}, follow_redirects=True).status_code == 200
    assert site.heard.events == []


def test_a_person_chooses_in_a_browser(site: Site, browser: Any) -> None:
    with page_of(browser, "phone", "light") as page:
        page.goto(to(site, "preferences"))
        page.get_by_label("Once a week at most").check()
        page.get_by_label("Places").fill("Lyon, Grenoble")
        page.get_by_label("At least, a year").fill("45,000")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("status").get_by_text("Saved.").wait_for()
        assert page.get_by_label("Once a week at most").is_checked()
        page.get_by_role("button", name="A break of 30 days").click()
        page.get_by_text("You are taking a break").wait_for()
        page.get_by_role("button", name="Write to me again").click()
        page.get_by_text("Welcome back").wait_for()
        page.get_by_role("button", name="Unsubscribe").click()
        page.get_by_text("You get no mails").wait_for()
    saved, paused, resumed, gone = (event for _, event in site.heard.events)
    assert isinstance(saved, Preference)
    assert (saved.frequency, saved.places, saved.min_salary) == ("weekly", ("Lyon", "Grenoble"), 45_000.0)
    assert saved.titles is None, "what was not changed overrules nothing"
    assert saved.remote is None
    assert isinstance(paused, Preference)
    assert paused.pause_until_ms == NOW_MS + 30 * DAY_MS
    assert isinstance(resumed, Preference)
    assert resumed.pause_until_ms == NOW_MS
    assert isinstance(gone, Unsubscribe)


def test_fewer_is_one_step_less(site: Site) -> None:
    httpx.post(to(site, "preferences"), data={"action": "fewer"})
    ((_, event),) = site.heard.events
    assert isinstance(event, Preference)
    assert event.frequency == "weekly"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mails_and_pages_fit_and_run_nothing(site: Site, browser: Any, width: str, scheme: Any) -> None:
    hostile = knowing(job("j1", "<script>document.title='hacked'</script>"), NURSE)
    shown = [job_letter().html, nudge_letter().html, hostile_letter().html]
    with page_of(browser, width, scheme) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail("a title ran a script"))
        for html in shown:
            page.set_content(html)
            assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]
            assert page.evaluate("document.title") != "hacked"
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (sum(map(int, background[4:-1].split(", "))) < 128 * 3) == (scheme == "dark")
        assert asked == [], "a mail loads nothing"
        assert hostile.item("j1") is not None
        for kind in ("preferences", "unsubscribe"):
            page.goto(to(site, kind))
            assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]


def test_the_preference_page_has_no_serious_barrier(site: Site, browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with page_of(browser, "desktop", "light") as page:
        for kind in ("preferences", "unsubscribe"):
            page.goto(to(site, kind))
            assert Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"] == []
    assert JOBS
