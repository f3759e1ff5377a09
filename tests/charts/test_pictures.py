"""Every picture draws, in every form, from every kind of data."""

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import fromstring

import pytest

from charts import ages, calibration, clock, flow, savings, stages, survival, trend
from charts.drawing import draw
from charts.layout import WIDTH, Caption
from charts.palette import Theme, values
from service.domain.standing import Mode
from service.measure.tiers import Direction
from tests.charts.examples import (
    ALL,
    CAPTION,
    EMPTY,
    EXTREME,
    REALISTIC,
    Example,
    curve,
    group,
    held,
    old,
    quarter,
    saving,
    timed,
)
from tests.charts.svg import SVG, colours, texts

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    import altair as alt

NAN = float("nan")
ROOT = Path(__file__).parent.parent.parent
by_name = pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
realistic = pytest.mark.parametrize("example", REALISTIC, ids=lambda example: example.name)


@cache
def charted(example: Example) -> "alt.LayerChart":
    """The example's chart, made once for all tests: `draw` leaves it as it is."""
    return example.chart()


@cache
def drawn(example: Example, theme: Theme = Theme.LIGHT) -> bytes:
    """The example as an SVG, drawn once for all tests."""
    return draw(charted(example), "svg", theme)


@cache
def drawn_png(example: Example) -> bytes:
    """The example as a dark PNG in another size, drawn once for all tests."""
    return draw(charted(example), "png", Theme.DARK, scale=1.5)


@by_name
def test_an_svg_is_well_formed_and_refers_to_nothing(example: Example) -> None:
    svg = drawn(example).decode()

    root = fromstring(svg)  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    assert root.get("width") == str(WIDTH)
    without_names = re.sub(r'xmlns(:\w+)?="[^"]*"', "", svg)
    assert not re.search(
        r"https?:|url\(|href|data:|<image|<style|<script|style=|\sid=|@", without_names
    )


@by_name
def test_an_svg_carries_its_title_and_its_description(example: Example) -> None:
    root = fromstring(drawn(example).decode())  # noqa: S314 - our own

    assert root.get("role") == "img"
    assert (root.get("aria-label") == CAPTION.title) == ("six third parties" not in example.name)
    description = root.find(f"{SVG}desc")
    assert description is not None
    assert len(description.text or "") > 30
    if example in REALISTIC:
        assert description.text == example.words


@by_name
def test_a_chart_is_valid_vega_lite(example: Example) -> None:
    spec = charted(example).to_dict(validate=True)

    assert "/v6" in spec["$schema"]


@by_name
def test_no_text_leaves_the_sheet(example: Example) -> None:
    height = float(fromstring(drawn(example).decode()).get("height", ""))  # noqa: S314 - our own

    outside = [
        text
        for text in texts(drawn(example))
        if text.left < 0 or text.right > WIDTH or text.top < 0 or text.bottom > height
    ]

    assert outside == []


@realistic
def test_no_text_lies_over_another(example: Example) -> None:
    over = [pair for pair in combinations(texts(drawn(example)), 2) if pair[0].overlaps(pair[1])]

    assert over == []


@realistic
def test_what_matters_is_written_on_it(example: Example) -> None:
    written = {text.text for text in texts(drawn(example))}

    assert {CAPTION.title, CAPTION.subtitle, *example.labels} <= written


@realistic
@pytest.mark.parametrize("theme", Theme)
def test_every_colour_is_one_of_the_theme(example: Example, theme: Theme) -> None:
    used = colours(drawn(example, theme))

    assert len(used) > 4
    assert used <= set(values(theme).values())


@realistic
def test_dark_and_light_differ_in_colours_only(example: Example) -> None:
    light, dark = drawn(example), drawn(example, Theme.DARK)

    assert light != dark
    assert re.sub(rb"#[0-9A-Fa-f]{6}", b"", light) == re.sub(rb"#[0-9A-Fa-f]{6}", b"", dark)


@realistic
def test_a_png_has_the_size_that_was_asked_for(example: Example) -> None:
    root = fromstring(drawn(example).decode())  # noqa: S314 - our own
    png = drawn_png(example)

    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    wide, high = struct.unpack(">II", png[16:24])
    assert (wide, high) == (1.5 * WIDTH, int(1.5 * int(root.get("height", ""))))


@realistic
def test_the_same_data_gives_the_same_bytes_twice(example: Example) -> None:
    again = example.chart()

    assert draw(again, "svg") == drawn(example)
    assert draw(again, "png", Theme.DARK, scale=1.5) == drawn_png(example)


def test_the_same_data_gives_the_same_bytes_in_another_process_and_time_zone() -> None:
    examples = [e for e in REALISTIC if e.name in {"clock", "flow", "survival"}]
    program = (
        "from hashlib import sha256; from charts.drawing import draw\n"
        "from tests.charts.examples import REALISTIC\n"
        f"for e in REALISTIC:\n if e.name in {[e.name for e in examples]}:\n"
        "  print(sha256(draw(e.chart(), 'svg')).hexdigest())"
    )

    there = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={"TZ": "America/Los_Angeles", "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
    )

    assert there.stdout.split() == [sha256(drawn(e)).hexdigest() for e in examples]


def test_a_transparent_picture_has_no_ground() -> None:
    chart = charted(REALISTIC[0])

    ground = f'<rect width="{WIDTH}"'.encode()
    assert ground in drawn(REALISTIC[0])
    assert ground not in draw(chart, "svg", transparent=True)
    assert draw(chart, "png") != draw(chart, "png", transparent=True)


