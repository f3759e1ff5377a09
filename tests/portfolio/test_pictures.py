"""The pictures of the portfolio: drawn and said in words, full and empty."""

from xml.etree import ElementTree

import pytest

from charts.palette import Theme
from charts.portfolio import PICTURES, picture
from service.portfolio.figures import PortfolioFigures, TotalFigures
from service.value.held import Kind, Promise
from tests.portfolio.test_portfolio import SOME, found
from tests.value.promised import Promised

pytestmark = pytest.mark.long


def figures(rows: list[Promised]) -> PortfolioFigures:
    one = found(rows)
    return PortfolioFigures(
        as_of="2026-11-01T12:00:00+00:00",
        as_of_words="as of 2026-11-01 12:00 (UTC)",
        sentence="",
        currency="EUR",
        against=Promise.FIRST,
        by=Kind.UNIT,
        total=TotalFigures.of(one.total("all")),
        groups=tuple(map(TotalFigures.of, one.totals(Kind.UNIT))),
        gaps=(),
        items=(),
        cursor=None,
        effort=None,
        effort_sentence="",
        notes=(),
    )


@pytest.mark.parametrize("which", PICTURES)
def test_a_picture_is_drawn_and_said_in_words(which: str) -> None:
    said = set()
    for rows in ([], SOME):
        made = figures(rows)
        svg = picture(made, "svg", which=which, theme=Theme.DARK)
        assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314
        said.add(PICTURES[which][1](made))
    assert len(said) == 2


def test_the_steps_say_amounts_and_how_many() -> None:
    words = PICTURES["realised"][1](figures(SOME))
    assert "Promised (4): 1,020." in words
    assert "Not due (1): 100." in words
    assert "Due (3): 920." in words
    assert "Measured (1): 400." in words
    assert "Delivered: 200 (95% interval" in words
