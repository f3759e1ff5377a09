"""What would help most: the recorded spans again, with one wait cut short, each in turn.

Censoring a case at its shortened age would not do: those that waited for long would be censored
earlier than the others, so that the censoring says something about them (the "induced informative
censoring" of Gelber, Gelman and Goldhirsch, Biometrics 1989). So cases stay at risk on the days on
which they were watched, and each of these days counts for as much of it as is left: 1, or the
factor while the case was in the wait. A case is counted for the inverse of the chance that one is
still watched at that age (Zhao and Tsiatis, Biometrika 1997, for the mean of a restricted time that
runs at another pace). Where nothing is cut that is the restricted mean under the Kaplan-Meier
curve, to the last case.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.measure.cases import DECLINED, PRODUCTION, WITHDRAWN, Codes
from service.measure.resample import RESAMPLES, SEED
from service.measure.survival import (
    Flags,
    Floats,
    LifeTable,
    life_table,
    quantile,
    restricted_mean,
)
from service.measure.tiers import TAU_IN_MEDIANS, Interval
from service.measure.traces import Traces

MOST_WAITS = 25
"""Only so many waits are replayed, those with the most days; the others are counted."""
LARGE = 200
"""Beyond so many cases the restricted mean of a tier is as good as normal."""
WHY_UPPER_BOUND = (
    "This is an upper bound. The replay shortens one wait and leaves everything after it as it "
    "was, only sooner. In truth what leaves one queue sooner stands longer in the next one, which "
    "has not got more hands; a wait in which the builder went on building saves less than it "
    "lasted; people take the time that a deadline leaves them; a faster intake draws more cases; "
    "and whatever makes the wait shorter takes somebody's time away from something else."
)


@dataclass(frozen=True, slots=True)
class Saving:
    """What a shorter wait would have saved. `stage` None: the waits for this holder in all stages.

    `rmst_days` is the restricted mean time to production that would have been, `saved_days` how
    much less that is than it was and `saved_percent` the same in percent of what it was, with 95%
    intervals. `waited_days` is the recorded wait per case, over all cases; `cases` had one.
    """

    stage: str | None
    holder: str
    rmst_days: float
    saved_days: float
    saved_days_interval: Interval
    saved_percent: float
    saved_percent_interval: Interval
    waited_days: float
    cases: int


@dataclass(frozen=True, slots=True)
class Replay:
    """What would help most, the largest saving first; and the same for each holder as a whole.

    `rmst_days` is the restricted mean time to production as it was, over the tiers in proportion to
    their cases; `tau_days` its restriction in each tier. Every replay keeps both. None and empty
    where no time has passed yet. `factor` is what was left of each wait. `waits_left_out` counts
    the waits with the fewest days, beyond `MOST_WAITS`.
    """

    rmst_days: float | None
    tau_days: tuple[tuple[str, float], ...]
    factor: float
    cases: int
    waits: tuple[Saving, ...]
    holders: tuple[Saving, ...]
    waits_left_out: int
    why_upper_bound: str = WHY_UPPER_BOUND


@dataclass(frozen=True, slots=True)
class _Wait:
    """A wait to be cut: where, its `spans` (a flag each), and how many days of it each case had."""

    stage: str | None
    holder: str
    spans: Flags
    days: Floats


@dataclass(frozen=True)
class TierCases:
    """The cases of a tier in an order that their input order does not change, with their spans.

    `rows` are those of the cases in the traces; `days` and `in_production` run along with them,
    shortest first and what ended before what is censored. `tau` is twice the tier's Kaplan-Meier
    median if nothing else is asked for, and no longer than it has been followed. `spans` are rows
    of the traces in the order of the cases, `case`, `begin` and `end` run along with them.
    """

    name: str
    rows: Codes
    days: Floats
    in_production: Flags
    table: LifeTable
    tau: float
    weight: float
    spans: Codes
    case: Codes
    begin: Floats
    end: Floats

    def as_it_was(self) -> "_Parts":
        """All of the first tau days."""
        return self._parts(np.ones(self.begin.size), self.begin, self._until(1.0))

    def saved(self, wait: Flags, factor: float) -> "_Parts":
        """What falls away from the first tau days when the spans in `wait` are cut to `factor`.

        The days that move up into their place have a rate below 0.
        """
        pace = np.where(wait, factor, 1.0)
        was, until = self._until(1.0), self._until(pace)
        cut = self._parts(1.0 - pace, self.begin, was)
        moved_up = self._parts(-pace, was, until)
        parts = (np.concatenate(both) for both in zip(cut, moved_up, strict=True))
        return _Parts(*parts)

    def _until(self, pace: Floats | float) -> Floats:
        """Where each span ends, or tau is reached in it when all of them run at their `pace`."""
        length = self.end - self.begin
        passed = np.cumsum(pace * length) - pace * length
        passed -= passed[np.diff(self.case, prepend=-1) != 0][self.case]
        left = np.maximum(self.tau - passed, 0.0)
        # Divided only where it is reached within the span: the pace may be next to nothing.
        reached = pace * length > left
        return self.begin + np.divide(left, pace, out=length, where=reached)

    def _parts(self, rate: Floats, begin: Floats, end: Floats) -> "_Parts":
        some = (rate != 0.0) & (end > begin)
        return _Parts(self.case[some], rate[some], begin[some], end[some])


class _Parts(NamedTuple):
    """Parts of the days of a tier's cases: `rate` of each day from `begin` to `end` of a `case`."""

    case: Codes
    rate: Floats
    begin: Floats
    end: Floats


