"""The report of a lighthouse programme: how likely it gets there, and whose wait matters most."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.database import Sessions, snapshot
from service.domain.case import Outcome
from service.domain.durations import duration
from service.domain.moment import Moment
from service.domain.naming import plain
from service.errors import BadInput
from service.forecasts.by_day import ByDay, chance_on, chances_by_day
from service.forecasts.forecaster import learned_at
from service.intake.fields import InvestmentCase, Kpi
from service.intake.use_cases import UseCaseRow, count_open, open_since
from service.lighthouses.chance import RHO, RHOS, at_least, over_rhos
from service.lighthouses.rules import (
    Criterion,
    Programme,
    Standing,
    percent,
    rank,
    what_is_known,
)
from service.lighthouses.store import Candidate, candidates_of, list_programmes
from service.measure.next_decision import DecisionOrder

Learned = Callable[[], Awaitable[DecisionOrder]]
MOST_FOLLOWING = 10
OTHER_DAYS = (-14, 14, 28)
"""How many days before and after the day the chance is shown as well, to see what time is worth."""
NO_HISTORY = (
    "There is no history yet to forecast from: no use case of the intake has reached production."
)
JUDGED = (
    "How strongly candidates fail together (rho) is a judgement: the figure is shown for several."
)


@dataclass(frozen=True, slots=True)
class CandidateFound:
    """A candidate as the report has it.

    `by_day` is where it stood at the moment, and its chance; `known` what Headway knows of each
    criterion now. `at_least_if_halved` is the programme's chance if the rest of this candidate's
    present wait were cut by half; None where nobody's decision is waited for or it does not count.
    `open_in_unit` are other open use cases of its business unit; `followed` the first of those that
    were handed in after it went live.
    """

    candidate: Candidate
    by_day: ByDay
    known: dict[Criterion, str]
    open_in_unit: int
    followed: tuple[UseCaseRow, ...]
    at_least_if_halved: float | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is in production."""
        return self.by_day.outcome is Outcome.PRODUCTION


@dataclass(frozen=True, slots=True)
class Lighthouses:
    """A programme as known at a moment.

    `candidates` are those that count: the chosen ones, or, as long as none is chosen, all that have
    not been turned down. `others` are the rest of the record. Both are in the order of the
    criteria. `p_at_least` has the chance for each correlation: None where a candidate has none.
    """

    moment: Moment
    programme: Programme | None
    programmes: tuple[Programme, ...]
    candidates: tuple[CandidateFound, ...] = ()
    others: tuple[CandidateFound, ...] = ()
    p_at_least: tuple[tuple[float, float | None], ...] = ()
    other_days: tuple[tuple[date, float | None], ...] = ()
    """The chance at `RHO` if the day were another one."""
    notes: tuple[str, ...] = ()

    @property
    def p(self) -> float | None:
        """The chance at the correlation that is believed (`RHO`)."""
        return dict(self.p_at_least).get(RHO)

    @property
    def live(self) -> int:
        """How many of those that count were live by the day."""
        return sum(one.is_live and one.by_day.chance == 1.0 for one in self.candidates)

    @property
    def matters_most(self) -> CandidateFound | None:
        """The candidate whose wait, cut by half, raises the chance the most; None where none
        raises it."""
        better = [
            one
            for one in self.candidates
            if one.at_least_if_halved is not None
            and self.p is not None
            and one.at_least_if_halved > self.p
        ]
        return max(better, key=lambda one: one.at_least_if_halved or 0.0, default=None)

    @property
    def sentence(self) -> str:
        """The report in a sentence."""
        if self.programme is None:
            return "There is no lighthouse programme yet."
        said = f"{self.programme.target} live by {self.programme.day.isoformat()}"
        if self.moment.at > self.programme.until:
            verb = "was" if self.live == 1 else "were"
            return f"{said} were wanted; {self.live} {verb}."
        if self.p is None:
            return f"{said}: {self.live} now; how likely it is cannot be said yet."
        return f"{said}: {self.live} now, and it is {percent(self.p)} likely to get there."

    @property
    def most_sentence(self) -> str:
        """Whose wait matters most, in a sentence; empty where none does."""
        found = self.matters_most
        if found is None or found.by_day.wait is None or found.at_least_if_halved is None:
            return ""
        wait, before = found.by_day.wait, self.p or 0.0
        return (
            f"{found.candidate.key} waits for {plain(wait.holder)} in {plain(wait.stage)}: about "
            f"{duration(wait.left_days)} more. If half of that fell away, the chance would rise by "
            f"{_points(found.at_least_if_halved - before)}, to {percent(found.at_least_if_halved)}."
        )


