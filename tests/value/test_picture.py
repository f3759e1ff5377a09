"""The picture of promised against delivered."""

from itertools import combinations

import pytest

from charts import value
from charts.drawing import draw
from charts.layout import WIDTH, Caption
from charts.palette import Theme, values
from service.value.grades import Grade
from service.value.report import ValueReport, report_of
from tests.charts.svg import colours, texts
from tests.value.samples import Row, evidence

pytestmark = pytest.mark.long

CAPTION = Caption("Delivered, against what was promised", "5 use cases measured")


def report(*more: Row) -> ValueReport:
    rows = [
        Row(1000.0, 300.0, 50.0, Grade.A, "Claims"),
        Row(2000.0, 500.0, 80.0, Grade.B, "Claims"),
        Row(1500.0, 600.0, 10.0, Grade.A, "Sales <&>"),
        Row(1200.0, 0.0, 10.0, Grade.A, "Sales <&>", stopped=True),
        Row(900.0, None, None, Grade.A, "HR"),
    ]
    return report_of(evidence([*rows, *more]))


def written(svg: bytes) -> list[str]:
    return [one.text for one in texts(svg)]


@pytest.mark.parametrize("theme", Theme)
@pytest.mark.parametrize("cost", [False, True])
def test_rates_their_intervals_and_what_the_unproven_leave_open(theme: Theme, cost: bool) -> None:
    chart = value.chart(report(), CAPTION, cost=cost)
    svg = draw(chart, "svg", theme)
    said = written(svg)
    assert {"These use cases", "Use cases like these", "Claims", "Sales <&>", "HR", "0.25"} <= set(
        said
    )
    assert any("If the unproven" in one for one in said)
    assert ("under plan" in said) == cost
    assert ("less than promised" in said) != cost
    assert "over plan" not in said
    assert svg == draw(value.chart(report(), CAPTION, cost=cost), "svg", theme), "the same bytes"
    assert colours(svg) <= set(values(theme).values())
    assert "/v6" in chart.to_dict(validate=True)["$schema"]


@pytest.mark.parametrize("cost", [False, True])
def test_no_text_leaves_the_sheet_or_lies_over_another(cost: bool) -> None:
    long = [Row(9.0, 5.0, None, Grade.B, "A department with a name that goes on " * 3)] * 2
    found = texts(draw(value.chart(report(*long), CAPTION, cost=cost), "svg"))
    assert [one for one in found if one.left < 0 or one.right > WIDTH] == []
    assert [pair for pair in combinations(found, 2) if pair[0].overlaps(pair[1])] == []


def test_the_description_says_the_same() -> None:
    said = value.describe(report())
    assert said.startswith("Delivered against promised; 1 is as promised. These use cases (4 use ")
    assert "If the unproven delivered nothing, or as promised (1 use case): 0.21 to 0.35." in said
    assert "HR (0 use cases): \N{EN DASH}." in said
    assert value.describe(report(), cost=True).startswith("Cost against plan; 1 is as planned.")


def test_nothing_measured_says_so() -> None:
    nothing = report_of(evidence([Row(10.0)]))
    assert "Nothing to show yet" in written(draw(value.chart(nothing, CAPTION), "svg"))
    assert value.describe(nothing) == "Delivered against promised: nothing to show yet."


def test_more_groups_than_a_picture_holds_and_rates_beyond_its_edge() -> None:
    many = [
        Row(1.0, 40.0 * (n % 2), None, Grade.E, f"g{n:03}") for n in range(value.MOST_GROUPS + 9)
    ]
    chart = value.chart(report(*many), CAPTION)
    said = written(draw(chart, "svg"))
    assert sum(one.startswith("g0") for one in said) == value.MOST_GROUPS - 3


def test_a_group_over_its_own_plan_is_not_called_under_plan() -> None:
    rows = [Row(1.0, 0.7 + 0.01 * (n % 7), group=f"g{n % 9}") for n in range(180)]
    wild = [Row(1.0, 0.7, group="wild")] * 30 + [Row(1.0, 90.0, group="wild")]
    found = report_of(evidence([*rows, *wild]))
    assert found.by_group is not None
    one = next(one for one in found.by_group.rates if one.group == "wild")
    assert one.own_rate is not None
    assert one.ci is not None
    assert one.own_rate > 1.0 > one.ci.high
    svg = draw(value.chart(found, CAPTION, cost=True), "svg").decode()
    accent = values(Theme.LIGHT)["accent"]
    dots = [sign for sign in svg.split("<path") if f'fill="{accent}"' in sign]
    assert len(dots) == 9 + 1, "nine groups, and the sign in the key"
