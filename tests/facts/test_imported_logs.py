"""A report of a day says what the log said by that day, whatever was written into it later."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cli.events import import_log
from service.database import Sessions, reading
from service.domain.cohort import Cohort
from service.facts.as_of import Moment
from service.facts.counts.rebuild import recount
from service.facts.traces import traces_of
from service.history.events import EventFile, EventMap
from service.measure.backtest import remade
from service.measure.traces import Traces
from service.reports.clock import clock
from service.reports.flow import flow
from service.reports.forecasts import forecasts_held
from service.reports.question import Grouping
from service.reports.stages import stages
from tests.facts.test_counts import counts
from tests.history.events.logs import NOW, START, decided
from tests.history.events.test_laws import Row, write_csv

MAPPING = decided("by map")
LAST = 120
"""Days from the first start to the last event."""
HOLDERS = {
    "submit": "builder",
    "triage": "enablement",
    "build": "builder",
    "risk": "risk",
    "approve": "enablement",
    "no": "risk",
    "live": "builder",
}


def day(number: float) -> datetime:
    """So many days after `START`."""
    return START + timedelta(days=number)


def a_log(seed: int) -> list[Row]:
    """An intake: most go straight on, some are sent back, declined and taken up again, some go live
    twice, some are still on their way; a third of the work has starts as well."""
    random = Random(seed)  # noqa: S311 - the same every time
    log: list[Row] = []
    for number in range(60):
        at, case = random.uniform(0, 90), f"case {number}"
        way = ["submit", "triage", "build", "risk", "approve", "live"]
        if random.random() < 0.3:
            way[4:4] = ["build", "risk"]
        if random.random() < 0.3:
            way[4:4] = ["no", "build"]
        if random.random() < 0.2:
            way += ["triage", "live"]
        for name in way:
            if number % 3 == 0 and name in {"build", "risk"}:
                log.append((case, name, "start", HOLDERS[name], day(at).isoformat()))
                at += random.uniform(0, 4)
            log.append((case, name, "complete", HOLDERS[name], day(at).isoformat()))
            at += random.choice([0.0, *[random.expovariate(1 / 6) for _ in range(9)]])
    log = [row for row in log if datetime.fromisoformat(row[4]) <= day(LAST)]
    return sorted(log, key=lambda row: row[4])


async def bring_in(sessions: Sessions, path: Path, mapping: EventMap, cohort: str) -> None:
    """Import a log under a cohort and a source of this name."""
    with EventFile(path, mapping.with_cohort(cohort), latest=NOW) as file:
        assert await import_log(file, cohort, None, sessions) == 0


async def said(sessions: Sessions, cohort: str, at: datetime) -> dict[str, Any]:
    """Every report of an imported cohort as of a moment, without the cohort's name."""
    moment, of = Moment(at, asked=True), Cohort(cohort)
    async with reading(sessions) as session:
        found: dict[str, Any] = {
            f"clock by {by}": (await clock(session, moment, of, by=by)).as_json()
            for by in (Grouping.NOTHING, Grouping.STAGE, Grouping.TIER)
        }
        found["stages"] = (await stages(session, moment, of)).as_json()
        found["forecasts"] = (await forecasts_held(session, moment, of)).as_json()
        found["flow"] = (await flow(session, moment, of)).as_json()
    for report in found.values():
        assert report.pop("cohort") == cohort
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_a_report_as_of_a_day_is_that_of_the_log_as_it_was_on_that_day(
    sessions: Sessions, tmp_path: Path, seed: int
) -> None:
    log = a_log(seed)
    write_csv(whole := tmp_path / "whole.csv", log)
    await bring_in(sessions, whole, replace(MAPPING, snapshot=day(LAST)), f"whole {seed}")
    for number in (20.5, 61.0, 93.25):
        at = day(number)
        then = [row for row in log if datetime.fromisoformat(row[4]) <= at]
        write_csv(path := tmp_path / "then.csv", then)
        name = f"then {seed} {number}"
        await bring_in(sessions, path, replace(MAPPING, snapshot=at), name)

        as_it_was = await said(sessions, name, at)

        assert await said(sessions, f"whole {seed}", at) == as_it_was
        assert as_it_was["flow"]["oldest"], "cases are open, and it is said where they are"
    kept_up = await counts(sessions)
    await recount(sessions)
    assert await counts(sessions) == kept_up


async def test_the_backtest_is_told_what_was_known_on_its_days(
    sessions: Sessions, tmp_path: Path
) -> None:
    log = a_log(9)
    write_csv(whole := tmp_path / "whole.csv", log)
    await bring_in(sessions, whole, replace(MAPPING, snapshot=day(LAST)), "backtested")
    async with reading(sessions) as session:
        now = (await traces_of(session, Cohort("backtested"), Moment(NOW, asked=False))).traces
    for origin in (day(50), day(80)):
        then = [row for row in log if datetime.fromisoformat(row[4]) <= origin]
        write_csv(path := tmp_path / "then.csv", then)
        name = f"backtested {origin.date()}"
        await bring_in(sessions, path, replace(MAPPING, snapshot=origin), name)
        async with reading(sessions) as session:
            known = await traces_of(session, Cohort(name), Moment(origin, asked=True))
        shown = forecasts(known.traces, origin)
        assert len(shown) > 10
        assert forecasts(now, origin) == shown


def forecasts(traces: Traces, at: datetime) -> list[tuple[float, float]]:
    """Those for the cases that were open at a moment, made from what was known then."""
    made = [one for one in remade(traces, [at]) if not one.at_submission]
    return sorted((one.p50_days, one.p85_days) for one in made)


async def test_a_second_import_corrects_from_its_own_moment_on(
    sessions: Sessions, tmp_path: Path
) -> None:
    log = a_log(7)
    write_csv(path := tmp_path / "log.csv", log)
    mapping = replace(MAPPING, snapshot=day(LAST))
    await bring_in(sessions, path, mapping, "corrected")
    before = await said(sessions, "corrected", day(61))
    await bring_in(sessions, path, mapping, "corrected")
    assert await said(sessions, "corrected", day(61)) == before
    write_csv(path, [(case, name, word, "risk", at) for case, name, word, _, at in log])
    await bring_in(sessions, path, mapping, "corrected")
    assert await said(sessions, "corrected", day(61)) == before
    kept_up = await counts(sessions)
    await recount(sessions)
    assert await counts(sessions) == kept_up
