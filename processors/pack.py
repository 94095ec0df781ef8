"""A domain pack: everything in which a job board and a shop differ, as data (`attune.toml`, tables `packs.NAME`)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from processors.mail_rules import MailRules
from processors.occasions import Occasions

Weight = Annotated[float, Meta(ge=-100.0, le=100.0)]
Positive = Annotated[float, Meta(gt=0.0, le=1e9)]
Count = Annotated[int, Meta(ge=1, le=10_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


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


class BlendPrior(Struct, frozen=True, forbid_unknown_fields=True):
    """What the learned blend weighs before it has learned, in log-odds per unit of a feature (blend_features.py).

    The fields name the features, in the order of the matrix. Features from `own` on are of items that the person acted
    on before, the others of all others.
    """

    level: Weight = 0.7
    hour: Weight = 0.05
    day: Weight = 0.15
    week: Weight = 0.1
    month: Weight = 0.0
    ever: Weight = 0.0
    followed: Weight = 0.2
    preceded: Weight = 0.15
    together: Weight = 0.4
    after_last: Weight = 0.1
    session: Weight = 0.4
    session_after: Weight = 0.0
    session_before: Weight = 0.0
    session_next: Weight = 0.0
    text: Weight = 1.0
    text_log: Weight = 0.3
    text_last: Weight = 0.5
    distance: Weight = 0.4
    distance_last: Weight = 0.1
    near: Weight = 2.0
    labels: Weight = 0.4
    fresh: Weight = 0.0
    stated: Weight = 4.0
    kind: Weight = 14.0
    far: Weight = -4.0
    remote: Weight = 5.0
    own: Weight = 3.0
    own_last: Weight = 0.9
    own_steps: Weight = -0.3
    own_age: Weight = -0.35
    own_count: Weight = 0.3
    own_level: Weight = 0.4
    own_text_last: Weight = 0.3
    own_together: Weight = 0.0
    own_hour: Weight = 0.0
    own_session: Weight = 0.2
    own_session_next: Weight = 0.0


class Pack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One domain's rules.

    Half-lives are in seconds (`_s`) or days (`_d`). `own_items` says what becomes of items a person has dealt with:
    `seen` keeps viewed items eligible with a feature and at most `max_seen` of them in a list; `applied` of
    `exclude` leaves items that were applied for (or bought) out, `allow` keeps them.
    """

    name: Literal["jobs", "shop"]
    models: Literal["spine", "blend"] = "spine"
    """`spine` is the transparent blend of `scores`; `blend` learns its weights online, from `prior` on."""
    list_size: Annotated[int, Meta(ge=1, le=50)] = 10
    candidates: Annotated[int, Meta(ge=10, le=2_000)] = 300
    actions: ActionWeights = ActionWeights()
    scores: ScoreWeights = ScoreWeights()
    prior: BlendPrior = BlendPrior()
    muted: tuple[str, ...] = ()
    """Features of the learned blend (fields of `prior`) that are left out, to see what they are worth."""
    attributes: Annotated[tuple[Name, ...], Meta(max_length=8)] = ()
    """Attributes of people that may be a feature of the learned blend (attributes.py); no other is ever read."""
    mail: MailRules = MailRules()
    occasions: Occasions = Occasions()
    counter_half_lives_d: tuple[Positive, ...] = (1.0, 7.0, 30.0)
    popularity_half_lives_d: tuple[Positive, ...] = (0.0417, 1.0, 7.0, 30.0)
    covisitation_half_life_d: Positive = 30.0
    forget_after_d: Positive = 30.0
    """How long after an item is over, and was met last, the learner forgets it (lifetimes.py)."""
    taste_half_life_d: Positive = 14.0
    affinity_half_life_d: Positive = 30.0
    freshness_half_life_d: Positive = 14.0
    distance_half_km: Positive = 30.0
    history_items: Annotated[int, Meta(ge=1, le=50)] = 10
    """How many earlier items an example teaches together with the item acted on."""
    teach_burst: Count = 300
    teach_per_minute: Positive = 10.0
    teach_same_item: Count = 4
    """How much one person may teach the models (teaching.py): at once, a minute after that, and with one item a day."""
    max_seen: Annotated[int, Meta(ge=0, le=50)] = 3
    max_per_brand: Count = 3
    answers: Annotated[int, Meta(ge=0, le=10)] = 0
    """Places of a list kept for what is alike to the item saved last (answers.py); at most half of a list."""
    diversity: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    """What likeness to the places above costs beside the score: 1 - λ of maximal marginal relevance (slate.py)."""
    explore: Annotated[int, Meta(ge=0, le=5)] = 0
    """Places of a list whose item is drawn by chance, with its propensity logged (exploration.py)."""
    explore_new: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.0
    """The share of such draws that is kept for new items and those hardly anyone has dealt with."""
    shown_cost: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.0
    """What each doubling of the times an item was shown in vain takes from its score, in standard deviations."""
    attribution_ms: Annotated[int, Meta(ge=1, le=30 * 86_400_000)] = 2 * 86_400_000
    """How long after a list was shown an action on one of its items is its success."""
    applied: Literal["exclude", "allow"] = "exclude"
    salary_veto: bool = False
    remote_veto: bool = True
    """Who asked for remote work is shown nothing on site; else it comes first, and what is near by after it."""
    commute_km: Annotated[float, Meta(ge=0.0, le=1_000.0)] = 0.0
    """How far from the places that someone asked for is still there; a wider radius of a saved search goes before."""
    remote_everywhere: bool = True
    max_age_d: Positive | None = None
    min_interval_ms: Annotated[int, Meta(ge=0, le=86_400_000)] = 1_000

    def __post_init__(self) -> None:
        if len(set(self.attributes)) < len(self.attributes):
            raise ValueError(f"attributes: one is named twice in {list(self.attributes)}")
        if unknown := set(self.muted) - set(BlendPrior.__struct_fields__):
            raise ValueError(f"muted: no feature {min(unknown)!r}")
        if self.models == "blend" and len(self.popularity_half_lives_d) != 4:
            raise ValueError(f"popularity_half_lives_d: the blend needs 4, not {len(self.popularity_half_lives_d)}")
