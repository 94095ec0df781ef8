"""When there is an occasion to write, as a marketer sets it: `[packs.NAME.occasions]`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Hours = Annotated[float, Meta(ge=0.0, le=24.0 * 365)]
Days = Annotated[float, Meta(gt=0.0, le=365.0)]
Occasion = Literal["nudge", "closing", "price", "stock", "alert", "complements", "reactivation"]


class Occasions(Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the campaigns. `deed` is what a nudge hopes for, as the reader would say it: "not … yet"."""

    enabled: tuple[Occasion, ...] = ("nudge", "closing", "price", "stock", "alert", "complements", "reactivation")
    deed: Annotated[str, Meta(min_length=1, max_length=40)] = "applied"
    repeat_after_d: Days = 14.0
    """An item that a mail held is in no mail again for so long, unless its price, pay or availability changed."""
    nudge_views: Annotated[int, Meta(ge=2, le=50)] = 3
    nudge_after_h: Hours = 3.0
    """Since the last look: whoever is still deciding is left alone."""
    nudge_within_d: Days = 7.0
    closing_h: Hours = 48.0
    interest_d: Days = 30.0
    """How long a look at an item makes its end, its price and its return worth a mail."""
    price_drop: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.05
    alert_match: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.35
    """How alike a new item and a saved search or stated title must be, in [0, 1]; with all of its words it is 1."""
    complements_after_h: Hours = 20.0
    complements_within_d: Days = 10.0
    complements_from: Annotated[int, Meta(ge=1)] = 2
    """Purchases that make a repeat customer."""
    reactivation_steps_d: tuple[Days, ...] = (30.0, 60.0, 90.0)
    """Days of silence after which a person gets one mail each; between and after them, none."""
    reactivation_control: Annotated[float, Meta(ge=0.0, le=0.5)] = 0.1
    """Share of the silent who get none, drawn by a hash: what reactivation is worth is known from them."""
