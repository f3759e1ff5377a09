"""The report of a lighthouse programme: how likely enough of them are live by the day."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import Field

from service.domain.case import Outcome
from service.forecasts.by_day import Wait
from service.intake.use_cases import key_of
from service.lighthouses.chance import RHO
from service.lighthouses.report import CandidateFound, Lighthouses, lighthouses
from service.lighthouses.rules import Criterion, Standing
from service.reports.question import Asking
from service.reports.report import Day, Example, Figures, Instant, Registered, Report, Row


class WaitFigures(Figures):
    """The decision that a candidate waits for, and what half of the rest of that wait is worth."""

    holder: str
    stage: str
    waited_days: float
    left_days: float = Field(description="How much longer such waits last on average")
    p_if_halved: float = Field(description="Its own chance, if half of that fell away")
    p_at_least_if_halved: float | None = Field(
        description="The programme's chance then, at `rho`; null if it does not count"
    )


class CandidateFigures(Figures):
    """A candidate as known at the moment."""

    key: str
    title: str
    business_unit: str
    standing: Standing
    outcome: Outcome
    ended_at: Instant | None
    stage: str
    holder: str | None
    p: float | None = Field(
        description="The chance to be live by the day, never getting there included; null where "
        "there is no history"
    )
    criteria: dict[Criterion, bool] = Field(description="Whether each is met, as written last")
    wait: WaitFigures | None
    open_in_unit: int = Field(description="Other open use cases of its business unit")
    followed: tuple[str, ...] = Field(
        description="Open use cases of its unit that came after it went live"
    )


class AtLeast(Figures):
    """The chance that at least `target` are live by the day, if candidates are so correlated."""

    rho: float
    p: float | None


class OtherDay(Figures):
    """The chance, at `rho`, that at least `target` are live by another day."""

    day: Day
    p: float | None


class LighthousesReport(Report):
    """A programme as it was known at `as_of`: who counts, each one's chance, and the chance of the
    programme for several correlations; whose wait matters most for it, and what followed.

    `p_at_least` follows from `target` and the `p` of `candidates` alone; docs/lighthouses.md says
    how. Chances are not rounded.
    """

    report: Literal["lighthouses"] = "lighthouses"
    as_of: Instant
    sentence: str
    programme: str | None = Field(description="Its name; null where there is none yet")
    programme_id: str | None
    starts_on: Day | None
    horizon_days: int | None
    days_in: int | None = Field(description="Which day of the programme it is: 0 is the first")
    day: Day | None
    target: int | None
    live: int
    candidates: tuple[CandidateFigures, ...] = Field(
        description="Those that count: the chosen ones, or all that are not turned down as long as "
        "none is chosen"
    )
    others: tuple[CandidateFigures, ...] = Field(description="The rest of the record")
    rho: float = Field(description="The correlation that is believed")
    p_at_least: tuple[AtLeast, ...]
    other_days: tuple[OtherDay, ...]
    matters_most: str | None = Field(
        description="The candidate whose wait, cut by half, raises the chance the most"
    )
    matters_most_sentence: str
    notes: tuple[str, ...]


def lighthouses_report(found: Lighthouses) -> LighthousesReport:
    """A programme as it is written in reports."""
    programme, most = found.programme, found.matters_most
    return LighthousesReport(
        as_of=_written(found.moment.at),
        as_of_words=found.moment.said,
        sentence=found.sentence,
        programme=programme.name if programme else None,
        programme_id=programme.id if programme else None,
        starts_on=programme.starts_on.isoformat() if programme else None,
        horizon_days=programme.horizon_days if programme else None,
        days_in=programme.days_in(found.moment.at) if programme else None,
        day=programme.day.isoformat() if programme else None,
        target=programme.target if programme else None,
        live=found.live,
        candidates=tuple(map(_candidate, found.candidates)),
        others=tuple(map(_candidate, found.others)),
        rho=RHO,
        p_at_least=tuple(AtLeast(rho=rho, p=p) for rho, p in found.p_at_least),
        other_days=tuple(OtherDay(day=day.isoformat(), p=p) for day, p in found.other_days),
        matters_most=most.candidate.key if most else None,
        matters_most_sentence=found.most_sentence,
        notes=found.notes,
    )


def _candidate(one: CandidateFound) -> CandidateFigures:
    candidate, by_day = one.candidate, one.by_day
    return CandidateFigures(
        key=candidate.key,
        title=candidate.row.title,
        business_unit=candidate.row.business_unit,
        standing=candidate.standing,
        outcome=by_day.outcome,
        ended_at=_written(by_day.ended_at) if by_day.ended_at else None,
        stage=by_day.stage,
        holder=by_day.holder or None,
        p=by_day.chance,
        criteria={
            name: candidate.criteria[name].met for name in Criterion if name in candidate.criteria
        },
        wait=_wait(by_day.wait, one.at_least_if_halved) if by_day.wait else None,
        open_in_unit=one.open_in_unit,
        followed=tuple(map(key_of, one.followed)),
    )


def _wait(wait: Wait, at_least_if_halved: float | None) -> WaitFigures:
    return WaitFigures(
        holder=wait.holder,
        stage=wait.stage,
        waited_days=wait.waited_days,
        left_days=wait.left_days,
        p_if_halved=wait.chance_if_halved,
        p_at_least_if_halved=at_least_if_halved,
    )


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


async def _read(asking: Asking) -> LighthousesReport:
    found = await lighthouses(
        asking.session,
        asking.moment,
        programme_id=asking.question.programme or "",
        learned=asking.learned,
    )
    return lighthouses_report(found)


def _rows(found: LighthousesReport) -> Iterator[Row]:
    """The candidates, those that count first."""
    for counts, some in ((True, found.candidates), (False, found.others)):
        for one in some:
            flat = one.model_dump(mode="json", exclude={"criteria", "wait", "followed"})
            met = {name.value: one.criteria.get(name) for name in Criterion}
            wait = one.wait
            yield {
                **flat,
                "counts": counts,
                **met,
                "waited_days": wait.waited_days if wait else None,
                "left_days": wait.left_days if wait else None,
                "p_if_halved": wait.p_if_halved if wait else None,
                "p_at_least_if_halved": wait.p_at_least_if_halved if wait else None,
            }


EXAMPLE: Example = {
    "report": "lighthouses",
    "as_of": "2026-11-28T09:00:00Z",
    "as_of_words": "as of 2026-11-28 09:00 (UTC)",
    "sentence": "1 live by 2027-01-02: 0 now, and it is 60% likely to get there.",
    "programme": "Lighthouses of the autumn",
    "programme_id": "6f1c2a9e-0d3b-4f57-9a41-2c8d5e7b9f10",
    "starts_on": "2026-10-04",
    "horizon_days": 90,
    "days_in": 55,
    "day": "2027-01-02",
    "target": 1,
    "live": 0,
    "candidates": [
        {
            "key": "UC-42",
            "title": "Find duplicate invoices",
            "business_unit": "Finance",
            "standing": "chosen",
            "outcome": "open",
            "ended_at": None,
            "stage": "evaluate",
            "holder": "enablement",
            "p": 0.6,
            "criteria": {"baseline": True},
            "wait": {
                "holder": "enablement",
                "stage": "evaluate",
                "waited_days": 6.5,
                "left_days": 4.0,
                "p_if_halved": 0.7,
                "p_at_least_if_halved": 0.7,
            },
            "open_in_unit": 4,
            "followed": [],
        }
    ],
    "others": [],
    "rho": 0.3,
    "p_at_least": [{"rho": 0.3, "p": 0.6}],
    "other_days": [{"day": "2027-01-16", "p": 0.75}],
    "matters_most": "UC-42",
    "matters_most_sentence": "UC-42 waits for enablement in evaluate: about 4 days more. "
    "If half of that fell away, the chance would rise by 10 points, to 70%.",
    "notes": [],
}
REPORT = Registered(
    name="lighthouses",
    asks="How likely are enough lighthouses live by the day?",
    result=LighthousesReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
