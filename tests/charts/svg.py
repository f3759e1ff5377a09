"""What a drawn SVG holds: its texts with their places, and its colours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring

from charts.labels import width

SVG = "{http://www.w3.org/2000/svg}"
_TRANSLATE = re.compile(r"translate\(([-\d.e]+),([-\d.e]+)\)")


@dataclass(frozen=True)
class Text:
    """A text and the box that it takes, in pixels of the picture."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Text") -> bool:
        """Whether the two boxes have more than a hair in common."""
        return (
            min(self.right, other.right) - max(self.left, other.left) > 1
            and min(self.bottom, other.bottom) - max(self.top, other.top) > 1
        )


def texts(svg: bytes) -> list[Text]:
    """Every text once (a halo is a text under a text). Boxes are of capital letters' height."""
    return list(dict.fromkeys(_texts(fromstring(svg.decode()), 0.0, 0.0)))  # noqa: S314 - our own


def _texts(element: Element, x: float, y: float) -> Iterator[Text]:
    transform = element.get("transform", "")
    assert "scale" not in transform
    for across, down in _TRANSLATE.findall(transform):
        x, y = x + float(across), y + float(down)
    if element.tag == f"{SVG}text":
        text, size = "".join(element.itertext()), float(element.get("font-size", "")[:-2])
        long = width(text, size) * 0.94  # the estimate is on the large side
        start = (
            x - {"start": 0.0, "middle": long / 2, "end": long}[element.get("text-anchor", "start")]
        )
        if text:
            yield Text(text, start, y - 0.72 * size, start + long, y)
    for child in element:
        yield from _texts(child, x, y)


def colours(svg: bytes) -> set[str]:
    """Every colour that something is filled or outlined with."""
    found: set[str] = set()
    for element in fromstring(svg.decode()).iter():  # noqa: S314 - our own
        # What is not displayed, and what only groups others, shows no colour.
        if element.tag != f"{SVG}g" and element.get("display") != "none":
            found |= {element.get("fill", "none"), element.get("stroke", "none")}
    return found - {"none", "transparent"}
