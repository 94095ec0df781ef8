"""What was understood, in words a person reads."""

from serving.search.filters import Area, Near, Range
from serving.search.pieces import Piece

_SPANS = ((7 * 86_400_000, "week"), (86_400_000, "day"), (3_600_000, "hour"))


def says(piece: Piece) -> str:
    """>>> says(Piece("salary", 0, 0, Range(least=90000.0, currency="USD")))
    'salary at least 90,000 USD a year'
    >>> says(Piece("posted", 0, 0, 3 * 86_400_000))
    'posted within 3 days'
    """
    match piece.means:
        case Near(city=city, region=region, radius_km=km):
            state = f", {region}" if region and region.isalpha() else ""  # other countries' regions have numbers
            return f"within {km:,.0f} km of {city or 'a place'}{state}"
        case Area(name=name, regions=regions, countries=countries):
            return f"in {name or ', '.join([*regions, *countries])}"
        case Range() as asked:
            return f"{piece.kind} {_range(asked)}{' a year' if piece.kind == 'salary' else ''}"
        case bool() as answer:
            return "remote" if answer else "not remote"
        case int() as span_ms:
            for unit_ms, unit in _SPANS:
                if span_ms % unit_ms == 0:
                    count = span_ms // unit_ms
                    return f"posted within {count} {unit}{'s' if count > 1 else ''}"
            return f"posted within {span_ms} ms"
        case float() as km:
            return f"within {km:,.0f} km of you"
        case names:
            return f"{piece.kind} {' or '.join(names)}"


def _range(asked: Range) -> str:
    money = f" {asked.currency}" if asked.currency else ""
    if asked.least is not None and asked.most is not None:
        return f"{asked.least:,.10g} to {asked.most:,.10g}{money}"
    if asked.least is not None:
        return f"at least {asked.least:,.10g}{money}"
    return f"at most {asked.most or 0:,.10g}{money}"
