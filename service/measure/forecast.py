"""When an open case will probably be in production, from cases that once stood where it stands.

docs/forecasts.md says why it is done this way and how well it held.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from service.domain.durations import duration
from service.measure.adaptive import AS_PROMISED, PARTS, Levels
from service.measure.as_seen import as_seen
from service.measure.cases import EPOCH, SECONDS_PER_DAY, Codes
from service.measure.end_shares import masses
from service.measure.stays import State, Stays, alike, stage_stays, turns, whole_cases
from service.measure.survival import Flags, Floats
from service.measure.traces import Traces

MIN_COMPLETIONS = 8
"""So many cases that reached production make a group worth following."""
RECENT = 100
"""Of a larger group, the last so many that reached production, and whoever came since them."""
SETTLED = 2.0
"""But not only such as came lately: at least this many times as long as nine in ten took."""
NEAREST = 50
"""Of those again, the ones that were nearest in age when they came to where the case is."""
SHORTEST = 1.0 / 86_400.0
"""A second: no forecast says that it is over already."""
LINDY = 1.0
"""The heaviest tail that is believed: what has lasted t lasts as long again with even odds."""
NOTABLE = 0.01
"""A correction of a level by less than this is not put into words."""
NO_HISTORY = "no history"


@dataclass(frozen=True, slots=True)
class Forecast:
    """Days from now to production, provided that the case gets there.

    Of the cases like this one that reach production, half do so within `p50_days` and 85% within
    `p85_days`; None where there is no history. `reaches_production` is the share of cases like this
    one that get there at all. `basis` says in words which cases it rests on, `cases` how many they
    are and `completed` how many of them have reached production. `stretch` is above 1 where no
    cases were there for as long, and what is known of shorter stays was stretched by that factor.

    `p50_level` and `p85_level` are the levels of the curve at which the two days were taken: other
    than 0.5 and 0.85 where forecasts of this kind came too early or too late. `basis` says so, and
    by how many days.
    """

    p50_days: float | None
    p85_days: float | None
    reaches_production: float | None
    basis: str
    cases: int
    completed: int
    stretch: float
    p50_level: float = PARTS[0]
    p85_level: float = PARTS[1]


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

    def forecast(self, basis: str, levels: tuple[float, float] = PARTS) -> Forecast:
        """The forecast from these cases, of which one at least must have reached production.

        `levels` are those at which p50 and p85 are taken.
        """
        reaches, curve = self._curve()
        p50, p85, *before = self._days(curve, (*levels, *PARTS) if _is_notable(levels) else levels)
        p50, p85 = _in_order(p50, p85)
        if before:
            basis += f"; {_corrected(levels, _in_order(*before), (p50, p85))}"
        return Forecast(
            p50_days=p50,
            p85_days=p85,
            reaches_production=min(reaches, 1.0),
            basis=basis,
            cases=int(self.days.size),
            completed=int(curve.size),
            stretch=self.stretch,
            p50_level=levels[0],
            p85_level=levels[1],
        )

    def chance_by(self, days: float, levels: tuple[float, float] = PARTS) -> float:
        """The chance to be in production within so many days, never getting there included.

        Off the same curve as the forecast, and corrected like it: by its p50 it is half of what
        reaches production, by its p85 85% of it.
        """
        if days <= 0.0:
            return 0.0
        reaches, curve = self._curve()
        known = self.days[self.production]
        if days <= known[-1]:
            level = float(
                np.interp(days, np.concatenate([[0.0], known]), np.concatenate([[0.0], curve]))
            )
        else:
            last = max(float(known[-1]), SHORTEST) + self.scale
            left = (last / (days + self.scale)) ** self._steepness()
            level = 1.0 - (1.0 - float(curve[-1])) * min(left, 1.0)
        p50, p85 = levels[0], max(levels)
        return min(reaches, 1.0) * float(np.interp(level, [0.0, p50, p85, 1.0], [0.0, *PARTS, 1.0]))

    def _curve(self) -> tuple[float, Floats]:
        """Which share gets to production, and how many of those have got there after each."""
        share = masses(self.ended)
        to_production = share[self.production]
        reaches = float(to_production.sum() / share.sum())
        # The next case falls between any two of d known ones with a chance of 1 in d + 1.
        completed = to_production.size
        return reaches, np.cumsum(to_production) / reaches * (completed / (completed + 1.0))

    def _days(self, curve: Floats, levels: Sequence[float]) -> list[float]:
        """The days by which the curve of those that get to production reaches these levels."""
        days = self.days[self.production]
        known = np.interp(levels, np.concatenate([[0.0], curve]), np.concatenate([[0.0], days]))
        return [
            day if level <= curve[-1] else self._beyond(level, float(curve[-1]), float(days[-1]))
            for level, day in zip(levels, known.tolist(), strict=True)
        ]

    def _beyond(self, part: float, level: float, last_day: float) -> float:
        """Where a tail from the last level that is known reaches this part."""
        last = max(last_day, SHORTEST) + self.scale
        left = (1.0 - level) / (1.0 - part)
        return last * float(left ** (1.0 / self._steepness())) - self.scale

    def _steepness(self) -> float:
        """The exponent of a Pareto tail through the longer half, by its likelihood (Hill 1975).

        Open cases count with the time that they were watched. At least `LINDY`.
        """
        days = self.days[self.production]
        threshold = max(float(days[days.size // 2]), SHORTEST)
        beyond = np.maximum(self.days, threshold) + self.scale
        watched = float(np.sum(np.log(beyond / (threshold + self.scale))))
        ends = int(np.count_nonzero(self.ended & (self.days > threshold)))
        return max(LINDY, ends / watched) if watched > 0.0 else LINDY


@dataclass(frozen=True)
class Group:
    """Stays of cases that are alike, in the order of `total_days`, ends before open cases.

    `entered` is the day (since 1970) on which each stay began and `entry_days` the case's age
    then. Most of what began before `settled` is decided by now.
    """

    entered: Floats
    entry_days: Floats
    stay_days: Floats
    total_days: Floats
    ended: Flags
    production: Flags
    settled: float

    def longest(self, completions: int) -> float | None:
        """The longest stay that so many completed cases reached; None if fewer did."""
        stays = self.stay_days[self.production]
        if not 0 < completions <= stays.size:
            return None
        return float(np.partition(stays, -completions)[-completions])

    def after(self, days: float, entry_days: float, reach: float) -> Sample:
        """What was left for those that stayed for `days`, of late and nearest in age on entering.

        Where `days` is beyond `reach`, those that stayed for `reach`, with what was left of their
        stay stretched in proportion: exact for Pareto stays, too wide for lighter ones.
        """
        seen = min(days, reach)
        there = self._nearest(self._there(seen), entry_days)
        left = self.total_days[there] - seen
        ended, production = self.ended[there], self.production[there]
        stretch = days / seen if days > seen > 0.0 else 1.0
        if stretch > 1.0:
            left = left + (self.stay_days[there] - seen) * (stretch - 1.0)
            order = np.lexsort((~ended, left))
            left, ended, production = left[order], ended[order], production[order]
        return Sample(left, ended, production, days, stretch)

    def _there(self, seen: float) -> Codes:
        """Those that stayed for so long, of late."""
        late = self._late[self.stay_days[self._late] >= seen]
        if np.count_nonzero(self.production[late]) > RECENT:
            return late
        rows = np.flatnonzero(self.stay_days >= seen)
        entered = self.entered[rows]
        done = entered[self.production[rows]]
        if done.size <= RECENT:
            return rows
        since = min(self.settled, float(np.partition(done, -RECENT)[-RECENT]))
        return rows[entered >= since]

    @cached_property
    def _late(self) -> Codes:
        """The stays that began since what came before was settled: mostly these are enough."""
        return np.flatnonzero(self.entered >= self.settled)

    def _nearest(self, rows: Codes, entry_days: float) -> Codes:
        if rows.size <= NEAREST:
            return rows
        distance = np.abs(self.entry_days[rows] - entry_days)
        near = rows[distance <= np.partition(distance, NEAREST - 1)[NEAREST - 1]]
        return near if np.count_nonzero(self.production[near]) >= MIN_COMPLETIONS else rows


Key = tuple[str | None, str | None, str | None, bool | None]
"""Tier, stage, holder and mode that the cases of a group share; None: any."""
EVERYTHING: Key = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class _Learned:
    """Groups of alike stays; `reach` says of each for how long a stay there still has enough
    completed cases behind it."""

    groups: dict[Key, Group]
    reach: dict[Key, float]


@dataclass(frozen=True, slots=True)
class _Level:
    """One way to look for cases like one: what they share."""

    tier: bool
    stage: bool
    turn: bool
    """Holder and mode, too."""

    def key(self, state: State) -> Key:
        """The group of a case in this state."""
        return (
            state.tier if self.tier else None,
            state.stage if self.stage else None,
            state.holder if self.turn else None,
            state.working if self.turn else None,
        )

    def days(self, state: State) -> float:
        """For how long a case in this state has been with this group."""
        if self.turn:
            return state.turn_days
        return state.stage_days if self.stage else state.age_days

    def stays(self, traces: Traces) -> Stays:
        """The stays that the groups are made of."""
        if self.turn:
            return turns(traces)
        return stage_stays(traces) if self.stage else whole_cases(traces)

    def words(self, state: State) -> str:
        """Which cases these are, in words."""
        tier = f"tier {state.tier}" if self.tier else "any tier"
        if not self.stage:
            return f"{tier} that were open"
        holder = f", {'at work with' if state.working else 'waiting for'} {state.holder}"
        return f"{tier} that were in {state.stage}{holder if self.turn else ''}"


_SAME_TURN = _Level(tier=True, stage=True, turn=True)
_SAME_STAGE = _Level(tier=True, stage=True, turn=False)
_SAME_TIER = _Level(tier=True, stage=False, turn=False)
_ANY_TIER = _Level(tier=False, stage=True, turn=False)
_ANYWHERE = _Level(tier=False, stage=False, turn=False)
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


class Model:
    """What history says about cases in each place; made by `learn`.

    Its stays are sorted into groups of alike ones, at the first of five levels at once: every case
    is looked for there first, and most find enough of their like. At the others when they are asked
    for.
    """

    def __init__(self, traces: Traces, levels: Levels = AS_PROMISED) -> None:
        self._traces = traces
        self._at = levels
        self._levels = {_SAME_TURN: _learned(traces, _SAME_TURN)}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn from: no case has reached production."""
        return not self._learned(_ANYWHERE).reach

    def remaining(self, state: State) -> Forecast:
        """The days that are left to a case in this state.

        It rests on the first group with `MIN_COMPLETIONS` cases that were there for as long and
        reached production: same tier, stage, holder and mode; same tier and stage. Then on the same
        two with shorter stays, stretched; then on the same tier at this age; on the same stage in
        any tier; on everything, however little that is.
        """
        level = self._level_for(state)
        if level is None:
            return Forecast(None, None, None, NO_HISTORY, 0, 0, 1.0)
        return self._from(level, state)

    def chance_by(self, state: State, days: float) -> float | None:
        """The chance that a case in this state is in production within so many days from now, never
        getting there included; None without history. It rests on the cases that its forecast
        (`remaining`) rests on."""
        level = self._level_for(state)
        if level is None:
            return None
        return self._sample(level, state).chance_by(days, self._at.of(state.tier))

    def remaining_all(self, states: Iterable[State]) -> tuple[Forecast, ...]:
        """One forecast for each state, in their order."""
        return tuple(map(cache(self.remaining), states))

    def _level_for(self, state: State) -> _Level | None:
        """Where a case in this state finds its like; None without history."""
        for level, may_stretch in _ATTEMPTS:
            reach = self._learned(level).reach.get(level.key(state), -1.0)
            if reach >= level.days(state) or (may_stretch and reach > 0.0):
                return level
        return None if self.is_empty else _ANYWHERE

    def _sample(self, level: _Level, state: State) -> Sample:
        learned, key, days = self._learned(level), level.key(state), level.days(state)
        return learned.groups[key].after(days, state.age_days - days, learned.reach[key])

    def _from(self, level: _Level, state: State) -> Forecast:
        days, reach = level.days(state), self._learned(level).reach[level.key(state)]
        sample = self._sample(level, state)
        cases = f"{sample.days.size} {'case' if sample.days.size == 1 else 'cases'}"
        basis = f"{cases} of {level.words(state)}"
        if days > 0.0:
            basis += f", for {duration(min(days, reach))}"
        if sample.stretch > 1.0:
            there = duration(days).removesuffix(" days")
            basis += f"; too few were there for {there}, so their stay is stretched in proportion"
        return sample.forecast(basis, self._at.of(state.tier))

    def _learned(self, level: _Level) -> _Learned:
        if level not in self._levels:
            self._levels[level] = _learned(self._traces, level)
        return self._levels[level]


