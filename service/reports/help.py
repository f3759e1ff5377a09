"""What would help most: the recorded waits played again, each cut by half in turn."""

import asyncio
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from service.domain.cohort import Cohort
from service.domain.durations import duration
from service.domain.naming import plain
from service.facts.as_of import Moment
from service.facts.traces import Sample
from service.measure.figures import number
from service.measure.replay import Replay, what_would_help
from service.measure.replay import Saving as Measured
from service.reports.question import Asking
from service.reports.report import (
    Bounds,
    Example,
    Figures,
    Instant,
    Registered,
    Report,
    Row,
    bounds_of,
)


class Saving(Figures):
    """What half of a wait would save. `stage` is None for all waits for a holder together."""

    stage: str | None
    holder: str
    rmst_days: float = Field(description="The restricted mean time that would have been")
    saved_days: float
    saved_days_ci: Bounds
    saved_percent: float
    saved_percent_ci: Bounds
    waited_days: float = Field(description="Per case, over all cases")
    cases: int = Field(description="How many had such a wait")


class HelpReport(Report):
    """What would help most: the recorded waits played again, each cut by half in turn, ranked by
    the days per case that this would have saved."""

    report: Literal["help"] = "help"
    as_of: Instant
    cohort: str
    sentence: str
    cases: int
    rmst_days: float | None
    tau_days: dict[str, float] = Field(description="By tier")
    cut_to: float = Field(description="What is left of each wait")
    waits: tuple[Saving, ...]
    holders: tuple[Saving, ...]
    why_upper_bound: str
    notes: tuple[str, ...]


async def help_most(
    sample: Sample, moment: Moment, cohort: Cohort, *, tau_days: float | None = None
) -> HelpReport:
    """The waits of a cohort's cases, ranked by what half of each would have saved."""
    replay = await asyncio.to_thread(what_would_help, sample.traces, tau_days=tau_days)
    notes = list(sample.notes)
    if replay.waits_left_out:
        notes.append(f"{replay.waits_left_out} waits of the fewest days are left out.")
    return HelpReport(
        as_of_words=moment.said,
        as_of=moment.at.isoformat(),
        cohort=str(cohort),
        sentence=_sentence(replay),
        cases=replay.cases,
        rmst_days=number(replay.rmst_days),
        tau_days={tier: number(days) for tier, days in replay.tau_days},
        cut_to=replay.factor,
        waits=tuple(map(_saving_of, replay.waits)),
        holders=tuple(map(_saving_of, replay.holders)),
        why_upper_bound=replay.why_upper_bound,
        notes=tuple(notes),
    )


def _sentence(replay: Replay) -> str:
    if not replay.waits:
        return "There is no wait that could be shortened yet."
    best = replay.waits[0]
    low, high = best.saved_days_interval.low, best.saved_days_interval.high
    stage = plain(best.stage or "")
    return (
        f"Halving the wait for {plain(best.holder)} in {stage} would help most: at most "
        f"{duration(best.saved_days)} of {duration(replay.rmst_days or 0.0)} per case "
        f"(95% between {duration(low)} and {duration(high)})."
    )


def _saving_of(saving: Measured) -> Saving:
    return Saving(
        stage=saving.stage,
        holder=saving.holder,
        rmst_days=number(saving.rmst_days),
        saved_days=number(saving.saved_days),
        saved_days_ci=bounds_of(saving.saved_days_interval),
        saved_percent=number(saving.saved_percent),
        saved_percent_ci=bounds_of(saving.saved_percent_interval),
        waited_days=number(saving.waited_days),
        cases=saving.cases,
    )


async def _read(asking: Asking) -> HelpReport:
    cohort = asking.cohort
    sample = await asking.sample(cohort)
    return await help_most(sample, asking.moment, cohort, tau_days=asking.question.tau_days)


def _rows(found: HelpReport) -> Iterator[Row]:
    for saving in (*found.waits, *found.holders):
        low, high = saving.saved_days_ci
        flat = saving.model_dump(exclude={"saved_days_ci", "saved_percent_ci"})
        yield {**flat, "saved_days_low": low, "saved_days_high": high}


EXAMPLE: Example = {
    "report": "help",
    "as_of_words": "as of 2026-11-02 10:00 (UTC)",
    "as_of": "2026-11-02T10:00:00+00:00",
    "cohort": "intake",
    "sentence": "Halving the wait for enablement in evaluate would help most: at most 1.9 days of "
    "38.2 days per case (95% between 1.7 days and 2.1 days).",
    "cases": 560,
    "rmst_days": 38.1845,
    "tau_days": {"high": 146.287},
    "cut_to": 0.5,
    "waits": [
        {
            "stage": "evaluate",
            "holder": "enablement",
            "rmst_days": 36.2585,
            "saved_days": 1.92599,
            "saved_days_ci": [1.74867, 2.11135],
            "saved_percent": 5.0439,
            "saved_percent_ci": [4.63008, 5.46253],
            "waited_days": 3.14422,
            "cases": 323,
        }
    ],
    "holders": [
        {
            "stage": None,
            "holder": "enablement",
            "rmst_days": 34.5542,
            "saved_days": 3.63029,
            "saved_days_ci": [3.41868, 3.84886],
            "saved_percent": 9.50723,
            "saved_percent_ci": [9.00495, 10.0375],
            "waited_days": 6.26004,
            "cases": 391,
        }
    ],
    "why_upper_bound": "This is an upper bound. The replay shortens one wait and leaves "
    "everything after it as it was, only sooner. In truth what leaves one "
    "queue sooner stands longer in the next one, which has not got more hands; "
    "a wait in which the builder went on building saves less than it lasted; "
    "people take the time that a deadline leaves them; a faster intake draws "
    "more cases; and whatever makes the wait shorter takes somebody's time "
    "away from something else.",
    "notes": [],
}
REPORT = Registered(
    name="help",
    asks="What would help most?",
    result=HelpReport,
    read=_read,
    rows=_rows,
    example=EXAMPLE,
)
