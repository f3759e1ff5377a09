"""What days on the clocks cost: each day keeps back what a use case is expected to bring in a day.

    cost of a stretch = days x expected net value a day x chance to reach production

A day later in production is a day less at full effect, whatever the ramp: the whole way moves. The
chance is 1 for what is in production and 0 for what was declined or withdrawn: that would have
brought nothing, sooner or later. For what is open it is the share of the cases that were in the
same stage and tier and reached production (Aalen-Johansen: open ones hand on their share).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import nan

import numpy as np

from service.domain.cohort import Period, quarter_of
from service.measure.cases import EPOCH, OPEN, PRODUCTION, SECONDS_PER_DAY, Codes
from service.measure.end_shares import masses
from service.measure.forecast import MIN_COMPLETIONS
from service.measure.stays import alike, stage_stays
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces

Place = tuple[str | None, str | None]
"""Tier and stage of cases that are alike; None: any."""
ANYWHERE: Place = (None, None)


@dataclass(frozen=True)
class Chances:
    """Which share of the cases that were in a place reached production, by place.

    `ANYWHERE` is missing where no case has reached production yet: then nothing can be said of what
    is open.
    """

    shares: Mapping[Place, float]

    def of(self, traces: Traces) -> Floats:
        """The chance of every case to reach production as known now; NaN where nothing is known.

        Of an open one that of its tier and stage, or else of its stage, or else of all.
        """
        outcome = traces.cases.outcome
        chance = np.where(outcome == PRODUCTION, 1.0, 0.0)
        chance[outcome == OPEN] = self.shares.get(ANYWHERE, nan)
        last = np.flatnonzero(traces.last & (outcome[traces.case] == OPEN))
        case, stage = traces.case[last], traces.stage[last]
        code = traces.cases.tier[case] * len(traces.stages) + stage
        for rows in alike(code):
            place = (
                traces.cases.tiers[traces.cases.tier[case[rows[0]]]],
                traces.stages[stage[rows[0]]],
            )
            for like in (place, (None, place[1])):
                if like in self.shares:
                    chance[case[rows]] = self.shares[like]
                    break
        return chance


def learn_chances(traces: Traces) -> Chances:
    """Learn from cases which share reaches production from each tier and stage, counted from the
    first time that each of them came there. A place counts with `MIN_COMPLETIONS` in production."""
    stays = stage_stays(traces)
    stage = traces.stage[stays.first]
    _, first = np.unique(stays.case * max(len(traces.stages), 1) + stage, return_index=True)
    stage, case = stage[first], stays.case[first]
    days = stays.total_days[first]
    ended, production = stays.ended[first], stays.production[first]
    found: dict[Place, float] = {}

    def learn(place: Place, rows: Codes) -> None:
        if np.count_nonzero(production[rows]) >= MIN_COMPLETIONS:
            found[place] = _share(days[rows], ended[rows], production[rows])

    tier = traces.cases.tier[case]
    for rows in alike(tier * max(len(traces.stages), 1) + stage):
        name = traces.stages[stage[rows[0]]]
        learn((traces.cases.tiers[tier[rows[0]]], name), rows)
    for rows in alike(stage):
        learn((None, traces.stages[stage[rows[0]]]), rows)
    everyone, over = traces.cases.all, traces.cases.outcome != OPEN
    if everyone.count(PRODUCTION):
        found[ANYWHERE] = _share(everyone.duration_days, over, everyone.in_production)
    return Chances(found)


def _share(days: Floats, ended: Flags, production: Flags) -> float:
    order = np.lexsort((~ended, days))
    share = masses(ended[order])
    return float(share[production[order]].sum() / share.sum())


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
