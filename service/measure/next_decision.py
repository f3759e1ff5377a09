"""Which decision to take next: the one that is expected to save the most days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from service.domain.people import BUILDER, PARKED
from service.measure.cases import Codes
from service.measure.forecast import MIN_COMPLETIONS, Forecast, Model, learn
from service.measure.stays import State, Stays, turns
from service.measure.survival import Flags, Floats, life_table, restricted_mean
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
    """Waits that are alike: how long they lasted, which are over, and the work that they led to."""

    days: Floats
    over: Flags
    work_days: float | None

    def left(self, waited: float) -> float:
        """The mean of the days that were left after `waited` days, up to the longest wait known.

        Beyond what enough of them lasted it grows in proportion to the wait; where none lasted at
        all, it is as long as the wait so far (Lindy).
        """
        ends = np.sort(self.days[self.over])
        reach = float(ends[-min(MIN_COMPLETIONS, ends.size)])
        if reach == 0.0:
            return waited
        seen = min(waited, reach)
        there = self.days >= seen
        table = life_table(self.days[there] - seen, self.over[there])
        mean = restricted_mean(table, table.last_day).days
        return mean * (waited / seen if waited > seen else 1.0)


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

    def order(self, waiting: Iterable[tuple[str, State]]) -> tuple[Decision, ...]:
        """The cases (id and state) that wait for a decision, the one that saves the most first.

        Left out are cases that somebody is at work on, that wait for their builder, or that are
        parked: nobody's decision is missing there. Without history every score is 0 and the case
        that waits longest comes first.
        """
        found = [
            self.decision(case, state)
            for case, state in waiting
            if not state.working and state.holder not in {BUILDER, PARKED}
        ]
        return tuple(sorted(found, key=_rank))

    def decision(self, case: str, state: State) -> Decision:
        """What deciding on this case now is expected to save."""
        ahead = self.model.remaining(state)
        waits = self._like(state)
        left = waits.left(state.turn_days) if waits else 0.0
        reaches = ahead.reaches_production or 0.0
        work = waits.work_days if waits else None
        usual = self.waits[_EVERYWHERE].work_days if waits else None
        relative = work / usual if work and usual else 1.0
        return Decision(
            case=case,
            state=state,
            score_days=score(left, reaches, relative),
            wait_left_days=left,
            reaches_production=reaches,
            relative_work=relative,
            work_days=work,
            ahead=ahead,
            reason=_reason(state, left, ahead, relative),
        )

    def _like(self, state: State) -> _Waits | None:
        for place in _places(state.tier, state.stage, state.holder):
            if place in self.waits:
                return self.waits[place]
        return None


def score(wait_left_days: float, reaches_production: float, relative_work: float) -> float:
    """Expected days saved per decision of average work; see `DecisionOrder`."""
    return wait_left_days * reaches_production / relative_work


def learn_order(traces: Traces, model: Model | None = None) -> DecisionOrder:
    """Learn from history how long waits last and what decisions cost.

    `model` is what `forecast.learn` made of the same traces, if there is one already.
    """
    stays = turns(traces)
    working = traces.working[stays.first]
    keys: dict[Place, list[int]] = {}
    names = zip(
        traces.cases.tier[stays.case].tolist(),
        traces.stage[stays.first].tolist(),
        traces.holder[stays.first].tolist(),
        strict=True,
    )
    for row, (tier, stage, holder) in enumerate(names):
        if traces.holders[holder] in {BUILDER, PARKED}:
            continue
        for place in _places(
            traces.cases.tiers[tier], traces.stages[stage], traces.holders[holder]
        ):
            keys.setdefault(place, []).append(row)
    waits = {}
    for place, rows in keys.items():
        found = _waits(stays, working, np.array(rows, dtype=np.int64))
        least = 1 if place == _EVERYWHERE else MIN_COMPLETIONS
        if np.count_nonzero(found.over) >= least:
            waits[place] = found
    return DecisionOrder(model or learn(traces), waits)


_EVERYWHERE: Place = (None, None, None)


def _places(tier: str, stage: str, holder: str) -> tuple[Place, ...]:
    """Where waits like this one are looked for, the most alike first."""
    return (tier, stage, holder), (None, stage, holder), (None, None, holder), _EVERYWHERE


def _waits(stays: Stays, working: Flags, rows: Codes) -> _Waits:
    waiting = rows[~working[rows]]
    over = stays.left[waiting]
    work = float(np.sort(stays.stay_days[rows[working[rows]]]).sum())
    decisions = int(np.count_nonzero(over))
    return _Waits(
        days=stays.stay_days[waiting],
        over=over,
        work_days=work / decisions if work > 0.0 and decisions else None,
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
    waited = f"Has waited {_days(state.turn_days)} for {state.holder} in {state.stage}"
    if ahead.reaches_production is None:
        return f"{waited}; there is no history to say what a decision saves."
    said = (
        f"{waited}; without a decision {_days(left)} more are likely, "
        f"and {100.0 * ahead.reaches_production:.0f}% of such cases reach production"
    )
    if abs(relative - 1.0) >= 0.1:
        said += f"; deciding takes {relative:.1f} times the usual work"
    return f"{said}."


def _days(days: float) -> str:
    shown = f"{days:.1f}".removesuffix(".0")
    return "1 day" if shown == "1" else f"{shown} days"
