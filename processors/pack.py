"""A domain pack: everything in which a job board and a shop differ, as data (`attune.toml`, tables `packs.NAME`)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Weight = Annotated[float, Meta(ge=-100.0, le=100.0)]
Positive = Annotated[float, Meta(gt=0.0, le=1e9)]
Count = Annotated[int, Meta(ge=1, le=10_000)]


class ActionWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one action says about taste, relative to a view."""

    view: Positive = 1.0
    save: Positive = 2.0
    apply_start: Positive = 3.0
    apply: Positive = 4.0


class ScoreWeights(Struct, frozen=True, forbid_unknown_fields=True):
    """The transparent blend: a candidate's score is the sum of weight × feature; every feature lies in [0, 1]."""

    covisitation: Weight = 2.0
    text: Weight = 1.0
    popularity: Weight = 0.5
    freshness: Weight = 0.5
    location: Weight = 0.6
    affinity: Weight = 0.8
    stated: Weight = 1.5
    seen: Weight = -0.6


class Pack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One domain's rules.

    Half-lives are in seconds (`_s`) or days (`_d`). `own_items` says what becomes of items a person has dealt with:
    `seen` keeps viewed items eligible with a feature and at most `max_seen` of them in a list; `applied` of
    `exclude` leaves items that were applied for (or bought) out, `allow` keeps them.
    """

    name: Literal["jobs", "shop"]
    list_size: Annotated[int, Meta(ge=1, le=50)] = 10
    candidates: Annotated[int, Meta(ge=10, le=2_000)] = 300
    actions: ActionWeights = ActionWeights()
    scores: ScoreWeights = ScoreWeights()
    counter_half_lives_d: tuple[Positive, ...] = (1.0, 7.0, 30.0)
    popularity_half_lives_d: tuple[Positive, ...] = (0.0417, 1.0, 7.0, 30.0)
    covisitation_half_life_d: Positive = 30.0
    taste_half_life_d: Positive = 14.0
    affinity_half_life_d: Positive = 30.0
    freshness_half_life_d: Positive = 14.0
    distance_half_km: Positive = 30.0
    history_items: Annotated[int, Meta(ge=1, le=50)] = 10
    """How many earlier items an example teaches together with the item acted on."""
    max_seen: Annotated[int, Meta(ge=0, le=50)] = 3
    max_per_brand: Count = 3
    applied: Literal["exclude", "allow"] = "exclude"
    salary_veto: bool = False
    remote_everywhere: bool = True
    max_age_d: Positive | None = None
    min_interval_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 1_000