def _in_order(p50: float, p85: float) -> tuple[float, float]:
    p50 = max(p50, SHORTEST)
    return p50, max(p85, p50)


def _is_notable(levels: tuple[float, float]) -> bool:
    return any(abs(level - part) >= NOTABLE for level, part in zip(levels, PARTS, strict=True))


def _corrected(
    levels: tuple[float, float], before: tuple[float, float], after: tuple[float, float]
) -> str:
    """That forecasts came too early or too late, and what was made of it, in words."""
    moved = [level - part for level, part in zip(levels, PARTS, strict=True)]
    moves = {move > 0.0 for move in moved if abs(move) >= NOTABLE}
    if len(moves) == 1:
        found = f"forecasts of this kind came too {'early' if moves.pop() else 'late'}"
    else:
        found = f"forecasts of this kind were too {'wide' if moved[0] > 0.0 else 'narrow'}"
    names = ("half", "85%")
    corrected = " and ".join(
        f"{name} within {duration(new)} instead of {duration(old)}"
        for name, move, old, new in zip(names, moved, before, after, strict=True)
        if abs(move) >= NOTABLE
    )
    return f"{found}: corrected, {corrected}"


def learn(traces: Traces, levels: Levels = AS_PROMISED, *, seen: bool = True) -> Model:
    """Learn from the stays of all cases, finished and open.

    Give it one cohort, or several that are alike. The order of the cases does not matter. `levels`
    are what was learnt from the errors of earlier forecasts: see `backtest.learn_corrected`. Cases
    count in the place where they were `seen`, since those that are asked for stand where they were
    last seen (`as_seen`); not so where it is certain in which place these are.
    """
    return Model(as_seen(traces) if seen else traces, levels)


