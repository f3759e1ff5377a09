"""How often forecasts held: their calibration, and forecasts made afterwards for earlier days."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf, sqrt
from typing import Any

import numpy as np

from service.domain.case import Outcome
from service.measure.adaptive import AS_PROMISED, PARTS, Levels, Said, levels_after
from service.measure.as_of import known_at
from service.measure.as_seen import as_seen
from service.measure.cases import EPOCH, OPEN, OUTCOMES, PRODUCTION, SECONDS_PER_DAY, Codes
from service.measure.end_shares import influences, masses
from service.measure.forecast import Model, learn
from service.measure.stays import open_states, submitted_states
from service.measure.survival import Flags, Floats
from service.measure.tiers import Interval
from service.measure.traces import Traces, coded

Z = 1.959963984540054  # the normal distribution's 97.5% quantile


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast as it was made, and what is known of it now.

    `watched_days` run from the forecast to the end of the case, or as far as it has been watched.
    `case` tells which forecasts are about the same case. ValueError for days that make no sense.
    """

    case: str
    tier: str
    at_submission: bool
    p50_days: float
    p85_days: float
    watched_days: float
    outcome: Outcome

    p50_level: float = PARTS[0]
    p85_level: float = PARTS[1]
    """The levels at which the two days were taken: see `Levels`."""

    def __post_init__(self) -> None:
        if not (0.0 < self.p50_days <= self.p85_days < inf and 0.0 <= self.watched_days < inf):
            days = (self.p50_days, self.p85_days, self.watched_days)
            raise ValueError(f"case {self.case}: these are no days of a forecast: {days}")


@dataclass(frozen=True)
class Forecasts:
    """Forecasts as they were made, in columns that run in parallel; see `Made`.

    `case` has a number for each case, `tier` is a place in `tiers` and `outcome` one in `OUTCOMES`.
    `days` are those of each quantile.
    """

    case: Codes
    tier: Codes
    tiers: tuple[str, ...]
    at_submission: Flags
    days: Mapping[float, Floats]
    watched_days: Floats
    outcome: Codes

    @classmethod
    def of(cls, made: Sequence[Made]) -> "Forecasts":
        """The columns of single ones."""
        tier, tiers = coded([one.tier for one in made])
        return cls(
            case=coded([one.case for one in made])[0],
            tier=tier,
            tiers=tiers,
            at_submission=np.array([one.at_submission for one in made], dtype=np.bool_),
            days={
                0.5: np.array([one.p50_days for one in made], dtype=np.float64),
                0.85: np.array([one.p85_days for one in made], dtype=np.float64),
            },
            watched_days=np.array([one.watched_days for one in made], dtype=np.float64),
            outcome=np.array([OUTCOMES.index(one.outcome) for one in made], dtype=np.int64),
        )


