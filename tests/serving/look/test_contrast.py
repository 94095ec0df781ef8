"""Every pair of colours that text or a control is made of is told apart by people with weak sight (WCAG 2.2, AA)."""

import itertools

import pytest

from serving.look.stylesheet import colours, stylesheet

GROUNDS = ("paper", "card", "sunk")
MEANINGS = ("accent", "good", "warn", "bad", "new")
TEXTS = [(text, ground) for text in ("ink", "quiet", "accent-strong", *MEANINGS) for ground in GROUNDS]
TEXTS += [(meaning, f"{meaning}-soft") for meaning in MEANINGS]
TEXTS += [("ink", f"{meaning}-soft") for meaning in MEANINGS]
TEXTS += [("accent-strong", "accent-soft"), ("on-accent", "accent"), ("on-accent", "accent-strong")]


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") < 4.5  # the well-known grey that just fails


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read(dark: bool) -> None:
    weak = {
        f"{text} on {ground}": round(found, 2)
        for text, ground in TEXTS
        if (found := contrast(colours()[text][dark], colours()[ground][dark])) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize(("dark", "ground"), [*itertools.product([False, True], GROUNDS)])
def test_edges_and_focus_rings_can_be_seen(dark: bool, ground: str) -> None:
    for edge in ("edge", "accent"):
        assert contrast(colours()[edge][dark], colours()[ground][dark]) >= 3.0


def test_no_colour_beside_the_tokens() -> None:
    """A colour written into a rule would have no dark side."""
    rules = stylesheet().decode().split('[data-theme="light"]', 1)[1]
    assert "#" not in rules
