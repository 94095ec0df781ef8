"""Variants of a world: which of its forces are switched on. Null worlds switch one off to catch self-deception."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulation.world import UnknownWorldError


@dataclass(frozen=True)
class Variant:
    """What is true in this world. Shares are in [0, 1]; the amplitude is the log of peak response over trough."""

    name: str
    taste: bool = True
    """False: which items a mail or slate shows changes nothing in how it is clicked; every fit is the same constant."""
    response_amplitude: float = 0.5
    """0: a mail has the same chance at every hour."""
    habits: bool = True
    """False: people come to the site at all hours alike."""
    personal_share: float = 0.5
    """Share of people whose response peak is their own; the others have their segment's."""
    activity_tells: float = 0.6
    """Probability that a person's site activity peaks when their response to mail does."""
    machine_share: float = 0.2
    """Share of people whose mail is opened by a machine (privacy proxies)."""
    wear: float = 1.0
    """How much repetition, volume and irrelevance tire people (simulation/weariness.py); 0: nothing ever does."""


BASE = Variant("base")
VARIANTS: dict[str, Variant] = {
    v.name: v
    for v in (
        BASE,
        replace(BASE, name="no-taste", taste=False),
        replace(BASE, name="no-rhythm", response_amplitude=0.0, habits=False),
        replace(BASE, name="personal-peaks", personal_share=1.0, activity_tells=0.8),
        replace(BASE, name="segment-peaks", personal_share=0.0, activity_tells=0.8),
        replace(BASE, name="no-activity-signal", activity_tells=0.0),
        replace(BASE, name="machine-opens", machine_share=0.5),
        replace(BASE, name="tireless", wear=0.0),
        replace(BASE, name="weary", wear=2.0),
    )
}


def variant_named(name: str) -> Variant:
    """Look a variant up; raises `UnknownWorldError` naming those that exist."""
    try:
        return VARIANTS[name]
    except KeyError:
        raise UnknownWorldError(f"no variant named {name!r}: use one of {', '.join(sorted(VARIANTS))}") from None
