"""Counts by which a search can be narrowed, over everything that it found."""

from typing import Any, Final

from serving.search.answer import Count, Facet, FacetField
from serving.search.fields import Documents
from serving.search.understanding import DAY_MS

VALUES: Final = 10
"""Of a field, the most frequent."""
LOOKED_AT: Final = 1_000
"""Values that each segment of the index may name: one rarer there than so many others is not counted in that segment.
With all values, a shop of ten thousand brands spent half of a search on adding them up."""
SALARIES: Final = (0.0, 30_000.0, 50_000.0, 75_000.0, 100_000.0, 150_000.0, 200_000.0)
PRICES: Final = (0.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0)
"""Where ranges begin, whatever the currency."""
POSTED_DAYS: Final = {"1 day": 1, "3 days": 3, "7 days": 7, "30 days": 30}
"""Each holds the ones before."""

Aggregations = dict[str, Any]


def asked(now_ms: int) -> Aggregations:
    """The aggregations of all facets."""
    made: Aggregations = {
        name: {"terms": {"field": name, "size": VALUES, "segment_size": LOOKED_AT}}
        for name in ("brand", "category", "city", "remote")
    }
    for name, field, starts in (("salary", "salary_most", SALARIES), ("price", "price", PRICES)):
        ends = (*starts[1:], None)
        made[name] = {
            "range": {
                "field": field,
                "ranges": [
                    {"from": start} if end is None else {"from": start, "to": end}
                    for start, end in zip(starts, ends, strict=True)
                ],
            }
        }
    since = [float(max(now_ms - days * DAY_MS, 1)) for days in POSTED_DAYS.values()]
    made["posted"] = {
        "range": {
            "field": "posted_ms",
            "ranges": [
                {"from": start} if end is None else {"from": start, "to": end}
                for start, end in zip(since, (None, *since), strict=False)
                if end is None or start < end
            ],
        }
    }
    return made


def facets(counted: Aggregations, documents: Documents) -> tuple[Facet, ...]:
    """The facets with anything to count. A salary counts by its upper end."""
    names = {"brand": documents.brands.name, "category": documents.categories.name, "city": documents.cities.name}
    made: list[Facet] = []
    field: FacetField
    for field in ("brand", "category", "city"):
        counts = [
            Count(names[field](int(bucket["key"])), int(bucket["doc_count"])) for bucket in counted[field]["buckets"]
        ]
        made.append(Facet(field, tuple(sorted(counts, key=lambda count: (-count.items, count.value)))))
    made.append(
        Facet(
            "remote",
            tuple(
                [
                    Count("yes" if int(bucket["key"]) else "no", int(bucket["doc_count"]))
                    for bucket in counted["remote"]["buckets"]
                ]
            ),
        )
    )
    for field in ("salary", "price"):
        ranges = [
            Count(
                _named(bucket.get("from"), bucket.get("to")),
                int(bucket["doc_count"]),
                bucket.get("from"),
                bucket.get("to"),
            )
            for bucket in counted[field]["buckets"]
            if bucket["doc_count"] and bucket.get("from") is not None
        ]
        made.append(Facet(field, tuple(ranges)))
    made.append(_posted(counted["posted"]["buckets"]))
    return tuple([facet for facet in made if facet.counts])


def _posted(buckets: list[Aggregations]) -> Facet:
    """The ranges come apart, the oldest first; a facet counts from each start until now."""
    since = sorted([(bucket["from"], int(bucket["doc_count"])) for bucket in buckets if "from" in bucket], reverse=True)
    counts: list[Count] = []
    items = 0
    for name, (_, more) in zip(POSTED_DAYS, since, strict=False):
        items += more
        if items:
            counts.append(Count(name, items))
    return Facet("posted", tuple(counts))


def _named(least: float | None, most: float | None) -> str:
    """>>> _named(30000.0, 50000.0), _named(200000.0, None)
    ('30,000-50,000', '200,000 and more')
    """
    return f"{least or 0:,.0f} and more" if most is None else f"{least or 0:,.0f}-{most:,.0f}"
