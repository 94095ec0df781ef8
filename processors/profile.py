"""All that is kept about one person: a bounded, exact, plain struct.

No field depends on the order of records between topics, because the log has none: counters are order-independent
(processors/decay.py), the last actions are sorted by (ts_ms, topic, offset), and of two values the newer wins.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from processors.actions import APPLY, SAVE, UNSAVE
from processors.heavy_hitters import Sketch
from processors.identity import hash64
from processors.sending import Due, Sending
from processors.sending_wire import packed, unpack

LAST_ACTIONS: Final = 50
LAST_EVENT_IDS: Final = 64
LAST_QUERIES: Final = 4
MAX_QUERY_CHARS: Final = 80
TOP_AFFINITIES: Final = 16
MAX_DISMISSED: Final = 64
MAX_APPLIED: Final = 200

CATEGORY, TAG, BRAND, REGION = "category", "tag", "brand", "region"
"""The kinds of affinity."""


class Action(Struct, array_like=True, frozen=True, order=True):
    """One action on an item. The first three fields are its place in the order of the person's actions."""

    ts_ms: int
    topic: str
    offset: int
    item_id: str
    kind: int
    dwell_ms: int | None = None


class Asked(Struct, array_like=True, frozen=True, order=True):
    """Something a person searched for; the first three fields are its place in the order."""

    ts_ms: int
    topic: str
    offset: int
    text: str


class Stated(Struct, array_like=True, frozen=True):
    """One thing said by or of a person, by whom (`users` or `preferences`) and when."""

    ts_ms: int
    source: str
    value: Any


class Shown(Struct, array_like=True):
    """A list that was decided, and perhaps shown: pending until its attribution window is over.

    What happened to a place is a bit (1 << place) of `seen`, `acted` and `applied`.
    """

    list_hash: int
    ts_ms: int
    """When it was first shown; before that, when it was decided."""
    items: list[int]
    """64-bit hashes, by place."""
    features: bytes
    """Of each place when the list was decided (processors/response.py), half-precision."""
    seen: int = 0
    acted: int = 0
    applied: int = 0


class Head(Struct, array_like=True, kw_only=True):
    """The first fields of a profile: what recovery and timers read, without the rest being decoded.

    `applied` and `generation` order two records of one person after a crash (processors/dominance.py). A profile with
    `erased_ms` is the marker that an erasure leaves.
    """

    applied: dict[str, int] = {}
    """Source topic -> the last applied offset. A person lives in one partition of each topic."""
    generation: int = -1
    """Of the consumer group when this was written; -1 before it was ever written."""
    erased_ms: int | None = None
    complete_ms: int | None = None
    """When the erasure is complete and this marker may go."""
    wake_ms: int | None = None
    """When the trailing recommendation is due."""


class Profile(Head, array_like=True, kw_only=True):
    """One person, by whose id the profile is keyed. Mutable: `pipeline.step` owns what it is given."""

    totals: dict[str, int] = {}
    """Source topic -> events applied since the beginning."""
    counters: dict[int, list[float]] = {}
    """Action -> decayed level for each half-life of the pack."""
    actions: list[Action] = []
    """The last 50, the oldest first."""
    affinities: dict[str, Sketch] = {}
    dwell_ms: int = 0
    """Time spent on items since the beginning."""
    event_ids: list[int] = []
    """64-bit hashes of the last 64 event ids, the oldest first."""
    stated: dict[str, Stated] = {}
    dismissed: dict[str, tuple[int, str | None]] = {}
    """Item -> (ts_ms, reason), the reason None where the dismissal was taken back."""
    applied_items: list[int] = []
    """64-bit hashes of items applied for, the oldest first."""
    last_event_ms: int = 0
    last_recommended_ms: int | None = None
    lists: list[Shown] = []
    """The latest lists (processors/feedback.py), the oldest first."""
    times_shown: dict[str, dict[int, tuple[int, int]]] = {}
    """Source topic -> item's hash -> how often it was shown, and when last (processors/exposure.py)."""
    taught: dict[str, tuple[float, int]] = {}
    """Source topic -> how full the bucket of what the person may teach is, and as of when (processors/teaching.py)."""
    sending: Sending | None = None
    """What mail needs, once there is anything to keep."""

    queries: list[Asked] = []
    """The last four searches, the oldest first."""

    def said(self, field: str) -> Any:
        """What was stated last about `field`, or None."""
        stated = self.stated.get(field)
        return stated.value if stated is not None else None

    def latest_actions(self) -> list[Action]:
        """The latest action on each item, the latest first; a save that was taken back is none."""
        latest: dict[str, Action] = {}
        unsaved: set[str] = set()
        for action in reversed(self.actions):
            item_id = action.item_id
            if item_id in latest:
                continue
            kind = action.kind
            if kind == UNSAVE:
                unsaved.add(item_id)
            elif kind != SAVE or item_id not in unsaved:
                latest[item_id] = action
        return list(latest.values())

    def is_dismissed(self, item_id: str) -> bool:
        entry = self.dismissed.get(item_id)
        return entry is not None and entry[1] is not None

    def has_applied(self, item_id: str) -> bool:
        return hash64(item_id) in self.applied_items or any(
            action.kind == APPLY and action.item_id == item_id for action in self.actions
        )


class Skimmed(Head, array_like=True, kw_only=True):
    """A profile as timers read it: the head, and when the mailing is due; what lies between is skipped unread."""

    totals: msgspec.Raw = msgspec.Raw()
    counters: msgspec.Raw = msgspec.Raw()
    actions: msgspec.Raw = msgspec.Raw()
    affinities: msgspec.Raw = msgspec.Raw()
    dwell_ms: msgspec.Raw = msgspec.Raw()
    event_ids: msgspec.Raw = msgspec.Raw()
    stated: msgspec.Raw = msgspec.Raw()
    dismissed: msgspec.Raw = msgspec.Raw()
    applied_items: msgspec.Raw = msgspec.Raw()
    last_event_ms: msgspec.Raw = msgspec.Raw()
    last_recommended_ms: msgspec.Raw = msgspec.Raw()
    lists: msgspec.Raw = msgspec.Raw()
    times_shown: msgspec.Raw = msgspec.Raw()
    taught: msgspec.Raw = msgspec.Raw()
    sending: Due | None = None
    queries: msgspec.Raw = msgspec.Raw()


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Profile)
_head_decoder: Final = msgspec.msgpack.Decoder(Head)
_skimmed_decoder: Final = msgspec.msgpack.Decoder(Skimmed)


def encode(profile: Profile) -> bytes:
    """The profile as MessagePack, fields by position: what the changelog holds.

    >>> decode(encode(Profile(totals={"views": 2}))).totals
    {'views': 2}
    """
    if profile.sending is not None:
        profile = replace(profile, sending=packed(profile.sending))
    return _encoder.encode(profile)


def decode(value: bytes) -> Profile:
    """Raises msgspec.ValidationError where the bytes are no profile."""
    profile = _decoder.decode(value)
    if profile.sending is not None:
        unpack(profile.sending)
    return profile


def decode_head(value: bytes) -> Head:
    """The head alone, several times faster. Raises msgspec.ValidationError where the bytes are no profile."""
    return _head_decoder.decode(value)


def skim(value: bytes) -> Skimmed:
    """Head and dues. Raises msgspec.ValidationError where the bytes are no profile."""
    return _skimmed_decoder.decode(value)
