"""Use cases on real engines, without the HTTP face: people, a worker, decisions, what is stored."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from service.database import Sessions
from service.domain.clock import Transition
from service.domain.commands import Command
from service.domain.decision import Applied, Beginning, Decision
from service.domain.lifecycle import RULES, Move
from service.domain.people import Actor, Person, Role
from service.domain.standing import Standing
from service.domain.tiering import Tier
from service.errors import DecisionPending, EngineUnreachable
from service.intake.tables import UseCaseRow
from service.intake.use_cases import standing_of, transitions
from service.people.directory import add_person
from service.reactions import submit
from tests.kit.submission import use_case
from workflows.intake.dispatcher import TemporalEngine
from workflows.intake.messages import workflow_id
from workflows.intake.workflow import UseCaseWorkflow
from workflows.names import Name
from workflows.worker import make_worker

CERTIFIED = ("responsible-ai",)
PATIENCE = 20.0
"""Seconds after which a condition that was waited for will not come any more."""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(PATIENCE):
        while not await holds():  # noqa: ASYNC110 (what changes is in another process)
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class People:
    """Everybody whom a use case meets. The owner is certified for every pathway."""

    owner: Person
    ada: Person
    bob: Person
    risk: Person


async def people(sessions: Sessions) -> People:
    """New people."""

    async def person(name: str, *roles: Role, **more: Any) -> Person:
        mark = uuid.uuid4().hex[:8]
        async with sessions.begin() as session:
            return await add_person(
                session,
                name=name,
                email=f"{name.lower()}-{mark}@example.com",
                roles=roles,
                at=datetime.now(UTC),
                **more,
            )

    return People(
        await person("Olive", Role.BUILDER),
        await person("Ada", Role.ENABLER),
        await person("Bob", Role.ENABLER),
        await person("Rita", Role.REVIEWER, party="risk"),
    )


async def handed_in(
    sessions: Sessions, owner: Person, tier: Tier = Tier.MEDIUM, *, at: datetime | None = None
) -> Beginning:
    """A use case in the database that no engine has taken over yet."""
    given = use_case(owner.id, tier=tier)
    async with sessions.begin() as session:
        submitted = await submit(session, given, owner.actor, at=at or datetime.now(UTC))
    assert submitted.beginning is not None
    return submitted.beginning


@dataclass(frozen=True)
class Case:
    """One use case in an engine and in a database."""

    id: str
    people: People
    sessions: Sessions
    client: Client
    queue: str

    @property
    def handle(self) -> WorkflowHandle[UseCaseWorkflow, None]:
        """Its workflow, whichever run it is in."""
        return self.client.get_workflow_handle_for(UseCaseWorkflow.run, workflow_id(self.id))

    def decision(
        self, by: Person | Actor, command: Command, *, key: str | None = None, **details: Any
    ) -> Decision:
        """A decision as the service would make it."""
        actor = by.actor if isinstance(by, Person) else by
        if command is Command.APPROVE:
            details.setdefault("owner_certifications", CERTIFIED)
        details.setdefault("rules", RULES)
        move = Move(command, actor, **details)
        return Decision(self.id, key or str(uuid.uuid4()), move, request_digest=repr(move))

    async def send(self, decision: Decision) -> Applied:
        """Have a decision applied; a `Refusal` or a `Fault` when it is not.

        Repeated with the same id for as long as it is not answered, as callers are told to.
        """
        engine = TemporalEngine(self.client, self.queue, decision_timeout=PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(EngineUnreachable, DecisionPending):
                    return await engine.decide(decision)

    async def does(self, by: Person | Actor, command: Command, **details: Any) -> Applied:
        """Give a command that must be taken."""
        return await self.send(self.decision(by, command, **details))

    async def standing(self) -> Standing:
        """Where the workflow says that it stands."""
        standing: Standing = await self.handle.query(Name.STANDING.value, result_type=Standing)
        return standing

    async def recorded(self) -> list[Transition]:
        """What the database says happened."""
        async with self.sessions() as session:
            return await transitions(session, self.id)

    async def commands(self) -> list[str]:
        """What the database says happened, in words."""
        return [step.command.value for step in await self.recorded()]

    async def projected(self) -> Standing:
        """Where the database says that it stands."""
        async with self.sessions() as session:
            return standing_of(await session.get_one(UseCaseRow, self.id))

    async def events(self, kind: "EventType.ValueType | None" = None) -> int:
        """How many events of a kind (or at all) the present run's history has."""
        return len(
            [
                event
                async for event in self.handle.fetch_history_events()
                if kind in {None, event.event_type}
            ]
        )

    async def run_id(self) -> str:
        """Of the present run."""
        return (await self.handle.describe()).run_id or ""

    async def agrees(self) -> None:
        """Assert that engine and database say the same, without gaps and in order of time."""
        steps = await self.recorded()
        standing = await self.standing()
        assert [step.sequence for step in steps] == list(range(1, len(steps) + 1))
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert await self.projected() == standing
        assert steps[-1].sequence == standing.sequence

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nothing about it can be recorded while the block runs: somebody has locked its row."""
        async with self.sessions.begin() as session:
            await session.execute(
                text("SELECT 1 FROM use_case WHERE id = :id FOR UPDATE"), {"id": self.id}
            )
            yield


async def open_case(
    client: Client,
    sessions: Sessions,
    queue: str,
    *,
    tier: Tier = Tier.MEDIUM,
    changed: Callable[[Beginning], Beginning] = lambda beginning: beginning,
    who: People | None = None,
) -> Case:
    """A use case that has been handed in and whose workflow has been started."""
    who = who or await people(sessions)
    taken_over = changed(await handed_in(sessions, who.owner, tier))
    case = Case(taken_over.standing.use_case_id, who, sessions, client, queue)
    await client.start_workflow(
        UseCaseWorkflow.run, taken_over, id=workflow_id(case.id), task_queue=queue
    )
    return case


def with_targets(beginning: Beginning, **target: Any) -> Beginning:
    """The same use case on a pathway whose stages all have this target."""
    standing = beginning.standing
    stages = tuple(replace(stage, **target) for stage in standing.pathway.stages)
    holds = tuple(replace(hold, **target) for hold in standing.holds)
    pathway = replace(standing.pathway, stages=stages)
    return replace(beginning, standing=replace(standing, pathway=pathway, holds=holds))


def worker_on(client: Client, sessions: Sessions, queue: str) -> Worker:
    """A worker as `headway` runs it."""
    return make_worker(client, sessions, queue, activities=20)


Open = Callable[..., Awaitable[Case]]
"""Opens a use case that a worker takes care of; the fixture `opened`."""
