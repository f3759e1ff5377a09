"""The flow: rows that add up, ages against the history, and checks that name what cannot be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.case import Case, Outcome
from service.domain.tally import LIVE
from service.domain.trace import TracedCase
from service.facts.as_of import Moment
from service.facts.by_day import Parts, add_stages, parts_from_counts
from service.measure.cases import of as cases_of
from service.measure.flow import (
    ENDS,
    MOST_ROWS,
    Bucket,
    Calendar,
    Events,
    ages,
    day_of,
    flow,
    recent,
)
from service.measure.littles_law import Check, checks, little
from service.measure.traces import of
from tests.domain.lives import Life, lives
from tests.kit.examples import examples
from tests.measure.walks import DAY, START, counted, lived, walked

WATCHED = {LIVE: datetime(2100, 1, 1, tzinfo=UTC).timestamp()}
WALK = "triage queue 2, triage work 1, build build 4"


def calendar(traced: Sequence[TracedCase], days: float) -> Calendar:
    """The calendar out of the counts of these cases, as known so many days after START."""
    moment = Moment(START + days * DAY, asked=False)
    return parts_from_counts(counted(traced).all).calendar(moment, WATCHED)


def bare(number: int, began: float, days: float | None) -> TracedCase:
    """A case in one stage; it took so many days, or is open."""
    outcome = Outcome.OPEN if days is None else Outcome.PRODUCTION
    return walked(f"build build {days or 1}", outcome, began=began)


def failed(found: Sequence[Check]) -> set[str]:
    """The names of the checks that say no."""
    return {check.name for check in found if not check.ok}


def held(traced: Sequence[TracedCase], days: float) -> set[str]:
    """Which checks say no to these cases, as known so many days after START."""
    return failed(checks(calendar(traced, days), every_case_traced=True))


def test_rows_say_what_came_what_left_and_what_is_open() -> None:
    done = walked(WALK, Outcome.PRODUCTION)
    gone = walked("triage queue 1", Outcome.WITHDRAWN, began=1)
    still = walked("triage queue 2, build build 1", began=2)
    found = flow(calendar([done, gone, still], 8), Bucket.DAY)

    assert [day_of(day).date().isoformat() for day in found.edges[[0, -1]].tolist()] == [
        *("2026-03-02", "2026-03-11"),
    ]
    assert found.arrived.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert found.ended[Outcome.PRODUCTION].tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert found.ended[Outcome.WITHDRAWN].tolist() == [0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert found.wip.tolist() == [1, 2, 2, 2, 2, 2, 2, 1, 1]
    assert found.out.tolist() == [0, 0, 1, 1, 1, 1, 1, 2, 2]
    assert found.stages == ("triage", "build")
    assert found.in_stage.T.tolist() == [[1, 2, 2, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 2, 2, 2, 1, 1]]
    assert recent(calendar([done, gone, still], 8), 7) == (1, 2)


def test_littles_law_by_hand() -> None:
    # Watched from midnight, 9 hours before the first start: 8.375 days, in which the first case
    # was open for 7, the second for 1 and the third, which is open, for 6.
    done = walked(WALK, Outcome.PRODUCTION)
    gone = walked("triage queue 1", Outcome.WITHDRAWN, began=1)
    found = little(calendar([done, gone, walked("triage queue 1", began=2)], 8))

    assert found.days == 8.375
    assert found.wip_mean == pytest.approx(14 / 8.375)
    assert (found.days_ended, found.days_so_far) == pytest.approx((4.0, 14 / 3))
    assert found.arrivals_per_day == pytest.approx(3 / 8.375)
    assert found.ends_per_day == pytest.approx(2 / 8.375)


def day(written: str) -> int:
    """A date as a day since 1970."""
    return (datetime.fromisoformat(written).replace(tzinfo=UTC) - day_of(0)) // timedelta(days=1)


def edges(bucket: Bucket | None, first: str, last: str) -> list[str]:
    """The first days of the rows of a calendar between two days, and of the row after them."""
    started = Events.at(np.array([day(first) * 86_400_000_000]))
    empty = Events.at(np.zeros(0, dtype=np.int64))
    nothing = dict.fromkeys(ENDS, empty)
    until = day_of(day(last)) + timedelta(hours=3)
    found = flow(Calendar(until, started, nothing, {}, {}, started, empty), bucket)
    assert found.wip.tolist() == [1] * (found.edges.size - 1), "whatever was before is counted"
    return [day_of(edge).date().isoformat() for edge in found.edges.tolist()]


def test_rows_are_days_weeks_from_monday_or_months() -> None:
    assert edges(Bucket.DAY, "2026-03-04", "2026-03-05") == [
        *("2026-03-04", "2026-03-05", "2026-03-06"),
    ]
    assert edges(Bucket.WEEK, "2026-03-04", "2026-03-09") == [
        *("2026-03-02", "2026-03-09", "2026-03-16"),
    ]
    assert edges(Bucket.WEEK, "2026-03-02", "2026-03-08") == ["2026-03-02", "2026-03-09"]
    assert edges(Bucket.WEEK, "1969-12-31", "1970-01-01") == ["1969-12-29", "1970-01-05"]
    assert edges(Bucket.MONTH, "2025-12-31", "2026-02-01") == [
        *("2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"),
    ]
    assert len(edges(None, "2026-03-01", "2026-05-31")) == 92 + 1
    assert len(edges(None, "2025-01-01", "2026-03-01")) == 61 + 1
    assert len(edges(None, "2020-01-01", "2026-03-01")) == 75 + 1


def test_there_are_never_more_than_a_thousand_rows() -> None:
    assert len(edges(Bucket.DAY, "1950-01-01", "2026-03-01")) == MOST_ROWS + 1
    assert len(edges(None, "0900-01-01", "2026-03-01")) == MOST_ROWS + 1
    assert edges(Bucket.DAY, "1950-01-01", "2026-03-01")[-1] == "2026-03-02"


def test_ages_are_held_against_what_the_tier_takes() -> None:
    cases = [bare(n, 0, days) for n, days in enumerate([2, 4, 6, 8])]
    still = [bare(n, began, None) for n, began in enumerate([3, 5.5, 9.5])]
    group = cases_of([item.case for item in [*cases, *still]], START + 10 * DAY).all
    found = ages("low", group)

    # At risk 6 on day 2 (one was censored on day 0.5), 5 on day 4, 3 on day 6 and 1 on day 8:
    # S = 5/6, 2/3, 4/9, 0.
    assert (found.open, found.p50.days, found.p85.days, found.p95.days) == (3, 6.0, 8.0, 8.0)
    assert (found.older_than_p50, found.older_than_p85, found.older_than_p95) == (1, 0, 0)
    nobody = ages("low", cases_of([still[0].case], START + 10 * DAY).all)
    assert (nobody.open, nobody.older_than_p50) == (1, None)


def sane(
    seed: int, *, cases: int = 400, watched: float = 400.0, sigma: float = 0.8
) -> list[TracedCase]:
    """Cases that come at random and take a lognormal time, as known after so many days."""
    dice = np.random.default_rng(seed)
    found = []
    for number in range(cases):
        began = float(dice.uniform(0, watched))
        took = float(dice.lognormal(3.0, sigma))
        found.append(bare(number, began, took if began + took <= watched else None))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_a_sane_history_passes_every_check(seed: int) -> None:
    assert held(sane(seed), 400) == set()
    assert held(sane(seed, cases=12, watched=60), 60) == set()
    old = [item for item in sane(seed, sigma=1.2) if item.case.started_at < START + 180 * DAY]
    assert held(old, 400) == set(), "an old cohort, of which only the slowest are open"


def test_there_is_nothing_against_nothing() -> None:
    assert held([], 1) == set()
    assert little(calendar([], 1)).wip_mean is None
    assert flow(calendar([], 1)).wip.tolist() == [0]


def test_a_back_dated_bulk_import_is_named() -> None:
    bulk = [bare(number, 50.0 + number / 1e5, None) for number in range(200)]
    assert held([*sane(1), *bulk], 400) == {"starts_on_one_day", "littles_law"}

    at_once = [bare(number, 390.0 - took, took) for number, took in enumerate(range(20, 220))]
    assert held([*sane(1), *at_once], 400) == {"ends_on_one_day"}

    dates = [bare(number, 15 / 24 + number, 2.5) for number in range(150)]
    midnight = [replace(item, case=replace(item.case, tier="high")) for item in dates]
    assert held([*sane(1), *midnight], 400) == {"starts_at_midnight"}
    assert held(midnight, 400) == set(), "dates without times are coarse, not wrong"


def test_cases_that_ended_and_were_never_closed_are_named() -> None:
    kept_open = [replace_end(item) if n % 3 == 0 else item for n, item in enumerate(sane(2))]
    assert held(kept_open, 400) == {"littles_law"}


def replace_end(item: TracedCase) -> TracedCase:
    """The same case, but nobody ever closed it."""
    return TracedCase(replace(item.case, ended_at=None, outcome=Outcome.OPEN), item.steps)


def test_a_clock_that_runs_ahead_is_named() -> None:
    ahead = bare(0, 402, None)
    assert {"future"} <= held([*sane(3), ahead], 400) <= {"future", "open_cases", "identity"}
    planned = bare(0, 300, 200)
    assert held([*sane(3), planned], 400) == {"future", "open_cases", "identity"}


def test_ends_before_starts_are_named() -> None:
    impossible = bare(0, 100, 1)
    skewed = object.__new__(Case)  # a Case refuses to be made like this
    for name in Case.__slots__:
        object.__setattr__(skewed, name, getattr(impossible.case, name))
    object.__setattr__(skewed, "ended_at", START + 95 * DAY)
    backwards = object.__new__(TracedCase)
    object.__setattr__(backwards, "case", skewed)
    object.__setattr__(backwards, "steps", impossible.steps)
    # In a stage of its own: among other visits a day below zero is not seen.
    alone = calendar([backwards], 400)
    together = calendar([*sane(3), backwards], 400)

    assert failed(checks(alone, every_case_traced=True)) == {"order", "identity"}
    assert failed(checks(together, every_case_traced=True)) == {"order", "identity"}
    [order] = [check for check in checks(together) if check.name == "order"]
    assert order.numbers["cases"] == 1
    assert order.sentence.startswith("1 cases end before they start")


def test_counts_that_came_apart_from_the_cases_are_named() -> None:
    found = calendar(sane(4), 400)
    open_now = found.open.total

    assert failed(checks(found, in_table=(open_now, open_now))) == set()
    assert failed(checks(found, in_table=(open_now + 1, open_now))) == {"open_cases"}
    lost = replace(found, open=found.open.until(day("2026-06-01")))
    assert failed(checks(lost)) == {"open_cases", "identity"}
    stuck = replace(found, done={})
    assert "open_cases" in failed(checks(stuck, every_case_traced=True))


def test_stages_stand_in_the_order_of_the_pathways() -> None:
    low = [walked("build build 1", Outcome.PRODUCTION, began=n / 9) for n in range(7)]
    high = [
        walked(f"triage queue {wait}, risk queue 1, build build 1", Outcome.PRODUCTION, tier="high")
        for wait in (0.1, 0.2, 4, 5, 6, 7)
    ]
    assert calendar([*low, *high], 20).stages == ("triage", "build", "risk")
    assert calendar(high, 20).stages == ("triage", "risk", "build")


@settings(max_examples=examples(60))
@given(st.lists(lives(most=12), min_size=1, max_size=6), st.floats(0.0, 300.0))
def test_counts_and_traces_give_the_same_flow_and_it_hangs_together(
    drawn: list[Life], after: float
) -> None:
    cases = [lived(life, START + after * DAY, number) for number, life in enumerate(drawn)]
    traces = of(cases, START + after * DAY)
    found = calendar(cases, after)
    from_traces = Parts()
    add_stages(from_traces, traces, 1.0)

    again = from_traces.calendar(Moment(START, asked=False), {})
    for by_counts, by_traces in ((found.began, again.began), (found.done, again.done)):
        assert {name: listed(events) for name, events in by_counts.items()} == {
            name: listed(events) for name, events in by_traces.items()
        }
    assert failed(checks(found, every_case_traced=True)) <= {"starts_on_one_day"}
    rows = flow(found)
    assert int(rows.wip[-1]) == sum(item.case.outcome is Outcome.OPEN for item in cases)
    assert rows.wip.tolist() == rows.in_stage.sum(axis=1).tolist(), "every open case is in a stage"
    assert (np.cumsum(rows.arrived) - rows.out).tolist() == rows.wip.tolist()
    assert (rows.in_stage >= 0).all()
    law = little(found)
    days = traces.cases.duration_days.sum()
    assert law.wip_mean is not None
    assert law.wip_mean * law.days == pytest.approx(days, abs=1e-6)


def listed(events: Events) -> list[tuple[int, int, int]]:
    """Events by day."""
    columns = (events.days.tolist(), events.n.tolist(), events.microseconds.tolist())
    return list(zip(*columns, strict=True))
