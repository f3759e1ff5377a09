"""`/process`: the process in force, and a draft that is checked, compared and tried."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.kit.context import Context, TheContext
from service.database import snapshot
from service.domain.cohort import INTAKE, Cohort
from service.domain.permissions import Right, may
from service.errors import NotAllowed
from service.facts.as_of import Moment
from service.process.checking import Finding, check
from service.process.differences import Differences, differences
from service.process.document import Answers, Process, ProcessPathway, ProcessTier
from service.process.in_force import process, shipped
from service.process.members import check_members_here
from service.tries.result import Tried, try_process
from service.tries.store import past_cases
from web.kit.forms import TheForm
from web.kit.page import download, page
from web.kit.signed_in import Reader
from web.kit.strings import t

router = APIRouter()

PATH = "/process"
LONGEST_SHOWN = 200_000
"""Characters of a draft that are given back in the form."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a question is answered with, in words."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule in words."""

    tier: str
    when: tuple[Condition, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class TierShown:
    """A tier with its way, and what leads into it."""

    tier: ProcessTier
    pathway: ProcessPathway | None
    rules: tuple[RuleShown, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A process as it is drawn: the tiers, lowest first."""

    process: Process

    @property
    def tiers(self) -> tuple[TierShown, ...]:
        """Each with its way."""
        return tuple(
            TierShown(
                tier,
                self.process.pathway_of(tier.key),
                tuple(self._rules(tier.key)),
            )
            for tier in self.process.tiers
        )

    def _rules(self, tier: str) -> Iterator[RuleShown]:
        for rule in self.process.rules:
            if rule.tier == tier:
                yield RuleShown(tier, self.conditions(rule.when), rule.reason)

    def conditions(self, when: Answers) -> tuple[Condition, ...]:
        """Answers in words."""
        asked = {question.key: question for question in self.process.questions}
        return tuple(
            Condition(
                asked[key].title,
                t("process.yes" if value else "process.no")
                if isinstance(value, bool)
                else asked[key].said(value),
            )
            for key, value in when.items()
        )


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was sent, with what came of it. `wrong` is about the day."""

    toml: str = ""
    since: str = ""
    wrong: str = ""
    findings: tuple[Finding, ...] = ()
    shown: Shown | None = None
    changes: Differences | None = None
    tried: Tried | None = None

    @property
    def status(self) -> HTTPStatus:
        """422 where something was sent that cannot be used."""
        refused = self.wrong or (self.findings and self.shown is None)
        return HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK


@router.get(PATH)
async def in_force(request: Request, reader: Reader) -> Response:
    """The process in force, and a form for a draft for those who may try one."""
    return _page(request, reader, Draft())


@router.get(PATH + "/process.toml")
async def file(request: Request, _: Reader) -> Response:
    """The process in force as the file that a draft begins with."""
    return download(request, shipped(), "application/toml", name="process.toml")


@router.post(PATH)
async def draft(request: Request, form: TheForm, reader: Reader, given: TheContext) -> Response:
    """Check a draft, say what changes, and try it on past cases. Nothing is kept."""
    if not may(reader.person.actor, Right.TRY_PROCESSES):
        raise NotAllowed("drafts are tried by leadership, enablement and administrators")
    sent = form.get("file", "") or form.get("toml", "")
    return _page(request, reader, await _looked_at(given, sent, form.text("since")))


async def _looked_at(given: Context, toml: str, written: str) -> Draft:
    if not toml.strip():
        return Draft(since=written, wrong=t("process.empty"))
    try:
        since = date.fromisoformat(written) if written else None
    except ValueError:
        return Draft(toml, written, wrong=t("process.wrong_day"))
    checked = await asyncio.to_thread(check, toml.encode())
    wanted = checked.process
    if wanted is None:
        return Draft(toml, written, findings=checked.findings)
    moment = Moment(given.now(), asked=False)
    async with snapshot(given.sessions) as session:
        members = await check_members_here(session, wanted)
        past = await past_cases(session, moment, Cohort(INTAKE), since)
    return Draft(
        toml,
        written,
        findings=(*checked.findings, *members),
        shown=Shown(wanted),
        changes=await asyncio.to_thread(differences, process(), wanted),
        tried=await asyncio.to_thread(try_process, process(), wanted, past),
    )


def _page(request: Request, reader: Reader, sent: Draft) -> Response:
    return page(
        request,
        "process.html",
        status=sent.status,
        shown=Shown(process()),
        draft=sent,
        titles={
            tier.key: tier.title
            for one in (sent.shown, Shown(process()))
            if one is not None
            for tier in one.process.tiers
        },
        typed=sent.toml[:LONGEST_SHOWN],
        may_try=may(reader.person.actor, Right.TRY_PROCESSES),
    )
