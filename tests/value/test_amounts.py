"""Amounts in the spellings that people use."""

import pytest

from service.history.csv.errors import RowUnusable
from service.value.amounts import Amount, Mark, amount_in, mark_of


@pytest.mark.parametrize(
    ("cell", "mark", "number", "currency"),
    [
        ("1234.5", ".", 1234.5, ""),
        ("1,234.50", ".", 1234.5, ""),
        ("1.234,50", ",", 1234.5, ""),
        ("1 234,50", ",", 1234.5, ""),
        ("1\N{NO-BREAK SPACE}234,50", ",", 1234.5, ""),
        ("1\N{NARROW NO-BREAK SPACE}234", ",", 1234.0, ""),
        ("1'234.50", ".", 1234.5, ""),
        ("1\N{RIGHT SINGLE QUOTATION MARK}234'567", ".", None, ""),
        ("1,234", ".", 1234.0, ""),
        ("1,234", ",", 1.234, ""),
        ("0.125", ".", 0.125, ""),
        (".5", ".", 0.5, ""),
        ("5.", ".", 5.0, ""),
        ("1e-06", ".", 1e-6, ""),
        ("+5", ".", 5.0, ""),
        ("-5", ".", -5.0, ""),
        ("\N{MINUS SIGN}5", ".", -5.0, ""),
        ("5-", ".", -5.0, ""),
        ("(1,200)", ".", -1200.0, ""),
        ("\N{EURO SIGN} 1.200", ",", 1200.0, "EUR"),
        ("EUR 1,200.00", ".", 1200.0, "EUR"),
        ("1 200 \N{POUND SIGN}", ".", 1200.0, "GBP"),
        ("-$5", ".", -5.0, "$"),
        ("US$5", ".", 5.0, "USD"),
    ],
)
def test_spellings(cell: str, mark: Mark, number: float | None, currency: str) -> None:
    if number is None:
        with pytest.raises(RowUnusable):
            amount_in("delivered", cell, mark)
    else:
        assert amount_in("delivered", cell, mark) == Amount(number, currency)


@pytest.mark.parametrize("cell", ["", "  ", "-", "n/a", "N/A", "TBD", "\N{EN DASH}"])
def test_nothing_is_said(cell: str) -> None:
    assert amount_in("delivered", cell, ".") is None


@pytest.mark.parametrize(
    "cell",
    [
        *("62%", "1.2m", "1..2", "12 34", "1,23,456", "nan", "inf", "1e309", "1e16", "1e-13"),
        *("(-5)", "EUR 5 USD", "0x1F", "five", "\N{ARABIC-INDIC DIGIT THREE}", "--5", "1_000"),
        "=1+1",
    ],
)
def test_what_is_no_amount_says_so(cell: str) -> None:
    with pytest.raises(RowUnusable, match="delivered: ") as error:
        amount_in("delivered", cell, ".")
    assert error.value.field == "delivered"


def test_the_other_mark_is_named() -> None:
    with pytest.raises(RowUnusable, match=r"as this file writes them: 1234\.5"):
        amount_in("promised", "12,5", ".")


@pytest.mark.parametrize(
    ("cells", "mark", "guessed"),
    [
        (["1,234", "12.5"], ".", False),
        (["1.234", "12,5"], ",", False),
        (["1.234,50"], ",", False),
        (["1.234", "5.678"], ".", True),
        (["1,234"], ".", True),
        (["100", "", "n/a"], ".", False),
        (["12,5", "12.5", "13.5"], ".", False),
        ([], ".", False),
    ],
)
def test_what_stands_before_decimals_is_told_from_all(
    cells: list[str], mark: str, guessed: bool
) -> None:
    assert mark_of(cells) == (mark, guessed)
