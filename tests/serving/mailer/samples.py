"""Jobs, people and digests to write mails of; titles among them that try to be more than titles."""

from typing import Any, Final

from schemas.behaviour import Money
from schemas.catalogue import Item, Location, Salary, StatedPreferences, User
from schemas.decisions import Digest, RecommendedItem
from serving.mailer.known import Known
from serving.mailer.last_check import Fit, last_check
from serving.mailer.letter import Letter, write
from serving.mailer.links import Links

NOW_MS: Final = 1_790_000_000_000
DAY_MS: Final = 86_400_000
LINKS: Final = Links("a key for tests alone", "https://mail.example.org")
HOSTILE: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "Chef\r\nBcc: everyone@example.org\r\n\r\n<b>body</b>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "\u202egnp.exe \u2066x\u2069\u200b",
    "A" * 480,
    "</style></title><style>*{display:none}</style>",
    "&lt;b&gt; &amp; ' \" `",
)


def job(item_id: str, title: str, **more: Any) -> Item:
    given: dict[str, Any] = {
        "kind": "job",
        "brand": "Foxglove Alliance",
        "location": Location(city="Lyon", country="FR"),
        "salary": Salary(min=42_000, max=51_000, currency="EUR"),
        "posted_ms": NOW_MS - DAY_MS,
        "expires_ms": NOW_MS + 20 * DAY_MS,
        "url": f"https://jobs.example/{item_id}",
    }
    return Item(item_id=item_id, title=title, **(given | more))


def person(user_id: str = "u1", **more: Any) -> User:
    given: dict[str, Any] = {"ts_ms": NOW_MS - 9 * DAY_MS, "tz": "Europe/Paris", "email_opt_in": True}
    given["attributes"] = {"email": f"{user_id}@example.org"}
    return User(user_id=user_id, **(given | more))


def listed(item_id: str, rank: int, reason: str = "because you saved “Sous Chef, Bistro”") -> RecommendedItem:
    return RecommendedItem(item_id=item_id, rank=rank, score=1.0 / rank, source="text", reasons=(reason,))


def digest(item_ids: list[str], user_id: str = "u1", digest_id: str = "d1", **more: Any) -> Digest:
    given: dict[str, Any] = {"campaign": "digest", "due_ms": NOW_MS, "subject": "Six jobs near Lyon"}
    items = tuple(listed(item_id, n + 1) for n, item_id in enumerate(item_ids))
    return Digest(digest_id=digest_id, user_id=user_id, items=items, **(given | more))


def knowing(*records: Item | User) -> Known:
    known = Known()
    for record in records:
        known.apply(record, "items" if isinstance(record, Item) else "users", NOW_MS - DAY_MS)
    return known


def fit_of(made: Digest, known: Known) -> Fit:
    fit = last_check(made, known, NOW_MS)
    assert isinstance(fit, Fit), fit
    return fit


def letter(made: Digest, known: Known, images: bool = False) -> Letter:
    return write(fit_of(made, known), LINKS, "Riverside Jobs", NOW_MS, images)


JOBS: Final = (
    job("j1", "Sous Chef, Hotel"),
    job(
        "j2",
        "Senior Sushi Bar Sous Chef",
        brand="Kintsugi House",
        salary=Salary(min=19.5, currency="EUR", period="hour"),
    ),
    job("j3", "Night-shift Registered Nurse, Intensive Care", brand="Hôpital Saint-Roch", expires_ms=NOW_MS + DAY_MS),
    job("j4", "Python Backend Developer – Remote", brand="Larkspur", remote=True, location=None),
    job("j5", "Pastry Chef (Part-time)", salary=None, location=Location(city="Villeurbanne", country="FR")),
)
GOODS: Final = (
    Item(
        item_id="p1",
        title="Trail Running Shoe, women",
        brand="Alpenglow",
        price=Money(129.0, "EUR"),
        url="https://shop.example/p1",
    ),
    Item(
        item_id="p2", title="Light Trail Shoe", brand="Fernway", price=Money(99.5, "EUR"), url="https://shop.example/p2"
    ),
    Item(
        item_id="p3",
        title="Running Shoe, wide fit",
        brand="Fernway",
        price=Money(110.0, "EUR"),
        url="https://shop.example/p3",
    ),
    Item(
        item_id="p4",
        title="Merino Running Socks, 2 pairs",
        brand="Alpenglow",
        price=Money(24.0, "EUR"),
        url="https://shop.example/p4",
    ),
)
NURSE: Final = person(
    preferences=StatedPreferences(
        titles=("Sous Chef", "Pastry Chef"), places=("Lyon", "Villeurbanne"), min_salary=40_000.0
    ),
    frequency="daily",
)


def job_letter() -> Letter:
    """A daily digest of a job board."""
    why = ("You usually read at this hour", "a daily selection, as you chose")
    made = digest([item.item_id for item in JOBS], reasons=why, subject="Sous Chef, Hotel and 4 more that fit you")
    return letter(made, knowing(*JOBS, NURSE))


def nudge_letter() -> Letter:
    """A nudge of a shop: the item, two substitutes, one that goes with it."""
    items = (
        listed("p1", 1, "you looked at it three times this week"),
        listed("p2", 2, "similar to “Trail Running Shoe, women”"),
        listed("p3", 3, "similar to “Trail Running Shoe, women”"),
        listed("p4", 4, "often bought together"),
    )
    made = digest([], campaign="nudge", subject="Still thinking about the Trail Running Shoe?")
    made = Digest(
        made.digest_id,
        made.user_id,
        "nudge",
        made.due_ms,
        made.subject,
        items,
        ("You looked three times and did not buy",),
    )
    return letter(made, knowing(*GOODS, person()))


def hostile_letter() -> Letter:
    """Every field of a stranger's is an attack."""
    items = [
        job(f"h{n}", title, brand=title[:100], location=Location(city=title[:100]), url=f"https://evil.example/?q={n}")
        for n, title in enumerate(HOSTILE)
    ]
    made = digest([item.item_id for item in items], subject=HOSTILE[2], reasons=(HOSTILE[0],))
    return letter(made, knowing(*items, person()))
