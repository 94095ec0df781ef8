"""The table of queries.txt, and what every reading obeys."""

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.codes import Codes
from serving.search.place_names import PlaceNames
from serving.search.says import says
from serving.search.understanding import Understanding, understand, without

TABLE: Final = Path(__file__).with_name("queries.txt")
NAMES: Final = PlaceNames()
BRANDS: Final = Codes()
for _brand in ("Nike", "Under Armour", "Google", "Home Depot"):
    BRANDS.learn(_brand)
ENOUGH: Final = 0.95


def read(query: str, domain: str, *, literal: bool = False) -> Understanding:
    def known(name: str) -> str | None:
        return BRANDS.name(code) if (code := BRANDS.code(name)) else None

    return understand(query, domain, NAMES, known, literal)


def rows() -> list[tuple[str, str, frozenset[str], str]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            domain, query, filters, text = (part.strip() for part in line.split("|"))
            meant = frozenset(part.strip() for part in filters.split(";") if part.strip())
            found.append((domain, query, meant, text))
    return found


def test_the_table_is_long_and_has_negatives():
    assert len(rows()) >= 60
    assert sum(1 for _, _, meant, _ in rows() if not meant) >= 20


def test_filters_are_read_with_precision_and_recall():
    told = right = expected = 0
    wrong = []
    for domain, query, meant, _ in rows():
        said = {says(piece) for piece in read(query, domain).pieces}
        told, right, expected = told + len(said), right + len(said & meant), expected + len(meant)
        if said != meant:
            wrong.append(f"{query!r}: read {sorted(said)}, meant {sorted(meant)}")
    assert right / told >= ENOUGH, wrong
    assert right / expected >= ENOUGH, wrong


def test_the_words_that_remain_are_what_was_not_understood():
    wrong = [
        f"{query!r}: {found!r}, not {text!r}"
        for domain, query, _, text in rows()
        if (found := read(query, domain).text) != text
    ]
    assert len(wrong) <= (1 - ENOUGH) * len(rows()), wrong


@pytest.mark.parametrize(("domain", "query"), [row[:2] for row in rows() if row[2]])
def test_each_piece_can_be_taken_out(domain, query):
    understood = read(query, domain)
    for piece in understood.pieces:
        rest = read(without(understood, piece), domain)
        assert says(piece) not in {says(other) for other in rest.pieces}
        assert query[piece.start : piece.end].strip()


@pytest.mark.parametrize(("domain", "query"), [row[:2] for row in rows() if row[2]])
def test_nothing_is_understood_of_a_literal_query(domain, query):
    understood = read(query, domain, literal=True)
    assert not understood.pieces
    assert understood.text == " ".join(query.split())


_PARTS = (
    *(
        "over",
        "under",
        "between",
        "and",
        "in",
        "near",
        "at",
        "last",
        "within",
        "within 5 km of",
        "90k",
        "$",
        "£20",
        "50",
    ),
    *(
        "100-200",
        "/hr",
        "an hour",
        "per year",
        "usd",
        "1e9",
        "999999999999",
        "austin",
        "tx",
        "paris",
        "google",
        "remote",
    ),
    *(
        "not",
        "new",
        "today",
        "me",
        "miles",
        "3 days",
        "brand:",
        '"',
        ",",
        "-",
        ")",
        "(",
        "'",
        "½",
        "İ",
        "ß",
        "\x00",
        "\x01",
    ),
)


@given(
    st.one_of(st.text(max_size=1_000), st.lists(st.sampled_from(_PARTS), max_size=40).map(" ".join)),
    st.sampled_from(["jobs", "shop"]),
)
@settings(max_examples=300, deadline=None)
def test_anything_can_be_read(query, domain):
    understood = read(query, domain)
    ends = 0
    for piece in understood.pieces:
        assert ends <= piece.start < piece.end <= len(query)
        ends = piece.end
        assert says(piece)
    assert understood.filters is not None
