"""Use cases as they stand in lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.standing import Position
from service.intake.pathways import pathways
from service.intake.queue import target_of
from service.intake.use_cases import UseCaseRow, key_of
from service.people.directory import names_of
from web.intake.turn import Target


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list, at one moment."""

    row: UseCaseRow
    key: str
    stage: str
    owner: str
    assignee: str
    age: timedelta
    """Since it was handed in, until its end or now."""
    turn: timedelta
    """Since the present holder has it; or since it has ended."""
    target: Target | None
    position: str
    """As the words for it are called: what is built last is taken into production."""


def stage_titles() -> dict[str, str]:
    """What stages are called, in the order in which they come."""
    shortest = sorted(pathways().values(), key=lambda pathway: len(pathway.stages))
    titles: dict[str, str] = {}
    for pathway in shortest:
        for stage in pathway.stages:
            titles.setdefault(stage.key, stage.title)
    order = [stage.key for pathway in reversed(shortest) for stage in pathway.stages]
    return {key: titles[key] for key in dict.fromkeys(order)}


async def listed(
    session: AsyncSession, rows: Sequence[UseCaseRow], at: datetime
) -> tuple[Listed, ...]:
    """Rows with names, ages and targets."""
    people = {person for row in rows for person in (row.owner_id, row.assignee)}
    names = await names_of(session, people)
    titles = {
        (pathway.key, stage.key): stage.title
        for pathway in pathways().values()
        for stage in pathway.stages
    }
    return tuple(
        Listed(
            row=row,
            key=key_of(row),
            stage=titles.get((row.pathway, row.stage), row.stage),
            owner=names.get(row.owner_id, row.owner_id),
            assignee=names.get(row.assignee, row.assignee) if row.assignee else "",
            age=max((row.ended_at or at) - row.submitted_at, timedelta(0)),
            turn=max(at - (row.ended_at or row.turn_since), timedelta(0)),
            target=Target(*used) if (used := target_of(row, at)) else None,
            position="launching" if _launching(row) else row.position,
        )
        for row in rows
    )


def _launching(row: UseCaseRow) -> bool:
    """Whether it has been built and is on its way into production."""
    pathway = pathways()[row.tier]
    return (
        row.position == Position.BUILDING
        and len(pathway.stages) > 1
        and row.stage == pathway.stages[-1].key
    )