@dataclass(frozen=True, slots=True)
class Held:
    """How often one quantile held, for one tier (empty: all) and kind of forecast.

    `part` is what was promised (0.5 or 0.85), `share` what came true: of the forecasts for cases
    that reach production, the share whose case was there in time, with its 95% interval. None where
    no such case is known yet. `in_time` and `late` are the forecasts that are decided (late: passed
    without an end, whatever will become of the case), `undecided` the open ones within their time,
    `given_up` those whose case was declined or withdrawn within their time. `width_days` is how
    sharp the forecasts were: the median of the days between their p50 and their p85.
    """

    tier: str
    at_submission: bool | None
    part: float
    share: float | None
    interval: Interval | None
    forecasts: int
    cases: int
    in_time: int
    late: int
    undecided: int
    given_up: int
    width_days: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often forecasts held: overall first, then by tier; together, then by kind."""

    held: tuple[Held, ...]

    def of(self, part: float, tier: str = "", at_submission: bool | None = None) -> Held | None:
        """One row; None where there is no such forecast."""
        for row in self.held:
            if (row.part, row.tier, row.at_submission) == (part, tier, at_submission):
                return row
        return None


def calibration(made: Iterable[Made]) -> Calibration:
    """How often p50 and p85 held, by tier and kind of forecast.

    A forecast for an open case is undecided while it is younger than what it said. Counting only
    the decided ones would favour the quick. So an undecided forecast counts for as long as it was
    watched, in parts of what it said: r = days / forecast, and the share is the Aalen-Johansen
    estimate of P(r <= 1 | production). Cases that gave up are competing ends. Cases open beyond
    everything that is known are expected to end like the others. The interval is Wilson's, with
    the number of independent forecasts that the estimate is worth: its variance is that of the
    infinitesimal jackknife over cases, because several forecasts for one case hold together.
    """
    return calibration_of(Forecasts.of(list(made)))


def calibration_of(made: Forecasts) -> Calibration:
    """The same, of forecasts in columns."""
    by_part = [_ByRatio.of(made, part, days) for part, days in made.days.items()]
    held = []
    for tier in (None, *range(len(made.tiers))):
        for kind in (None, True, False):
            for table in by_part:
                rows = table.which(tier, kind)
                if rows.any():
                    name = "" if tier is None else made.tiers[tier]
                    held.append(table.held(rows, name, kind))
    return Calibration(tuple(held))


def backtest(
    traces: Traces,
    origins: Sequence[datetime],
    *,
    learnt_from: Sequence[datetime] = (),
    corrected: bool = True,
) -> Calibration:
    """The calibration of the forecasts that would have been made at earlier moments.

    See `remade`. `origins` are aware moments, none later than the traces' own. `learnt_from` are
    some before them, from whose errors the others learn; they themselves are not judged.
    """
    earlier = {origin for origin in learnt_from if not origins or origin < min(origins)}
    found = _remade(traces, [*earlier, *origins], corrected=corrected)
    return calibration_of(_columns(traces, [one for one in found if one.origin not in earlier]))


def remade(
    traces: Traces, origins: Sequence[datetime], *, corrected: bool = True
) -> tuple[Made, ...]:
    """Forecasts at each origin, from what was known then, with what came of them since.

    One for each case that was open then; and one at submission for each that started after it and
    until the next origin (after the last one: until the traces' own moment). Where nothing was
    known then, there is no forecast. They correct themselves: their levels follow the errors of the
    forecasts at earlier origins, as far as they were known by then; not so, if not `corrected`.
    """
    tiers = traces.cases.tiers
    return tuple(
        Made(str(case), tiers[tier], is_new, p50, p85, watched, OUTCOMES[outcome], *levels)
        for at in _remade(traces, origins, corrected=corrected)
        for case, tier, is_new, (p50, p85), levels, watched, outcome in zip(
            at.said.case.tolist(),
            at.said.tier.tolist(),
            at.at_submission.tolist(),
            at.said.days.tolist(),
            at.said.levels.tolist(),
            at.said.watched_days.tolist(),
            at.said.outcome.tolist(),
            strict=True,
        )
    )


LEARNING_DAYS = 8
"""Earlier days on which forecasts are made afterwards, to learn from their errors."""


def learn_corrected(traces: Traces, kept: Said | None = None, *, seen: bool = True) -> Model:
    """Learn from all cases, and from the errors of earlier forecasts.

    `kept` are forecasts that were made (with what is known of them at the traces' moment). For the
    days before the first of them forecasts are made afterwards, from what was known then. `seen` as
    in `learn`.
    """
    return learn(traces, levels_now(traces, kept), seen=seen)


def levels_now(traces: Traces, kept: Said | None = None) -> Levels:
    """The levels for forecasts at the traces' own moment; see `learn_corrected`."""
    now = _days(traces.cases.as_of)
    origins = spread(traces, LEARNING_DAYS)
    if kept is not None and kept.case.size:
        first = float(kept.made_days.min())
        origins = [origin for origin in origins if _days(origin) < first]
    afterwards = [one.said for one in _remade(traces, origins)]
    histories = [_joined(afterwards)] if afterwards else []
    return levels_after(histories if kept is None else [*histories, kept], now)


def spread(traces: Traces, count: int) -> list[datetime]:
    """So many days over the second half of the history: before that there is little to learn."""
    cases = traces.cases
    if not cases.size:
        return []
    watched = EPOCH + timedelta(days=float((traces.started_days + cases.followed_days).max()))
    longest = timedelta(days=float(cases.followed_days.max()))
    begin = min(cases.as_of, watched) - longest / 2
    return [begin + number * (longest / 2 / count) for number in range(count)]


def _days(moment: datetime) -> float:
    return (moment - EPOCH).total_seconds() / SECONDS_PER_DAY


@dataclass(frozen=True)
class _Remade:
    """The forecasts of one origin."""

    origin: datetime
    said: Said
    at_submission: Flags


def _remade(
    traces: Traces, origins: Sequence[datetime], *, corrected: bool = True
) -> list[_Remade]:
    cases = traces.cases
    started = np.rint(traces.started_days * SECONDS_PER_DAY * 1e6) / 1e6
    moments = sorted({(origin - EPOCH).total_seconds(): origin for origin in origins}.items())
    at_start = submitted_states(as_seen(traces)) if moments else ()
    # Numbers that do not depend on the order of the rows.
    number = np.argsort(np.lexsort((cases.outcome, cases.tier, cases.duration_days, started)))
    found: list[_Remade] = []
    for (moment, origin), (until, _) in pairwise([*moments, (np.inf, cases.as_of)]):
        known = as_seen(known_at(traces, origin))
        levels = AS_PROMISED
        if corrected and found:
            levels = levels_after([_joined([one.said for one in found])], _days(origin))
        rows = np.flatnonzero(started <= moment)
        states = open_states(known)
        now_open = rows[[row for row, _ in states]]
        later = np.flatnonzero((started > moment) & (started <= until))
        asked = [*(state for _, state in states), *(at_start[row] for row in later.tolist())]
        forecasts = learn(known, levels).remaining_all(asked)
        if not forecasts or forecasts[0].p50_days is None:
            continue  # nothing is known yet: of the others neither
        row = np.concatenate([now_open, later])
        age = np.array([state.age_days for state in asked])
        said = Said(
            case=number[row],
            tier=cases.tier[row],
            tiers=cases.tiers,
            made_days=traces.started_days[row] + age,
            days=np.array([(one.p50_days, one.p85_days) for one in forecasts], dtype=np.float64),
            levels=np.array([(one.p50_level, one.p85_level) for one in forecasts]),
            watched_days=np.maximum(cases.duration_days[row] - age, 0.0),
            outcome=cases.outcome[row],
        )
        found.append(_Remade(origin, said, np.arange(row.size) >= now_open.size))
    return found


def _joined(said: Sequence[Said]) -> Said:
    """One history of several parts with the same tiers."""

    def joined(column: Callable[[Said], np.ndarray[Any, Any]]) -> Any:
        return np.concatenate([column(one) for one in said])

    return Said(
        case=joined(lambda one: one.case),
        tier=joined(lambda one: one.tier),
        tiers=said[0].tiers,
        made_days=joined(lambda one: one.made_days),
        days=joined(lambda one: one.days),
        levels=joined(lambda one: one.levels),
        watched_days=joined(lambda one: one.watched_days),
        outcome=joined(lambda one: one.outcome),
    )


def _columns(traces: Traces, remade: Sequence[_Remade]) -> Forecasts:
    if not remade:
        return Forecasts.of([])
    said = _joined([one.said for one in remade])
    return Forecasts(
        case=said.case,
        tier=said.tier,
        tiers=traces.cases.tiers,
        at_submission=np.concatenate([one.at_submission for one in remade]),
        days={part: said.days[:, place] for place, part in enumerate(PARTS)},
        watched_days=said.watched_days,
        outcome=said.outcome,
    )


@dataclass(frozen=True)
class _ByRatio:
    """Forecasts in the order of how far they were watched, in parts of what one quantile said; ends
    before open cases, and what is alike in the order of the cases, in whatever order it came."""

    part: float
    within: Flags
    ended: Flags
    production: Flags
    case: Codes
    tier: Codes
    at_submission: Flags
    width_days: Floats

    @classmethod
    def of(cls, made: Forecasts, part: float, days: Floats) -> "_ByRatio":
        ratio = made.watched_days / days
        ended = made.outcome != OPEN
        order = np.lexsort((made.case, made.outcome, ~ended, ratio))
        return cls(
            part=part,
            within=ratio[order] <= 1.0,
            ended=ended[order],
            production=made.outcome[order] == PRODUCTION,
            case=made.case[order],
            tier=made.tier[order],
            at_submission=made.at_submission[order],
            width_days=(made.days[PARTS[1]] - made.days[PARTS[0]])[order],
        )

    def which(self, tier: int | None, kind: bool | None) -> Flags:
        rows = np.ones(self.case.size, dtype=np.bool_)
        if tier is not None:
            rows &= self.tier == tier
        if kind is not None:
            rows &= self.at_submission == kind
        return rows

    def held(self, rows: Flags, tier: str, kind: bool | None) -> Held:
        within, ended, production = self.within[rows], self.ended[rows], self.production[rows]
        share, interval = _share(within, ended, production, self.case[rows])
        return Held(
            tier=tier,
            at_submission=kind,
            part=self.part,
            share=share,
            interval=interval,
            forecasts=int(within.size),
            cases=_different(self.case[rows]),
            in_time=int(np.count_nonzero(within & production)),
            late=int(np.count_nonzero(~within)),
            undecided=int(np.count_nonzero(within & ~ended)),
            given_up=int(np.count_nonzero(within & ended & ~production)),
            width_days=float(np.median(self.width_days[rows])),
        )


def _different(case: Codes) -> int:
    """How many cases these are."""
    return int(np.count_nonzero(np.bincount(case)))


def _share(
    within: Flags, ended: Flags, production: Flags, case: Codes
) -> tuple[float | None, Interval | None]:
    """P(within | production) and its interval, of forecasts in the order of their ratio."""
    mass = masses(ended)
    there, ends = float(mass[production].sum()), float(mass.sum())
    if there <= 0.0:
        return None, None
    in_time = float(mass[production & within].sum())
    share = min(in_time * ends / there, 1.0)
    # The differential of in_time * ends / there, case by case.
    slope = (
        (production & within) * (ends / there)
        + ended * (in_time / there)
        - production * (in_time * ends / there**2)
    )
    moved = np.bincount(case, weights=influences(slope * mass, ended))
    variance = float(np.sort(moved**2).sum())
    worth = float(_different(case[production]))
    if variance > 0.0 and 0.0 < share < 1.0:
        worth = min(share * (1.0 - share) / variance, float(within.size))
    return share, wilson(share, worth)


def wilson(share: float, trials: float) -> Interval:
    """Wilson's 95% interval (1927) for a share of so many independent trials (above 0)."""
    shrunk = 1.0 + Z * Z / trials
    centre = (share + Z * Z / (2.0 * trials)) / shrunk
    reach = Z / shrunk * sqrt(share * (1.0 - share) / trials + Z * Z / (4.0 * trials * trials))
    return Interval(max(0.0, centre - reach), min(1.0, centre + reach))
