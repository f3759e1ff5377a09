"""The colours, once: pictures, pages and print use these values.

A picture names its colours ("@builder"); `charts.drawing.draw` gives the names their values in a
theme. Each party has one colour everywhere. The hues are those of Okabe and Ito ("Color universal
design", 2008), made lighter or darker until each has a contrast of 3:1 or more on the ground of
its theme and no two parties look alike to anybody (a test simulates colour blindness).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from service.domain.people import BUILDER, ENABLEMENT, PARKED


class Theme(StrEnum):
    """What a picture lies on."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Colour:
    """One colour in both themes, as #RRGGBB."""

    light: str
    dark: str

    def on(self, theme: Theme) -> str:
        """Its value in a theme."""
        return self.light if theme is Theme.LIGHT else self.dark


PARTIES = {
    BUILDER: Colour("#0072B2", "#56B4E9"),
    ENABLEMENT: Colour("#D55E00", "#E8742A"),
    PARKED: Colour("#8A9099", "#7C838E"),
    "third-1": Colour("#009E73", "#1FA67D"),
    "third-2": Colour("#7B2D6B", "#F2B5DA"),
    "third-3": Colour("#4D3C00", "#F0E442"),
    "third-4": Colour("#D46BB4", "#A070E6"),
}
"""The sides of the clock. Third parties share four colours; see `party_colours`."""

MEANINGS = {
    "accent": Colour("#3F3D9E", "#A6A8FF"),  # the intake, and a verdict in its favour
    "baseline": Colour("#6B7280", "#9AA1AC"),  # what it is compared with; no verdict
    "late": Colour("#A3123A", "#FF8096"),  # longer than usual, against the intake, a broken promise
}

SURFACES = {
    "ground": Colour("#FFFFFF", "#15181D"),
    "ink": Colour("#1B1F24", "#E9EBEE"),
    "muted": Colour("#5A616B", "#A3A9B3"),  # labels of axes, notes
    "line": Colour("#A9AFB8", "#5B626D"),  # axes, references
    "grid": Colour("#E7E9EC", "#2A2F37"),
    "panel": Colour("#F3F4F6", "#1E2229"),  # quiet areas behind the data
}

COLOURS = PARTIES | MEANINGS | SURFACES
"""Every colour by name."""

_SIDES = (BUILDER, ENABLEMENT, PARKED)
_FIRST_THIRD_PARTIES = ("risk", "legal", "security")
_THIRD = tuple(name for name in PARTIES if name.startswith("third-"))


def party_colours(third_parties: Iterable[str] = ()) -> dict[str, str]:
    """Which colour each party has: the party's name to a name in `PARTIES`.

    Risk, legal and security always have the same one. The others take the rest by name, so give
    all third parties of the installation, not only those in the picture. When there are more
    parties than colours, colours come again: every picture labels its parties in words too.
    """
    others = sorted(set(third_parties) - {*_SIDES, *_FIRST_THIRD_PARTIES})
    rest = _THIRD[len(_FIRST_THIRD_PARTIES) :] + _THIRD[: len(_FIRST_THIRD_PARTIES)]
    return (
        {name: name for name in _SIDES}
        | dict(zip(_FIRST_THIRD_PARTIES, _THIRD, strict=False))
        | {party: rest[place % len(rest)] for place, party in enumerate(others)}
    )


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#RRGGBB), 1 to 21, as WCAG 2.2 defines it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """White or near-black: whichever reads better on a colour (#RRGGBB)."""
    return max(("#FFFFFF", "#14171C"), key=lambda text: contrast(text, colour))


def values(theme: Theme) -> dict[str, str]:
    """Every name that a picture may use, with its value: the colours, and "on-..." for text."""
    plain = {name: colour.on(theme) for name, colour in COLOURS.items()}
    return plain | {f"on-{name}": text_on(value) for name, value in plain.items()}


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