@pytest.mark.parametrize("example", EMPTY, ids=lambda example: example.name)
def test_where_there_is_nothing_the_picture_says_so(example: Example) -> None:
    written = [text.text for text in texts(drawn(example))]

    assert "Nothing to show yet" in written
    assert "nothing to show yet" in example.words
    assert len(written) == 4, "title, subtitle, this, and what would bring something"


def test_words_of_users_stay_words() -> None:
    hostile = "<script>alert('x')</script> & \"@builder\" ]]> \x00\x0b\ud800 \N{ROCKET}"
    charts = (
        clock.chart(
            [group(hostile, (hostile, Mode.WORKING, 3.0, 1.0, 0.0))], Caption(hostile, hostile)
        ),
        stages.chart([timed("@builder", queue=(1, 2, 3), entries=4)], Caption(hostile)),
        survival.chart([curve("@ink", 1, ((1, 0.5, 0.5, 0.5),))], Caption(hostile), {"@ink": 1.0}),
        ages.chart([old(hostile, "datum.x; 1", 4)], [], Caption(hostile)),
    )

    svgs = [draw(chart, "svg", Theme.DARK) for chart in charts]
    for svg, chart in zip(svgs, charts, strict=True):
        root = fromstring(svg.decode())  # noqa: S314 - our own
        assert not [part for part in root.iter() if "script" in str(part.tag)]
        assert draw(chart, "png")
    assert "@builder" in {text.text for text in texts(svgs[1])}
    assert any(t.text.startswith("<script>alert") for t in texts(svgs[0]))


def test_a_figure_that_is_no_number_is_refused() -> None:
    chart = survival.chart([curve("Intake", 1, ((1, NAN, NAN, NAN),))], CAPTION, {})

    with pytest.raises(ValueError, match="Out of range float"):
        draw(chart, "svg")


QUARTER = quarter("2026 Q1", 1.0, (0.9, 1.1), Direction.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("what", "chart"),
    [
        ("5 curves", lambda: survival.chart([curve("x", 1, ())] * 5, CAPTION, {})),
        (
            "25 groups",
            lambda: clock.chart(
                [group(str(n), ("builder", Mode.WORKING, 1, 1, 0)) for n in range(25)], CAPTION
            ),
        ),
        (
            "21 stages",
            lambda: stages.chart(
                [timed(str(n), work=(1, 1, 1), entries=1) for n in range(21)], CAPTION
            ),
        ),
        (
            "6 tiers",
            lambda: calibration.chart(
                [held(str(n), "p50", 0.5, 0.5, (0, 1), 1) for n in range(6)], CAPTION
            ),
        ),
        ("25 quarters", lambda: trend.chart([QUARTER] * 25, CAPTION)),
        (
            "21 tiers",
            lambda: ages.chart([old("a", str(n), 1) for n in range(21)], [], CAPTION),
        ),
    ],
)
def test_more_than_a_picture_holds_is_refused(what: str, chart: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=f"{what}: a picture holds"):
        chart()


def test_more_savings_than_fit_leave_the_best() -> None:
    chart = savings.chart([saving(f"Row {n}", float(n)) for n in range(30)], CAPTION)

    written = {text.text for text in texts(draw(chart, "svg"))}
    assert "Row 29" in written
    assert "Row 10" in written
    assert "Row 9" not in written


def test_a_curve_of_a_million_cases_makes_a_small_file() -> None:
    steps = 50_000
    points = tuple(
        (day / 100, 1 - day / steps, max(0, 0.99 - day / steps), 1 - day / steps)
        for day in range(1, steps)
    )

    svg = draw(survival.chart([curve("Intake", 10**6, points)], CAPTION, {"Intake": 250.0}), "svg")

    assert len(svg) < 200_000


def test_dots_stand_for_several_cases_where_there_are_too_many_and_the_picture_says_so() -> None:
    many = [old(f"UC-{n}", "Build", 5.0) for n in range(23)]

    written = {text.text for text in texts(draw(ages.chart(many, [], CAPTION), "svg"))}

    assert "a dot is up to 5 cases" in written
    assert "23" in written


def test_pictures_can_be_described_without_starting_altair() -> None:
    program = (
        "import sys; from tests.charts.examples import ALL; import charts.drawing\n"
        "assert all(e.words for e in ALL)\n"
        "assert not {'altair', 'vl_convert', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_the_flow_is_read_in_utc() -> None:
    svg = drawn(next(e for e in EXTREME if "two days" in e.name))

    assert {"1 Jan 2025", "2 Jan 2025"} <= {text.text for text in texts(svg)}


def test_exits_lie_under_the_stages_in_the_order_of_the_pathway() -> None:
    places = {text.text: text.top for text in texts(drawn(REALISTIC[4]))}

    order = ["Triage", "Shape", "Build", "Launch", "Declined or withdrawn", "In production"]
    assert sorted(order, key=places.__getitem__) == order
    assert flow.describe([], []) == "Cumulative flow: nothing to show yet."


def test_the_example_in_the_docs_draws() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/charts.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}

    exec(blocks[0], names)  # noqa: S102 - our own page

    assert {"Intake", "median 38 d"} <= {text.text for text in texts(names["svg"])}
    assert names["png"].startswith(b"\x89PNG")
    assert "half are in production by day 38" in names["words"]
