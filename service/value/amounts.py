"""Amounts as people write them: 1,200.50 and 1.200,50, EUR 1 200, (300) for less than nothing."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from service.domain.naming import fold, key_of, shown
from service.history.csv.errors import RowUnusable

Mark = Literal[".", ","]
"""What stands before the decimals."""

LARGEST = 1e15
"""Of an amount, either way; more is no amount."""
LONGEST = 60
"""Characters of a cell that is an amount."""
SMALLEST = 1e-12
"""Of an amount that is not 0."""
NONE = frozenset({"-", "\N{EN DASH}", "\N{EM DASH}", "n/a", "na", "none", "null", "tbd", "tba"})
"""What people write into a cell of which they know nothing, by key."""

EURO, POUND, YEN = "\N{EURO SIGN}", "\N{POUND SIGN}", "\N{YEN SIGN}"
_SIGNS = {EURO: "EUR", POUND: "GBP", "US$": "USD"}
VAGUE = frozenset({"$", YEN})
"""Signs of several currencies: a code elsewhere says which."""
_QUOTE = "\N{RIGHT SINGLE QUOTATION MARK}"
_CURRENCY = rf"(?:[A-Z]{{3}}|[A-Z]{{0,2}}[${EURO}{POUND}{YEN}])"
_AROUND = re.compile(
    rf"(?P<before>{_CURRENCY})? ?(?P<minus>[+-])? ?(?P<also>{_CURRENCY})? ?"
    rf"(?P<number>[0-9.,'{_QUOTE} ]*[0-9](?:[.,]|[eE][+-]?[0-9]{{1,2}})?)"
    rf" ?(?P<behind>{_CURRENCY})?(?P<minus_behind>-)?"
)


def _number(decimal: str, thousands: str) -> re.Pattern[str]:
    point, between = re.escape(decimal), f"(?P<by>[{re.escape(thousands)}'{_QUOTE} ])"
    return re.compile(
        rf"[1-9][0-9]{{0,2}}{between}[0-9]{{3}}(?:(?P=by)[0-9]{{3}})*(?:{point}[0-9]*)?"
        rf"|[0-9]+(?:{point}[0-9]*)?(?:[eE][+-]?[0-9]{{1,2}})?|{point}[0-9]+"
    )


_PLAIN = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
"""What most cells are, and needs no care."""
_NO_DIGIT = re.compile(r"[^0-9eE+-]")
_NUMBERS: dict[Mark, re.Pattern[str]] = {".": _number(".", ","), ",": _number(",", ".")}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with the currency that stands beside it, "" where none does."""

    number: float
    currency: str = ""


def amount_in(name: str, cell: str, mark: Mark) -> Amount | None:
    """The amount in a cell, None where it says that there is none; raises `RowUnusable`."""
    plain = mark == "." and _PLAIN.fullmatch(cell)
    text = cell if plain else fold(cell).replace("\N{MINUS SIGN}", "-")
    if not text or (not plain and key_of(text) in NONE):
        return None
    found = Amount(float(text)) if plain else _read(text, mark)
    if found is None:
        other: Mark = "," if mark == "." else "."
        how = f", as this file writes them: 1234{mark}5" if _read(text, other) else ", like 1234.5"
        raise RowUnusable(name, f"{name}: {shown(cell)} is no amount{how}")
    if abs(found.number) > LARGEST or 0.0 < abs(found.number) < SMALLEST:
        raise RowUnusable(name, f"{name}: {shown(cell)} is too large or too small to be an amount")
    return found


def mark_of(cells: Iterable[str]) -> tuple[Mark, bool]:
    """What most of these cells have before their decimals, and whether that is a guess: all that
    have a mark at all, like 1.234, may have it for thousands."""
    points = commas = either = 0
    for cell in cells:
        text = fold(cell).replace("\N{MINUS SIGN}", "-")
        point, comma = _read(text, "."), _read(text, ",")
        if point is None or comma is None:
            points += point is not None
            commas += comma is not None
        elif point != comma:
            either += 1
    return ("," if commas > points else "."), bool(either) and points == commas == 0


def _read(text: str, mark: Mark) -> Amount | None:
    if len(text) > LONGEST:
        return None
    negative = text.startswith("(") and text.endswith(")")
    around = _AROUND.fullmatch(text[1:-1] if negative else text)
    if around is None:
        return None
    currencies = [one for one in around.group("before", "also", "behind") if one]
    minus = [one for one in around.group("minus", "minus_behind") if one]
    digits = around["number"]
    if len(currencies) > 1 or len(minus) + negative > 1 or not _NUMBERS[mark].fullmatch(digits):
        return None
    whole, dot, rest = digits.partition(mark)
    number = float(_NO_DIGIT.sub("", whole) + dot.replace(mark, ".") + rest)
    currency = currencies[0] if currencies else ""
    currency = _SIGNS.get(currency, currency)
    return Amount(-number if negative or minus == ["-"] else number, currency)
