"""Made-up items for tests of search."""

import random

from schemas.behaviour import Money
from schemas.catalogue import Item, Location, Salary
from serving.search.filters import Area, Filters, Near, Range

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
CITIES = (
    ("Austin", "TX", "US", 30.27, -97.74),
    ("Round Rock", "TX", "US", 30.51, -97.68),
    ("Dallas", "TX", "US", 32.78, -96.8),
    ("Paris", "TX", "US", 33.66, -95.56),
    ("Springfield", "IL", "US", 39.8, -89.64),
    ("Springfield", "MA", "US", 42.1, -72.59),
    ("Berlin", None, "DE", 52.52, 13.41),
)
BRANDS = ("Acme", "Foxglove Alliance", "Nike", "Under Armour", "Über GmbH")
CATEGORIES = ("Kitchen", "Retail", "Health & Care", "Warehouse")
WORDS = (
    "senior",
    "junior",
    "night",
    "python",
    "nurse",
    "cashier",
    "driver",
    "chef",
    "sales",
    "associate",
    "red",
    "shoes",
)


def item(number: int, rng: random.Random) -> Item:
    """An item that says some things and not others."""

    def maybe(made, share=0.7):
        return made if rng.random() < share else None

    city, region, country, lat, lon = rng.choice(CITIES)
    kind = rng.random()
    where = (
        Location(city=city, region=region, country=country, lat=lat + rng.gauss(0, 0.2), lon=lon + rng.gauss(0, 0.2))
        if kind < 0.6
        else Location(city=city, region=region, country=country)
        if kind < 0.8
        else Location(city="Nowhereville", region=region)
        if kind < 0.9
        else None
    )
    low = rng.choice((15.0, 20.0, 3_000.0, 40_000.0, 90_000.0))
    period = "hour" if low < 100 else "month" if low < 10_000 else "year"
    return Item(
        item_id=f"i{number}",
        title=" ".join(rng.sample(WORDS, rng.randint(1, 4))).title(),
        text=" ".join(rng.choices(WORDS, k=8)),
        brand=maybe(rng.choice(BRANDS)),
        categories=tuple(rng.sample(CATEGORIES, rng.randint(0, 2))),
        location=where,
        remote=maybe(rng.random() < 0.3),
        price=maybe(Money(round(rng.uniform(1, 1_000), 2), rng.choice(("USD", "EUR")))),
        salary=maybe(
            Salary(
                min=maybe(low),
                max=maybe(low * 1.5),
                currency=maybe(rng.choice(("USD", "EUR"))),
                period=period,
            )
        ),
        posted_ms=maybe(NOW_MS - int(rng.expovariate(1 / (5 * DAY_MS))) + rng.choice((0, 0, 0, 2 * DAY_MS))),
        expires_ms=maybe(NOW_MS + rng.choice((-DAY_MS, DAY_MS)), 0.3),
        available=rng.random() < 0.95,
    )


def shelf(count: int, seed: int) -> list[Item]:
    rng = random.Random(seed)
    return [item(number, rng) for number in range(count)]


def filters(rng: random.Random) -> Filters:
    """Some filters at once."""

    def maybe(made, share=0.25):
        return made if rng.random() < share else None

    city, region, _, lat, lon = rng.choice(CITIES)
    place = rng.random()
    return Filters(
        near=Near(lat=lat, lon=lon, radius_km=rng.choice((1.0, 25.0, 400.0, 9_000.0)), city=city, region=region)
        if place < 0.3
        else None,
        area=Area(
            regions=(rng.choice(("tx", "TX", "IL", "Bavaria")),) if rng.random() < 0.7 else (),
            countries=(rng.choice(("us", "DE")),) if rng.random() < 0.7 else (),
        )
        if place > 0.8
        else None,
        salary=maybe(money(rng, 120_000.0)),
        price=maybe(money(rng, 1_000.0)),
        remote=maybe(rng.random() < 0.5),
        cities=maybe(tuple(rng.sample(("austin", "Springfield", "Springfield, MA", "Berlin", "Nowhere"), 2)), 0.1)
        or (),
        brands=maybe(tuple(rng.sample((*BRANDS, "acme", "nobody"), 2))) or (),
        categories=maybe(tuple(rng.sample((*CATEGORIES, "kitchen", "nothing"), 2))) or (),
        posted_within_ms=maybe(rng.choice((1, 3, 7)) * DAY_MS),
    )


def money(rng: random.Random, top: float) -> Range:
    low, high = sorted(round(rng.uniform(0, top), 2) for _ in range(2))
    kind = rng.random()
    return Range(
        least=low if kind < 0.7 else None,
        most=high if kind > 0.3 else None,
        currency=rng.choice((None, None, "USD")),
    )