async def lighthouses(
    session: AsyncSession,
    moment: Moment,
    *,
    programme_id: str = "",
    learned: Learned | None = None,
) -> Lighthouses:
    """The report on a programme as known at a moment: on one by its id, or on the newest of those
    that go on. `BadInput` for one that there was not by then.

    `learned` is what the forecasts of the present are made from, where there is that already.
    """
    programmes = tuple(await list_programmes(session, moment))
    programme = _asked(programmes, programme_id)
    if programme is None:
        return Lighthouses(moment, None, programmes)
    candidates = await candidates_of(session, programme.id, moment)
    if learned is not None and not moment.asked:
        order = await learned()
    else:
        order = (await learned_at(session, moment)).order
    rows = [one.row for one in candidates]
    by_day = await chances_by_day(session, order, rows, at=moment.at, day=programme.until)
    beside = await count_open(session, {row.business_unit for row in rows}, moment.at)
    found = [
        await _found(
            session,
            one,
            by_day[one.row.id],
            beside.get(one.row.business_unit, 0),
            programme=programme,
            at=moment.at,
        )
        for one in candidates
    ]
    found.sort(key=lambda one: (rank(one.candidate.criteria, one.by_day.chance), one.candidate.key))
    counting, others = _counting(found)
    chances = [one.by_day.chance for one in counting]
    known = [one for one in chances if one is not None]
    notes = [JUDGED] if counting else []
    if len(known) < len(chances):
        notes.insert(0, NO_HISTORY)
        p_at_least: tuple[tuple[float, float | None], ...] = tuple((rho, None) for rho in RHOS)
    else:
        p_at_least = over_rhos(known, programme.target)
        counting = _if_halved(counting, known, programme.target)
    return Lighthouses(
        moment=moment,
        programme=programme,
        programmes=programmes,
        candidates=tuple(counting),
        others=tuple(others),
        p_at_least=p_at_least,
        other_days=tuple(_on_other_days(order, counting, programme, moment.at)),
        notes=tuple(notes),
    )


def _on_other_days(
    order: DecisionOrder, counting: Sequence[CandidateFound], programme: Programme, at: datetime
) -> Iterator[tuple[date, float | None]]:
    """The chance for days before and after the day, as far as they are still to come."""
    for days in OTHER_DAYS:
        day = programme.until + timedelta(days=days)
        if at < min(day, programme.until) and counting:
            chances = [chance_on(order, one.by_day, at=at, day=day) for one in counting]
            known = [one for one in chances if one is not None]
            whole = len(known) == len(chances)
            yield day.date(), at_least(known, programme.target, RHO) if whole else None


def _points(rise: float) -> str:
    """A rise of a chance in words."""
    if rise < 5e-4:
        return "under 0.1 points"
    points = f"{100.0 * rise:.1f}".removesuffix(".0")
    return f"{points} {'point' if points == '1' else 'points'}"


def _asked(programmes: Sequence[Programme], programme_id: str) -> Programme | None:
    if not programme_id:
        return programmes[0] if programmes else None
    for one in programmes:
        if one.id == programme_id:
            return one
    raise BadInput("programme", "there was no such programme then; leave it out for the newest")


async def _found(
    session: AsyncSession,
    candidate: Candidate,
    by_day: ByDay,
    open_in_unit: int,
    *,
    programme: Programme,
    at: datetime,
) -> CandidateFound:
    row = candidate.row
    others = open_in_unit - (by_day.outcome is Outcome.OPEN)
    followed: list[UseCaseRow] = []
    if by_day.outcome is Outcome.PRODUCTION and by_day.ended_at is not None:
        followed = await open_since(
            session, row.business_unit, since=by_day.ended_at, at=at, most=MOST_FOLLOWING
        )
    known = what_is_known(
        kpi=Kpi(
            name=row.kpi_name,
            unit=row.kpi_unit,
            baseline=row.kpi_baseline,
            target=row.kpi_target,
        ),
        investment=InvestmentCase(
            one_off_cost=row.one_off_cost,
            yearly_run_cost=row.yearly_run_cost,
            expected_yearly_value=row.expected_yearly_value,
            currency=row.currency,
        ),
        sponsor=row.sponsor,
        business_unit=row.business_unit,
        open_in_unit=others,
        chance=by_day.chance,
        day=programme.day,
    )
    return CandidateFound(candidate, by_day, known, others, tuple(followed))


def _counting(
    found: Sequence[CandidateFound],
) -> tuple[list[CandidateFound], list[CandidateFound]]:
    """Those that the chance is about, and the others."""
    counts = {Standing.CHOSEN}
    if not any(one.candidate.standing in counts for one in found):
        counts = {Standing.PROPOSED}
    counting = [one for one in found if one.candidate.standing in counts]
    return counting, [one for one in found if one.candidate.standing not in counts]


def _if_halved(
    counting: Sequence[CandidateFound], chances: Sequence[float], target: int
) -> list[CandidateFound]:
    """The same, each with the programme's chance if its wait were cut by half."""
    found = []
    for place, one in enumerate(counting):
        wait = one.by_day.wait
        if wait is not None:
            cut = [*chances[:place], wait.chance_if_halved, *chances[place + 1 :]]
            one = replace(one, at_least_if_halved=at_least(cut, target, RHO))  # noqa: PLW2901
        found.append(one)
    return found


async def known_now(
    sessions: Sessions, programme_id: str, key: str, at: datetime, *, learned: Learned
) -> dict[Criterion, str]:
    """What Headway knows about each criterion of a candidate at `at`, the present; empty for one
    that there is not."""
    moment = Moment(at, asked=False)
    async with snapshot(sessions) as session:
        if programme_id not in {one.id for one in await list_programmes(session, moment)}:
            return {}
        report = await lighthouses(session, moment, programme_id=programme_id, learned=learned)
    for one in (*report.candidates, *report.others):
        if key.casefold() in {one.candidate.key.casefold(), one.candidate.row.id}:
            return one.known
    return {}
