"""Tables of reports in people's words: a cell for every column, and a head over each."""

from datetime import date, timedelta
from typing import Any

import pytest

from service.reports.headline import GUARD
from service.reports.registry import Name
from service.reports.report import Report
from web.kit.strings import catalogue
from web.reports.tables import MOST_ROWS, MOST_WEEKS, NONE, Table, tables_of


def example(name: Name) -> dict[str, Any]:
    """A report as the OpenAPI document shows it."""
    return dict(name.of.example)


def made(name: Name, **changes: Any) -> Report:
    """A report like its example, but for some fields."""
    found: Report = name.of.result.model_validate({**example(name), **changes})
    return found


def first(rows: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The first of some rows, but for some fields."""
    return {**rows[0], **changes}


ARM = {
    "cases": 1_200,
    "completed": 900,
    "open": 200,
    "declined": 60,
    "withdrawn": 40,
    "km_median_days": 33.2,
    "km_median_ci_days": [30.0, None],
    "rmst_days": 38.0,
    "rmst_se_days": 1.0,
    "completed_mean_days": 30.0,
}
STRATUM = first(example(Name.VERDICT)["strata"], arms={"intake": ARM})
VERDICT: dict[str, Any] = {
    "ratio": 0.764,
    "arms": {"intake": ARM, "before": {**ARM, "km_median_days": None}},
    "strata": [
        {**STRATUM, "tier": "low", "counted": False, "ratio": None},
        {**STRATUM, "tier": "own", "counted": True, "ratio": 1.2},
        {**STRATUM, "tier": "high", "counted": True, "ratio": 0.8},
    ],
    "statements": None,
    "locked": [],
}
QUARTER = {
    "quarter": "2026-Q2",
    "as_of": "2026-06-30T23:59:59.999999+00:00",
    "locked_at": "2026-07-01T00:00:00+00:00",
    "verdict": "compresses",
    "why_none": "",
    "ratio": 0.8,
    "ci": [0.7, 0.9],
    "confidence": 0.9875,
}
UNDECIDED = {**QUARTER, "quarter": "2026-Q3", "verdict": "inconclusive", "why_none": GUARD}
LOCKED = {**VERDICT, "locked": [QUARTER, UNDECIDED]}
FIRM = {
    **LOCKED,
    "adjusted": {"ratio": 0.8, "ci": [0.7, 0.95]},
    "statements": {
        **example(Name.VERDICT)["statements"],
        "tau x 0.5": [0.9, 0.8, 1.01],
        "tau x 1.5": [0.75, None, None],
        "baseline, second half over first": None,
    },
}
GROUP = example(Name.CLOCK)["groups"][0]
PART = {
    "stage": "",
    "holder": "enablement",
    "mode": "waiting",
    "mean_days": 6.6,
    "share": 0.19,
    "median_days": 0.0,
    "rework_days": 0.01,
}
CLOCK: dict[str, Any] = {
    "groups": [
        {**GROUP, "name": "all", "parts": [PART, {**PART, "holder": "data-office"}]},
        {**GROUP, "name": "high", "parts": [{**PART, "stage": "risk-assessment"}]},
    ]
}


def times(days: dict[str, float | None]) -> dict[str, Any]:
    return {name: {"days": value, "low": None, "high": None} for name, value in days.items()}


TIMES = {
    "stays": 1,
    "complete": 1,
    **{kind: times({"p50": 1.0, "p85": 2.0, "p95": None}) for kind in ("queue", "work")},
}
AGAIN = {**TIMES, "work": times({"p50": 9.0, "p85": 9.0, "p95": 9.0})}
STAGE = first(
    example(Name.STAGES)["groups"][0]["stages"],
    stage="launch-review",
    entries=302,
    open=2,
    send_back_rate=None,
    first_pass=TIMES,
    total=TIMES,
)
STAGES = {
    "groups": [
        {"name": "all", "stages": [STAGE, {**STAGE, "total": AGAIN}]},
        {"name": "high", "stages": [STAGE]},
    ]
}
WEEK = {"arrived": 4, "production": 3, "declined": 0, "withdrawn": 1, "wip": 39}
FLOW: dict[str, Any] = {
    "bucket": "week",
    "stages": ["triage", "Declaration SUBMITTED by EMPLOYEE"],
    "rows": [
        first(
            example(Name.FLOW)["rows"],
            **{"from": str(date(2026, 1, 5) + timedelta(weeks=week))},
            **WEEK,
            in_stage=[1.6, week],
        )
        for week in range(40)
    ],
}
SAVING = first(
    example(Name.HELP)["waits"],
    stage="evaluate",
    holder="enablement",
    saved_days=1.92,
    saved_days_ci=[1.76, 2.1],
    saved_percent=5.02,
    waited_days=3.13,
    cases=323,
)
HELP = {"waits": [SAVING], "holders": [{**SAVING, "stage": None}]}
FORECAST = first(
    example(Name.FORECASTS)["held"],
    tier="all",
    made="all",
    quantile="p50",
    promised=0.5,
    share=None,
    ci=None,
    forecasts=66,
    in_time=3,
    late=7,
    width_days=12.25,
)
HELD = [
    FORECAST,
    {**FORECAST, "quantile": "p85", "share": 0.72, "ci": [0.3, 0.94]},
    {**FORECAST, "made": "later"},
    {**FORECAST, "tier": "high", "made": "submission"},
]
FORECASTS = {"held": HELD, "backtest": HELD[:1]}
DECISION = first(
    example(Name.DECISIONS)["decisions"],
    case="UC-20",
    tier="medium",
    stage="launch-review",
    holder="enablement",
    reason="Has waited.",
    waited_days=2.18,
    score_days=2.17,
)
DECISIONS = {"decisions": [DECISION] * (MOST_ROWS + 3)}
CHANGES = {
    "changes": [
        first(
            example(Name.CHANGES)["changes"],
            pathway="standard",
            version=2,
            previous=1,
            began="2026-05-01T09:00:00+00:00",
            verdict="inconclusive",
            ratio=None,
            ci=None,
        )
    ]
}
FOUND: dict[Name, Report] = {
    **{name: made(name) for name in Name},
    Name.VERDICT: made(Name.VERDICT, **VERDICT),
    Name.CLOCK: made(Name.CLOCK, **CLOCK),
    Name.STAGES: made(Name.STAGES, **STAGES),
    Name.FLOW: made(Name.FLOW, **FLOW),
    Name.HELP: made(Name.HELP, **HELP),
    Name.FORECASTS: made(Name.FORECASTS, **FORECASTS),
    Name.DECISIONS: made(Name.DECISIONS, **DECISIONS),
    Name.CHANGES: made(Name.CHANGES, **CHANGES),
}


def rows_of(table: Table) -> list[dict[str, str | None]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def only(name: Name) -> list[dict[str, str | None]]:
    [table] = tables_of(FOUND[name])
    return rows_of(table)


@pytest.mark.parametrize("name", list(Name))
def test_every_row_has_a_cell_for_every_column(name: Name) -> None:
    tables = tables_of(FOUND[name])

    assert tables
    for table in tables:
        assert table.title
        assert all(column.head for column in table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_no_head_and_no_title_is_left_over() -> None:
    tables = [table for found in FOUND.values() for table in tables_of(found)]
    flow = [made(Name.FLOW, **{**FLOW, "bucket": bucket}) for bucket in ("day", "month")]
    tables += [table for found in flow for table in tables_of(found)]
    tables += tables_of(made(Name.VERDICT, **FIRM))
    heads = {column.name for table in tables for column in table.columns if ":" not in column.name}
    titles = {table.title for table in tables}

    assert heads == {key[7:] for key in catalogue() if key.startswith("column.")}
    assert titles == {words for key, words in catalogue().items() if "reports.table_" in key}


def test_a_locked_quarter_without_a_verdict_says_why() -> None:
    _, quarters = tables_of(made(Name.VERDICT, **LOCKED))

    newest, older = rows_of(quarters)
    assert (newest["quarter"], newest["verdict"], newest["why"]) == (
        "2026 Q3",
        "inconclusive",
        GUARD,
    )
    assert (older["verdict"], older["why"], older["confidence"]) == ("compresses", NONE, "98.75%")
    assert older["ratio_between"] == "0.70 to 0.90"


def test_tiers_come_by_their_risk_and_say_what_repeats_once() -> None:
    rows = only(Name.VERDICT)

    assert [row["tier"] for row in rows] == ["All", None, "High", "Low", "Own"]
    assert [row["ratio"] for row in rows] == ["0.76", None, "0.80", "too few", "1.20"]
    assert rows[0]["cases"] == "1,200"
    assert rows[0]["median_between"] == f"30 to {NONE}"
    assert rows[1]["median_days"] == NONE


def test_groups_and_stages_are_columns_where_there_are_any() -> None:
    rows = only(Name.CLOCK)
    [alone] = tables_of(made(Name.CLOCK, groups=CLOCK["groups"][:1]))

    assert [row["group"] for row in rows] == ["all", None, "high"]
    assert [row["stage"] for row in rows] == [NONE, NONE, "Risk assessment"]
    assert [row["holder"] for row in rows] == ["Enablement", "Data office", "Enablement"]
    assert rows[0]["median_days"] == "0 min"
    assert rows[0]["rework_days"] == "14 min"
    assert {"group", "stage"}.isdisjoint(column.name for column in alone.columns)


def test_first_visits_are_shown_where_they_differ_from_all_of_them() -> None:
    rows = only(Name.STAGES)

    assert [row["visits"] for row in rows] == [
        "all visits",
        "all visits",
        "first visit",
        "all visits",
    ]
    assert [row["work_p50"] for row in rows] == ["1.0", "9.0", "1.0", "1.0"]
    assert rows[0]["queue_p95"] == NONE


def test_of_the_flow_the_newest_rows_are_shown_and_the_others_counted() -> None:
    [table] = tables_of(FOUND[Name.FLOW])

    assert len(table.rows) == MOST_WEEKS
    assert table.rows[0][0] == "5 Oct 2026"
    assert table.rows[0][-2:] == ("2", "39")
    assert table.left == "14 more rows are in the file."
    assert table.columns[-1].head == "Declaration SUBMITTED by EMPLOYEE"


def test_both_marks_of_a_forecast_are_in_one_row() -> None:
    [held, backtest] = tables_of(FOUND[Name.FORECASTS])
    rows = rows_of(held)

    assert [(row["tier"], row["made"]) for row in rows] == [
        ("All", "all"),
        (None, "on the way"),
        ("High", "at submission"),
    ]
    assert (rows[0]["held_p50"], rows[0]["held_p85"]) == (NONE, "72%")
    assert rows[0]["between_p85"] == "30% to 94%"
    assert rows_of(backtest)[0]["held_p85"] == NONE


def test_a_long_table_says_how_much_more_there_is() -> None:
    [table] = tables_of(FOUND[Name.DECISIONS])

    assert len(table.rows) == MOST_ROWS
    assert table.left == "3 more rows are in the file."


def test_a_table_without_rows_is_left_out() -> None:
    assert tables_of(made(Name.CHANGES, changes=[])) == ()
    assert len(tables_of(made(Name.HELP, **{**HELP, "waits": []}))) == 1


def test_a_verdict_is_asked_in_other_ways() -> None:
    _, firm, _ = tables_of(made(Name.VERDICT, **FIRM))
    assert firm.title == "The same question, asked in other ways"
    assert [row[1:] for row in firm.rows] == [
        ("0.80", "0.70 to 0.95"),
        ("0.90", "0.80 to 1.01"),
        ("0.75", NONE),
    ]
