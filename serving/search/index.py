"""The index of all live items: rows of the topic `items` in, hits and counts out. In memory, rebuilt at each start.

One thread owns it. Changes are seen by searches after `refresh`, which whoever reads the topic calls a few times a
second; a retired item is gone at once.
"""

from array import array
from pathlib import Path
from typing import Any, Final

import tantivy
from msgspec import Struct
from tantivy import Occur, Query

from processors.catalogue import Locate
from processors.gazetteer import locate as by_gazetteer
from schemas.catalogue import Item
from serving.search.analysis import Analysis
from serving.search.constraints import Constraints, one_of
from serving.search.fields import Documents, FieldWeights, schema
from serving.search.filters import Filters
from serving.search.spelling import Vocabulary
from serving.search.synonyms import SHIPPED, read_synonyms
from serving.search.words import Wording, matching, wording

CODE: Final = "I"
HEAP_BYTES: Final = 32_000_000
"""Of the writer, while it collects what is not yet committed."""


class Hit(Struct, frozen=True):
    """A found item and its BM25 score."""

    item_id: str
    score: float


class Hits(Struct, frozen=True):
    """The best items for a query, the best first, and how many there are in all."""

    hits: list[Hit]
    total: int


class ItemIndex:
    """tantivy, kept in step with the catalogue.

    Raises ValueError for a locale without an analyser, SynonymsError for a synonyms file that cannot be read.
    """

    def __init__(
        self,
        locale: str = "en",
        synonyms: Path | None = None,
        weights: FieldWeights | None = None,
        locate: Locate = by_gazetteer,
    ) -> None:
        self._weights = weights or FieldWeights()
        self.analysis = Analysis(locale)
        self._synonyms = read_synonyms(synonyms or SHIPPED, self.analysis.words)
        self._schema = schema()
        self._index = tantivy.Index(self._schema)
        self.analysis.register(self._index)
        self._index.config_reader("manual")
        self._writer = self._index.writer(HEAP_BYTES, 1)
        self.documents = Documents(self._schema, locate)
        self._constraints = Constraints(self._schema, self.documents)
        self.vocabulary = Vocabulary()
        self._numbers: dict[str, int] = {}
        self._ids: list[str | None] = []
        """Item by number; None where it is gone."""
        self._words: list[bytes] = []
        """Codes of the vocabulary by number, four bytes each: as objects they would be 20 MB of 100,000 items."""
        self._is_dirty = False
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        """Live items."""
        return len(self._numbers)

    def put(self, item: Item) -> None:
        """An item is new or changed."""
        number = self._numbers.get(item.item_id)
        if number is None:
            number = self._numbers[item.item_id] = len(self._ids)
            self._ids.append(item.item_id)
            self._words.append(b"")
        else:
            self._delete(number)
        told = [item.title, item.brand or "", *item.categories, *item.tags]
        codes = self.vocabulary.add([word for text in told for word in self.analysis.words(text)])
        self._words[number] = array(CODE, codes).tobytes()
        self._writer.add_document(self.documents.document(number, item))
        self._is_dirty = True

    def retire(self, item_id: str) -> None:
        """An item is gone. Unknown items are none to retire."""
        number = self._numbers.pop(item_id, None)
        if number is not None:
            self._delete(number)
            self._ids[number] = None
            self._is_dirty = True

    def refresh(self) -> bool:
        """Let searches see what has changed. Returns whether anything had."""
        if not self._is_dirty:
            return False
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._is_dirty = False
        return True

    def wording(self, text: str, quoted: tuple[str, ...] = ()) -> Wording:
        """The words of a text as they will be looked for."""
        return wording(text, quoted, self._searcher, self.analysis, self.vocabulary, self._synonyms)

    def query(self, words: Wording, filters: Filters, now_ms: int, missing: int = 0) -> Query:
        """The query for a wording and filters; all items that pass the filters where there are no words."""
        found = matching(words, self._schema, self._weights, self.analysis, missing)
        parts = [(Occur.Must, Query.all_query() if found is None else found)]
        parts += [
            (Occur.Must, Query.const_score_query(query, 0.0)) for query in self._constraints.queries(filters, now_ms)
        ]
        return Query.boolean_query(parts)

    def among(self, query: Query, item_ids: list[str]) -> Query:
        """The query, of these items alone."""
        numbers = [number for item_id in item_ids if (number := self._numbers.get(item_id)) is not None]
        only = one_of(self._schema, "number", numbers)
        return Query.boolean_query([(Occur.Must, query), (Occur.Must, Query.const_score_query(only, 0.0))])

    def search(self, query: Query, limit: int, few: int = 0) -> Hits:
        """The best `limit` ≥ 1 items, or all of them where no more than `few` are found; of equal scores those that
        came first.
        """
        found = self._searcher.search(query, max(limit, few))
        total = int(getattr(found, "count", 0) or 0)  # its stub leaves it out
        best = found.hits if total <= few else found.hits[:limit]
        addresses = [address for _, address in best]
        numbers = self._searcher.fast_field_values("number", addresses) if addresses else []
        placed = sorted([(-float(score), int(number or 0)) for (score, _), number in zip(best, numbers, strict=True)])
        hits = [Hit(item_id, -lost) for lost, number in placed if (item_id := self._ids[number]) is not None]
        return Hits(hits, max(total - (len(placed) - len(hits)), 0))

    def aggregate(self, query: Query, asked: dict[str, Any]) -> dict[str, Any]:
        """Aggregations (in the form of Elasticsearch, as tantivy takes them) over all items of a query."""
        counted: dict[str, Any] = self._searcher.aggregate(query, asked)
        return counted

    def _delete(self, number: int) -> None:
        self._writer.delete_documents_by_query(Query.term_query(self._schema, "number", number, "basic"))
        self.vocabulary.remove(array(CODE, self._words[number]))
        self._words[number] = b""
