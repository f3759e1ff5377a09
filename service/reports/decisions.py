"""Which decision to take next: what waits for somebody, by the days that deciding would save."""

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.cohort import Cohort
from service.known import Moment
from service.measure.next_decision import Decision, learn_order
from service.measure.stays import open_states
from service.measure.traces import Traces
from service.measure.verdict import number
from service.tables import UseCaseRow
from service.traces import Sample, traces_of
from service.use_cases import key_of

MOST_LISTED = 200


async def decisions(session: AsyncSession, moment: Moment, cohort: Cohort) -> dict[str, object]:
    """The decisions that are waited for, the one that saves the most days first, as JSON."""
    sample = await traces_of(session, cohort, moment)
    waiting = sample
    if not sample.is_whole:
        waiting = await traces_of(session, cohort, moment, only_open=True)
    found = await asyncio.to_thread(_ordered, sample.traces, waiting)
    keys = await keys_of(session, [decision.case for decision in found[:MOST_LISTED]])
    notes = list(sample.notes)
    if len(found) > MOST_LISTED:
        notes.append(f"The first {MOST_LISTED} of {len(found)} that wait.")
    return {
        "as_of": moment.at.isoformat(),
        "cohort": str(cohort),
        "sentence": _sentence(found, keys),
        "waiting": len(found),
        "decisions": [_decision_json(decision, keys) for decision in found[:MOST_LISTED]],
        "notes": notes,
    }


async def keys_of(session: AsyncSession, case_ids: Sequence[str]) -> dict[str, str]:
    """The keys that people say, of live use cases; imported cases keep the names of their file."""
    rows = await session.scalars(select(UseCaseRow).where(col(UseCaseRow.id).in_(case_ids)))
    return {row.id: key_of(row) for row in rows}


def _ordered(history: Traces, waiting: Sample) -> tuple[Decision, ...]:
    states = [(waiting.case_ids[case], state) for case, state in open_states(waiting.traces)]
    return learn_order(history).order(states)


def _sentence(found: Sequence[Decision], keys: Mapping[str, str]) -> str:
    if not found:
        return "Nothing waits for a decision."
    first = found[0]
    total = "1 case waits" if len(found) == 1 else f"{len(found)} cases wait"
    return (
        f"{total} for a decision; {keys.get(first.case, first.case)} first: it is expected to save "
        f"{first.score_days:.1f} days."
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
