"""Numbers and labels in words, the widths of texts, and round numbers for axes."""

import math
from collections.abc import Iterable, Sequence

from service.domain.durations import figure
from service.domain.naming import plain

_NARROW = frozenset("iljI.,:;'|!` ")
_SLIM = frozenset('frt()[]{}-/\\"*')
_WIDE = frozenset("mwMW@%\N{HORIZONTAL ELLIPSIS}\N{EM DASH}")
_FULL_WIDTH = 0x2E80
"""From here on, scripts whose signs are as wide as they are high."""


def days(value: float | None) -> str:
    """A number of days, short: 12, 1,250, 3.2M, under a day 5 h 30 min. A dash when it is not
    known."""
    return "\N{EN DASH}" if value is None else figure(value)


def ratio(value: float | None) -> str:
    """How many times as long: 0.82. A dash when it is not known."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def percent(part: float | None) -> str:
    """A share as a whole percentage."""
    return "\N{EN DASH}" if part is None else f"{100 * part:.0f}%"


def count(number: int, noun: str, plural: str = "") -> str:
    """1 case, 1,200 cases."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    given = list(words)
    return given[0] if len(given) == 1 else f"{', '.join(given[:-1])} and {given[-1]}"


def title(name: str) -> str:
    """A key as people read it: launch-review is Launch review."""
    return name[:1].upper() + plain(name[1:])


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in the order in which they first come."""
    return tuple(dict.fromkeys(names))


def width(text: str, size: float = 12) -> float:
    """About how many pixels a text takes in a common sans serif, rather too many than too few."""
    return size * sum(_advance(sign) for sign in text)


def _advance(sign: str) -> float:
    if sign in _NARROW:
        return 0.29
    if sign in _SLIM:
        return 0.37
    if sign in _WIDE:
        return 0.95
    if ord(sign) >= _FULL_WIDTH:
        return 1.05
    return 0.72 if sign.isupper() else 0.58


def wrap(text: str, pixels: float, size: float, most: int) -> list[str]:
    """Lines that fit into a width, at most `most`; what is left over ends in an ellipsis."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and width(joined, size) <= pixels:
            lines[-1] = joined
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
    return [shorten(line, pixels, size) for line in lines]


def shorten(text: str, pixels: float, size: float = 12) -> str:
    """The text, or its beginning with an ellipsis where it is too wide."""
    if width(text, size) <= pixels:
        return text
    while text and width(text + "\N{HORIZONTAL ELLIPSIS}", size) > pixels:
        text = text[:-1]
    return text.rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def ticks(top: float, most: int = 9) -> tuple[float, ...]:
    """Round numbers from 0 to just below or at `top`, at most `most` of them."""
    if not (top > 0 and math.isfinite(top)):
        return (0.0,)
    power = 10.0 ** math.floor(math.log10(top / most))
    for step in (1, 2, 2.5, 5, 10, 20, 25, 50):
        spacing = step * power
        if math.floor(top / spacing + 1e-9) < most:
            return tuple(
                round(spacing * place, 10) for place in range(math.floor(top / spacing + 1e-9) + 1)
            )
    raise AssertionError("unreachable: 50 powers of ten are more than the top")


def decades(low: float, high: float, steps: Sequence[float] = (1, 3)) -> tuple[float, ...]:
    """Round numbers between two positive ones for a logarithmic axis."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = (round(step * 10.0**power, 12) for power in powers for step in steps)
    return tuple(value for value in found if low * 0.999 <= value <= high * 1.001)
