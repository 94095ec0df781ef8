"""Each process's read-only copy of the catalogue and the global models: what ranking reads.

One thread owns a replica: it takes over records (`put_item`, `retire_item`, `apply_row`) between events, in bounded
chunks, and ranks. A thread that reads Kafka hands over raw records and never touches the replica itself.

Items and rows come in any order: what is known of an item that is not in the catalogue waits under its number.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from processors.attributes import ItemAttributes
from processors.blend import KEY as BLEND_KEY
from processors.blend import decode_blend, prior_of, weights_of
from processors.catalogue import Catalogue
from processors.challenger import Challenger, serving
from processors.challenger_rows import MODEL as CHALLENGER_MODEL
from processors.challenger_rows import STATE as CHALLENGER_STATE
from processors.challenger_rows import ChallengerModel, ChallengerState, decode_model, decode_state
from processors.covisitation import CovisitationView
from processors.gazetteer import locate
from processors.growing import grown
from processors.hour_tables import KIND as HOURS_KIND
from processors.hour_tables import HoursView
from processors.item_rows import KIND, decode_item_row
from processors.labels import Labels
from processors.mail_worth import KEY as WORTH_KEY
from processors.mail_worth import WorthView
from processors.model_rows import MARKER_KEY, marker_offset, split_key
from processors.nearby import Nearby
from processors.pack import Pack
from processors.popularity import PopularityView
from processors.queries import KIND as QUERY_KIND
from processors.queries import QueriesView, decode_query_row
from processors.response import PRIOR, Responses, decode_head_row
from processors.session_rows import KIND as SESSION_KIND
from processors.session_rows import decode_session
from processors.session_view import SessionView
from processors.shelves import Shelves
from processors.text import TextIndex
from processors.text_vectors import TextVectors
from processors.totals import KEY as TOTAL_KEY
from processors.totals import decode_total
from processors.trails import TrailsView
from schemas.catalogue import Item

_ITEM_PREFIX: Final = KIND.encode() + b"/"
_HOURS_PREFIX: Final = HOURS_KIND.encode() + b"/"
_QUERY_PREFIX: Final = QUERY_KIND.encode() + b"/"
_SESSION_PREFIX: Final = SESSION_KIND.encode() + b"/"


MAX_ARRIVED: Final = 10_000


class Replica:
    """Catalogue, models, and the lists that retrieval starts from."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._blends = pack.models == "blend"
        self.catalogue = Catalogue(locate if self._blends else None)
        self.popularity = PopularityView(pack)
        self.covisitation = CovisitationView(pack)
        self.trails = TrailsView(pack)
        self.sessions = SessionView()
        self.text = TextIndex()
        self.vectors = TextVectors()
        self.nearby = Nearby()
        self.labels = Labels()
        self.attributes = ItemAttributes(pack.attributes) if self._blends and pack.attributes else None
        self.hours = HoursView()
        self.worth = WorthView()
        self.blend_weights = prior_of(pack)
        self.blend_examples = 0
        """From how many examples the weights were learned."""
        self.responses = Responses()
        self.queries = QueriesView()
        self.challenger: Challenger | None = None
        """What ranks in place of the blend's weights, where one serves."""
        self._challenger_model: ChallengerModel | None = None
        self._challenger_state: ChallengerState | None = None
        self.total_levels = np.full(self.popularity.levels.shape[1], -np.inf)
        self.shelves = Shelves(pack, self.catalogue, self.popularity)
        self.scratch = [np.zeros(64) for _ in range(4)]
        """Room for scores by row; whoever uses it leaves zeros behind."""
        self.marks: npt.NDArray[np.intp] = np.zeros(64, np.intp)
        """Room for one mark by row; its content means nothing between uses."""
        self.arrived: deque[str] = deque(maxlen=MAX_ARRIVED)
        """Items that were new here, for whoever wants to hear of them at once; the oldest are forgotten."""
        self._numbers: dict[str, int] = {}
        self._item_ids: list[str] = []
        """By the learner's number, which item has it; empty where none does."""
        self._rows_by_number: npt.NDArray[np.int32] = np.zeros(64, np.int32)
        self._learned_offset = -1

    @property
    def version(self) -> str:
        """What this replica has learned: the `learning` offset of the last complete flush."""
        return f"learning-{self._learned_offset}"

    def under(self, pack: Pack) -> "Replica":
        """The same catalogue and models, read by another pack: for one list, not to be kept."""
        if pack is self.pack:
            return self
        seen = object.__new__(Replica)
        seen.__dict__.update(self.__dict__)  # several times as fast as copy.copy, and done for every event
        seen.pack = pack
        return seen

    def item(self, item_id: str) -> Item | None:
        """What the catalogue keeps of an item, or None where it is not live."""
        row = self.catalogue.row_of(item_id)
        return None if row is None else self.catalogue.item(row)

    def put_item(self, item: Item) -> None:
        """An item is new or changed."""
        catalogue = self.catalogue
        known = catalogue.row_of(item.item_id)
        if known is not None:
            self.shelves.remove(known)
        row = catalogue.put(item)
        if known is None:
            self.arrived.append(item.item_id)
            self._make_room(row)
            self._link(row, self._numbers.get(item.item_id, 0))
            self.sessions.link(item.item_id, row)
        self.text.put(row, item)
        self.shelves.put(row)
        if self._blends:
            self.vectors.put(row, item)
            self.labels.put(row, catalogue)
            if self.attributes is not None:
                self.attributes.put(row, item.attributes)
            self.nearby.put(row, float(catalogue.lat[row]), float(catalogue.lon[row]))

    def retire_item(self, item_id: str) -> None:
        """An item is gone. Unknown items are none to retire."""
        row = self.catalogue.row_of(item_id)
        if row is None:
            return
        self.shelves.remove(row)
        self.text.remove(row)
        self.vectors.remove(row)
        self.nearby.remove(row)
        self.sessions.link(item_id, 0)
        if number := self.shelves.numbers[row]:
            self._rows_by_number[number] = 0
            self.shelves.numbers[row] = 0
        self.catalogue.retire(item_id)

    def apply_row(self, key: bytes, value: bytes | None) -> None:
        """Take over a row of the `model` topic; rows of kinds that nothing here reads are ignored. Only items are ever
        forgotten: their rows alone have tombstones (None).

        Raises:
            msgspec.ValidationError: the value is no row of its kind.
        """
        if key.startswith(_ITEM_PREFIX):
            self._apply_item(split_key(key)[1], value)
        elif value is None:
            return
        elif key == MARKER_KEY:
            self._learned_offset = marker_offset(value)
        elif key.startswith(_HOURS_PREFIX):
            self.hours.put(split_key(key)[1], value)
        elif key == WORTH_KEY:
            self.worth.put(value)
        elif key == BLEND_KEY and self._blends:
            blend = decode_blend(value)
            self.blend_weights, self.blend_examples = weights_of(blend, self.pack), blend.examples
        elif key.startswith(_SESSION_PREFIX) and self._blends:
            self.sessions.put(int(split_key(key)[1]), decode_session(value), self.catalogue.row_of)
        elif key in (CHALLENGER_MODEL, CHALLENGER_STATE) and self._blends:
            self._apply_challenger(key, value)
        elif key.startswith(_QUERY_PREFIX):
            self.queries.put(int(split_key(key)[1]), decode_query_row(value))
        elif key in PRIOR:
            self.responses.put(key, decode_head_row(value))
        elif key == TOTAL_KEY:
            levels = decode_total(value).levels
            if len(levels) == len(self.total_levels):
                self.total_levels = np.array(levels)

    def _apply_challenger(self, key: bytes, value: bytes) -> None:
        if key == CHALLENGER_MODEL:
            self._challenger_model = decode_model(value)
        else:
            self._challenger_state = decode_state(value)
        self.challenger = serving(self._challenger_model, self._challenger_state)

    def rows_of(self, numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Catalogue rows of the learner's item numbers; 0 where an item is not live."""
        by_number = self._rows_by_number
        if len(numbers) and int(numbers.max()) >= len(by_number):
            by_number = self._rows_by_number = grown(by_number, int(numbers.max()) + 1, 0)
        return by_number.take(numbers)

    def numbers_of(self, item_ids: Iterable[str], rows: list[int]) -> list[int]:
        """The learner's numbers of items, live (with their row) or not (row 0); 0 where nothing was learned of one."""
        number_of, numbers = self._numbers.get, self.shelves.numbers[rows].tolist()
        return [
            number if row else number_of(item_id, 0)
            for item_id, row, number in zip(item_ids, rows, numbers, strict=True)
        ]

    def _apply_item(self, item_id: str, value: bytes | None) -> None:
        row = None if value is None else decode_item_row(value)
        if row is None or not row.number:
            self._forget(item_id)
            return
        number = row.number
        if self._numbers.get(item_id) != number:
            self._hand_over(item_id, number)
        is_new = self.popularity.put(number, row.popularity)
        if row.trail is not None:
            self.trails.put(number, row.trail)
        else:
            self.covisitation.put(number, row.mass, row.neighbours)
        place = 0
        if self._numbers.get(item_id) != number:
            self._numbers[item_id] = number
            place = self.catalogue.row_of(item_id) or 0
            if place:
                self._link(place, number)
        elif is_new and number < len(self._rows_by_number):
            place = int(self._rows_by_number[number])
        if place:
            self.shelves.rate(place, self.popularity.levels[number].tolist())

    def _hand_over(self, item_id: str, number: int) -> None:
        """An item comes to a number: away from its own, and whoever had this one is forgotten. Rows of one flush come
        in any order, and of those that were compacted only the last is seen.
        """
        self._forget(item_id)
        if number >= len(self._item_ids):
            self._item_ids.extend([""] * (number + 1 - len(self._item_ids)))
        self._forget(self._item_ids[number])
        self._item_ids[number] = item_id

    def _forget(self, item_id: str) -> None:
        """Nothing learned of an item counts any more; it stays in the catalogue, where it is there."""
        number = self._numbers.pop(item_id, 0)
        if not number:
            return
        self._item_ids[number] = ""
        self.popularity.forget(number)
        self.trails.forget(number)
        self.covisitation.forget(number)
        if number < len(self._rows_by_number) and (row := int(self._rows_by_number[number])):
            self._rows_by_number[number] = 0
            self.shelves.numbers[row] = 0
            self.shelves.rate(row, self.popularity.levels[0].tolist())

    def _link(self, row: int, number: int) -> None:
        self.shelves.numbers[row] = number
        if number:
            self._rows_by_number = grown(self._rows_by_number, number + 1, 0)
            self._rows_by_number[number] = row

    def _make_room(self, row: int) -> None:
        if row >= len(self.marks):
            self.marks = grown(self.marks, row + 1, 0)
            self.scratch = [np.zeros(len(self.marks)) for _ in self.scratch]
            self.shelves.numbers = grown(self.shelves.numbers, len(self.marks), 0)
