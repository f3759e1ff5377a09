"""Handing in: what is written when a use case comes, and the answer to it."""

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.certification.holding import certified_for
from service.domain.clock import Transition
from service.domain.decision import Beginning
from service.domain.forecast import MadeForecast
from service.domain.lifecycle import begin
from service.domain.passing import Missing, way_ahead
from service.domain.pathway import Stage
from service.domain.people import Actor
from service.domain.standing import Mode, Position, Standing
from service.domain.tiering import Tier
from service.errors import KeyReused
from service.intake.fields import UseCase
from service.intake.pathways import pathways, tier_of
from service.intake.tables import OutboxRow, SubmissionRow, TransitionRow, UseCaseRow
from service.intake.use_cases import key_of, projection, third_parties, transition_values
from service.people.directory import any_sample


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a submission: what it is called, what lies ahead, whose move it is."""

    use_case_id: str
    key: str
    submitted_at: datetime
    tier: Tier
    tier_reasons: tuple[str, ...]
    pathway: str
    pathway_version: int
    stage: Stage
    stages_ahead: tuple[Stage, ...]
    position: Position
    holder: str
    mode: Mode
    forecast: MadeForecast | None = None
    """When it will probably be in production; None while there is no history to tell it from."""
    missing: tuple[Missing, ...] = ()
    """What its stages will ask for and what is not there on the first day."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A receipt, and what an engine takes over; nothing for a submission that was repeated."""

    receipt: Receipt
    beginning: Beginning | None


RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)


@dataclass(frozen=True, slots=True)
class Repeatable:
    """What makes repeating a request safe: the caller's key, and a digest of the content."""

    key: str
    request_digest: str


@dataclass(frozen=True, slots=True)
class HandedIn:
    """A use case as it was just written: its row, how it begins, why it has its tier."""

    row: UseCaseRow
    standing: Standing
    transitions: tuple[Transition, ...]
    tier_reasons: tuple[str, ...]


async def write(
    session: AsyncSession, use_case: UseCase, submitter: Actor, *, at: datetime
) -> HandedIn:
    """Write a use case, its first transition and its place in the outbox.

    What is owned or handed in by a sample person is a sample.
    """
    tiering = tier_of(use_case.risk)
    owners = tuple(dict.fromkeys((use_case.owner, *use_case.co_owners, submitter.person_id)))
    begun = begin(str(uuid.uuid4()), pathways()[tiering.tier], owners, submitter.person_id, at)
    row = UseCaseRow(
        id=begun.standing.use_case_id,
        **use_case.fields(),
        kpi_name=use_case.kpi.name,
        kpi_unit=use_case.kpi.unit,
        kpi_baseline=use_case.kpi.baseline,
        kpi_target=use_case.kpi.target,
        one_off_cost=use_case.investment.one_off_cost,
        yearly_run_cost=use_case.investment.yearly_run_cost,
        expected_yearly_value=use_case.investment.expected_yearly_value,
        currency=use_case.investment.currency,
        risk_answers=asdict(use_case.risk),
        tier_reasons=list(tiering.reasons),
        submitted_by=submitter.person_id,
        submitted_at=at,
        parties=third_parties(begun.transitions),
        sample=await any_sample(session, (use_case.owner, submitter.person_id)),
        **projection(begun.standing),
    )
    session.add(row)
    await session.flush()
    session.add(TransitionRow(**transition_values(begun.transitions[0])))
    session.add(OutboxRow(use_case_id=row.id, created_at=at))
    return HandedIn(row, begun.standing, begun.transitions, tiering.reasons)


async def answer(
    session: AsyncSession,
    handed_in: HandedIn,
    submitter: Actor,
    forecast: MadeForecast | None,
    repeatable: Repeatable | None,
) -> Submitted:
    """The receipt of what was handed in; kept, where the request can be repeated."""
    row, standing = handed_in.row, handed_in.standing
    certified = await certified_for(session, [standing], at=row.submitted_at)
    receipt = Receipt(
        use_case_id=row.id,
        key=key_of(row),
        submitted_at=row.submitted_at,
        tier=row.tier,
        tier_reasons=handed_in.tier_reasons,
        pathway=standing.pathway.key,
        pathway_version=standing.pathway.version,
        stage=standing.stage,
        stages_ahead=standing.stages_ahead,
        position=standing.position,
        holder=standing.holds[-1].party,
        mode=standing.mode or Mode.WAITING,
        forecast=forecast,
        missing=way_ahead(standing.pathway, certified, standing.owners),
    )
    if repeatable is not None:
        session.add(
            SubmissionRow(
                person_id=submitter.person_id,
                key=repeatable.key,
                request_digest=repeatable.request_digest,
                use_case_id=row.id,
                answer=RECEIPT.dump_python(receipt, mode="json"),
            )
        )
    await session.flush()
    return Submitted(receipt, Beginning(standing, handed_in.transitions))


async def submitted_under(session: AsyncSession, person_id: str, key: str) -> str | None:
    """The id of what this person has handed in under this key; None when there is nothing."""
    found = await session.get(SubmissionRow, (person_id, key))
    return found.use_case_id if found is not None else None


async def answered(session: AsyncSession, person_id: str, repeatable: Repeatable) -> Receipt | None:
    """The answer that this person got under this key before; `KeyReused` for other content."""
    # Two requests with one key at the same moment: the second waits here for the first to commit.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"submission {person_id} {repeatable.key}"},
    )
    row = await session.scalar(
        select(SubmissionRow).where(
            col(SubmissionRow.person_id) == person_id, col(SubmissionRow.key) == repeatable.key
        )
    )
    if row is None:
        return None
    if row.request_digest != repeatable.request_digest:
        raise KeyReused(repeatable.key)
    return RECEIPT.validate_python(row.answer)
