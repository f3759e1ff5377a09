"""The picture of a harness's runs: drawn and said in words, full, empty and at the edges."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from charts.harness import describe, picture
from charts.palette import Theme
from service.harness.judging import Verdict
from service.harness.series import HarnessSeries, RunPoint
from service.library.pass_rules import Bound

pytestmark = pytest.mark.long

DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)


def series(*scores: tuple[float, float | None, float | None, Verdict]) -> HarnessSeries:
    return HarnessSeries(
        harness="answers",
        title="Evaluate answers",
        use_case="UC-7",
        metric="accuracy",
        bound=Bound.AT_LEAST,
        threshold=0.85,
        points=tuple(
            RunPoint(
                finished_at=DAY + timedelta(days=place),
                version=1,
                verdict=verdict,
                score=score,
                low=low,
                high=high,
            )
            for place, (score, low, high, verdict) in enumerate(scores)
        ),
    )


SOME = series((0.93, 0.886, 0.958, Verdict.PASSED), (0.8, 0.739, 0.85, Verdict.FAILED))


@pytest.mark.parametrize(
    "found",
    [
        SOME,
        series(),
        series(*[(1e12, None, None, Verdict.FAILED), (-1e12, -1e12, -1e12, Verdict.FAILED)]),
        series(*[(0.85, None, None, Verdict.NO_RULES)] * 60),
    ],
    ids=["two", "none", "far away", "sixty alike"],
)
def test_it_is_drawn(found: HarnessSeries) -> None:
    svg = picture(found, "svg", theme=Theme.DARK)
    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314
    assert b"NaN" not in svg


def test_it_is_said_in_words() -> None:
    assert describe(SOME) == (
        "Evaluate answers, accuracy of UC-7: wanted at least 0.85. 2 runs, the latest last: "
        "2 Nov 26 0.93 (0.886 to 0.958), passed; 3 Nov 26 0.8 (0.739 to 0.85), failed."
    )
    assert describe(series()).endswith("No run has it yet.")
