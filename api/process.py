"""The process in force, and others tried on past cases before they are used."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, RootModel, StringConstraints

from api.kit.bodies import Input, shows
from api.kit.context import Caller, TheContext, needs
from api.kit.problems import responses
from service.database import snapshot
from service.domain.cohort import INTAKE
from service.domain.people import Person
from service.domain.permissions import Right
from service.facts.as_of import Moment
from service.kinds import Day as Date
from service.kinds import Written
from service.process.checking import Finding, accepted, check
from service.process.differences import differences
from service.process.document import Process, schema
from service.process.in_force import process, shipped
from service.process.members import check_members_here
from service.reports.question import cohort_named
from service.tries.result import EXAMPLE, Tried, try_process
from service.tries.store import past_cases

router = APIRouter(prefix="/v1/process")

Trier = Annotated[Person, Depends(needs(Right.TRY_PROCESSES))]
LONGEST = 200_000
"""Characters of a file in a request. The command takes larger ones."""

shows(process().as_json())(Process)


@shows(schema())
class ProcessSchema(RootModel[dict[str, Any]]):
    """A JSON Schema (draft 2020-12)."""


@router.get(
    "",
    summary="The process in force",
    tags=["Everybody"],
    responses=responses(401, 503),
    response_model_exclude_defaults=True,
)
async def in_force(_: Caller) -> Process:
    """Tiers, questions, rules and pathways, as `headway process export` writes them into a file.
    What is left out has its default."""
    return process()


@router.get(
    "/schema",
    summary="The JSON Schema of a process",
    tags=["Everybody"],
    responses=responses(401, 503),
)
async def its_schema(_: Caller) -> ProcessSchema:
    """For editors that check a file while it is written."""
    return ProcessSchema(schema())


@shows({"toml": shipped().decode(), "since": "2026-01-01", "cohort": "intake"})
class TryBody(Input):
    """A process that is not in force, and the past cases to try it on."""

    toml: Annotated[str, StringConstraints(max_length=LONGEST)] = Field(
        description="The file, as `headway process export` writes one"
    )
    since: Date | None = Field(default=None, description="Only cases that began then or later")
    cohort: Written = Field(default=INTAKE, description="Which past cases")


class FindingRead(BaseModel):
    """Something about a file that is said, and stops nothing."""

    line: int = Field(description="0: it is about the people who are there")
    key: str
    says: str

    @classmethod
    def of(cls, finding: Finding) -> "FindingRead":
        """The answer for a finding."""
        return cls(line=finding.line, key=finding.key, says=finding.says)


@shows(
    {
        "findings": [
            {"line": 0, "key": "parties.risk", "says": "risk holds a stage and has no members"}
        ],
        "differences": ["On Standard the gate Triage is gone."],
        "tried": EXAMPLE,
    }
)
class TryRead(BaseModel):
    """What changes, in words, and what past cases would have met."""

    findings: list[FindingRead]
    differences: list[str]
    tried: Tried


@router.post(
    "/tries",
    summary="Try a process on past cases",
    tags=["Leadership", "Enablement", "Administration"],
    responses=responses(401, 403, 413, 422, 503),
)
async def try_on_past_cases(body: TryBody, _: Trier, given: TheContext) -> TryRead:
    """Nothing changes: the process in force stays. Every fault of a file is an error of its own,
    with its line. Stages side by side, and what queues do, are not tried."""
    content = body.toml.encode()
    wanted = await asyncio.to_thread(accepted, "toml", content)
    cohort = cohort_named("cohort", body.cohort)
    moment = Moment(given.now(), asked=False)
    async with snapshot(given.sessions) as session:
        past = await past_cases(session, moment, cohort, body.since)
        members = await check_members_here(session, wanted)

    def work() -> TryRead:
        return TryRead(
            findings=[FindingRead.of(one) for one in (*check(content).findings, *members)],
            differences=list(differences(process(), wanted).sentences),
            tried=try_process(process(), wanted, past),
        )

    return await asyncio.to_thread(work)
