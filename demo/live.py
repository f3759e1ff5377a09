"""The sample organisation's live use cases: ideas from the files beside, played up to today."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from demo.currency_rates import CURRENCIES
from demo.history import LIVE_FOR, SEED, unit
from demo.people import Cast
from demo.playing import at_work, lived
from demo.ways import DAY, Act, Way
from service.domain.commands import Command
from service.domain.pathway import MEASUREMENT_PLAN
from service.domain.people import Person
from service.domain.standing import Position
from service.domain.tiering import Autonomy, RiskAnswers
from service.intake.fields import InvestmentCase, Kpi, UseCase
from service.intake.pathways import pathways, tier_of
from service.intake.use_cases import find
from service.measure.forecast import Model
from service.reactions import record, submit
from service.value.grades import Method
from service.value.investment_cases import change
from service.value.terms import MeasurementPlan

FILES = ("light", "standard", "regulated", "in_production")
TITLE = "Sample: "
"""Begins every title."""
PACE = 0.75
"""Where an idea does not say another one: what every stay takes of the time before the intake."""
PLANNED_AFTER = timedelta(days=60)
"""The first measurement, after the plan for it."""
QUESTIONS = (
    *("personal_data", "affects_people", "safety_impact", "customer_facing"),
    *("regulated", "external_model"),
)


@dataclass(frozen=True, slots=True)
class Idea:
    """A use case of the sample organisation, and where it is to stand today.

    `days` is how long it has been in that position; `words` are said on the way into it, where
    something is said; `party` is asked for its view.
    """

    title: str
    problem: str
    unit: str
    owner: str
    """First name."""
    sponsor: str
    kpi: Kpi
    investment: InvestmentCase
    estimate_days: float
    risk: RiskAnswers
    lighthouse: bool
    pathway: str
    stage: str
    position: Position
    days: float
    words: str
    party: str
    pace: float
    pattern: bool
    """Whether its gate was opened by an approved pattern."""

    def use_case(self, owner: Person) -> UseCase:
        """As its owner hands it in."""
        return UseCase(
            title=TITLE + self.title,
            problem=self.problem,
            business_unit=unit(self.unit),
            owner=owner.id,
            sponsor=self.sponsor,
            kpi=self.kpi,
            investment=self.investment,
            risk=self.risk,
            estimate_days=self.estimate_days,
            lighthouse=self.lighthouse,
        )


def ideas() -> list[Idea]:
    """All of them, pathway by pathway, and at the end those that have been live for months."""
    found = []
    for name in FILES:
        text = files("demo").joinpath("ideas", f"{name}.toml").read_text(encoding="utf-8")
        found += [_idea({"pathway": name, **entry}) for entry in tomllib.loads(text)["idea"]]
    return found


def _idea(entry: dict[str, Any]) -> Idea:
    kpi, money, risk = entry["kpi"], entry["money"], entry.get("risk", [])
    return Idea(
        title=entry["title"],
        problem=entry["problem"],
        unit=entry["unit"],
        owner=entry["owner"],
        sponsor=entry["sponsor"],
        kpi=Kpi(name=kpi["name"], unit=kpi["unit"], baseline=kpi["from"], target=kpi["to"]),
        investment=InvestmentCase(
            one_off_cost=money["once"],
            yearly_run_cost=money["yearly"],
            expected_yearly_value=money["value"],
            currency=CURRENCIES.get(entry["unit"], "EUR"),
        ),
        estimate_days=entry["estimate_days"],
        risk=RiskAnswers(
            **{question: question in risk for question in QUESTIONS}, autonomy=Autonomy.SUGGESTS
        ),
        lighthouse=entry.get("lighthouse", False),
        pathway=entry["pathway"],
        stage=entry["stage"],
        position=Position(entry["position"]),
        days=entry["days"],
        words=entry.get("words", ""),
        party=entry.get("party", ""),
        pace=entry.get("pace", PACE),
        pattern=entry.get("pattern", False),
    )


def story(idea: Idea, cast: Cast, rng: np.random.Generator) -> Sequence[Act]:
    """All that happened to it since it was handed in."""
    pathway = pathways()[tier_of(idea.risk).tier]
    owner = cast.builders[idea.owner]
    way = Way(rng, cast, pathway, owner, pace=idea.pace, pattern=idea.pattern)
    return [*way.until(idea.stage), *_into_position(idea, cast, way)]


def _into_position(idea: Idea, cast: Cast, way: Way) -> Sequence[Act]:
    stage = way.pathway.stage(idea.stage)
    wait, owner = way.stay(0.4), cast.builders[idea.owner].actor
    if idea.position is Position.IN_PRODUCTION:
        return list(way.through(stage))
    if idea.position is Position.PARKED:
        return [Act(wait, owner, Command.PARK, reason=idea.words)]
    if idea.position is Position.WITHDRAWN:
        return [Act(wait, owner, Command.WITHDRAW, reason=idea.words)]
    if idea.position in {Position.QUEUED, Position.BUILDING}:
        return []
    holder = way.someone(stage.holder)
    acts = [Act(wait, holder, Command.CLAIM)]
    match idea.position:
        case Position.ASKED:
            acts.append(Act(wait, holder, Command.ASK, reason=idea.words))
        case Position.DECLINED:
            acts.append(Act(wait, holder, Command.DECLINE, reason=idea.words))
        case Position.REFERRED | Position.REVIEWING:
            acts.append(Act(wait, holder, Command.REFER, reason=idea.words, party=idea.party))
    if idea.position is Position.REVIEWING:
        acts.append(Act(wait, way.someone(idea.party), Command.CLAIM))
    return acts


async def hand_in(session: AsyncSession, cast: Cast, *, at: datetime, model: Model) -> list[str]:
    """Write all live use cases as they came to stand where they stand at `at`; their ids.

    They go through the door that everybody's use cases go through, at earlier times, and are left
    in the outbox for an engine. `model` makes the forecasts at submission, but for those that have
    been live for longer than it looks back: it knows what came after them.
    """
    written = []
    for number, idea in enumerate(ideas()):
        owner = cast.builders[idea.owner]
        acts = story(idea, cast, np.random.default_rng([SEED, 2, number]))
        took = sum((act.after for act in acts), timedelta(0))
        submitted = await submit(
            session,
            idea.use_case(owner),
            owner.actor,
            at=at_work(at - took - idea.days * DAY),
            model=model if idea.days * DAY < LIVE_FOR else None,
        )
        if submitted.beginning is None:
            raise AssertionError("nothing is repeated here")
        standing = submitted.beginning.standing
        for played in lived(standing, acts, until=at, certifications=cast.certified[owner.id]):
            await record(session, played.standing, played.transitions)
            if any(step.subject == MEASUREMENT_PLAN for step in played.transitions):
                await _plan(session, standing.use_case_id, idea, owner, at=played.standing.at)
        written.append(standing.use_case_id)
    return written


async def _plan(
    session: AsyncSession, use_case_id: str, idea: Idea, owner: Person, *, at: datetime
) -> None:
    """How an idea will be measured, as its owner says before it goes live."""
    plan = MeasurementPlan(
        method=Method.BEFORE_AFTER,
        how=f"{idea.kpi.name} of the months before and after, from the systems of {idea.unit}.",
        by=owner.name,
        starts=(at + PLANNED_AFTER).date(),
    )
    row = await find(session, use_case_id, owner.actor)
    reason = "How it will be measured."
    await change(session, row, owner.actor, {"plan": plan}, reason=reason, at=at)
