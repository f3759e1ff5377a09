"""The portfolio, for all who read reports: as JSON with pages, or whole as CSV."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.kit.bodies import EXAMPLES
from api.kit.context import TheContext, needs
from api.kit.fields import AsOf, Zone
from api.kit.problems import responses
from service.database import snapshot
from service.domain.moment import Moment
from service.domain.people import Person
from service.domain.permissions import Right
from service.facts.as_of import moment_from
from service.kinds import Words
from service.portfolio.figures import MOST_IN_A_FILE, PortfolioFigures, read_portfolio
from service.portfolio.portfolio import MOST_LISTED, Gap, Sort, Wanted
from service.reports.spreadsheet import as_csv
from service.value.evidence import State
from service.value.held import Kind, Promise
from service.value.terms import Benefit

router = APIRouter(prefix="/v1/portfolio", tags=["Leadership"])

Reader = Annotated[Person, Depends(needs(Right.READ_REPORTS))]


class Format(StrEnum):
    """What the portfolio comes as."""

    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of the portfolio over HTTP."""

    wanted: Wanted
    moment: Moment
    by: Kind
    against: Promise
    sort: Sort


async def asked(
    given: TheContext,
    *,
    unit: Annotated[Words, Query(description="Only this business unit")] = "",
    sponsor: Annotated[Words, Query(description="Only this sponsor, as it was written")] = "",
    tier: Annotated[Words, Query(description="Only this tier")] = "",
    benefit: Annotated[Benefit | None, Query(description="Only this kind of benefit")] = None,
    state: Annotated[State | None, Query(description="Only what stands so with its value")] = None,
    gap: Annotated[Gap | None, Query(description="Only what lacks this")] = None,
    owner: Annotated[Words, Query(description="Only those of this person, by id")] = "",
    by: Annotated[Kind, Query(description="What tells the totals apart")] = Kind.UNIT,
    against: Annotated[
        Promise, Query(description="The promise that value is held against")
    ] = Promise.FIRST,
    sort: Annotated[Sort, Query(description="The order of the lines")] = Sort.PROMISED,
    as_of: AsOf = "",
    zone: Zone = "",
) -> Asked:
    """The question in a request's query."""
    wanted = Wanted(unit or None, sponsor or None, tier or None, benefit, state, gap, owner or None)
    return Asked(wanted, moment_from("as_of", as_of, given.now(), zone), by, against, sort)


TheQuestion = Annotated[Asked, Depends(asked)]
Cursor = Annotated[
    str,
    Query(
        description="Where to go on: of the answer before",
        max_length=64,
        pattern=r"^([A-Za-z0-9-]+)?$",
    ),
]


@router.get(
    "",
    summary="Every use case: promised, delivered, missing",
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **responses(401, 403, 422, 503),
    },
    response_model=PortfolioFigures,
)
async def portfolio(
    _: Reader,
    given: TheContext,
    wanted: TheQuestion,
    *,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many lines")] = 50,
    cursor: Cursor = "",
    format_: Annotated[
        Format, Query(alias="format", description="All lines, with every column, as CSV")
    ] = Format.JSON,
) -> Any:
    """What each promised (first and newest), what is expected after the haircut and the chance to
    get to production, what is due and was delivered, with interval and grade, cost, and what is
    missing; with totals that say over how many use cases they are."""
    as_file = format_ is Format.CSV
    async with snapshot(given.sessions) as session:
        found = await read_portfolio(
            session,
            wanted.moment,
            wanted.wanted,
            by=wanted.by,
            against=wanted.against,
            sort=wanted.sort,
            limit=MOST_IN_A_FILE if as_file else limit,
            cursor="" if as_file else cursor,
        )
    if not as_file:
        return found
    headers = {"Content-Disposition": "attachment; filename=headway-portfolio.csv"}
    return Response(portfolio_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


def portfolio_csv(found: PortfolioFigures) -> str:
    """The lines as CSV."""
    rows: list[dict[str, Any]] = [line.as_json() for line in found.items]
    lists = ("gaps", "regressions")
    return as_csv({**row, **{name: " ".join(row[name]) for name in lists}} for row in rows)


_TOTAL: dict[str, Any] = {
    "name": "all",
    "cases": 1,
    "promised": 180000.0,
    "expected": 79200.0,
    "not_due_a_year": 0.0,
    "unproven_a_year": 0.0,
    "measured_a_year": 180000.0,
    "not_due": 0,
    "unproven": 0,
    "measured": 1,
    "due": 90000.0,
    "due_measured": 45000.0,
    "delivered": 30000.0,
    "rate": 0.6667,
    "ci": [0.1, 1.2],
    "ci_like": None,
    "worst": 0.3333,
    "best": 0.8333,
    "one_off_cost": 40000.0,
    "yearly_run_cost": 12000.0,
}
EXAMPLES[PortfolioFigures] = {
    "as_of": "2026-11-02T10:00:00+00:00",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "sentence": "1 use case promises 180,000 EUR a year; 79,200 EUR of it is to be expected.",
    "currency": "EUR",
    "against": "first",
    "by": "unit",
    "total": _TOTAL,
    "groups": [{**_TOTAL, "name": "Procurement"}],
    "gaps": [
        {
            "gap": "no_baseline",
            "use_cases": 1,
            "who": "its owners or enablement, in a new version of the investment case",
        }
    ],
    "effort": {
        "modelling_hours": 8.0,
        "tracking_hours": 2.0,
        "ratio": 4.0,
        "said": 2,
        "asked": 3,
    },
    "effort_sentence": "4.0 hours of modelling for each hour of tracking: 8 h of modelling, 2 h of "
    "tracking (2 of 3 said).",
    "items": [
        {
            "key": "UC-42",
            "title": "Answer supplier questions",
            "kpi": "Handling time",
            "unit": "Procurement",
            "sponsor": "Chief procurement officer",
            "owner": "Bea Brandt",
            "tier": "medium",
            "benefit": None,
            "outcome": "production",
            "state": "measured",
            "currency": "EUR",
            "promised_first": 180000.0,
            "promised_latest": 180000.0,
            "haircut": 0.44,
            "chance": 1.0,
            "expected": 79200.0,
            "due": 90000.0,
            "due_measured": 45000.0,
            "delivered": 30000.0,
            "delivered_low": 4500.0,
            "delivered_high": 54000.0,
            "grade": "D",
            "exact": False,
            "one_off_cost": 40000.0,
            "yearly_run_cost": 12000.0,
            "newest_evidence": "2026-09-30",
            "evidence_age_days": 33,
            "users": 240,
            "decision": "continue",
            "decided_in": "2026-Q2",
            "gaps": ["no_baseline"],
            "regressions": [],
        }
    ],
    "cursor": None,
    "notes": [],
}
