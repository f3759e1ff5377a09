"""`/reports`: what leadership asks, one sentence before each picture and table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from math import isfinite
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Request
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from api.kit.context import Context, TheContext
from api.kit.fields import PLAIN
from charts.labels import title
from charts.palette import Theme
from charts.reports import in_words, names_of
from service.assumptions.store import (
    Recorded,
    list_assumptions,
    record_assumption,
    withdraw_assumption,
)
from service.database import reading, snapshot
from service.domain.assumption import ASSUMED, AssumptionKind
from service.domain.cohort import INTAKE, Cohort, cohort_from
from service.domain.moment import Moment, ends_a_day
from service.domain.permissions import Right, may
from service.errors import BadInput, Conflict, NotAllowed
from service.facts.as_of import choices, moment_from
from service.facts.counts.read import Mark, mark_of
from service.facts.traces import Sample
from service.kinds import LONGEST_PROSE, Written
from service.measure.tiers import SHORTEST_TAU
from service.reports.delay import DelayReport
from service.reports.question import Grouping, Question, question_from
from service.reports.registry import Name, report
from service.reports.report import Report
from service.reports.spreadsheet import as_csv
from service.reports.verdict import VerdictReport
from service.value.held import Promise
from web.kit.context import Pages, ThePages
from web.kit.formatting import sentence
from web.kit.forms import Form, TheForm
from web.kit.page import download, go, page
from web.kit.signed_in import Reader, SignedIn
from web.kit.strings import t
from web.reports.recent import RecentReports
from web.reports.tables import by_risk, tables_of

router = APIRouter()

FIELDS = (
    *("cohort", "baseline", "tier", "unit", "by", "against"),
    *("tau", "programme", "as_of", "zone"),
)
SUMMARY = (Name.CLOCK, Name.HELP)
"""What the verdict's page goes on with."""
BESIDE = (*SUMMARY, Name.DELAY)
"""What is read with the verdict: of the cost of delay its page has one line."""
PROMISES = {Promise.LATEST.value: t("reports.against_latest")}
"""What value can be held against beside what was handed in."""
TOGETHER = "together"
CSV = "text/csv; charset=utf-8"
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
MOST_DAYS = 36_500
WRITTEN = TypeAdapter(Written)


async def asked(
    *,
    cohort: str = "",
    baseline: str = "",
    tier: str = "",
    unit: str = "",
    by: str = "",
    against: str = "",
    tau: str = "",
    programme: str = "",
    as_of: str = "",
    zone: str = "",
) -> dict[str, str]:
    """What stands in the address, field by field; empty where nothing is asked."""
    given = (cohort, baseline, tier, unit, by, against, tau, programme, as_of, zone)
    return {name: value.strip() for name, value in zip(FIELDS, given, strict=True)}


Asked = Annotated[dict[str, str], Depends(asked)]


async def leader(reader: Reader) -> SignedIn:
    """Whoever is asking, if they may read reports."""
    if not may(reader.person.actor, Right.READ_REPORTS):
        raise NotAllowed("reports are for leadership and enablement")
    return reader


Leader = Annotated[SignedIn, Depends(leader)]


