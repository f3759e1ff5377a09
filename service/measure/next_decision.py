"""Which decision to take next: the one that is expected to save the most days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop

import numpy as np

from service.domain.durations import duration
from service.domain.naming import plain
from service.domain.people import BUILDER, PARKED
from service.measure.cases import Codes
from service.measure.forecast import MIN_COMPLETIONS, Forecast, Model, learn
from service.measure.stays import State, Stays, alike, turns
from service.measure.survival import Flags, Floats, LifeTable, life_table
from service.measure.traces import Traces

Place = tuple[str | None, str | None, str | None]
"""Tier, stage and holder of waits that are alike; None: any."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A case that waits for somebody, and what deciding on it now is expected to save.

    `score_days` = `wait_left_days` * `reaches_production` / `relative_work`; the parts are defined
    at `DecisionOrder`. `ahead` is the forecast from now to production. `reason` says it in a
    sentence.
    """

    case: str
    state: State
    score_days: float
    wait_left_days: float
    reaches_production: float
    relative_work: float
    work_days: float | None
    ahead: Forecast
    reason: str


@dataclass(frozen=True)
class _Waits:
    """Waits that are alike: how long they lasted, and the work that they led to.

    `reach` is the longest that enough of those that are over have lasted.
    """

    table: LifeTable
    reach: float
    work_days: float | None

    def left(self, waited: Floats) -> Floats:
        """The mean of the days that were left after so many, up to the longest wait known.

        Beyond what enough of them lasted it grows in proportion to the wait; where none lasted at
        all, it is as long as the wait so far (Lindy).
        """
        if self.reach == 0.0:
            return waited
        table, seen = self.table, np.minimum(waited, self.reach)
        everything, before = table.area_until(np.array([table.last_day])), table.area_until(seen)
        mean = (everything - before) / table.curve_before(seen)
        return mean * np.maximum(waited / self.reach, 1.0)


@dataclass(frozen=True)
class DecisionOrder:
    """How decisions are ordered; made by `learn_order`.

    A decision now, instead of whenever it would have come, takes away the rest of the present wait.
    Its expected saving is

        score = E[rest of this wait | waited so long] * P(reaches production | state) / work

    - The **rest of the wait** is the mean of what was left of waits in the same tier, stage and on
      the same holder that had lasted as long (Kaplan-Meier, open waits censored, up to the longest
      wait known). Too few of them: the same stage and holder in any tier; the same holder; all.
    - **P(reaches production)** is that of the forecast: a day saved on a case that is declined in
      the end brings nobody into production sooner.
    - **Work** is how much of the holder's time a decision takes, as a multiple of what one takes on
      average: recorded working days per wait that ended, in the same place, over that of all
      places. 1 where no work is recorded. With a given day of work, the largest ratio first saves
      the most (Smith's rule, 1956).

    What lies ahead of the case does not change the days that are saved, since one day less now is
    one day less at the end. It breaks ties: the case that is nearer to production comes first, then
    the one that has waited longer.

    It is assumed that nothing else goes on during the wait, that the decision does not depend on
    when it is taken, that the stages ahead take as long whenever they begin, and that deciding on
    one case does not delay the others. Where that is not so, the score is too high.
    """

    model: Model
    waits: Mapping[Place, _Waits]

    def order(
        self, waiting: Iterable[tuple[str, State]], *, most: int | None = None
    ) -> tuple[Decision, ...]:
        """The cases (id and state) that are `awaited`, the one that saves the most first; all, or
        the first `most`.

        Without history every score is 0 and the case that waits longest comes first.
        """
        asked = [(case, state) for case, state in waiting if awaited(state)]
        waits = self._rests([state for _, state in asked])
        # Nothing saves more than a case that is sure to get there. So where that is less than the
        # first ones save, the forecast, which takes nearly all of the time, can be left out.
        at_most = [score(left, 1.0, relative) for left, relative in waits]
        found: list[Decision] = []
        best: list[float] = []
        for row in sorted(range(len(asked)), key=lambda row: -at_most[row]):
            if most is not None and len(best) == most and at_most[row] < best[0]:
                break
            found.append(self._decision(*asked[row], *waits[row]))
            if most is None or len(best) < most:
                heappush(best, found[-1].score_days)
            else:
                heappushpop(best, found[-1].score_days)
        return tuple(sorted(found, key=_rank)[:most])

    def decision(self, case: str, state: State) -> Decision:
        """What deciding on this case now is expected to save."""
        [(left, relative)] = self._rests([state])
        return self._decision(case, state, left, relative)

    def _decision(self, case: str, state: State, left: float, relative: float) -> Decision:
        ahead = self.model.remaining(state)
        reaches = ahead.reaches_production or 0.0
        waits = self._like(state.tier, state.stage, state.holder)
        return Decision(
            case=case,
            state=state,
            score_days=score(left, reaches, relative),
            wait_left_days=left,
            reaches_production=reaches,
            relative_work=relative,
            work_days=waits.work_days if waits else None,
            ahead=ahead,
            reason=_reason(state, left, ahead, relative),
        )

    def _rests(self, states: Sequence[State]) -> list[tuple[float, float]]:
        """Of each wait the mean rest, 0 without history, and the relative work."""
        rows: dict[tuple[str, str, str], list[int]] = {}
        for row, state in enumerate(states):
            rows.setdefault((state.tier, state.stage, state.holder), []).append(row)
        left, relative = np.zeros(len(states)), np.ones(len(states))
        for names, here in rows.items():
            waits = self._like(*names)
            if waits:
                left[here] = waits.left(np.array([states[row].turn_days for row in here]))
                usual = self.waits[_EVERYWHERE].work_days
                if waits.work_days and usual:
                    relative[here] = waits.work_days / usual
        return list(zip(left.tolist(), relative.tolist(), strict=True))

    def _like(self, tier: str, stage: str, holder: str) -> _Waits | None:
        for place in _places(tier, stage, holder):
            if place in self.waits:
                return self.waits[place]
        return None


def awaited(state: State) -> bool:
    """Whether somebody's decision is missing: not while somebody is at work on the case, while it
    waits for its builder, or while it is parked."""
    return not state.working and state.holder not in {BUILDER, PARKED}


def score(wait_left_days: float, reaches_production: float, relative_work: float) -> float:
    """Expected days saved per decision of average work; see `DecisionOrder`."""
    return wait_left_days * reaches_production / relative_work


def learn_order(traces: Traces, model: Model | None = None) -> DecisionOrder:
    """Learn from history how long waits last and what decisions cost.

    `model` is what `forecast.learn` made of the same traces, if there is one already.
    """
    stays = turns(traces)
    working = traces.working[stays.first]
    tier, stage = traces.cases.tier[stays.case], traces.stage[stays.first]
    holder = traces.holder[stays.first]
    code = (tier * len(traces.stages) + stage) * len(traces.holders) + holder
    rows_of: dict[Place, list[Codes]] = {}
    for rows in alike(code):
        names = traces.cases.tiers[tier[rows[0]]], traces.stages[stage[rows[0]]]
        decides = traces.holders[holder[rows[0]]]
        if decides not in {BUILDER, PARKED}:
            for place in _places(*names, decides):
                rows_of.setdefault(place, []).append(rows)
    waits = {}
    for place, parts in rows_of.items():
        rows = np.concatenate(parts)
        least = 1 if place == _EVERYWHERE else MIN_COMPLETIONS
        if np.count_nonzero(stays.left[rows] & ~working[rows]) >= least:
            waits[place] = _waits(stays, working, rows)
    return DecisionOrder(model or learn(traces), waits)


_EVERYWHERE: Place = (None, None, None)


def _places(tier: str, stage: str, holder: str) -> tuple[Place, ...]:
    """Where waits like this one are looked for, the most alike first."""
    return (tier, stage, holder), (None, stage, holder), (None, None, holder), _EVERYWHERE


def _waits(stays: Stays, working: Flags, rows: Codes) -> _Waits:
    waiting = rows[~working[rows]]
    days, over = stays.stay_days[waiting], stays.left[waiting]
    ends = np.sort(days[over])
    work = float(np.sort(stays.stay_days[rows[working[rows]]]).sum())
    return _Waits(
        table=life_table(days, over),
        reach=float(ends[-min(MIN_COMPLETIONS, ends.size)]),
        work_days=work / ends.size if work > 0.0 else None,
    )


def _rank(decision: Decision) -> tuple[float, float, float, str]:
    ahead = decision.ahead.p50_days
    return (
        -decision.score_days,
        float("inf") if ahead is None else ahead,
        -decision.state.turn_days,
        decision.case,
    )


def _reason(state: State, left: float, ahead: Forecast, relative: float) -> str:
    holder, stage = plain(state.holder), plain(state.stage)
    waited = f"Has waited {duration(state.turn_days)} for {holder} in {stage}"
    if ahead.reaches_production is None:
        return f"{waited}; there is no history to say what a decision saves."
    said = (
        f"{waited}; without a decision {duration(left)} more are likely, "
        f"and {100.0 * ahead.reaches_production:.0f}% of such cases reach production"
    )
    if abs(relative - 1.0) >= 0.1:
        said += f"; deciding takes {relative:.1f} times the usual work"
    return f"{said}."
