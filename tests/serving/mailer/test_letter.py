"""Mails in words: strangers' titles do nothing, headers hold one line, both forms say the same."""

import email
import email.policy
import re
from email.headerregistry import Address
from html.parser import HTMLParser

import pytest

from processors.profile import Profile
from schemas.catalogue import Item
from serving.mailer.known import Reader
from serving.mailer.last_check import Dropped, address_of, last_check
from serving.mailer.letter import Letter
from serving.mailer.message import compose
from tests.serving.mailer.samples import (
    HOSTILE,
    JOBS,
    NOW_MS,
    NURSE,
    digest,
    fit_of,
    hostile_letter,
    job,
    job_letter,
    knowing,
    letter,
    nudge_letter,
    person,
)


class Read(HTMLParser):
    """Tags, links and what is loaded."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            if name in {"src", "srcset", "background", "data"}:
                self.loads.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)


@pytest.mark.parametrize("made", [job_letter(), nudge_letter(), hostile_letter()], ids=["digest", "nudge", "hostile"])
def test_nothing_runs_nothing_loads_and_links_are_ours(made: Letter) -> None:
    read = Read(made.html)
    assert not read.loads
    assert not read.handlers
    assert not {"script", "img", "iframe", "object", "form", "input", "svg"} & set(read.tags)
    assert read.tags.count("style") == read.tags.count("title") == 1
    assert read.links
    assert all(link.startswith("https://mail.example.org/") for link in read.links)


def test_titles_of_strangers_are_shown_as_they_are() -> None:
    made = hostile_letter()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made.html
    assert "<script" not in made.html
    assert "49" not in re.sub(r"https://\S+|#[0-9a-f]{6}|\d+px", "", made.text)
    for text in (made.html, made.text):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b]", text)


def test_a_template_that_does_not_escape_would_be_seen() -> None:
    """The control: the same look at unescaped HTML finds what it must."""
    read = Read(f"<p>{HOSTILE[0]}{HOSTILE[1]}</p>")
    assert {"script", "img"} <= set(read.tags)
    assert read.loads == ["x"]
    assert read.handlers == ["onerror"]


def test_one_line_a_header_and_both_forms_whole() -> None:
    known = knowing(*JOBS, person(attributes={"email": "u1@example.org"}))
    evil = digest(["j1"], subject="Hi\r\nBcc: all@example.org\n\nbody", digest_id="a b>\u00e9/" + "x" * 90)
    fit = fit_of(evil, known)
    made = letter(evil, known)
    raw = compose(made, fit, Address("Riverside, Jobs", addr_spec="jobs@example.org"), NOW_MS).as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == "Hi Bcc: all@example.org body"
    assert len(parsed.get_all("To")) == 1
    assert parsed["Message-ID"].startswith("<a%20b%3E%C3%A9%2F")
    assert parsed["List-Unsubscribe"] == f"<{made.unsubscribe_url}>"
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert parsed.get_body(("plain",)).get_content().split() == made.text.split()
    assert parsed.get_body(("html",)).get_content().split() == made.html.split()


def test_every_item_stands_in_both_forms() -> None:
    made = job_letter()
    for item in JOBS:
        assert item.title in made.html
        assert item.title in made.text
    assert set(re.findall(r"https://\S+", made.text)) == set(Read(made.html).links)


def test_pictures_only_where_they_are_asked_for_and_never_by_another_scheme() -> None:
    items = (job("j1", "A", image_url="https://img.example/a.png"), job("j2", "B"))
    known = knowing(*items, NURSE)
    assert not Read(letter(digest(["j1", "j2"]), known).html).loads
    loads = Read(letter(digest(["j1", "j2"]), known, images=True).html).loads
    assert loads[0] == "https://img.example/a.png"
    assert len(loads) == 2
    assert loads[1].startswith("https://mail.example.org/o/")


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "@b", "a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a b@c", "x" * 300 + "@b.c", "a@b\u2028c"]
)
def test_what_is_no_address_gets_no_mail(address: str) -> None:
    assert address_of(Reader(Profile(), address=address)) is None
    known = knowing(*JOBS, person(attributes={"email": address}))
    assert last_check(digest(["j1"]), known, NOW_MS) == Dropped("no_address")


def test_an_item_without_a_title_is_named_by_its_id() -> None:
    assert "j9" in letter(digest(["j9"]), knowing(Item(item_id="j9"), NURSE)).text
