"""Nothing of a log was known before it was in the log: cut at any moment, it says the same."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from service.domain.case import Outcome
from service.domain.standing import Mode
from service.domain.trace import Step, TracedCase
from service.history.events import EventMap
from service.measure.as_of import known_at
from service.measure.stays import open_states, state_of, submitted_states
from service.measure.traces import Traces, of
from tests.history.events.logs import START, decided, read
from tests.history.events.test_laws import Row, write_csv
from tests.kit.examples import examples
from tests.measure.test_as_of import assert_same

MAPPING = decided("old way")
LAST = 40
"""Hours in which everything happens."""


def hour(number: float) -> datetime:
    """So many hours after `START`."""
    return START + timedelta(hours=number)


def row(case: str, name: str, word: str, group: str, at: float) -> Row:
    """An event."""
    return (case, name, word, group, hour(at).isoformat())


def log_of(*events: tuple[str, str, float]) -> list[Row]:
    """One case that only has completions: activity, holder, hour."""
    return [row("A", name, "", group, at) for name, group, at in events]


rows = st.builds(
    row,
    st.sampled_from(["A", "B"]),
    st.sampled_from(["triage", "build", "risk", "no", "live"]),
    st.sampled_from(["schedule", "assign", "start", "suspend", "resume", "complete", "", ""]),
    st.sampled_from(["enablement", "builder", "risk"]),
    st.integers(0, LAST),
)
# In the order of the file as in that of time, as a log is written.
logs = st.lists(rows, min_size=1, max_size=20).map(lambda log: sorted(log, key=lambda row: row[4]))
days = st.integers(-1, 2 * LAST + 2).map(lambda half: half / 2)
anything = settings(
    max_examples=examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_at(folder: Path, log: list[Row], at: datetime, mapping: EventMap = MAPPING) -> Traces:
    """What somebody has who reads, at that moment, the log as it was then."""
    there = [one for one in log if datetime.fromisoformat(one[4]) <= at]
    if not there:
        return of([], at)
    write_csv(folder / "then.csv", there)
    accepted, rejects = read(folder / "then.csv", replace(mapping, snapshot=at))
    assert rejects == []
    return of(sorted(accepted, key=_name), at)


def _name(traced: TracedCase) -> str:
    return traced.case.case_id


def whole(folder: Path, log: list[Row], mapping: EventMap = MAPPING) -> list[TracedCase]:
    """Every case of the log, read when all was over."""
    write_csv(folder / "whole.csv", log)
    accepted, rejects = read(folder / "whole.csv", replace(mapping, snapshot=hour(LAST + 1)))
    assert rejects == []
    return sorted(accepted, key=_name)


BACK_AND_FORTH = log_of(
    ("triage", "enablement", 0),
    ("build", "builder", 5),
    ("no", "risk", 9),
    ("build", "builder", 14),
    ("live", "enablement", 20),
    ("triage", "enablement", 25),
    ("live", "builder", 30),
)


@anything
@given(log=logs, at=days)
@example(log=BACK_AND_FORTH, at=2.0)
@example(log=BACK_AND_FORTH, at=12.0)
@example(log=BACK_AND_FORTH, at=17.0)
@example(log=BACK_AND_FORTH, at=22.0)
@example(log=BACK_AND_FORTH, at=27.0)
def test_a_log_as_of_a_moment_is_the_log_as_it_was_then(
    log: list[Row], at: float, tmp_path: Path
) -> None:
    given_now, given_then = of(whole(tmp_path, log), hour(at)), read_at(tmp_path, log, hour(at))
    assert_same(given_now, replace(given_then, cases=given_now.cases))
    assert_same(replace(given_now, cases=given_then.cases), given_then)


def _takes_its_time(log: list[Row]) -> bool:
    """No case ends at the moment of its start and goes on later: it has no span of its own then."""
    first: dict[str, str] = {}
    for case, _, _, _, at in log:
        first.setdefault(case, at)
    return not any(name in {"no", "live"} and at == first[case] for case, name, _, _, at in log)


@anything
@given(log=logs.filter(_takes_its_time), first=days, second=days)
@example(log=BACK_AND_FORTH, first=2.0, second=40.0)
@example(
    log=log_of(("triage", "enablement", 0), ("live", "enablement", 1), ("triage", "enablement", 2))
    + log_of(("live", "enablement", 3)),
    first=2.0,
    second=3.0,
)
@example(log=BACK_AND_FORTH, first=12.0, second=26.0)
@example(log=BACK_AND_FORTH, first=22.0, second=40.0)
def test_a_backtest_of_an_earlier_moment_gets_what_was_known_then(
    log: list[Row], first: float, second: float, tmp_path: Path
) -> None:
    earlier, later = sorted((first, second))
    cases = whole(tmp_path, log)
    assert_same(known_at(of(cases, hour(later)), hour(earlier)), of(cases, hour(earlier)))


@anything
@given(log=logs.filter(_takes_its_time))
@example(log=BACK_AND_FORTH)
def test_a_forecast_at_submission_knows_the_first_event_alone(
    log: list[Row], tmp_path: Path
) -> None:
    for traced in whole(tmp_path, log):
        [state] = submitted_states(of([traced], hour(LAST + 1)))
        at_once = open_states(of([traced], traced.case.started_at))
        assert at_once == ((0, state),) or traced.known_at(traced.case.started_at).case.ended_at


def test_time_is_named_only_when_the_next_event_has_come(tmp_path: Path) -> None:
    [traced] = whole(tmp_path, BACK_AND_FORTH)

    def now(at: float) -> tuple[str, str, Mode]:
        known = traced.known_at(hour(at))
        last = [step for step in known.steps if step.at <= hour(at)][-1]
        return last.stage, last.holder, last.mode

    # Handed in by an event of triage; that it was the builder's to work on came out at 5.
    assert now(2) == ("triage", "enablement", Mode.WAITING)
    assert now(5) == ("build", "builder", Mode.WAITING)
    assert [(step.stage, step.mode) for step in traced.known_at(hour(5)).steps[:1]] == [
        ("build", Mode.WORKING)
    ]
    # Declined at 9 as far as anybody knew, until somebody built on at 14.
    assert (traced.known_at(hour(13)).case.outcome, traced.known_at(hour(13)).case.ended_at) == (
        Outcome.DECLINED,
        hour(9),
    )
    assert traced.known_at(hour(14)).case.outcome is Outcome.PRODUCTION
    # Live at 20 as far as anybody knew, until it went live at 30.
    assert traced.known_at(hour(29)).case.ended_at == hour(20)
    assert traced.case.ended_at == traced.known_at(hour(30)).case.ended_at == hour(30)


def test_a_state_is_what_was_known_of_it(tmp_path: Path) -> None:
    [traced] = whole(tmp_path, log_of(("triage", "enablement", 0), ("risk", "risk", 8)))
    state = state_of(traced, hour(3))
    assert state is not None
    assert (state.stage, state.holder, state.working) == ("triage", "enablement", False)
    assert traced.steps == (Step(hour(0), "risk", "risk", Mode.WAITING),)
