"""A mail in words: HTML for those who like it, the same as plain text, made from one view of a digest.

Titles come from strangers: the HTML is escaped by Jinja2, the text is cleaned of everything that is not one line.
"""

from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from schemas.catalogue import Item
from schemas.decisions import RecommendedItem
from serving.look.stylesheet import colours
from serving.mailer.facts import closing, facts
from serving.mailer.last_check import Fit
from serving.mailer.links import Link, Links
from serving.mailer.one_line import one_line

SUBJECT_CHARS: Final = 120
OVERLINES: Final = {
    "digest": "Picked for you",
    "alert": "New and a good match",
    "nudge": "Still on your mind?",
    "complements": "Goes well with what you have",
    "price": "Price drop",
    "stock": "Back in stock",
    "closing": "Closing soon",
    "reactivation": "It has been a while",
}
LEADS: Final = {
    "digest": "",
    "alert": "Just in, and it fits what you are looking for.",
    "nudge": "You came back to it, so here it is once more, with others like it.",
    "complements": "Chosen to go with what you bought.",
    "price": "Something you looked at costs less now.",
    "stock": "Something you looked at is there again.",
    "closing": "You showed interest, and there is not much time left.",
    "reactivation": "A short look at what is new since you were last here.",
}
FIRST_OF_ONE: Final = frozenset({"nudge", "price", "stock", "closing"})


class Letter(Struct, frozen=True):
    """What goes out; `subject` is one line."""

    subject: str
    html: str
    text: str
    unsubscribe_url: str
    preferences_url: str


class Card(Struct, frozen=True):
    """One item as it is shown."""

    title: str
    facts: tuple[str, ...]
    closing: str
    reason: str
    url: str
    image_url: str | None


def write(fit: Fit, links: Links, sender_name: str, now_ms: int, images: bool = False) -> Letter:
    """Write the mail. `images` shows the items' pictures and counts openings; without it a mail loads nothing."""
    digest = fit.digest
    subject = one_line(digest.subject, SUBJECT_CHARS) or OVERLINES[digest.campaign]
    tz = fit.reader.said("tz")
    urls = {
        kind: links.url(Link(kind, digest.user_id, digest.digest_id)) for kind in ("preferences", "unsubscribe", "open")
    }
    view: dict[str, Any] = {
        "subject": subject,
        "overline": OVERLINES[digest.campaign],
        "lead": LEADS[digest.campaign],
        "cards": [_card(listed, item, fit, links, now_ms, tz, images) for listed, item in fit.items],
        "first_apart": digest.campaign in FIRST_OF_ONE,
        "why": [one_line(reason) for reason in digest.reasons],
        "sender": sender_name,
        "urls": urls,
        "pixel": urls["open"] if images else None,
        "colour": colours(),
    }
    view["preheader"] = " · ".join(card.title for card in view["cards"][:3])
    return Letter(
        subject=subject,
        html=environment(True).get_template("mail.html.j2").render(view),
        text=environment(False).get_template("mail.txt.j2").render(view),
        unsubscribe_url=urls["unsubscribe"],
        preferences_url=urls["preferences"],
    )


def _card(
    listed: RecommendedItem, item: Item, fit: Fit, links: Links, now_ms: int, tz: str | None, images: bool
) -> Card:
    digest = fit.digest
    reason = one_line(listed.reasons[0], 140) if listed.reasons else ""
    return Card(
        title=one_line(item.title, 140) or item.item_id,
        facts=facts(item, now_ms, tz),
        closing=closing(item, now_ms, tz),
        reason=reason[:1].upper() + reason[1:],
        url=links.url(Link("click", digest.user_id, digest.digest_id, item.item_id)),
        image_url=item.image_url if images and web_address(item.image_url) else None,
    )


def web_address(url: str | None) -> bool:
    """Whether a link may be followed: http and https alone."""
    return url is not None and url.startswith(("https://", "http://"))


@cache
def environment(escape: bool) -> Environment:
    """The templates; HTML is always escaped, and a name that does not exist is an error."""
    return Environment(
        loader=PackageLoader("serving.mailer"),
        autoescape=escape,  # noqa: S701 - off for plain text alone
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
