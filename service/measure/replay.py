"""What would help most: the recorded spans again, with one wait cut short, each in turn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np
from numpy.typing import NDArray

from service.measure.cases import DECLINED, PRODUCTION, WITHDRAWN, Codes
from service.measure.resample import RESAMPLES, SEED, Sample
from service.measure.survival import Floats, LifeTable, life_table, quantile, restricted_mean
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
    """A wait to be cut: where, and how many days of it each case had."""

    stage: str | None
    holder: str
    days: Floats


@dataclass(frozen=True)
class _Tier:
    """The cases of a tier in an order that their input order does not change."""

    rows: Codes
    days: Floats
    outcome: Codes
    tau: float
    weight: float

    def sample(self, days: Floats) -> tuple[Sample, Codes]:
        """These cases with other durations, and the order that they come in then."""
        order = np.lexsort((self.outcome, days))
        outcome = self.outcome[order]
        gave_up = np.isin(outcome, (DECLINED, WITHDRAWN))
        return Sample(days[order], np.equal(outcome, PRODUCTION), gave_up), order

    def table(self, days: Floats) -> LifeTable:
        """The life table of these cases with other durations."""
        return life_table(
            days,
            np.equal(self.outcome, PRODUCTION),
            np.isin(self.outcome, (DECLINED, WITHDRAWN)),
        )


def what_would_help(
    traces: Traces, *, factor: float = 0.5, tau_days: float | None = None
) -> Replay:
    """Replay every wait, cut to `factor` of its length, one (stage, holder) at a time.

    The measure is RMST(tau) in each tier, averaged in proportion to the tiers' cases. tau is
    `tau_days`, by default twice the tier's Kaplan-Meier median, and no longer than the tier has
    been followed; it is that of the cases as they were. A case that is still open is cut like the
    others and censored at its shortened age.

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
    tiers = tuple(_tiers(traces, [*waits, *holders], tau_days))
    if not tiers:
        return Replay(None, (), factor, traces.cases.size, (), (), left_out)
    before = [_Before(place, tier) for place, tier in enumerate(tiers)]
    return Replay(
        rmst_days=_together(before, [one.mean for one in before]),
        tau_days=tuple(
            (traces.cases.tiers[traces.cases.tier[tier.rows[0]]], tier.tau) for tier in tiers
        ),
        factor=factor,
        cases=traces.cases.size,
        waits=_ranked(before, waits, factor),
        holders=_ranked(before, holders, factor),
        waits_left_out=left_out,
    )


def _waits(traces: Traces) -> tuple[list[_Wait], list[_Wait], int]:
    """The waits by stage and holder, those by holder, and how many of the shortest are left out."""
    place = traces.stage * max(len(traces.holders), 1) + traces.holder
    spans = np.flatnonzero(~traces.working)
    found = []
    for code in np.unique(place[spans]):
        stage, holder = divmod(int(code), len(traces.holders))
        days = _days(traces, spans[place[spans] == code])
        found.append(_Wait(traces.stages[stage], traces.holders[holder], days))
    found.sort(key=lambda wait: (-_total(wait.days), wait.stage or "", wait.holder))
    holders = [
        _Wait(None, traces.holders[code], _days(traces, spans[traces.holder[spans] == code]))
        for code in np.unique(traces.holder[spans])
    ]
    return found[:MOST_WAITS], holders, max(0, len(found) - MOST_WAITS)


def _days(traces: Traces, spans: Codes) -> Floats:
    days = np.zeros(traces.cases.size)
    np.add.at(days, traces.case[spans], traces.length_days[spans])
    return days


def _total(days: Floats) -> float:
    """The sum, the same to the last bit in whatever order the cases come."""
    return float(np.sort(days).sum())


def _tiers(traces: Traces, waits: Sequence[_Wait], tau_days: float | None) -> Iterator[_Tier]:
    cases = traces.cases
    for code in np.unique(cases.tier):
        rows = np.flatnonzero(cases.tier == code)
        keys = [wait.days[rows] for wait in waits]
        rows = rows[np.lexsort((*keys, cases.outcome[rows], cases.duration_days[rows]))]
        days, outcome = cases.duration_days[rows], cases.outcome[rows]
        tier = _Tier(rows, days, outcome, 0.0, rows.size / cases.size)
        table = tier.table(days)
        median = quantile(table).days
        wanted = inf if median is None else TAU_IN_MEDIANS * median
        followed = float(cases.followed_days[rows].max()) if table.complete else table.last_day
        tau = min(wanted if tau_days is None else tau_days, followed)
        if tau > 0.0:
            yield _Tier(rows, days, outcome, tau, tier.weight)


