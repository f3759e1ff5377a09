"""The pictures of the reports. To register one is a line here.

A report may have several; the first one is what is drawn when nobody says which.
"""

from collections.abc import Mapping
from typing import Literal

from charts import (
    ages,
    calibration,
    certification,
    clock,
    delay,
    effort,
    flow,
    library,
    lighthouses,
    savings,
    scale,
    stages,
    survival,
    trend,
    value,
    wip,
)
from charts.palette import Theme
from charts.picture import AnyPicture
from service.reports.registry import Name
from service.reports.report import Figures

PICTURES: tuple[AnyPicture, ...] = (
    survival.PICTURE,
    trend.PICTURE,
    clock.PICTURE,
    stages.PICTURE,
    flow.PICTURE,
    ages.PICTURE,
    savings.PICTURE,
    calibration.PICTURE,
    wip.PICTURE,
    delay.PICTURE,
    lighthouses.PICTURE,
    scale.PICTURE,
    effort.PICTURE,
    value.PICTURE,
    library.PICTURE,
    certification.PICTURE,
)


def picture(
    report: Name,
    found: Figures,
    kind: Literal["svg", "png"],
    *,
    which: str = "",
    theme: Theme = Theme.LIGHT,
    transparent: bool = False,
) -> bytes:
    """Draw a picture of a report, out of its result. KeyError where there is none of that name."""
    from charts.drawing import draw

    chart = _of(report, which).chart(found)
    return draw(chart, kind, theme, scale=2.0, transparent=transparent)


def in_words(report: Name, found: Figures, *, which: str = "") -> str:
    """The text alternative of a picture."""
    return _of(report, which).words(found)


def names_of(report: Name) -> tuple[str, ...]:
    """The pictures that there are of a report."""
    return tuple(_pictures(report))


def _of(report: Name, which: str) -> AnyPicture:
    some = _pictures(report)
    return some[which or next(iter(some))]


def _pictures(report: Name) -> Mapping[str, AnyPicture]:
    return {one.name: one for one in PICTURES if one.of is report.of.result}
