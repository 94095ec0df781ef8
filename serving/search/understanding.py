"""What a query means: filters for what it says of place, pay, price and the like, and the words that remain.

Pure. Parts are read in an order in which the surer goes first, and each part counts once; all that was understood is
told with its place in the query, so that it can be shown and taken out.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from serving.search.filters import Area, Filters, Near, Range
from serving.search.money import Domain, money
from serving.search.pieces import Piece
from serving.search.place import places
from serving.search.place_names import PlaceNames

MOST_CHARS: Final = 1_000
"""Of a query; the rest is not read."""
DAY_MS: Final = 86_400_000
_JOBS: Final = ("job", "vacancy", "vacancies", "opening", "position", "hiring", "career", "wanted")
NOISE: Final = {"jobs": frozenset({*_JOBS, *[f"{word}s" for word in _JOBS]}), "shop": frozenset({"buy"})}
"""Words that every item could have, by domain: not looked for beside others."""

_SPAN_MS: Final = {"h": 3_600_000, "d": DAY_MS, "w": 7 * DAY_MS, "m": 30 * DAY_MS}
_UNIT: Final = r"(?P<unit>h|hrs?|hours?|d|days?|w|wks?|weeks?|months?)"
_VERB: Final = r"(?:newly\s+|recently\s+|just\s+)?(?:new|posted|added|listed|published|uploaded|advertised|fresh)"
_POSTED: Final = (
    re.compile(
        rf"(?<!\w)(?:{_VERB}\s+)?(?:(?:in|within|from|during|over|since)\s+)?(?:the\s+)?(?:last|past|previous)\s+"
        rf"(?:(?P<count>\d{{1,3}}|few|couple(?:\s+of)?)\s*)?{_UNIT}(?!\w)"
    ),
    re.compile(rf"(?<!\w){_VERB}\s+(?:within\s+|in\s+)?(?P<count>\d{{1,3}})\s*{_UNIT}(?:\s+ago)?(?!\w)"),
    re.compile(rf"(?<!\w)(?:less\s+than|under|at\s+most|max)\s+(?P<count>\d{{1,3}})\s*{_UNIT}\s+(?:old|ago)(?!\w)"),
    re.compile(
        rf"(?<!\w)(?:{_VERB}(?:\s+since)?|from|since|jobs?|listings|openings)\s+"
        r"(?:(?P<day>today|tonight|yesterday)|this\s+(?P<unit>week|month)|(?P<now>now))(?!\w)"
    ),
    re.compile(r"(?<!\w)(?P<day>today|yesterday)['’]s(?!\w)"),
    re.compile(r"(?<!\w)(?P<now>(?:just|newly|recently)\s+(?:posted|added|listed))(?!\w)"),
)
_NEW_DAYS: Final = {"today": 1, "tonight": 1, "yesterday": 2}
_RECENT_DAYS: Final = 3

_NOT_REMOTE: Final = re.compile(
    r"(?<!\w)(?:(?:not|no|non)[\s-]+(?:fully\s+)?remote(?:\s+work)?|on[\s-]?site(?:\s+only)?|in[\s-]office|in[\s-]person|"
    r"office[\s-]based)(?!\w)"
)
_REMOTE: Final = re.compile(
    r"(?<!\w)(?:(?:fully|100\s?%|completely|only)\s+)?(?:remote(?:ly)?(?:[\s-](?:only|work|working|jobs?(?=\s*$)|position|ok|friendly|first|based))?"
    r"|work(?:ing)?[\s-]+(?:from|at)[\s-]+home|wfh|home[\s-]based|telecommut(?:e|ing)|telework(?:ing)?|work[\s-]from[\s-]anywhere"
    r"|home\s?office|anywhere\s+in\s+the\s+world)(?!\w)"
    r"(?!\s*-?(?:control|controlled|sensing|desktop|monitoring|access|pilot|viewing|start|car|keyless))"
)
_LABELLED: Final = re.compile(
    r"(?<!\w)(?P<kind>brand|company|employer|category)\s*[:=]\s*(?:\"(?P<quoted>[^\"]{1,100})\"|(?P<name>[^\s\",;]{1,100}))"
)
_BY: Final = re.compile(r"(?<!\w)(?:by|at|from|made\s+by)\s+(?=\w)")
_QUOTED: Final = re.compile(r"[\"“”„]([^\"“”„]{1,200})[\"“”„]")
_BRAND_WORDS: Final = 5

KnownBrand = Callable[[str], str | None]
"""The spelling of a brand that the catalogue has, or None."""


class Understanding(Struct, frozen=True):
    """`text` are the words that remain, without what goes without saying; `quoted` are phrases to find as they are."""

    query: str
    filters: Filters
    pieces: tuple[Piece, ...]
    text: str
    quoted: tuple[str, ...]


def understand(
    query: str, domain: Domain, names: PlaceNames, known_brand: KnownBrand = lambda _: None, literal: bool = False
) -> Understanding:
    """Read a query; with `literal` nothing but quotes is understood."""
    query = query[:MOST_CHARS]
    text = "".join([lowered if len(lowered := char.lower()) == 1 else char for char in query])
    labelled = [] if literal else list(_labelled(query, text, known_brand))
    text = _without(text, labelled)
    quoted = tuple([match[1] for match in _QUOTED.finditer(text)])
    text = _QUOTED.sub(lambda match: "\x01" * len(match.group()), text)
    pieces = labelled
    if not literal:
        readers: tuple[Callable[[str], Iterator[Piece]], ...] = (
            _posted,
            lambda rest: _remote(rest, domain),
            lambda rest: _firsts(money(rest, domain)),
            lambda rest: _brand(rest, known_brand),
            lambda rest: places(query, rest, domain, names),
        )
        for read in readers:
            found = list(read(text))
            pieces += found
            text = _without(text, found)
    pieces.sort(key=lambda piece: piece.start)
    return Understanding(query, _filters(pieces), tuple(pieces), _remaining(query, text, domain, literal), quoted)


def without(understood: Understanding, piece: Piece) -> str:
    """The query with one piece taken out."""
    query = understood.query
    return " ".join(f"{query[: piece.start]} {query[piece.end :]}".split())


def _posted(text: str) -> Iterator[Piece]:
    for pattern in _POSTED:
        for match in pattern.finditer(text):
            told = match.groupdict()
            if told.get("day"):
                span_ms = _NEW_DAYS[told["day"] or ""] * DAY_MS
            elif told.get("now"):
                span_ms = _RECENT_DAYS * DAY_MS
            else:
                count = told.get("count") or "1"
                many = int(count) if count.isdigit() else _RECENT_DAYS if count == "few" else 2
                span_ms = max(many, 1) * _SPAN_MS[(told["unit"] or "d")[0]]
            yield Piece("posted", match.start(), match.end(), span_ms)
            return


def _remote(text: str, domain: Domain) -> Iterator[Piece]:
    if domain != "jobs":
        return
    for pattern, means in ((_NOT_REMOTE, False), (_REMOTE, True)):
        match = pattern.search(text)
        if match is not None:
            yield Piece("remote", match.start(), match.end(), means)
            return


def _firsts(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The first least and the first most of each kind: `over 20 under 50` are two pieces of one range."""
    taken: set[tuple[str, str]] = set()
    for piece in pieces:
        assert isinstance(piece.means, Range)
        ends = {(piece.kind, end) for end in ("least", "most") if getattr(piece.means, end) is not None}
        if not ends & taken:
            taken |= ends
            yield piece


