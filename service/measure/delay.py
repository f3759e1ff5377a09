"""What days on the clocks cost: each day keeps back what a use case is expected to bring in a day.

    cost of a stretch = days x expected net value a day x chance to reach production

A day later in production is a day less at full effect, whatever the ramp: the whole way moves. The
chance is that of `reaching`: 1 for what is in production and 0 for what was declined or withdrawn,
which would have brought nothing, sooner or later.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from service.domain.cohort import Period, quarter_of
from service.measure.cases import EPOCH, SECONDS_PER_DAY, Codes
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces


@dataclass(frozen=True)
class Stretches:
    """The time of cases on each clock, cut where a quarter begins; one row a stretch.

    `case` is the row of its case, `quarter` a place in `quarters` (all from the first in which any
    case was on a clock to that of the moment, without gaps), `stage` and `holder` as in `Traces`.
    """

    quarters: tuple[Period, ...]
    case: Codes
    quarter: Codes
    stage: Codes
    holder: Codes
    working: Flags
    days: Floats


def stretches(traces: Traces) -> Stretches:
    """The time of cases cut where quarters (UTC) begin. No day is lost, none counts twice."""
    quarters = _quarters(traces)
    edges = np.array(
        [(one.begin - EPOCH).total_seconds() / SECONDS_PER_DAY for one in quarters], np.float64
    )
    started = traces.started_days[traces.case]
    begin, end = started + traces.begin_days, started + traces.end_days
    first = np.searchsorted(edges, begin, "right") - 1
    last = np.maximum(np.searchsorted(edges, end, "left") - 1, first)
    pieces = last - first + 1
    span = np.repeat(np.arange(traces.spans), pieces)
    place = np.arange(span.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    quarter = first[span] + place
    # Within the case's own days, so that an uncut span keeps its length to the last bit.
    own = started[span]
    from_day = np.where(place == 0, traces.begin_days[span], edges[quarter] - own)
    cut = place < pieces[span] - 1
    to_day = np.where(
        cut, edges[np.minimum(quarter + 1, edges.size - 1)] - own, traces.end_days[span]
    )
    days = np.maximum(to_day - from_day, 0.0)
    some = days > 0.0
    span = span[some]
    return Stretches(
        quarters=quarters,
        case=traces.case[span],
        quarter=quarter[some],
        stage=traces.stage[span],
        holder=traces.holder[span],
        working=traces.working[span],
        days=days[some],
    )


def _quarters(traces: Traces) -> tuple[Period, ...]:
    first = float(traces.started_days.min()) if traces.started_days.size else None
    now = quarter_of(traces.cases.as_of)
    found = [now if first is None else quarter_of(EPOCH + timedelta(days=first))]
    while found[-1].begin < now.begin:
        found.append(quarter_of(found[-1].end))
    return tuple(found)
