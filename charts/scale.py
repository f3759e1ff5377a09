"""From production to scale: which part of the use cases is not at each milestone, day by day."""

from typing import TYPE_CHECKING

from charts import survival
from charts.labels import count
from charts.layout import Caption
from charts.picture import Picture, as_of
from service.reports.scale import NAMES, ScaleReport

if TYPE_CHECKING:
    import altair as alt

EVENT = survival.Event(done="there", since="going live", axis="Days since going live")


def chart(found: ScaleReport) -> "alt.LayerChart":
    """A curve for each milestone, of those use cases that somebody has counted."""
    cases = count(found.in_production, "use case")
    caption = Caption(
        "How long it takes from production to scale",
        f"{as_of(found)}; {cases} in production, {found.uncounted:,} of them not counted",
    )
    if not found.curves:
        from charts import canvas

        hint = "The curves begin with the first count after the day of going live."
        return canvas.nothing(caption, describe(found), hint)
    return survival.chart(found.curves, caption, _medians(found), event=EVENT)


def describe(found: ScaleReport) -> str:
    """The picture in words."""
    parts = [
        f"{NAMES[one.milestone]}: {one.reached:,} reached, {one.open:,} open, "
        f"{one.not_counted:,} not counted"
        for one in found.groups[0].milestones
    ]
    said = f"Of {count(found.in_production, 'use case')} in production: {'; '.join(parts)}."
    return f"{said} {survival.describe(found.curves, _medians(found), event=EVENT)}"


def _medians(found: ScaleReport) -> survival.Medians:
    return {NAMES[one.milestone]: one.p50.days for one in found.groups[0].milestones}


PICTURE = Picture("scale", ScaleReport, chart, describe)
