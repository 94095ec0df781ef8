# ruff: noqa: E501 -- a table, one row a line
"""Products of the shop: departments, what they sell, in which styles, what it costs, and how long supplies last.

A *kind* is a product in a style ("Oak Dining Chair"): the unit in which people's tastes are expressed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Floats, Ints

STYLES_PER_DEPARTMENT = 4
PRODUCTS_PER_DEPARTMENT = 4

_DEPARTMENTS = """
living | Sofa 890 -; Coffee Table 240 -; Floor Lamp 120 -; Rug 180 - | Oak; Velvet; Rattan; Industrial | room evening comfort light
dining | Dining Table 450 -; Dining Chair 95 -; Bench 160 -; Sideboard 380 - | Oak; Walnut; White; Industrial | table guests meals solid
bedroom | Bed Frame 420 -; Nightstand 110 -; Duvet Cover 70 -; Pillow 30 - | Linen; Pine; Cotton; Velvet | sleep soft night quiet
kitchen | Frying Pan 48 -; Chef Knife 65 -; Cutting Board 28 -; Storage Jar 14 - | Steel; Bamboo; Ceramic; Copper | cooking sharp durable dishwasher
coffee | Espresso Machine 320 -; Coffee Beans 14 30; Filter Papers 6 45; Mug 12 - | Italian; Nordic; Organic; Classic | aroma brew morning roast
pets | Dog Bed 60 -; Dog Food 38 35; Cat Tree 75 -; Cat Litter 16 28 | Natural; Compact; Premium; Gentle | paws play fur bowl
garden | Lawn Mower 260 -; Plant Pot 24 -; Garden Chair 85 -; Potting Soil 12 60 | Terracotta; Teak; Steel; Recycled | outdoor terrace rain plants
bath | Shower Curtain 26 -; Towel Set 34 -; Hand Soap 6 40; Shampoo 9 45 | Striped; Lavender; Bamboo; Sea Salt | skin fresh water soft
baby | Stroller 410 -; Diapers 22 21; Baby Blanket 32 -; Feeding Bottle 11 - | Organic; Muslin; Compact; Gentle | newborn safe washable parents
office | Desk 290 -; Desk Chair 210 -; Notebook 8 50; Printer Paper 12 60 | Minimalist; Ergonomic; Birch; Recycled | work focus drawer posture
sports | Yoga Mat 38 -; Running Shoes 115 -; Water Bottle 18 -; Protein Powder 32 40 | Lightweight; Trail; Vegan; Studio | training breathable run stretch
toys | Building Blocks 35 -; Puzzle 19 -; Board Game 34 -; Plush Bear 24 - | Wooden; Dinosaur; Family; Classic | children play gift fun
"""


@dataclass(frozen=True)
class Product:
    """`price` is the usual one in euros; `lasts_days` how long a supply lasts (None: bought once)."""

    name: str
    department: int
    price: float
    lasts_days: float | None


@dataclass(frozen=True)
class Department:
    """A field of goods: its styles appear in titles, its words in texts and queries."""

    name: str
    styles: tuple[str, ...]
    words: tuple[str, ...]


def _read(table: str) -> tuple[tuple[Department, ...], tuple[Product, ...]]:
    departments, products = [], []
    for number, line in enumerate(table.strip().splitlines()):
        name, things, styles, words = (part.strip() for part in line.split("|"))
        departments.append(Department(name, tuple(styles.split("; ")), tuple(words.split())))
        for thing in things.split("; "):
            title, price, lasts = thing.rsplit(" ", 2)
            products.append(Product(title, number, float(price), None if lasts == "-" else float(lasts)))
    return tuple(departments), tuple(products)


DEPARTMENTS, PRODUCTS = _read(_DEPARTMENTS)
KINDS = len(PRODUCTS) * STYLES_PER_DEPARTMENT
PRODUCT_OF: Ints = np.arange(KINDS) // STYLES_PER_DEPARTMENT
STYLE_OF: Ints = np.arange(KINDS) % STYLES_PER_DEPARTMENT
DEPARTMENT_OF: Ints = PRODUCT_OF // PRODUCTS_PER_DEPARTMENT
LASTS_DAYS: Floats = np.array([p.lasts_days or 0.0 for p in PRODUCTS])
USUAL_PRICE: Floats = np.array([p.price for p in PRODUCTS])


def complements() -> Floats:
    """How much owning one product makes another wanted, in logits; shape (owned, wanted).

    The first product of a department calls for the others of it most.

    >>> bool(complements()[4, 5] > complements()[5, 4] > 0 == complements()[4, 0])
    True
    """
    same = (np.arange(len(PRODUCTS)) // PRODUCTS_PER_DEPARTMENT)[:, None] == (
        np.arange(len(PRODUCTS)) // PRODUCTS_PER_DEPARTMENT
    )[None, :]
    pull = np.where(np.arange(len(PRODUCTS)) % PRODUCTS_PER_DEPARTMENT == 0, 2.4, 1.0)
    out: Floats = same * pull[:, None] * (1.0 - np.eye(len(PRODUCTS)))
    return out


def style_name(kind: int) -> str:
    """The style of a kind, as in titles."""
    return DEPARTMENTS[int(DEPARTMENT_OF[kind])].styles[int(STYLE_OF[kind])]
