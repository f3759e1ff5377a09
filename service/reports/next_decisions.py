"""Which decision to take next: what waits for somebody, by the days that deciding would save."""

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only
from sqlmodel import col

from service.domain.cohort import Cohort
from service.domain.durations import label
from service.domain.tally import Kind
from service.facts.as_of import EXACT, Moment
from service.facts.counts.read import lines
from service.facts.traces import Sample, traces_of
from service.intake.tables import UseCaseRow
from service.intake.use_cases import key_of
from service.measure.next_decision import Decision, DecisionOrder, awaited, learn_order
from service.measure.stays import open_states
from service.measure.verdict import number

MOST_LISTED = 200


async def decisions(
    session: AsyncSession, moment: Moment, cohort: Cohort, *, order: DecisionOrder | None = None
) -> dict[str, object]:
    """The decisions that are waited for, the one that saves the most days first, as JSON.

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
    return {
        "as_of": moment.at.isoformat(),
        "cohort": str(cohort),
        "sentence": _sentence(found, size, keys),
        "waiting": size,
        "decisions": [_decision_json(decision, keys) for decision in found],
        "notes": list(dict.fromkeys(notes)),
    }


async def _is_large(session: AsyncSession, cohort: Cohort) -> bool:
    arrived = await lines(session, [Kind.ARRIVED], [cohort.name])
    return sum(int(line.n.sum()) for line in arrived.all) > EXACT


async def keys_of(session: AsyncSession, case_ids: Sequence[str]) -> dict[str, str]:
    """The keys that people say, of live use cases; imported cases keep the names of their file."""
    row = UseCaseRow
    named = load_only(row.id, row.number)  # type: ignore[arg-type]
    rows = await session.scalars(select(row).where(col(row.id).in_(case_ids)).options(named))
    return {row.id: key_of(row) for row in rows}


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


def _decision_json(decision: Decision, keys: Mapping[str, str]) -> dict[str, object]:
    state, ahead = decision.state, decision.ahead
    return {
        "case": keys.get(decision.case, decision.case),
        "tier": state.tier,
        "stage": state.stage,
        "holder": state.holder,
        "waited_days": number(state.turn_days),
        "score_days": number(decision.score_days),
        "wait_left_days": number(decision.wait_left_days),
        "reaches_production": number(decision.reaches_production),
        "relative_work": number(decision.relative_work),
        "ahead_p50_days": number(ahead.p50_days),
        "ahead_p85_days": number(ahead.p85_days),
        "reason": decision.reason,
    }
