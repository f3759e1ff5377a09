"""All reports by name: what each takes, and its main table for a spreadsheet."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from service.domain.cohort import INTAKE, Cohort
from service.errors import BadInput
from service.known import Moment
from service.reports.changes import changes
from service.reports.clock import By, clock
from service.reports.decisions import decisions
from service.reports.forecasts import forecasts_held
from service.reports.help import help_most
from service.reports.verdict import cohort_named, narrowed, verdict

Found = dict[str, object]


class Name(StrEnum):
    """The reports."""

    VERDICT = "verdict"
    CLOCK = "clock"
    HELP = "help"
    FORECASTS = "forecasts"
    DECISIONS = "decisions"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked; each takes what concerns it."""

    cohort: str = INTAKE
    baseline: str | None = None
    tau_days: float | None = None
    tier: str | None = None
    unit: str | None = None
    by: By = By.NOTHING


def question_from(
    *, cohort: str, baseline: str, tau_days: float | None, tier: str, unit: str, by: str
) -> Question:
    """A question out of words, empty for what is not asked. `BadInput` for an unknown `by`."""
    try:
        groups = By(by)
    except ValueError:
        raise BadInput("by", f"one of {', '.join(some.value for some in By)}") from None
    return Question(cohort, baseline or None, tau_days, tier or None, unit or None, groups)


async def report(session: AsyncSession, name: Name, moment: Moment, question: Question) -> Found:
    """A report as known at the moment, as JSON-able data. `BadInput` for a question that makes no
    sense."""
    return {"report": name.value, **await READ[name](session, moment, question)}


async def _verdict(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await verdict(
        session,
        moment,
        intake=question.cohort,
        baseline=question.baseline,
        tau_days=question.tau_days,
        tier=question.tier,
        unit=question.unit,
    )


def _cohort(question: Question) -> Cohort:
    return narrowed(cohort_named("cohort", question.cohort), question.tier, question.unit)


async def _clock(session: AsyncSession, moment: Moment, question: Question) -> Found:
    cohort = _cohort(question)
    return await clock(session, moment, cohort, by=question.by, tau_days=question.tau_days)


async def _help(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await help_most(session, moment, _cohort(question), tau_days=question.tau_days)


async def _forecasts(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await forecasts_held(session, moment, _cohort(question))


async def _decisions(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await decisions(session, moment, _cohort(question))


async def _changes(session: AsyncSession, moment: Moment, question: Question) -> Found:
    return await changes(session, moment)


READ: Mapping[Name, Callable[[AsyncSession, Moment, Question], Awaitable[Found]]] = {
    Name.VERDICT: _verdict,
    Name.CLOCK: _clock,
    Name.HELP: _help,
    Name.FORECASTS: _forecasts,
    Name.DECISIONS: _decisions,
    Name.CHANGES: _changes,
}


def as_csv(name: Name, found: Found) -> str:
    """The main table of a report as CSV (RFC 4180).

    What a spreadsheet would take for a formula is written behind an apostrophe: names of business
    units and files are other people's words.
    """
    out = io.StringIO()
    rows = list(TABLES[name](found))
    header = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(out, header, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _harmless(value) for key, value in row.items()})
    return out.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value


FORMULA = tuple("=+-@\t\r")


def _verdict_rows(found: Found) -> Iterator[Found]:
    whole = {"tier": "all", "counted": None, **_ratio(found), "arms": found["arms"]}
    for stratum in [whole, *_dicts(found["strata"])]:
        about = {key: stratum.get(key) for key in ("tier", "counted", "ratio", "low", "high")}
        arms = stratum["arms"]
        if isinstance(arms, dict):
            for cohort, arm in arms.items():
                low, high = arm["km_median_ci_days"]
                figures = {key: value for key, value in arm.items() if not isinstance(value, list)}
                yield {
                    **about,
                    "cohort": cohort,
                    **figures,
                    "km_median_low_days": low,
                    "km_median_high_days": high,
                }


def _clock_rows(found: Found) -> Iterator[Found]:
    for group in _dicts(found["groups"]):
        about = {"group": group["name"], "cases": group["cases"], "tau_days": group["tau_days"]}
        for part in _dicts(group["parts"]):
            yield {**about, **part}


def _help_rows(found: Found) -> Iterator[Found]:
    for saving in [*_dicts(found["waits"]), *_dicts(found["holders"])]:
        low, high = _ends(saving["saved_days_ci"])
        flat = {key: value for key, value in saving.items() if not isinstance(value, list)}
        yield {**flat, "saved_days_low": low, "saved_days_high": high}


def _forecast_rows(found: Found) -> Iterator[Found]:
    for which in ("held", "backtest"):
        for row in _dicts(found[which]):
            low, high = _ends(row["ci"])
            flat = {key: value for key, value in row.items() if key != "ci"}
            yield {"forecasts_of": which, **flat, "low": low, "high": high}


def _decision_rows(found: Found) -> Iterator[Found]:
    return iter(_dicts(found["decisions"]))


def _change_rows(found: Found) -> Iterator[Found]:
    keys = ("pathway", "version", "previous", "began", "verdict")
    for change in _dicts(found["changes"]):
        yield {**{key: change[key] for key in keys}, **_ratio(change)}


def _ratio(found: Found) -> Found:
    low, high = _ends(found["ci"])
    return {"ratio": found["ratio"], "low": low, "high": high}


def _ends(interval: object) -> tuple[object, object]:
    return (interval[0], interval[1]) if isinstance(interval, list) else (None, None)


def _dicts(value: object) -> list[Found]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


TABLES: Mapping[Name, Callable[[Found], Iterator[Found]]] = {
    Name.VERDICT: _verdict_rows,
    Name.CLOCK: _clock_rows,
    Name.HELP: _help_rows,
    Name.FORECASTS: _forecast_rows,
    Name.DECISIONS: _decision_rows,
    Name.CHANGES: _change_rows,
}
