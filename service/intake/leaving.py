"""Somebody leaves: who takes over the use cases that they are accountable for."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from service.database import Sessions
from service.domain.case import Outcome
from service.domain.commands import Command
from service.domain.people import Actor
from service.errors import BadInput, Conflict
from service.intake.deciding import Wanted, decide
from service.intake.engine import Engine
from service.intake.tables import UseCaseRow
from service.intake.use_cases import key_of
from service.people.directory import find_person, keep_an_administrator

MOST_NAMED = 20
"""Use cases that a refusal lists."""
MOST_AT_ONCE = 500
"""Use cases that are handed over with one leaving."""


async def hand_over_all(
    sessions: Sessions, engine: Engine, person_id: str, *, by: Actor, successor: str, at: datetime
) -> int:
    """Hand over the open use cases that somebody owns before they are let out; how many.

    `by` is the administrator who lets them out, `successor` the email or id of whoever takes over.
    `Conflict` with the list where there are some and nobody is named, and for the last
    administrator; `BadInput` for somebody who cannot own one of them. Each hand-over is a decision
    of its own: what was handed over before one fails stays so, and the person stays in.
    """
    async with sessions.begin() as session:
        person = await find_person(session, person_id)
        await keep_an_administrator(session, person_id)
        keys = await owned(session, person_id)
    if not keys:
        return 0
    if not successor.strip():
        raise Conflict(
            f"{person.name} owns open use cases ({named(keys)}): say who takes over (successor)"
        )
    if successor.strip().lower() in {person.email, person.id}:
        raise BadInput("successor", "name somebody who stays")
    for key in keys:
        decision = uuid.uuid4().hex
        wanted = Wanted(
            command=Command.TRANSFER,
            actor=by,
            reason=f"{person.name} has left",
            owner=successor,
        )
        try:
            await decide(
                sessions,
                engine,
                key,
                wanted,
                decision_id=decision,
                request_digest=decision,
                at=at,
            )
        except BadInput as error:
            raise BadInput("successor", f"{key}: {error.detail}") from None
    return len(keys)


async def owned(session: AsyncSession, person_id: str) -> list[str]:
    """The keys of the open use cases that somebody is accountable for, at most `MOST_AT_ONCE`."""
    rows = await session.scalars(
        select(UseCaseRow)
        .where(
            col(UseCaseRow.owner_id) == person_id,
            col(UseCaseRow.outcome) == Outcome.OPEN,
        )
        .order_by(col(UseCaseRow.number))
        .limit(MOST_AT_ONCE)
    )
    return [key_of(row) for row in rows]


def named(keys: Sequence[str]) -> str:
    """The first of these keys in words."""
    return ", ".join(keys[:MOST_NAMED]) + (" ..." if len(keys) > MOST_NAMED else "")