class _Before:
    """A tier as it was, resampled; and what becomes of it when its cases are shorter."""

    def __init__(self, place: int, tier: _Tier) -> None:
        self.tier = tier
        self.mean = restricted_mean(tier.table(tier.days), tier.tau).days
        rng = np.random.default_rng([SEED, 4, place])
        size = tier.days.size
        self._small = size <= LARGE
        if self._small:
            counts: NDArray[np.int64] = rng.multinomial(size, np.full(size, 1.0 / size), RESAMPLES)
            self._weights = counts.T.astype(np.float64)
            self.drawn = self._redrawn(tier.days)
        else:
            self._normal = rng.normal(size=(2, RESAMPLES))
            self._influence = _influence(tier.table(tier.days), tier, tier.days)
            self._se = float(np.sqrt(np.sum(self._influence**2)))
            self.drawn = self.mean + self._se * self._normal[0]

    def after(self, days: Floats) -> tuple[float, Floats]:
        """The restricted mean with other durations, and its draws along with those before."""
        table = self.tier.table(days)
        mean = restricted_mean(table, self.tier.tau).days
        if self._small:
            return mean, self._redrawn(days)
        influence = _influence(table, self.tier, days)
        slope = 0.0
        if self._se > 0.0:
            slope = float(np.sum(influence * self._influence)) / self._se
        rest = float(np.sqrt(max(0.0, float(np.sum(influence**2)) - slope**2)))
        return mean, mean + slope * self._normal[0] + rest * self._normal[1]

    def _redrawn(self, days: Floats) -> Floats:
        sample, order = self.tier.sample(days)
        return sample.restricted_means(self._weights[order], self.tier.tau)[0]


def _influence(table: LifeTable, tier: _Tier, days: Floats) -> Floats:
    """How the restricted mean moves with each case (the influence function of Kaplan-Meier).

    -d A(x) / n(x) + sum over t <= x of A(t) d(t) / n(t)^2, A the area under the curve after t.
    """
    steps = int(np.searchsorted(table.times, tier.tau, side="left"))
    if not steps:
        return np.zeros(days.size)
    times, at_risk, events = table.times[:steps], table.at_risk[:steps], table.events[:steps]
    areas = table.survival[:steps] * np.diff(np.append(times, tier.tau))
    after = np.cumsum(areas[::-1])[::-1]
    passed = np.append(0.0, np.cumsum(after * events / at_risk.astype(np.float64) ** 2))
    place = np.searchsorted(times, days, side="right")
    ended = np.equal(tier.outcome, PRODUCTION) & (days < tier.tau)
    own = np.where(ended, (after / at_risk)[np.maximum(place - 1, 0)], 0.0)
    return passed[place] - own


def _ranked(before: Sequence[_Before], waits: Sequence[_Wait], factor: float) -> tuple[Saving, ...]:
    savings = [_saving(before, wait, factor) for wait in waits]
    savings.sort(key=lambda saving: (-saving.saved_days, saving.stage or "", saving.holder))
    return tuple(savings)


def _saving(before: Sequence[_Before], wait: _Wait, factor: float) -> Saving:
    means = []
    was_drawn, now_drawn = np.zeros((2, RESAMPLES))
    for one in before:
        tier = one.tier
        days = np.maximum(tier.days - (1.0 - factor) * wait.days[tier.rows], 0.0)
        mean, drawn = one.after(days)
        means.append(mean)
        was_drawn += tier.weight * one.drawn
        now_drawn += tier.weight * drawn
    was, now = _together(before, [one.mean for one in before]), _together(before, means)
    saved = was_drawn - now_drawn
    part = np.divide(saved, was_drawn, out=np.zeros(RESAMPLES), where=was_drawn > 0.0)
    return Saving(
        stage=wait.stage,
        holder=wait.holder,
        rmst_days=now,
        saved_days=was - now,
        saved_days_interval=_interval(saved),
        saved_percent=100.0 * (was - now) / was if was > 0.0 else 0.0,
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