def what_would_help(
    traces: Traces, *, factor: float = 0.5, tau_days: float | None = None
) -> Replay:
    """Replay every wait, cut to `factor` of its length, one (stage, holder) at a time.

    The measure is RMST(tau) in each tier, averaged in proportion to the tiers' cases. tau is
    `tau_days`, by default twice the tier's Kaplan-Meier median, and no longer than the tier has
    been followed; it is that of the cases as they were. Days beyond those that anybody has seen yet
    count as saved.

    The interval is the 2.5% to 97.5% percentile of 999 bootstrap samples of the cases of each tier,
    the same samples before and after. Tiers of more than `LARGE` cases are drawn from the normal
    distribution with the covariance of their influence functions instead.

    `WHY_UPPER_BOUND` says why it is one. ValueError for a factor outside 0 to 1, or a tau that is
    no number of days above 0.
    """
    if not 0.0 <= factor <= 1.0:
        raise ValueError(f"a wait is cut to a part from 0 to 1, not {factor}")
    if tau_days is not None and not (isfinite(tau_days) and tau_days > 0.0):
        raise ValueError(f"tau is a number of days above 0, not {tau_days}")
    waits, holders, left_out = _waits(traces)
    before = [
        _Before(place, tier)
        for place, tier in enumerate(tiers_of(traces, tau_days))
        if tier.tau > 0
    ]
    if not before:
        return Replay(None, (), factor, traces.cases.size, (), (), left_out)
    return Replay(
        rmst_days=_together(before, [one.mean for one in before]),
        tau_days=tuple((one.tier.name, one.tier.tau) for one in before),
        factor=factor,
        cases=traces.cases.size,
        waits=_ranked(before, waits, factor),
        holders=_ranked(before, holders, factor),
        waits_left_out=left_out,
    )


def _waits(traces: Traces) -> tuple[list[_Wait], list[_Wait], int]:
    """The waits by stage and holder, those by holder, and how many of the shortest are left out."""
    place = traces.stage * max(len(traces.holders), 1) + traces.holder
    waiting = ~traces.working
    found = []
    for code in np.unique(place[waiting]):
        stage, holder = divmod(int(code), len(traces.holders))
        spans = waiting & (place == code)
        days = _days(traces, spans)
        found.append(_Wait(traces.stages[stage], traces.holders[holder], spans, days))
    found.sort(key=lambda wait: (-_total(wait.days), wait.stage or "", wait.holder))
    holders = []
    for code in np.unique(traces.holder[waiting]):
        spans = waiting & (traces.holder == code)
        holders.append(_Wait(None, traces.holders[code], spans, _days(traces, spans)))
    return found[:MOST_WAITS], holders, max(0, len(found) - MOST_WAITS)


def _days(traces: Traces, spans: Flags) -> Floats:
    days: Floats = np.bincount(
        traces.case[spans], traces.length_days[spans], traces.cases.size
    ).astype(np.float64)
    return days


def _total(days: Floats) -> float:
    """The sum, the same to the last bit in whatever order the cases come."""
    return float(np.sort(days).sum())


