"""Which share of cases reaches production from where they stand.

1 for what is in production, 0 for what was declined or withdrawn. For what is open it is the share
of the cases that were in the same stage and tier and reached production (Aalen-Johansen: open ones
hand on their share).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan

import numpy as np

from service.measure.cases import EPOCH, OPEN, PRODUCTION, SECONDS_PER_DAY, Codes
from service.measure.end_shares import masses
from service.measure.forecast import MIN_COMPLETIONS
from service.measure.stays import alike, stage_stays
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces

Place = tuple[str | None, str | None]
"""Tier and stage of cases that are alike; None: any."""
ANYWHERE: Place = (None, None)
A_SECOND = 1.0 / SECONDS_PER_DAY


@dataclass(frozen=True)
class Chances:
    """Which share of the cases that were in a place reached production, by place.

    `ANYWHERE` is missing where no case has reached production yet: then nothing can be said of what
    is open.
    """

    shares: Mapping[Place, float]

    def from_place(self, tier: str, stage: str) -> float:
        """The chance of an open case in this place: that of its tier and stage, or else of its
        stage, or else of all; NaN where nothing is known."""
        for like in ((tier, stage), (None, stage), ANYWHERE):
            if like in self.shares:
                return self.shares[like]
        return nan

    def of(self, traces: Traces) -> Floats:
        """The chance of every case to reach production as known now; NaN where nothing is known."""
        outcome = traces.cases.outcome
        chance = np.where(outcome == PRODUCTION, 1.0, 0.0)
        chance[outcome == OPEN] = self.shares.get(ANYWHERE, nan)
        last = np.flatnonzero(traces.last & (outcome[traces.case] == OPEN))
        case, stage = traces.case[last], traces.stage[last]
        code = traces.cases.tier[case] * len(traces.stages) + stage
        for rows in alike(code):
            tier = traces.cases.tiers[traces.cases.tier[case[rows[0]]]]
            chance[case[rows]] = self.from_place(tier, traces.stages[stage[rows[0]]])
        return chance


@dataclass(frozen=True)
class Arrivals:
    """Cases in the stages that they came to, from the first time that each of them came there, and
    each once more from its start, with -1 as its stage.

    `days` until the end, or as far as watched; `goes_on` where that is to this day. `tier` and
    `stage` are places in the names.
    """

    tier: Codes
    stage: Codes
    days: Floats
    ended: Flags
    production: Flags
    goes_on: Flags
    tiers: tuple[str, ...]
    stages: tuple[str, ...]

    def later(self, days: float) -> "Arrivals":
        """The same so many days later, if nothing happened in them."""
        return replace(self, days=np.where(self.goes_on, self.days + days, self.days))

    def chances(self) -> Chances:
        """Which share reaches production from each tier and stage. A place counts with
        `MIN_COMPLETIONS` in production, all cases together with one."""
        found: dict[Place, float] = {}

        def learn(place: Place, rows: Codes, least: int = MIN_COMPLETIONS) -> None:
            if np.count_nonzero(self.production[rows]) >= least:
                found[place] = _share(self.days[rows], self.ended[rows], self.production[rows])

        there = np.flatnonzero(self.stage >= 0)
        stage, tier = self.stage[there], self.tier[there]
        for rows in alike(tier * max(len(self.stages), 1) + stage):
            learn((self.tiers[tier[rows[0]]], self.stages[stage[rows[0]]]), there[rows])
        for rows in alike(stage):
            learn((None, self.stages[stage[rows[0]]]), there[rows])
        learn(ANYWHERE, np.flatnonzero(self.stage < 0), 1)
        return Chances(found)


def arrivals(traces: Traces) -> Arrivals:
    """Where these cases came to, and what became of them."""
    stays, cases = stage_stays(traces), traces.cases
    stage = traces.stage[stays.first]
    _, first = np.unique(stays.case * max(len(traces.stages), 1) + stage, return_index=True)
    case = np.concatenate((stays.case[first], np.arange(cases.size)))
    ended = cases.outcome != OPEN
    now = (cases.as_of - EPOCH).total_seconds() / SECONDS_PER_DAY
    watched = np.abs(traces.started_days + cases.duration_days - now) < A_SECOND
    return Arrivals(
        tier=cases.tier[case],
        stage=np.concatenate((stage[first], np.full(cases.size, -1))),
        days=np.concatenate((stays.total_days[first], cases.duration_days)),
        ended=ended[case],
        production=(cases.outcome == PRODUCTION)[case],
        goes_on=(watched & ~ended)[case],
        tiers=cases.tiers,
        stages=traces.stages,
    )


def learn_chances(traces: Traces) -> Chances:
    """Learn from cases which share reaches production from where they stand."""
    return arrivals(traces).chances()


def _share(days: Floats, ended: Flags, production: Flags) -> float:
    order = np.lexsort((~ended, days))
    share = masses(ended[order])
    return float(share[production[order]].sum() / share.sum())
