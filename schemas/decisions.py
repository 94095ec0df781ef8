"""What Attune decides: recommendations, send times, digests, and receipts of erasures."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.behaviour import Surface
from schemas.fields import Id, Line, Probability, TimestampMs, Word

Slot = Annotated[int, Meta(ge=0, le=167)]
"""A local hour of the week; Monday 00:00 = 0."""


class Trigger(Struct, frozen=True):
    """The event that a decision answers; `topic` is `wake` when a timer did."""

    topic: Word
    event_id: Id
    ts_ms: TimestampMs


class RecommendedItem(Struct, frozen=True, omit_defaults=True):
    """One place of a list.

    `rank` from 1; `score` is comparable within one list only; `p_click` and `p_apply` are None until a model has
    learned them; `propensity` is the probability that the item stood at this place of the final list.
    """

    item_id: Id
    rank: Annotated[int, Meta(ge=1, le=1_000)]
    score: float
    source: Word
    reasons: tuple[Line, ...]
    propensity: Probability = 1.0
    p_click: Probability | None = None
    p_apply: Probability | None = None


class Recommendation(Struct, frozen=True):
    """A list for one person.

    `rec_id` is `TOPIC-PARTITION-OFFSET` of its trigger: the same after a crash, so the first counts.
    """

    rec_id: Id
    user_id: Id
    surface: Surface
    ts_ms: TimestampMs
    trigger: Trigger
    items: tuple[RecommendedItem, ...]
    model_version: Word
    arm: Word | None = None
    campaign: Word | None = None
    latency_ms: float | None = None


class Window(Struct, frozen=True):
    """The time in which a mail may go out: from `from_ms` until before `to_ms`."""

    from_ms: TimestampMs
    to_ms: TimestampMs


class SendAlternative(Struct, frozen=True):
    """Another moment that could have been chosen, and how probable its choice was."""

    send_at_ms: TimestampMs
    slot: Slot
    propensity: Probability


class SendTime(Struct, frozen=True, omit_defaults=True):
    """When to write to a person; `send_at_ms` None with `suppressed` says why not to."""

    decision_id: Id
    user_id: Id
    ts_ms: TimestampMs
    send_at_ms: TimestampMs | None
    tz: Word
    reason: Line
    slot: Slot | None = None
    propensity: Probability | None = None
    window: Window | None = None
    alternatives: tuple[SendAlternative, ...] = ()
    expected_lift: float | None = None
    suppressed: Literal["fatigue", "quiet_hours", "cap", "unsubscribed", "no_content", "holdout"] | None = None
    arm: Word | None = None


Campaign = Literal["digest", "alert", "nudge", "complements", "price", "stock", "closing", "reactivation"]


class Digest(Struct, frozen=True, omit_defaults=True):
    """A mail that is due now. The mail's `send_id` is its `digest_id`, always."""

    digest_id: Id
    user_id: Id
    campaign: Campaign
    due_ms: TimestampMs
    subject: Line
    items: tuple[RecommendedItem, ...]
    reasons: tuple[Line, ...] = ()
    arm: Word | None = None


class ErasureReceipt(Struct, frozen=True):
    """`accepted` when the person is gone from every live store, `complete` when the log has forgotten them too."""

    receipt_id: Id
    user_hash: Id
    stage: Literal["accepted", "complete"]
    ts_ms: TimestampMs