def _learned(traces: Traces, level: _Level) -> _Learned:
    groups = _groups(traces, level)
    least = MIN_COMPLETIONS
    if level is _ANYWHERE and groups:
        least = min(least, int(np.count_nonzero(groups[EVERYTHING].production)))
    longest = {key: group.longest(least) for key, group in groups.items()}
    return _Learned(groups, {key: days for key, days in longest.items() if days is not None})


def _groups(traces: Traces, level: _Level) -> dict[Key, Group]:
    stays = level.stays(traces)
    tier, stage = traces.cases.tier[stays.case], traces.stage[stays.first]
    holder, working = traces.holder[stays.first], traces.working[stays.first]
    code = np.zeros(stays.case.size, dtype=np.int64)
    for shared, column in (
        (level.tier, tier),
        (level.stage, stage),
        (level.turn, holder),
        (level.turn, working),
    ):
        if shared and column.size:
            code = code * (int(column.max()) + 1) + column
    found: dict[Key, Group] = {}
    for unordered in alike(code):
        order = np.lexsort((~stays.ended[unordered], stays.total_days[unordered]))
        rows = unordered[order]
        one = rows[0]
        key: Key = (
            traces.cases.tiers[tier[one]] if level.tier else None,
            traces.stages[stage[one]] if level.stage else None,
            traces.holders[holder[one]] if level.turn else None,
            bool(working[one]) if level.turn else None,
        )
        found[key] = _group(traces, stays, rows)
    return found


def _nine_in_ten(days: Floats) -> float:
    """The days, in their order, within which nine in ten were through; 0 without any."""
    if not days.size:
        return 0.0
    place = 0.9 * (days.size - 1)
    below = int(place)
    low, high = float(days[below]), float(days[min(below + 1, days.size - 1)])
    return low + (place - below) * (high - low)


def _group(traces: Traces, stays: Stays, rows: Codes) -> Group:
    total, production = stays.total_days[rows], stays.production[rows]
    now = (traces.cases.as_of - EPOCH).total_seconds() / SECONDS_PER_DAY
    took = _nine_in_ten(total[production])
    return Group(
        entered=traces.started_days[stays.case[rows]] + stays.entry_days[rows],
        entry_days=stays.entry_days[rows],
        stay_days=stays.stay_days[rows],
        total_days=total,
        ended=stays.ended[rows],
        production=production,
        settled=now - SETTLED * took,
    )