def tiers_of(traces: Traces, tau_days: float | None = None) -> Iterator[TierCases]:
    """The tiers of the cases."""
    cases = traces.cases
    bounds = np.searchsorted(traces.case, np.arange(cases.size + 1))
    for code in np.unique(cases.tier):
        rows = _in_order(traces, np.flatnonzero(cases.tier == code), bounds)
        days, in_production = cases.duration_days[rows], np.equal(cases.outcome[rows], PRODUCTION)
        gave_up = np.isin(cases.outcome[rows], (DECLINED, WITHDRAWN))
        table = life_table(days, in_production, gave_up)
        median = quantile(table).days
        wanted = inf if median is None else TAU_IN_MEDIANS * median
        followed = float(cases.followed_days[rows].max()) if table.complete else table.last_day
        counts = np.diff(bounds)[rows]
        spans = np.concatenate([np.arange(bounds[row], bounds[row + 1]) for row in rows])
        yield TierCases(
            name=cases.tiers[code],
            rows=rows,
            days=days,
            in_production=in_production,
            tau=min(wanted if tau_days is None else tau_days, followed),
            weight=rows.size / cases.size,
            spans=spans,
            case=np.repeat(np.arange(rows.size), counts),
            begin=traces.begin_days[spans],
            end=traces.end_days[spans],
            table=table,
        )


def _in_order(traces: Traces, rows: Codes, bounds: Codes) -> Codes:
    """The cases, shortest first, what ended first; those that are alike by their spans."""
    begin, stage, holder, working = (
        column.tolist()
        for column in (traces.begin_days, traces.stage, traces.holder, traces.working)
    )
    days, outcome = traces.cases.duration_days.tolist(), traces.cases.outcome.tolist()

    def key(row: int) -> tuple[object, ...]:
        own = slice(int(bounds[row]), int(bounds[row + 1]))
        spans = (column[own] for column in (begin, stage, holder, working))
        return days[row], outcome[row] != PRODUCTION, outcome[row], *spans

    return np.array(sorted(rows.tolist(), key=key), dtype=np.int64)


class _Before:
    """A tier as it was, resampled; and what is saved when a wait is cut.

    `watched` is the chance that a case is still watched just before the end of each one, by
    Kaplan-Meier with what did not go to production as the event.
    """

    def __init__(self, place: int, tier: TierCases) -> None:
        self.tier = tier
        self.mean = restricted_mean(tier.table, tier.tau).days
        rng = np.random.default_rng([SEED, 4, place])
        size = tier.days.size
        chance = watched(tier, np.ones((size, 1)))[:, 0]
        # The days, each counted for the inverse of the chance: linear from one end to the next.
        self._ages = np.append(0.0, tier.days)
        self._weighed = np.append(0.0, np.cumsum(np.diff(self._ages) / chance))
        self._small = size <= LARGE
        if self._small:
            counts: NDArray[np.int64] = rng.multinomial(size, np.full(size, 1.0 / size), RESAMPLES)
            self._weights = counts.T.astype(np.float64)
            drawn_chance = watched(tier, self._weights)
            self._inverse = np.divide(
                1.0, drawn_chance, out=np.zeros_like(drawn_chance), where=drawn_chance > 0.0
            )
            self.drawn = self._redrawn(tier.as_it_was())
        else:
            self._normal = rng.normal(size=(2, RESAMPLES))
            self._influence = self._influence_of(tier.as_it_was())
            self._se = float(np.sqrt(np.sum(self._influence**2)))
            self.drawn = self.mean + self._se * self._normal[0]

    def saved(self, wait: Flags, factor: float) -> tuple[float, Floats]:
        """How much shorter the restricted mean is, and its draws along with those before."""
        parts = self.tier.saved(wait, factor)
        saved = float(np.sum(self._of_cases(parts))) / self.tier.days.size
        if self._small:
            return saved, self._redrawn(parts)
        influence = self._influence_of(parts)
        slope = 0.0
        if self._se > 0.0:
            slope = float(np.sum(influence * self._influence)) / self._se
        rest = float(np.sqrt(max(0.0, float(np.sum(influence**2)) - slope**2)))
        return saved, saved + slope * self._normal[0] + rest * self._normal[1]

    def _of_cases(self, parts: _Parts) -> Floats:
        """What each case adds to the mean, times the cases."""
        begin, end = (np.interp(age, self._ages, self._weighed) for age in (parts.begin, parts.end))
        added = np.bincount(parts.case, parts.rate * (end - begin), self.tier.days.size)
        return added.astype(np.float64)

    def _redrawn(self, parts: _Parts) -> Floats:
        """The sum of the parts, by case, for each column of weights."""
        cases = np.unique(parts.case)
        passed = np.empty((cases.size, self._ages.size))
        for row, case in enumerate(cases):
            own = parts.case == case
            order = np.argsort(parts.begin[own], kind="stable")
            ages = np.stack([parts.begin[own], parts.end[own]], axis=1)[order]
            days = np.cumsum(parts.rate[own][order] * (ages[:, 1] - ages[:, 0]))
            reached = np.stack([np.append(0.0, days[:-1]), days], axis=1)
            passed[row] = np.interp(self._ages, ages.ravel(), reached.ravel())
        at_risk = np.diff(passed, axis=1).T @ self._weights[cases]
        means: Floats = (at_risk * self._inverse).sum(axis=0) / self.tier.days.size
        return means

    def _influence_of(self, parts: _Parts) -> Floats:
        """How the mean moves with each case: with its own days, and with whom it leaves watched."""
        tier, size = self.tier, self.tier.days.size
        added = self._of_cases(parts)
        ages = np.concatenate([parts.begin, parts.end])
        order = np.argsort(ages, kind="stable")
        weighed = np.append(0.0, np.interp(ages[order], self._ages, self._weighed))
        running = np.append(0.0, np.cumsum(np.concatenate([parts.rate, -parts.rate])[order]))
        passed = np.append(0.0, np.cumsum(running[:-1] * np.diff(weighed)))
        later = passed[-1] - np.interp(self._weighed[1:], weighed, passed)
        at_risk = np.arange(size, 0.0, -1.0)
        censored = np.where(tier.in_production, 0.0, later / size / at_risk)
        influence: Floats = (added - added.sum() / size) / size + censored
        influence -= np.cumsum(censored / at_risk)
        return influence


