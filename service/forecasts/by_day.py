"""Whether use cases are live by a day: they are, they never will be, or how likely it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.case import Case, Outcome
from service.domain.clock import Transition, what_counts
from service.domain.cohort import INTAKE
from service.domain.standing import OUTCOMES
from service.domain.trace import TracedCase, steps
from service.forecasts.forecaster import present_state
from service.intake.use_cases import UseCaseRow, transitions_of
from service.measure.next_decision import DecisionOrder, awaited
from service.measure.stays import State, state_of

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wait:
    """What an open use case waits for: somebody's decision.

    It has been waited for `waited_days`; on average `left_days` more are waited for in such a
    place. `chance_if_halved` is the chance to be live by the day if half of that rest fell away
    and nothing else changed: then all that follows comes so much sooner.
    """

    holder: str
    stage: str
    waited_days: float
    left_days: float
    chance_if_halved: float


@dataclass(frozen=True, slots=True)
class ByDay:
    """A use case as known at a moment, and its chance to be live by a day.

    `chance` is from 0 to 1, never reaching production included; None where there is no history to
    forecast from. It is 1 for what was live by the day and 0 for what ended otherwise, or is not
    live though the day has passed. `ended_at` belongs to an `outcome` that is not open, `state` to
    one that is. `wait` is None unless somebody's decision is waited for.
    """

    outcome: Outcome
    ended_at: datetime | None
    stage: str
    holder: str
    chance: float | None = None
    state: State | None = None
    wait: Wait | None = None


async def chances_by_day(
    session: AsyncSession,
    order: DecisionOrder,
    rows: Sequence[UseCaseRow],
    *,
    at: datetime,
    day: datetime,
) -> dict[str, ByDay]:
    """By id, what is known at `at` of each of these use cases that had been handed in by then, and
    its chance to be live at `day` (both aware). `order` is what history said by then."""
    log = await transitions_of(session, [row.id for row in rows])
    found = {}
    for row in rows:
        known = [one for one in log[row.id] if one.at <= at]
        if known:
            state = present_state(row, known, at) if known == log[row.id] else _earlier(known, at)
            found[row.id] = _by_day(order, known, state, at=at, day=day)
    return found


def _earlier(known: Sequence[Transition], at: datetime) -> State | None:
    """The state after what was known then; None if it had ended."""
    last = known[-1]
    if last.position in OUTCOMES:
        return None
    case = Case(
        case_id=last.use_case_id,
        cohort=INTAKE,
        tier=last.tier.value,
        business_unit="",
        started_at=known[0].at,
        ended_at=None,
        outcome=Outcome.OPEN,
    )
    return state_of(TracedCase(case, steps(known)), at)


def _by_day(
    order: DecisionOrder,
    known: Sequence[Transition],
    state: State | None,
    *,
    at: datetime,
    day: datetime,
) -> ByDay:
    last = known[-1]
    if state is None:
        ended_at = next(one.at for one in what_counts(known) if one.position in OUTCOMES)
        found = ByDay(OUTCOMES[last.position], ended_at, last.stage, "")
    else:
        found = ByDay(Outcome.OPEN, None, state.stage, state.holder, state=state)
    chance, wait = chance_on(order, found, at=at, day=day), None
    if state is not None and chance and awaited(state):
        left = order.decision(last.use_case_id, state).wait_left_days
        sooner = chance_on(order, found, at=at, day=day + left / 2.0 * ONE_DAY)
        wait = Wait(state.holder, state.stage, state.turn_days, left, sooner or chance)
    return replace(found, chance=chance, wait=wait)


def chance_on(order: DecisionOrder, found: ByDay, *, at: datetime, day: datetime) -> float | None:
    """The chance to be live by another day of what was found at `at`."""
    if found.state is None:
        in_time = found.ended_at is not None and found.ended_at <= day
        return 1.0 if in_time and found.outcome is Outcome.PRODUCTION else 0.0
    days = (day - at) / ONE_DAY
    return 0.0 if days <= 0.0 else order.model.chance_by(found.state, days)
