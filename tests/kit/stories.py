"""Use cases that have been under way for weeks, played in the domain and written as they went."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from api.intake.bodies import UseCaseBody
from service.database import Sessions
from service.domain.commands import Command
from service.domain.lifecycle import RULES, Move, play
from service.domain.people import Person
from service.domain.tiering import Tier
from service.intake.pathways import pathways
from service.reactions import record, submit
from tests.kit.cases import CERTIFIED
from tests.kit.submission import submission


@dataclass(frozen=True)
class Act:
    """Somebody does something, so many hours after the act before."""

    who: Person
    command: Command
    after: float
    details: dict[str, Any]


def act(who: Person, command: str, after: float, **details: Any) -> Act:
    """One act of a story."""
    if isinstance(details.get("tier"), str):
        details["pathway"] = pathways()[Tier(details.pop("tier"))]
    if "assignee" in details:
        details["assignee"] = details["assignee"].actor
    return Act(who, Command(command), after, details)


async def staged(
    sessions: Sessions,
    owner: Person,
    story: list[Act],
    *,
    days_ago: float,
    tier: str = "medium",
    co_owners: tuple[str, ...] = (),
    **changes: Any,
) -> str:
    """A use case that was handed in so many days ago and has had this story since; its key."""
    at = datetime.now(UTC) - timedelta(days=days_ago)
    body = UseCaseBody.model_validate(submission(tier=tier, **changes))
    async with sessions.begin() as session:
        submitted = await submit(session, body.use_case(owner.id, co_owners), owner.actor, at=at)
        assert submitted.beginning is not None
        standing = submitted.beginning.standing
        for one in story:
            at += timedelta(hours=one.after)
            move = Move(
                one.command,
                one.who.actor,
                owner_certifications=CERTIFIED,
                rules=RULES,
                **one.details,
            )
            played = play(standing, move, at)
            await record(session, played.standing, played.transitions)
            standing = played.standing
    return submitted.receipt.key