def watched(tier: TierCases, weights: Floats) -> Floats:
    """The chance to be watched still just before each case's end, for each column of weights."""
    at_risk = np.cumsum(weights[::-1], axis=0)[::-1]
    censored = np.where(tier.in_production[:, None], 0.0, weights)
    part = np.divide(censored, at_risk, out=np.zeros_like(censored), where=at_risk > 0.0)
    chance: Floats = np.ones_like(part)
    np.cumprod(1.0 - part[:-1], axis=0, out=chance[1:])
    return chance


def _ranked(before: Sequence[_Before], waits: Sequence[_Wait], factor: float) -> tuple[Saving, ...]:
    savings = [_saving(before, wait, factor) for wait in waits]
    savings.sort(key=lambda saving: (-saving.saved_days, saving.stage or "", saving.holder))
    return tuple(savings)


def _saving(before: Sequence[_Before], wait: _Wait, factor: float) -> Saving:
    saved_days = 0.0
    was_drawn, saved_drawn = np.zeros((2, RESAMPLES))
    for one in before:
        tier = one.tier
        saved, drawn = one.saved(wait.spans[tier.spans], factor)
        saved_days += tier.weight * saved
        was_drawn += tier.weight * one.drawn
        saved_drawn += tier.weight * drawn
    was = _together(before, [one.mean for one in before])
    part = np.divide(saved_drawn, was_drawn, out=np.zeros(RESAMPLES), where=was_drawn > 0.0)
    return Saving(
        stage=wait.stage,
        holder=wait.holder,
        rmst_days=was - saved_days,
        saved_days=saved_days,
        saved_days_interval=_interval(saved_drawn),
        saved_percent=100.0 * saved_days / was if was > 0.0 else 0.0,
        saved_percent_interval=_interval(100.0 * part),
        waited_days=_total(wait.days) / wait.days.size,
        cases=int(np.count_nonzero(wait.days > 0.0)),
    )


def _together(before: Sequence[_Before], means: Sequence[float]) -> float:
    """The mean over the tiers, in proportion to their cases."""
    return sum(one.tier.weight * mean for one, mean in zip(before, means, strict=True))


def _interval(drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(low), float(high))
