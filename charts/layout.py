"""Where things lie on a sheet: plain geometry for all pictures, in pixels at scale 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from charts.labels import width

if TYPE_CHECKING:
    import altair as alt

Layers: TypeAlias = "list[alt.Chart | alt.LayerChart]"
"""Parts of a picture, the lowest first."""

WIDTH = 760
"""Every picture is so wide, whatever is on it."""
MARGIN = 20
FONT = "Liberation Sans, Arial, sans-serif"
"""What the renderer brings along and measures with, so that a layout is the same everywhere."""


@dataclass(frozen=True, slots=True)
class Caption:
    """The words over a picture: what it shows, and of which cases and which period."""

    title: str
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a pixel, counted from the upper left corner of the plot."""

    x: float
    y: float
    text: str
    tint: str = "ink"


@dataclass(frozen=True, slots=True)
class Key:
    """What a sign stands for, in the line under the head."""

    label: str
    tint: str
    shape: Literal[
        "tick",
        "square",
        "hollow",
        "line",
        "circle",
        "triangle-up",
        "triangle-down",
        "triangle-right",
    ]


@dataclass(frozen=True, slots=True)
class Reach:
    """A scale from values to pixels: [low, high] on `pixels`, perhaps logarithmic or upwards."""

    low: float
    high: float
    pixels: float
    log: bool = False
    upward: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; values outside are put on the edge."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            part = math.log(inside / self.low) / math.log(self.high / self.low)
        else:
            part = (inside - self.low) / (self.high - self.low)
        return (1 - part if self.upward else part) * self.pixels


def plot_width(left: int, right: int) -> int:
    """What the margins leave for the plot."""
    return WIDTH - left - right


def names_margin(names: Sequence[str], most: float = 200) -> int:
    """The left margin that names of rows need; they take at most `most` pixels."""
    return MARGIN + 14 + math.ceil(min(most, max((width(name) for name in names), default=0.0)))
