"""Recording: transitions of a use case, each once, in order and without a gap."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.domain.clock import Transition, what_counts
from service.domain.decision import Seen
from service.domain.standing import Standing
from service.errors import (
    TransitionsDisagree,
    TransitionsMissing,
)
from service.intake.tables import TransitionRow, UseCaseRow
from service.intake.use_cases import (
    let_read,
    projection,
    third_parties,
    transition_values,
    transitions,
)

ROW: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
ROWS: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[dict[str, Any]])
PROJECTED = (
    *("tier", "pathway", "pathway_version", "stage", "position", "holder", "mode", "assignee"),
    *(
        "owner_id",
        "owners",
        "outcome",
        "ended_at",
        "sequence",
        "turn_since",
        "hold_since",
        "hold_spent_seconds",
    ),
    *("hold_target_seconds", "standing"),
)
"""The columns of a use case that `projection` fills."""
ONE_AT_A_TIME = text("SELECT FROM use_case WHERE id = :use_case_id FOR UPDATE")
FOLLOWS = """(:first = 1 OR EXISTS (
    SELECT FROM transition WHERE use_case_id = :use_case_id AND sequence = :first - 1
))"""
# One statement, and values as JSON: every decision goes through here, and composing the two
# statements anew for each costs more than running them.
RECORD = text(
    f"""
    WITH written AS (
        INSERT INTO transition
        SELECT * FROM jsonb_populate_recordset(NULL::transition, CAST(:transitions AS jsonb))
        WHERE {FOLLOWS}
        ON CONFLICT DO NOTHING
        RETURNING sequence
    ), moved AS (
        UPDATE use_case
        SET ({", ".join(PROJECTED)}) = (
            SELECT {", ".join(PROJECTED)}
            FROM jsonb_populate_record(NULL::use_case, CAST(:standing AS jsonb))
        )
        WHERE id = :use_case_id AND sequence < :sequence AND (outcome = 'open' OR :takes_back)
            AND {FOLLOWS}
    )
    SELECT sequence FROM written UNION ALL SELECT 0 WHERE NOT {FOLLOWS}
    """  # noqa: S608 - the names above, and nothing from outside
)


async def write(
    session: AsyncSession,
    standing: Standing,
    happened: tuple[Transition, ...],
    seen: tuple[Seen, ...] = (),
) -> set[int]:
    """Write transitions (at least one, in order and without a gap) and where they led, once each;
    the sequences of those that are new.

    What is there already is compared and left alone; `TransitionsDisagree` when it differs. Nothing
    is written and `TransitionsMissing` raised when the one before the first is not there. The
    projection only ever moves forward, and never from an end.
    """
    first = happened[0].sequence
    if [step.sequence for step in happened] != list(range(first, first + len(happened))):
        raise ValueError(f"use case {standing.use_case_id}: these transitions are not in sequence")
    # Whoever records after us sees what we have written, and counts from there.
    await session.execute(ONE_AT_A_TIME, {"use_case_id": standing.use_case_id})
    by_sequence = {mark.sequence: mark for mark in seen}
    takes_back = any(step.takes_back is not None for step in happened)
    values = [_row_values(step, by_sequence.get(step.sequence)) for step in happened]
    written = await session.execute(
        RECORD,
        {
            "transitions": ROWS.dump_json(values).decode(),
            "standing": ROW.dump_json(projection(standing)).decode(),
            "use_case_id": standing.use_case_id,
            "sequence": standing.sequence,
            "takes_back": takes_back,
            "first": first,
        },
    )
    new = set(written.scalars())
    has_gap = 0 in new
    new.discard(0)
    missing = {step.sequence for step in happened} - new
    if missing:
        await _compare(session, standing.use_case_id, values, missing, has_gap=has_gap)
    if takes_back:
        await _let_read_no_more(session, standing.use_case_id)
    await let_read(session, standing.use_case_id, third_parties(happened))
    return new


async def _let_read_no_more(session: AsyncSession, use_case_id: str) -> None:
    """A referral that was taken back was never made: who had it only by that reads it no more."""
    log = await transitions(session, use_case_id)
    await session.execute(
        update(UseCaseRow)
        .where(col(UseCaseRow.id) == use_case_id)
        .values(parties=third_parties(what_counts(log)))
    )


def _row_values(step: Transition, mark: Seen | None) -> dict[str, Any]:
    return {
        **transition_values(step),
        "decision_id": mark.decision_id if mark else None,
        "request_digest": mark.request_digest if mark else None,
    }


async def _compare(
    session: AsyncSession,
    use_case_id: str,
    values: list[dict[str, Any]],
    missing: set[int],
    *,
    has_gap: bool,
) -> None:
    there = await session.scalars(
        select(TransitionRow).where(
            col(TransitionRow.use_case_id) == use_case_id, col(TransitionRow.sequence).in_(missing)
        )
    )
    known = {row.sequence: row.model_dump() for row in there}
    for value in values:
        sequence = value["sequence"]
        if sequence in (known if has_gap else missing) and known.get(sequence) != value:
            raise TransitionsDisagree(use_case_id, sequence)
    if has_gap and len(known) < len(missing):
        raise TransitionsMissing(use_case_id, values[0]["sequence"])