@dataclass(frozen=True, slots=True)
class Assuming:
    """A form about an assumption that could not be taken: what was typed, and what is wrong with
    which field."""

    typed: Mapping[str, str] = field(default_factory=dict)
    at: str = ""
    wrong: str = ""
    status: HTTPStatus = HTTPStatus.OK


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a page, and what it is made with."""

    request: Request
    leader: SignedIn
    given: Context
    pages: Pages


async def asking(request: Request, leader: Leader, given: TheContext, pages: ThePages) -> Asking:
    """All that a page of a report takes."""
    return Asking(request, leader, given, pages)


TheAsking = Annotated[Asking, Depends(asking)]


@router.get("/reports")
async def verdict(by: TheAsking, wanted: Asked) -> Response:
    """The first of the reports: the verdict."""
    return await _page(by, Name.VERDICT, wanted)


@router.get("/reports/{name}")
async def one(by: TheAsking, wanted: Asked, name: Name) -> Response:
    """A report: its sentence, its pictures, its table."""
    return await _page(by, name, wanted)


ASSUMPTIONS = "/reports/verdict/assumptions"


@router.post(ASSUMPTIONS)
async def record(by: TheAsking, form: TheForm) -> Response:
    """Record an assumption by name; the page again, with what was typed if it cannot be."""
    _may_record(by.leader)
    typed = {name: form.text(name) for name in ("kind", "of", "reason")}
    try:
        async with by.given.sessions.begin() as session:
            await record_assumption(
                session,
                kind=_kind(typed["kind"]),
                baseline=typed["of"],
                reason=_reason(typed["reason"]),
                person_id=by.leader.person.id,
                at=by.given.now(),
            )
    except (BadInput, Conflict) as error:
        return await _not_assumed(by, form, typed, error)
    return _again(by, form)


@router.post(ASSUMPTIONS + "/{assumption_id}/withdraw")
async def withdraw(
    by: TheAsking,
    form: TheForm,
    assumption_id: Annotated[str, Path(max_length=64, pattern=PLAIN)],
) -> Response:
    """Withdraw one, with a reason."""
    _may_record(by.leader)
    typed = {"id": assumption_id, "reason": form.text("reason")}
    try:
        async with by.given.sessions.begin() as session:
            await withdraw_assumption(
                session,
                assumption_id,
                reason=_reason(typed["reason"]),
                person_id=by.leader.person.id,
                at=by.given.now(),
            )
    except (BadInput, Conflict) as error:
        return await _not_assumed(by, form, typed, error)
    return _again(by, form)


def _may_record(leader: SignedIn) -> None:
    if not may(leader.person.actor, Right.RECORD_ASSUMPTIONS):
        raise NotAllowed("assumptions are recorded by leaders and administrators")


def _kind(written: str) -> AssumptionKind:
    try:
        return AssumptionKind(written)
    except ValueError:
        raise BadInput("kind", t("reports.choose_kind")) from None


def _reason(written: str) -> str:
    if len(written) > LONGEST_PROSE:
        raise BadInput("reason", f"keep it under {LONGEST_PROSE} characters")
    return written


async def _not_assumed(
    by: Asking, form: Form, typed: Mapping[str, str], error: BadInput | Conflict
) -> Response:
    status, at = HTTPStatus.CONFLICT, ""
    if isinstance(error, BadInput):
        status, at = HTTPStatus.UNPROCESSABLE_ENTITY, error.field
    assuming = Assuming(typed, at, sentence(error.detail), status)
    return await _page(by, Name.VERDICT, _asked_in(form), assuming=assuming)


def _again(by: Asking, form: Form) -> Response:
    by.pages.the(RecentReports).clear()  # the verdict may rest on it
    asked_for = {name: value for name, value in _asked_in(form).items() if value}
    return go(by.request, "/reports/verdict", **asked_for)


def _asked_in(form: Form) -> dict[str, str]:
    """What was asked on the page that a form was on."""
    return {name: form.text(f"asked_{name}") for name in FIELDS}


@router.get("/reports/{name}/table.csv")
async def table(
    request: Request, _: Leader, given: TheContext, pages: ThePages, wanted: Asked, name: Name
) -> Response:
    """The whole table."""
    found = await _read(given, pages, name, wanted, given.now())
    return download(request, as_csv(name.of.rows(found)), CSV, name=f"headway-{name.value}.csv")


@router.get("/reports/{name}/{which}.{kind}")
async def picture(
    *,
    request: Request,
    _: Leader,
    given: TheContext,
    pages: ThePages,
    wanted: Asked,
    name: Name,
    which: str,
    kind: Literal["svg", "png"],
    theme: Theme = Theme.LIGHT,
) -> Response:
    """A picture of the report."""
    if which not in names_of(name):
        raise BadInput("picture", f"{name.value} has no such picture")
    found = await _read(given, pages, name, wanted, given.now())
    image = await given.drawings.draw(name, found, kind, which=which, theme=theme)
    return download(request, image, TYPES[kind])


def days_of(field: str, written: str) -> float | None:
    """A number of days as somebody wrote it; None for nothing. `BadInput` for anything else."""
    if not written:
        return None
    try:
        days = float(written)
    except ValueError:
        days = 0.0
    if not isfinite(days) or not SHORTEST_TAU <= days <= MOST_DAYS:
        raise BadInput(field, "write a number of days, like 365")
    return days


def _legible(wanted: Mapping[str, str]) -> None:
    """`BadInput` for the first field that is too long or that no database can look for. Not left
    to the query's own types: the page says it next to the field."""
    for name, text in wanted.items():
        try:
            WRITTEN.validate_python(text)
        except ValidationError as bad:
            said = bad.errors()[0]["msg"].removeprefix("Value error, ")
            raise BadInput(name, said) from None


def _question(wanted: Mapping[str, str]) -> Question:
    """The question in the address. `BadInput` for the first field that cannot be asked so."""
    _legible(wanted)
    return question_from(
        cohort=wanted["cohort"] or INTAKE,
        baseline=wanted["baseline"],
        tau_days=days_of("tau", wanted["tau"]),
        tier=wanted["tier"],
        unit=wanted["unit"],
        by=wanted["by"] or Grouping.NOTHING.value,
        programme=wanted["programme"],
        against=wanted["against"] or Promise.FIRST.value,
    )


def _moment(wanted: Mapping[str, str], now: datetime) -> Moment:
    return moment_from("as_of", wanted["as_of"], now, wanted["zone"])


