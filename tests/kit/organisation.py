"""A small organisation with something on every page, for pictures and for looking at pages."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service.database import Sessions
from service.domain.cohort import quarter_of
from service.domain.people import Person, Role
from service.intake.drafts import keep_draft
from service.lighthouses.rules import Criterion
from service.lighthouses.store import Who, choose, make_programme, propose, write_criterion
from service.people.directory import add_person
from service.people.tokens import issue_token
from service.reports.quarters import before
from service.reviews.rules import Kind, Move, play
from service.reviews.store import find_review, open_review, record, standing_of
from tests.kit.certificates import certify
from tests.kit.house import House, Visitor
from tests.kit.stories import Act, act, staged

IDEAS = (
    ("Answer supplier questions", "Procurement", "medium"),
    ("Sort claims by urgency", "Claims", "high"),
    ("Predict when pumps fail", "Field service", "medium"),
    ("Draft job advertisements in plain language", "Human resources", "low"),
    ("Summarise site reports", "Field service", "medium"),
    ("Translate safety notices", "Field service", "high"),
    ("Find duplicate invoices", "Procurement", "medium"),
    ("Read handwritten delivery notes", "Procurement", "low"),
    ("Suggest replies to customers", "Claims", "medium"),
    ("Plan the night shifts", "Human resources", "high"),
)


@dataclass(frozen=True)
class Stage:
    """The people, and use cases that show something."""

    builder: Visitor
    enabler: Visitor
    reviewer: Visitor
    leader: Visitor
    admin: Visitor
    under_way: str
    """Asked, referred, parked, and now at the evaluation."""
    asked: str
    """The builder owes an answer."""
    finished: str
    draft: str
    programme: str
    review: str
    """Of lighthouses, by its id: `under_way` is chosen, `asked` proposed."""


async def furnish(house: House) -> Stage:
    """Fill a fresh house."""

    async def somebody(name: str, *roles: Role, **more: Any) -> Visitor:
        email = f"{name.split(maxsplit=1)[0].lower()}.{uuid.uuid4().hex[:4]}@example.com"
        at = datetime.now(UTC)
        async with house.sessions.begin() as session:
            person = await add_person(session, name=name, email=email, roles=roles, at=at, **more)
            token = await issue_token(session, person.id, label="first sign-in", at=at)
        return Visitor(person, token.secret, house.anonymous())

    bea = await somebody("Bea Okafor", Role.BUILDER)
    async with house.sessions.begin() as session:
        await certify(session, bea.person, "responsible-ai", at=datetime.now(UTC))
    jon = await somebody("Jon Lindqvist", Role.BUILDER)
    enzo = await somebody("Enzo Marchetti", Role.ENABLER)
    ida = await somebody("Ida Brandt", Role.ENABLER)
    rosa = await somebody("Rosa Almeida", Role.REVIEWER, party="risk")
    lars = await somebody("Lars Vogel", Role.REVIEWER, party="legal")
    lea = await somebody("Lea Fournier", Role.LEADER)
    ada = await somebody("Ada Novak", Role.ADMIN)

    async def begun(owner: Visitor, story: list[Act], days_ago: float, **more: Any) -> str:
        return await staged(house.sessions, owner.person, story, days_ago=days_ago, **more)

    for number, (title, unit, tier) in enumerate(IDEAS):
        owner = bea if number % 2 else jon
        story = [] if number % 3 == 0 or tier == "low" else _taken_up(enzo, ida, number)
        await begun(owner, story, 0.7 + 0.8 * number, title=title, business_unit=unit, tier=tier)
    b, e, risk = bea.person, enzo.person, rosa.person
    under_way = await begun(
        bea, _eventful(b, e, lars.person), 32, title="Check contracts for risks"
    )
    asked = await begun(
        bea,
        [
            act(e, "claim", 20),
            act(e, "ask", 4, reason="Which plants does it cover, and who can switch it off?"),
        ],
        2.5,
        title="Adjust the kiln by forecast",
        business_unit="Production",
    )
    finished = await begun(bea, _whole_way(b, e), 61, title="Route mail to the right desk")
    await begun(
        bea,
        [act(e, "refer", 30, party="risk", reason="Could a wrong dose harm somebody?")],
        4,
        title="Warn before interactions of medicines",
        tier="high",
        business_unit="Health",
    )
    referred = [act(e, "approve", 20, reason="It is what it says."), act(e, "hand_over", 40)]
    await begun(
        jon,
        [*referred, act(risk, "claim", 30)],
        8,
        title="Score applications for credit",
        tier="high",
        business_unit="Retail",
    )
    return Stage(
        builder=bea,
        enabler=enzo,
        reviewer=rosa,
        leader=lea,
        admin=ada,
        under_way=under_way,
        asked=asked,
        finished=finished,
        draft=await _draft(house.sessions, b),
        programme=await _programme(house.sessions, lea.person, under_way, asked),
        review=await _review(house.sessions, lea.person),
    )


def _taken_up(enzo: Visitor, ida: Visitor, number: int) -> list[Act]:
    who = (enzo if number % 2 else ida).person
    story = [act(who, "claim", 9)]
    return (
        [*story, act(who, "approve", 5, reason="It is what it says.")] if number % 4 == 2 else story
    )


def _eventful(b: Person, e: Person, legal: Person) -> list[Act]:
    return [
        act(e, "claim", 30),
        act(e, "ask", 5, reason="Which data does it read, and who has agreed to that?"),
        act(b, "answer", 52, reason="Contracts of the last two years. The works council agrees."),
        act(e, "refer", 3, party="legal", reason="May the provider keep what we send?"),
        act(legal, "claim", 20),
        act(legal, "return", 30, reason="Yes, for thirty days. Put it into the contract."),
        act(e, "approve", 4),
        act(e, "claim", 40),
        act(e, "hand_over", 60),
        act(b, "park", 200, reason="The data platform moves first."),
        act(b, "resume", 100),
        act(b, "hand_over", 150),
        act(e, "claim", 30),
    ]


def _whole_way(b: Person, e: Person) -> list[Act]:
    report = {
        "evidence_kind": "evaluation-report",
        "evidence_reference": "https://wiki.example.com/evaluations/mail",
    }
    return [
        act(e, "claim", 12),
        act(e, "approve", 20),
        act(e, "hand_over", 70),
        act(b, "hand_over", 500),
        act(e, "attach", 20, **report),
        act(e, "approve", 60),
        act(e, "approve", 30),
        act(
            b,
            "attach",
            10,
            evidence_kind="measurement-plan",
            evidence_reference="https://wiki.example.com/plans/mail",
        ),
        act(b, "go_live", 80),
    ]


async def _review(sessions: Sessions, leader: Person) -> str:
    """The review of the quarter before, in its deciding phase; no engine has it."""
    now = datetime.now(UTC)
    quarter = before(quarter_of(now))
    async with sessions.begin() as session:
        if await open_review(session, quarter, by=leader.id, at=now):
            standing = standing_of(await find_review(session, quarter.name))
            closing = Move(Kind.EVIDENCE_CLOSED, leader.id, "All is in.")
            await record(session, *play(standing, closing, now))
    return quarter.name


async def _programme(sessions: Sessions, leader: Person, chosen: str, proposed: str) -> str:
    """A programme with a candidate that is chosen and one that is looked at."""
    who = Who(leader.actor, datetime.now(UTC))
    async with sessions.begin() as session:
        made = await make_programme(session, who, name="Autumn", starts_on=who.at.date())
        for key in (chosen, proposed):
            await propose(session, made.id, key, who)
        for criterion in (*Criterion, Criterion.CHANCE):
            await write_criterion(
                session,
                made.id,
                chosen,
                who,
                criterion=criterion,
                met=criterion is not Criterion.AUDIENCE,
                evidence="As it was counted last year.",
                known="The case says so.",
            )
        await choose(session, made.id, chosen, who, chosen=True, reason="Everybody can follow.")
    return made.id


async def _draft(sessions: Sessions, person: Person) -> str:
    draft = str(uuid.uuid4())
    fields = {"title": "Write minutes of site meetings", "personal_data": "yes"}
    async with sessions.begin() as session:
        await keep_draft(session, person.id, draft, fields, at=datetime.now(UTC))
    return draft
