"""When an open case will probably be in production, from cases that once stood where it stands.

docs/forecasts.md says why it is done this way and how well it held.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from service.measure.cases import Codes
from service.measure.ends import masses
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces
from service.measure.visits import State, Visits, stage_visits, turns, whole_cases

MIN_COMPLETIONS = 10
"""So many cases that reached production make a group worth following."""
NEIGHBOURS = 100
"""Of a larger group, those that were nearest in age when they came to where the case is."""
SHORTEST = 1.0 / 86_400.0
"""A second: no forecast says that it is over already."""
LINDY = 1.0
"""The heaviest tail that is believed: what has lasted t lasts as long again with even odds."""
NO_HISTORY = "no history"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days from now to production, provided that the case gets there.

    Of the cases like this one that reach production, half do so within `p50_days` and 85% within
    `p85_days`; None where there is no history. `reaches_production` is the share of cases like this
    one that get there at all. `basis` says in words which cases it rests on, `cases` how many they
    are and `completed` how many of them have reached production. `stretch` is above 1 where no
    cases were there for as long, and what is known of shorter stays was stretched by that factor.
    """

    p50_days: float | None
    p85_days: float | None
    reaches_production: float | None
    basis: str
    cases: int
    completed: int
    stretch: float


@dataclass(frozen=True, slots=True)
class Sample:
    """Cases that stood where a case stands now, in the order of the days they had left.

    `days` left to production, to giving up (`ended` without `production`), or as far as watched.
    `scale` is how long they had been there by then: the scale on which a tail is drawn.
    """

    days: Floats
    ended: Flags
    production: Flags
    scale: float
    stretch: float

    def forecast(self, basis: str) -> Forecast:
        """The forecast from these cases, of which one at least must have reached production."""
        share = masses(self.ended)
        to_production = share[self.production]
        all_ends = float(np.sum(share))
        reaches = float(np.sum(to_production)) / all_ends
        # The next case falls between any two of d known ones with a chance of 1 in d + 1.
        completed = to_production.size
        levels = np.cumsum(to_production) / reaches * (completed / (completed + 1.0))
        p50 = max(self._day(0.5, levels), SHORTEST)
        return Forecast(
            p50_days=p50,
            p85_days=max(self._day(0.85, levels), p50),
            reaches_production=min(reaches, 1.0),
            basis=basis,
            cases=int(self.days.size),
            completed=completed,
            stretch=self.stretch,
        )

    def _day(self, part: float, levels: Floats) -> float:
        """The days within which this part of those that get to production do so."""
        days = self.days[self.production]
        if part <= levels[-1]:
            return float(np.interp(part, np.append(0.0, levels), np.append(0.0, days)))
        last = max(float(days[-1]), SHORTEST) + self.scale
        left = (1.0 - levels[-1]) / (1.0 - part)
        return last * float(left ** (1.0 / self._steepness())) - self.scale

    def _steepness(self) -> float:
        """The exponent of a Pareto tail through the longer half, by its likelihood (Hill 1975).

        Open cases count with the time that they were watched. At least `LINDY`.
        """
        days = self.days[self.production]
        threshold = max(float(days[days.size // 2]), SHORTEST)
        excess = np.log((self.days + self.scale) / (threshold + self.scale))
        watched = float(np.sum(np.maximum(excess, 0.0)))
        ends = int(np.count_nonzero(self.ended & (self.days > threshold)))
        return max(LINDY, ends / watched) if watched > 0.0 else LINDY


@dataclass(frozen=True)
class Group:
    """Stays of cases that are alike, in the order of `total_days`, ends before open cases."""

    entry_days: Floats
    stay_days: Floats
    total_days: Floats
    ended: Flags
    production: Flags

    def longest(self, completions: int) -> float | None:
        """The longest stay that so many completed cases reached; None if there are fewer, or 0."""
        stays = self.stay_days[self.production]
        if not 0 < completions <= stays.size:
            return None
        return float(np.partition(stays, -completions)[-completions])

    def after(self, days: float, entry_days: float, reach: float) -> Sample:
        """What was left for those that stayed for `days`, nearest in their age on entering.

        Where `days` is beyond `reach`, those that stayed for `reach`, with what was left of their
        stay stretched in proportion: exact for Pareto stays, too wide for lighter ones.
        """
        seen = min(days, reach)
        there = self.stay_days >= seen
        if np.count_nonzero(there) > NEIGHBOURS:
            distance = np.abs(self.entry_days - entry_days)
            farthest = np.partition(distance[there], NEIGHBOURS - 1)[NEIGHBOURS - 1]
            near = there & (distance <= farthest)
            if np.count_nonzero(near & self.production) >= MIN_COMPLETIONS:
                there = near
        left = self.total_days[there] - seen
        ended, production = self.ended[there], self.production[there]
        stretch = days / seen if days > seen > 0.0 else 1.0
        if stretch > 1.0:
            left = left + (self.stay_days[there] - seen) * (stretch - 1.0)
            order = np.lexsort((~ended, left))
            left, ended, production = left[order], ended[order], production[order]
        return Sample(left, ended, production, days, stretch)


Key = tuple[str, str, str, bool | None]
"""Tier, stage, holder and mode of a group; empty or None: any."""
EVERYTHING: Key = ("", "", "", None)


@dataclass(frozen=True)
class Model:
    """What history says about cases in each place; made by `learn`.

    `reach` says for each group how long a stay there still has enough completed cases behind it.
    """

    groups: dict[Key, Group]
    reach: dict[Key, float]

    def remaining(self, state: State) -> Forecast:
        """The days that are left to a case in this state.

        It rests on the first group with `MIN_COMPLETIONS` cases that were there for as long and
        reached production: same tier, stage, holder and mode; same tier and stage. Then on the same
        two with shorter stays, stretched; then on the same tier at this age; on the same stage in
        any tier; on everything, however little that is.
        """
        for level, may_stretch in _ATTEMPTS:
            reach = self.reach.get(level.key(state), -1.0)
            if reach >= level.days(state) or (may_stretch and reach > 0.0):
                return self._from(level, state, reach)
        if EVERYTHING in self.reach:
            return self._from(_ANYWHERE, state, self.reach[EVERYTHING])
        return Forecast(None, None, None, NO_HISTORY, 0, 0, 1.0)

    def remaining_all(self, states: Iterable[State]) -> tuple[Forecast, ...]:
        """One forecast for each state, in their order."""
        return tuple(self.remaining(state) for state in states)

    def _from(self, level: "_Level", state: State, reach: float) -> Forecast:
        days = level.days(state)
        entered = state.age_days - days
        sample = self.groups[level.key(state)].after(days, entered, reach)
        since = f" for {min(days, reach):.3g} days" if days > 0.0 else ""
        return sample.forecast(f"{sample.days.size} cases of {level.words(state)}{since}")


def learn(traces: Traces) -> Model:
    """Sort all stays of all cases, finished and open, into groups of alike ones.

    Give it one cohort, or several that are alike. The order of the cases does not matter.
    """
    tiers = np.array(traces.cases.tiers, dtype=object)
    groups: dict[Key, Group] = {}
    for visits, with_tier, with_stage, with_holder in (
        (turns(traces), True, True, True),
        (stage_visits(traces), True, True, False),
        (stage_visits(traces), False, True, False),
        (whole_cases(traces), True, False, False),
        (whole_cases(traces), False, False, False),
    ):
        code = np.zeros(visits.case.size, dtype=np.int64)
        if with_tier:
            code = traces.cases.tier[visits.case]
        if with_stage:
            code = code * len(traces.stages) + traces.stage[visits.first]
        if with_holder:
            code = code * len(traces.holders) + traces.holder[visits.first]
            code = code * 2 + traces.working[visits.first]
        order = np.lexsort((~visits.ended, visits.total_days, code))
        starts = np.flatnonzero(np.diff(code[order], prepend=-1))
        for rows in np.split(order, starts[1:]) if order.size else ():
            span = visits.first[rows[0]]
            key: Key = (
                str(tiers[traces.cases.tier[visits.case[rows[0]]]]) if with_tier else "",
                traces.stages[traces.stage[span]] if with_stage else "",
                traces.holders[traces.holder[span]] if with_holder else "",
                bool(traces.working[span]) if with_holder else None,
            )
            groups[key] = _group(visits, rows)
    enough = {key: group.longest(MIN_COMPLETIONS) for key, group in groups.items()}
    reach = {key: days for key, days in enough.items() if days is not None}
    if EVERYTHING in groups and EVERYTHING not in reach:
        few = groups[EVERYTHING].longest(int(np.count_nonzero(groups[EVERYTHING].production)))
        reach |= {} if few is None else {EVERYTHING: few}
    return Model(groups, reach)


def _group(visits: Visits, rows: Codes) -> Group:
    return Group(
        entry_days=visits.entry_days[rows],
        stay_days=visits.stay_days[rows],
        total_days=visits.total_days[rows],
        ended=visits.ended[rows],
        production=visits.production[rows],
    )


@dataclass(frozen=True, slots=True)
class _Level:
    """One way to look for cases like one: what they share, since when, and how that is said."""

    key: Callable[[State], Key]
    days: Callable[[State], float]
    words: Callable[[State], str]


_SAME_TURN = _Level(
    lambda state: (state.tier, state.stage, state.holder, state.working),
    lambda state: state.turn_days,
    lambda state: (
        f"tier {state.tier} that were in {state.stage}, "
        f"{'at work with' if state.working else 'waiting for'} {state.holder}"
    ),
)
_SAME_STAGE = _Level(
    lambda state: (state.tier, state.stage, "", None),
    lambda state: state.stage_days,
    lambda state: f"tier {state.tier} that were in {state.stage}",
)
_SAME_TIER = _Level(
    lambda state: (state.tier, "", "", None),
    lambda state: state.age_days,
    lambda state: f"tier {state.tier} that were open, wherever they stood,",
)
_ANY_TIER = _Level(
    lambda state: ("", state.stage, "", None),
    lambda state: state.stage_days,
    lambda state: f"any tier that were in {state.stage}",
)
_ANYWHERE = _Level(
    lambda _: EVERYTHING,
    lambda state: state.age_days,
    lambda _: "any tier that were open, wherever they stood,",
)
_ATTEMPTS = (
    (_SAME_TURN, False),
    (_SAME_STAGE, False),
    (_SAME_TURN, True),
    (_SAME_STAGE, True),
    (_SAME_TIER, True),
    (_ANY_TIER, True),
    (_ANYWHERE, True),
)
"""Which groups are tried, in this order, and whether their stays may be stretched."""
