"""The colours can be told apart, by everybody, on both grounds."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts.palette import (
    COLOURS,
    MEANINGS,
    PARTIES,
    Theme,
    contrast,
    party_colours,
    text_on,
    values,
)
from charts.survival import TINTS

# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision
# deficiency" (2009), severity 1.0, on linear RGB.
SIGHT = {
    "full": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

# CIE 1931 XYZ of sRGB with white D65 (IEC 61966-2-1).
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)

Triple = tuple[float, float, float]


def times(matrix: tuple[Triple, ...], vector: Triple) -> Triple:
    """Matrix times vector."""
    first, second, third = (
        sum(factor * part for factor, part in zip(row, vector, strict=True)) for row in matrix
    )
    return first, second, third


def lab(colour: str, sight: str) -> Triple:
    """CIE L*a*b* of a colour as somebody with this sight sees it."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    seen = times(SIGHT[sight], (linear(red), linear(green), linear(blue)))
    clipped = (min(1, max(0, seen[0])), min(1, max(0, seen[1])), min(1, max(0, seen[2])))

    def curve(value: float) -> float:
        return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116

    x, y, z = (curve(v / w) for v, w in zip(times(TO_XYZ, clipped), WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000000", "#FFFFFF", 21.0), ("#777777", "#FFFFFF", 4.48), ("#FF0000", "#FFFFFF", 4.0)],
)
def test_contrasts_agree_with_wcag(one: str, other: str, expected: float) -> None:
    # 21:1 is in the definition of WCAG 2.2; #777777 is the well-known grey that just fails 4.5:1.
    assert contrast(one, other) == pytest.approx(expected, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("name", [*PARTIES, *MEANINGS])
def test_what_means_something_has_three_to_one_on_its_ground(name: str, theme: Theme) -> None:
    assert contrast(COLOURS[name].on(theme), COLOURS["ground"].on(theme)) >= 3


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("name", ["ink", "muted", *MEANINGS, *TINTS])
def test_what_is_read_has_four_and_a_half_to_one(name: str, theme: Theme) -> None:
    assert contrast(COLOURS[name].on(theme), COLOURS["ground"].on(theme)) >= 4.5


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("name", PARTIES)
def test_days_can_be_read_on_each_party(name: str, theme: Theme) -> None:
    colour = COLOURS[name].on(theme)

    assert contrast(text_on(colour), colour) >= 4.5
    assert values(theme)[f"on-{name}"] == text_on(colour)


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_parties_look_alike(sight: str, theme: Theme) -> None:
    # A difference of 2.3 is just noticeable (Mahy, 1994); areas beside each other need more.
    seen = {name: lab(colour.on(theme), sight) for name, colour in PARTIES.items()}

    for one, other in combinations(seen, 2):
        assert math.dist(seen[one], seen[other]) > 9, (one, other)


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("sight", SIGHT)
def test_verdicts_do_not_look_alike(sight: str, theme: Theme) -> None:
    seen = {name: lab(colour.on(theme), sight) for name, colour in MEANINGS.items()}

    for one, other in combinations(seen, 2):
        assert math.dist(seen[one], seen[other]) > 8, (one, other)


def test_the_sides_and_the_usual_third_parties_have_their_own_colours() -> None:
    found = party_colours()

    assert [found[name] for name in ("builder", "enablement", "parked")] == [
        "builder",
        "enablement",
        "parked",
    ]
    assert len(set(found.values())) == len(found) == 6


@given(st.sets(st.text(max_size=8), max_size=8))
def test_a_party_has_one_colour_however_the_parties_are_listed(parties: set[str]) -> None:
    listed = sorted(parties)
    found = party_colours(listed)

    assert party_colours([*reversed(listed), *listed]) == found
    assert parties <= found.keys()
    assert set(found.values()) <= PARTIES.keys()
    assert all(found[name] == colour for name, colour in party_colours().items())


def test_the_first_other_party_takes_the_free_colour() -> None:
    usual = set(party_colours().values())

    assert party_colours(["audit"])["audit"] not in usual
