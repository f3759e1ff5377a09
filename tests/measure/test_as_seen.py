"""Forecasts for cases of an event log rest on where cases were seen, not on what came out later."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from service.domain.trace import TracedCase
from service.measure import backtest as rolled
from service.measure.as_of import known_at
from service.measure.as_seen import as_seen
from service.measure.backtest import backtest
from service.measure.cases import OPEN
from service.measure.forecast import learn
from service.measure.stays import open_states
from service.measure.traces import Traces, of
from tests.history.events.logs import read

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LAST = FIRST + timedelta(days=500)
ORIGINS = [FIRST + timedelta(days=200 + 14 * number) for number in range(18)]
MAP = """
[case_id]
column = "case"
[timestamp]
column = "at"
[cohort]
constant = "intake"
[tier]
constant = "low"
[business_unit]
constant = "Unit"
[holder]
constant = "enablement"
[activity]
column = "what"
unlisted = "keep"
[[activity.rules]]
when = { "what" = ["live"] }
outcome = "production"
"""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[TracedCase]:
    """A log of completions: a request is asked for, then comes a quick signature or a long review,
    which of the two only its own event says; then it goes live."""
    rng = np.random.default_rng(5)
    lines = ["case,at,what"]
    for number, start in enumerate(np.sort(rng.uniform(0.0, 480.0, 1_200)).tolist()):
        at, way = start, ("sign" if rng.random() < 0.5 else "review")
        waits = {"open": 0.0, "ask": 15.0, way: 5.0 if way == "sign" else 30.0, "live": 4.0}
        for what, median in waits.items():
            at += median * float(np.exp(0.4 * rng.normal()))
            if at < 500.0:
                moment = FIRST + timedelta(days=at)
                lines.append(f"{number},{moment.isoformat(timespec='seconds')},{what}")
    path = tmp_path_factory.mktemp("log") / "log.csv"
    path.write_text("\n".join([*lines, ""]))
    accepted, rejects = read(path, MAP)
    assert not rejects
    return accepted


@pytest.fixture(scope="module")
def history(cases: list[TracedCase]) -> Traces:
    return of(cases, LAST)


def test_forecasts_of_a_log_of_completions_hold(
    history: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within five points. By the names that came out later "ask" is the time until it was asked,
    but cases are open there for which it has been: their forecasts came too late."""
    found = backtest(history, ORIGINS, corrected=False)
    monkeypatch.setattr(rolled, "as_seen", lambda traces: traces)
    monkeypatch.setattr("service.measure.forecast.as_seen", lambda traces: traces)
    by_later_names = backtest(history, ORIGINS, corrected=False)

    shares = [found.of(part, at_submission=False) for part in (0.5, 0.85)]
    others = [by_later_names.of(part, at_submission=False) for part in (0.5, 0.85)]
    for held, part in zip(shares, (0.5, 0.85), strict=True):
        assert held is not None
        assert held.share == pytest.approx(part, abs=0.05)
    misses = [
        abs(held.share - part)
        for held, part in zip(others, (0.5, 0.85), strict=True)
        if held is not None and held.share is not None
    ]
    assert max(misses) > 0.1


def test_what_is_asked_for_is_what_is_learnt_from(history: Traces) -> None:
    """On any day, open cases stand in the same places by both; and every place in which one is seen
    is one in which others were."""
    assert history.unnamed.case.size
    for origin in ORIGINS:
        known = known_at(history, origin)
        seen = as_seen(known)
        here, there = (
            [(case, state.stage, state.holder, state.working) for case, state in open_states(one)]
            for one in (known, seen)
        )
        assert here == there
        assert {stage for _, stage, *_ in there} <= {"open", "ask", "sign", "review"}
        model = learn(known)
        for _, state in open_states(seen):
            assert f"in {state.stage}" in model.remaining(state).basis


def test_every_moment_of_a_case_is_in_one_place(history: Traces) -> None:
    seen = as_seen(history)

    np.testing.assert_array_equal(seen.begin_days[seen.first], 0.0)
    np.testing.assert_array_equal(seen.end_days[seen.last], seen.cases.duration_days)
    inner = ~seen.last
    np.testing.assert_array_equal(seen.end_days[inner], seen.begin_days[1:][inner[:-1]])
    assert np.count_nonzero(seen.first) == seen.cases.size
    assert seen.length_days.sum() == pytest.approx(history.length_days.sum())
    unnamed, ended = history.unnamed, history.cases.outcome != OPEN
    asked = (unnamed.stage == unnamed.stages.index("ask")) & ended[unnamed.case]
    waited = (seen.stage == seen.stages.index("ask")) & ended[seen.case]
    assert float(seen.length_days[waited].sum()) == pytest.approx(
        float((unnamed.until_days - unnamed.begin_days)[asked].sum())
    )
    assert as_seen(seen) is seen