def _labelled(query: str, text: str, known_brand: KnownBrand) -> Iterator[Piece]:
    for match in _LABELLED.finditer(text):
        start, end = match.span("quoted" if match["quoted"] else "name")
        name = " ".join(query[start:end].split())
        if name and match["kind"] == "category":
            yield Piece("category", match.start(), match.end(), (name,))
        elif name:
            yield Piece("brand", match.start(), match.end(), (known_brand(name) or name,))


def _brand(text: str, known_brand: KnownBrand) -> Iterator[Piece]:
    for match in _BY.finditer(text):
        words = list(re.finditer(r"[^\s\x00\x01,;]+", text[match.end() :]))[:_BRAND_WORDS]
        for count in range(len(words), 0, -1):
            end = match.end() + words[count - 1].end()
            name = known_brand(text[match.end() : end])
            if name is not None:
                yield Piece("brand", match.start(), end, (name,))
                return


def _filters(pieces: list[Piece]) -> Filters:
    near: Near | None = None
    near_me_km: float | None = None
    area: Area | None = None
    ranges: dict[str, Range] = {}
    remote: bool | None = None
    posted_ms: int | None = None
    names: dict[str, list[str]] = {"brand": [], "category": []}
    for piece in pieces:
        match piece.means:
            case Near() as place:
                near = place
            case Area() as place:
                area = place
            case Range() as found:
                known = ranges.get(piece.kind, Range())
                ranges[piece.kind] = Range(
                    least=known.least if found.least is None else found.least,
                    most=known.most if found.most is None else found.most,
                    currency=known.currency or found.currency,
                )
            case bool() as answer:
                remote = answer
            case int() as span_ms:
                posted_ms = span_ms
            case float() as km:
                near_me_km = km
            case tuple() as said:
                names[piece.kind] += said
    return Filters(
        near=near,
        near_me_km=near_me_km,
        area=area,
        salary=ranges.get("salary"),
        price=ranges.get("price"),
        remote=remote,
        categories=tuple(names["category"]),
        brands=tuple(names["brand"]),
        posted_within_ms=posted_ms,
    )


def _without(text: str, pieces: list[Piece]) -> str:
    """The text with pieces blanked out, so that what follows keeps its place and nothing reads across the gap."""
    for piece in pieces:
        text = text[: piece.start] + "\x00" * (piece.end - piece.start) + text[piece.end :]
    return text


def _remaining(query: str, text: str, domain: Domain, literal: bool) -> str:
    kept = "".join([" " if blank in "\x00\x01" else char for char, blank in zip(query, text, strict=True)])
    words = kept.split()
    telling = [word for word in words if word.lower().strip(",.;:!?-") not in NOISE[domain]]
    return " ".join(words if literal else telling)