async def _read(
    given: Context, pages: Pages, name: Name, wanted: Mapping[str, str], now: datetime
) -> Report:
    question, moment = _question(wanted), _moment(wanted, now)
    mark = await _mark(given, moment)

    async def make() -> Report:
        async with snapshot(given.sessions) as session:
            return await report(session, name, moment, question, learned=given.forecaster.order)

    return await pages.the(RecentReports).read(name, question, moment, now, make, mark=mark)


async def _mark(given: Context, moment: Moment) -> Mark | None:
    if moment.asked:
        return None
    async with reading(given.sessions) as session:
        return await mark_of(session)


async def _read_together(
    given: Context, pages: Pages, wanted: Mapping[str, str], now: datetime
) -> dict[Name, Report]:
    """The verdict, and what leadership asks after it: of one moment, and of one state of the
    database. Each is then at hand for its pictures and its table."""
    question, moment = _question(wanted), _moment(wanted, now)
    about = _question(_narrowed(wanted))
    mark = await _mark(given, moment)
    asked = {Name.VERDICT: question, **dict.fromkeys(BESIDE, about)}

    async def make() -> dict[Name, Report]:
        found: dict[Name, Report] = {}
        samples: dict[Cohort, Sample] = {}
        async with snapshot(given.sessions) as session:
            for name, of in asked.items():
                found[name] = one = await report(session, name, moment, of, samples=samples)
                pages.the(RecentReports).keep(name, of, moment, now, one, mark=mark)
        return found

    return await pages.the(RecentReports).read(TOGETHER, question, moment, now, make, mark=mark)


async def _page(
    by: Asking, name: Name, wanted: dict[str, str], *, assuming: Assuming | None = None
) -> Response:
    given, pages = by.given, by.pages
    found: Report | None = None
    costly: Report | None = None
    more: dict[Name, Report] = {}
    wrong: dict[str, str] = {}
    now = given.now()
    try:
        if name is Name.VERDICT:
            more = await _read_together(given, pages, wanted, now)
            more = dict(more)
            found, costly = more.pop(name), more.pop(Name.DELAY)
        else:
            found = await _read(given, pages, name, wanted, now)
    except BadInput as bad:
        wrong = {bad.field: bad.detail}
    assumed: list[Recorded] = []
    baseline = _baseline_of(found)
    async with reading(given.sessions) as session:
        offered = await choices(session)
        if baseline:
            assumed = await list_assumptions(session, baseline=baseline)
    fixed = _pinned(wanted, found, now)
    return page(
        by.request,
        "reports.html",
        status=assuming.status if assuming else _status(wrong),
        name=name.value,
        names=[other.value for other in Name],
        found=found,
        wanted=wanted,
        wrong=wrong,
        query=_query(wanted),
        pinned=_query({**fixed, "as_of": found.as_of if found else ""}),
        fixed=_query(fixed),
        pictures=_pictures(name, found),
        tables=tables_of(found) if found else (),
        more=[(other.value, one.sentence, _pictures(other, one)) for other, one in more.items()],
        costliest=costly.costliest if isinstance(costly, DelayReport) else None,
        more_query=_query(_narrowed(wanted)),
        more_fixed=_query(_narrowed(fixed)),
        offered=offered,
        tiers={tier: title(tier) for tier in sorted(offered.tiers, key=by_risk)},
        promises=PROMISES if name is Name.VALUE else {},
        groupings={by.value: t(f"reports.by_{by.value}") for by in name.of.groupings},
        assumed=assumed,
        assumed_of=baseline,
        kinds=list(AssumptionKind),
        in_words=ASSUMED,
        may_record=may(by.leader.person.actor, Right.RECORD_ASSUMPTIONS),
        assuming=assuming or Assuming(),
    )


def _baseline_of(found: Report | None) -> str:
    """The name of what a verdict compares with, whichever part of it; empty without one."""
    named = found.baseline if isinstance(found, VerdictReport) else None
    return cohort_from(named).name if named else ""


def _status(wrong: Mapping[str, str]) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK


def _pinned(wanted: dict[str, str], found: Report | None, now: datetime) -> dict[str, str]:
    """The same question of the moment that was answered: pictures and tables are then of the page
    that they are on, however long it has been open. A day that is over stays as it was written."""
    if found is None:
        return wanted
    moment = _moment(wanted, now)
    if moment.asked and ends_a_day(moment.at, moment.zone):
        return wanted
    return {**wanted, "as_of": found.as_of}


def _narrowed(wanted: Mapping[str, str]) -> dict[str, str]:
    """The same cases, without what only a comparison takes."""
    return {**wanted, "baseline": "", "by": "", "against": "", "tau": "", "programme": ""}


def _query(wanted: Mapping[str, str]) -> str:
    return urlencode({key: value for key, value in wanted.items() if value})


def _pictures(name: Name, found: Report | None) -> list[tuple[str, str]]:
    """The pictures that there are, each with its text alternative."""
    if found is None:
        return []
    return [(which, in_words(name, found, which=which)) for which in names_of(name)]
