"""Which decision to take next: what waits for somebody, by the days that deciding would save."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import INTAKE, Cohort
from service.domain.durations import label
from service.domain.tally import Kind
from service.facts.as_of import EXACT, Moment
from service.facts.counts.read import lines
from service.facts.traces import Sample, traces_of
from service.intake.use_cases import keys_of
from service.measure.figures import number
from service.measure.next_decision import Decision, DecisionOrder, awaited, learn_order
from service.measure.stays import open_states
from service.reports.question import Asking
from service.reports.report import Example, Figures, Instant, Registered, Report, Row

MOST_LISTED = 200


class NextDecision(Figures):
    """A decision that is waited for: of which case, for how long, and what it would save."""

    case: str
    tier: str
    stage: str
    holder: str
    waited_days: float
    score_days: float = Field(description="What deciding now is expected to save")
    wait_left_days: float | None
    reaches_production: float | None = Field(description="How likely the case is to get there")
    relative_work: float | None
    ahead_p50_days: float | None
    ahead_p85_days: float | None
    reason: str


class DecisionsReport(Report):
    """Which decision to take next: what waits, by the days that deciding is expected to save."""

    report: Literal["decisions"] = "decisions"
    as_of: Instant
    cohort: str
    sentence: str
    waiting: int = Field(description="How many wait in all")
    decisions: tuple[NextDecision, ...]
    notes: tuple[str, ...]


async def decisions(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, order: DecisionOrder | None = None
) -> DecisionsReport:
    """The decisions that are waited for, the one that saves the most days first.

    What each saves is learned from the whole cohort by its name, whatever part of it is asked for:
    a case saves the same on every page. `order` is what is known of that already.
    """
    everybody = Cohort(cohort.name)
    notes: list[str] = []
    waiting: Sample | None = None
    if order is None:
        learned = await traces_of(session, everybody, moment)
        order = await asyncio.to_thread(learn_order, learned.traces)
        notes += learned.notes
        waiting = learned if learned.is_whole and cohort == everybody else None
    elif await _is_large(session, everybody):
        notes.append(f"What a decision saves is learned from {EXACT:,} cases along a fixed order.")
    if waiting is None:
        waiting = await traces_of(session, cohort, moment, only_open=True)
        notes += waiting.notes
    found, size = await asyncio.to_thread(_ordered, order, waiting)
    keys = await keys_of(session, [decision.case for decision in found])
    if size > MOST_LISTED:
        notes.append(f"The first {MOST_LISTED} of {size} that wait.")
    return DecisionsReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(found, size, keys),
        waiting=size,
        decisions=tuple(_next_of(decision, keys) for decision in found),
        notes=tuple(dict.fromkeys(notes)),
    )


async def _is_large(session: AsyncSession, cohort: Cohort) -> bool:
    arrived = await lines(session, [Kind.ARRIVED], [cohort.name])
    return sum(int(line.n.sum()) for line in arrived.all) > EXACT


def _ordered(order: DecisionOrder, waiting: Sample) -> tuple[tuple[Decision, ...], int]:
    """The first decisions, and how many are waited for in all."""
    states = [(waiting.case_ids[case], state) for case, state in open_states(waiting.traces)]
    size = sum(awaited(state) for _, state in states)
    return order.order(states, most=MOST_LISTED), size


def _sentence(found: Sequence[Decision], size: int, keys: Mapping[str, str]) -> str:
    if not found:
        return "Nothing waits for a decision."
    first = found[0]
    total = "1 case waits" if size == 1 else f"{size} cases wait"
    return (
        f"{total} for a decision; {keys.get(first.case, first.case)} first: it is expected to save "
        f"{label(first.score_days, 'days')}."
    )


def _next_of(decision: Decision, keys: Mapping[str, str]) -> NextDecision:
    state, ahead = decision.state, decision.ahead
    return NextDecision(
        case=keys.get(decision.case, decision.case),
        tier=state.tier,
        stage=state.stage,
        holder=state.holder,
        waited_days=number(state.turn_days),
        score_days=number(decision.score_days),
        wait_left_days=number(decision.wait_left_days),
        reaches_production=number(decision.reaches_production),
        relative_work=number(decision.relative_work),
        ahead_p50_days=number(ahead.p50_days),
        ahead_p85_days=number(ahead.p85_days),
        reason=decision.reason,
    )


async def _read(asking: Asking) -> DecisionsReport:
    """Of the present the decisions of the intake are ordered as the queue orders them, so that both
    say the same."""
    cohort, moment = asking.cohort, asking.moment
    same = not moment.asked and cohort.name == INTAKE
    order = await asking.learned() if asking.learned is not None and same else None
    return await decisions(asking.session, moment, cohort, order=order)


def _rows(found: DecisionsReport) -> Iterator[Row]:
    return (one.model_dump() for one in found.decisions)


EXAMPLE: Example = {
    "report": "decisions",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "11 cases wait for a decision; UC-36 first: it is expected to save 1.7 days.",
    "waiting": 11,
    "decisions": [
        {
            "case": "UC-36",
            "tier": "high",
            "stage": "evaluate",
            "holder": "enablement",
            "waited_days": 8.91554,
            "score_days": 1.73546,
            "wait_left_days": 4.9918,
            "reaches_production": 0.968687,
            "relative_work": 2.7863,
            "ahead_p50_days": 23.9477,
            "ahead_p85_days": 36.8216,
            "reason": "Has waited 8.9 days for enablement in evaluate; without a decision "
            "5 days more are likely, and 97% of such cases reach production; "
            "deciding takes 2.8 times the usual work.",
        }
    ],
    "notes": [],
}
REPORT = Registered(
    name="decisions",
    asks="Which decision to take next?",
    result=DecisionsReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
