"""Use cases and people in a database of the test's own, moved without an engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from service.database import Sessions
from service.domain.commands import Command
from service.domain.decision import Seen
from service.domain.lifecycle import Move, Played, play
from service.domain.people import THE_SYSTEM, Actor, Person, Role
from service.domain.tiering import Tier
from service.intake.handing_in import Receipt, Repeatable
from service.intake.outbox import beginning
from service.intake.pathways import pathways
from service.people.directory import add_person
from service.reactions import record, submit
from tests.kit.submission import use_case

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Desk:
    """People hand in and decide; each call is a transaction."""

    sessions: Sessions
    numbers: "count[int]"

    async def person(self, *roles: Role, party: str | None = None) -> Person:
        """Somebody new with these roles."""
        number = next(self.numbers)
        async with self.sessions.begin() as session:
            return await add_person(
                session,
                name=f"Person {number}",
                email=f"person{number}@example.com",
                roles=roles,
                party=party,
                at=START,
            )

    async def hand_in(
        self,
        by: Person,
        *,
        at: datetime = START,
        tier: Tier = Tier.MEDIUM,
        business_unit: str = "Procurement",
        co_owners: Sequence[str] = (),
        repeatable: Repeatable | None = None,
    ) -> Receipt:
        """Hand a use case in."""
        given = use_case(by.id, tier=tier, business_unit=business_unit, co_owners=co_owners)
        async with self.sessions.begin() as session:
            submitted = await submit(session, given, by.actor, at=at, repeatable=repeatable)
        return submitted.receipt

    async def play(self, use_case_id: str, move: Move, at: datetime) -> Played:
        """What a move would lead to; nothing is written."""
        async with self.sessions() as session:
            return play((await beginning(session, use_case_id)).standing, move, at)

    async def does(
        self,
        use_case_id: str,
        by: Person | None,
        command: Command,
        *,
        at: datetime,
        party: str = "",
        assignee: Actor | None = None,
        evidence: str = "",
        tier: Tier | None = None,
        decision_id: str = "",
    ) -> Played:
        """Give a command and record where it led."""
        move = Move(
            command,
            by.actor if by else THE_SYSTEM,
            reason="because",
            party=party,
            assignee=assignee,
            evidence_kind=evidence,
            evidence_reference="wiki" if evidence else "",
            pathway=pathways()[tier] if tier else None,
        )
        played = await self.play(use_case_id, move, at)
        first = played.transitions[0].sequence
        seen = (Seen(decision_id, "digest", first),) if decision_id else ()
        async with self.sessions.begin() as session:
            await record(session, played.standing, played.transitions, seen)
        return played


def open_desk(sessions: Sessions) -> Desk:
    """A desk over an empty database."""
    return Desk(sessions, count(1))


async def busy_week(desk: Desk) -> tuple[str, Person, Person]:
    """A case that was asked about, sent back, moved to another tier; others that ended or wait."""
    owner, ada = await desk.person(Role.BUILDER), await desk.person(Role.ENABLER)
    case = (await desk.hand_in(owner)).use_case_id
    await desk.hand_in(owner, at=START + DAY, tier=Tier.HIGH)
    gone = (await desk.hand_in(owner, at=START + DAY, tier=Tier.LOW)).use_case_id
    await desk.does(gone, owner, Command.WITHDRAW, at=START + 3 * DAY)
    for number, (by, command) in enumerate(
        [
            (ada, Command.CLAIM),
            (ada, Command.ASK),
            (owner, Command.ANSWER),
            (ada, Command.APPROVE),
            (ada, Command.HAND_OVER),
            (owner, Command.HAND_OVER),
            (ada, Command.SEND_BACK),
            (owner, Command.HAND_OVER),
        ],
        start=1,
    ):
        await desk.does(case, by, command, at=START + number * 7 * HOUR)
    await desk.does(case, ada, Command.CHANGE_TIER, at=START + 5 * DAY, tier=Tier.HIGH)
    return case, owner, ada
